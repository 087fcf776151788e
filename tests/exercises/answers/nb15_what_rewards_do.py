"""Learners' answers to the exercises of notebook 15."""

import math

import numpy as np
import torch


def loss_by_loop(log_probs, advantages, written):
    total = 0.0
    for row, advantage, mask in zip(log_probs, advantages, written):
        for log_pi, there in zip(row, mask):
            if there:
                total = total - log_pi * advantage
    return total / len(advantages)


def loss_by_product(log_probs, advantages, written):
    return -advantages @ torch.where(written > 0, log_probs, 0).sum(1) / log_probs.shape[0]


def loss_by_einsum(log_probs, advantages, written):
    n = len(log_probs)
    return -torch.einsum("nt,n,nt->", log_probs.double(), advantages.double(), written.double()) / n


def loss_transposed(log_probs, advantages, written):
    return (-(log_probs * written).T * advantages).sum(0).mean()


def by_answer(log_probs, advantages, written):
    return -(torch.where(written.bool(), log_probs, 0.0) * advantages.reshape(-1, 1)).sum(dim=-1)


def loss_as_it_was(log_probs, advantages, written):
    each = -(log_probs * advantages * written).sum(1)
    return (each / written.sum(1)).mean()


def loss_of_last(log_probs, advantages, written):
    last = written.sum(1).long() - 1
    return -(log_probs[torch.arange(len(last)), last] * advantages).mean()


def best(reference, rewards, beta):
    weights = [p * math.exp(r / beta) for p, r in zip(reference, rewards)]
    return [w / sum(weights) for w in weights]


def loss_by_where(log_probs, advantages, written):
    log_pi = torch.where(written > 0, log_probs, 0.0).sum(1)
    return -(log_pi @ advantages) / log_pi.numel()


RIGHT = {
    "level": [4, 4.0, np.int64(4)],
    "loss": [loss_by_where, loss_by_loop, loss_by_product, loss_by_einsum, loss_transposed],
    "price": [
        best([0.6, 0.1, 0.3], [1, 1, 0], 0.5)[0],
        0.81,
        (torch.tensor([0.6, 0.1, 0.3]).log() + torch.tensor([2.0, 2, 0])).softmax(0)[0],
        np.float32(0.8102),
    ],
}
MISTAKES = {
    "level": [
        (2, "groups of 2 w is 1.00"),
        (3, "groups of 3 w is 1.41"),
        (1, "group of one"),
        (1.62, "w for groups of 4"),
        (0, "there is such"),
        (5, "smaller group already"),
        (6, "smaller group already"),
        (8, "stands at first"),
        (64, "largest group"),
        (math.sqrt(2), "that is w for groups of 3"),
        (math.sqrt(3), "that is w for groups of 4"),
        (0.5, "that is a p"),
        (30, "go on to the next"),
    ],
    "loss": [
        (lambda p, A, m: -((A / A.std())[:, None] * p * m).sum(1).mean(), "divided by their standard"),
        (lambda z, a, m: -(z * a[:, None] * m).sum(0).mean(), "over the answers"),
        (lambda z, a, m: -(z * m).sum(1).mean(), "advantages are missing"),
        (lambda z, a, m: by_answer(z, a, m).mean() / m.sum(1).max(), "^you divide by the length of the longest"),
        (lambda z, a, m: by_answer(z, a - a.mean(), m).mean(), "mean of the advantages"),
        (lambda z, a, m: by_answer(z, (a - a.mean()) / (a.std() + 1e-8), m).mean(), "normalized once more"),
        (lambda z, a, m: -((z * m).sum(1, keepdim=True) * a).mean(), "two means"),
        (loss_as_it_was, "as it was"),
        (lambda z, a, m: -(z * a * m).sum(1).mean(), "one is fixed. An advantage"),
        (lambda z, a, m: (by_answer(z, a, m) / m.sum(1)).mean(), "divided by its length"),
        (lambda z, a, m: by_answer(z, a, m).sum() / m.sum(), "number of all tokens"),
        (lambda z, a, m: -(z * m * a.view(-1, 1)).mean(1).mean(), "how wide the table is"),
        (lambda z, a, m: (by_answer(z, a, m) * m.sum(1)).mean(), "you multiply by the length"),
        (lambda z, a, m: by_answer(z, a, m).sum(), "answers are added up"),
        (lambda z, a, m: -(z * a[:, None]).sum(1).mean(), "nothing was written"),
        (lambda z, a, m: -by_answer(z, a, m).mean(), "sign is wrong"),
        (by_answer, "a loss of its own"),
        (lambda z, a, m: by_answer(z.exp(), a, m).mean(), "these are probabilities"),
        (lambda z, a, m: -a.mean() * (m * z).sum(1).mean(), "two means"),
        (loss_of_last, "only the last token"),
        (lambda z, a, m: by_answer(z, abs(a), m).mean(), "Leave abs out"),
        (lambda z, a, m: by_answer(z, a / a.std(unbiased=False).clamp_min(1e-6), m).mean(), "once more"),
        (lambda z, a, m: by_answer(z, a, m).mean().item(), "a float"),
        (lambda z, a, m: z.mul_(m).sum(1).mul(-a).mean(), "changes its argument `z` in place"),
    ],
    "price": [
        (0.7, "the right ones alone"),
        (0.6 * math.exp(2) / (0.6 * math.exp(2) + 0.4), "is paid as well"),
        (1.2 / 1.7, "by its exponential"),
        (best([0.36, 0.01, 0.09], [1, 1, 0], 0.5)[0], "raised to the power"),
        (0.6, "reference itself"),
        (0.6 / 0.7, "have vanished"),
        (0.5, "breaks the tie"),
        (sum(best([0.6, 0.1, 0.3], [1, 1, 0], 0.5)[:2]), "what is paid, the share"),
        (best([0.6, 0.1, 0.3], [1, 1, 0], 0.5)[1], "share of 9 9 9"),
        (best([0.6, 0.1, 0.3], [1, 1, 0], 0.5)[2], "share of falling digits"),
        (best([0.6, 0.1, 0.3], [1, 1, 0], 2)[0], "multiplied the reward by beta"),
        (best([0.6, 0.1, 0.3], [1, 1, 0], 1)[0], "beta is missing"),
        (best([0.6, 0.1, 0.3], [1, 1, 0], -0.5)[0], "sign is wrong"),
        (best([1, 1, 1], [1, 1, 0], 0.5)[0], "reference is missing"),
        (0.6 * math.exp(2), "Divide by the sum"),
        (0.6 * 4 / (0.6 * 4 + 0.1 * 4 + 0.3), "you took 2"),
        (2.6 / (2.6 + 2.1 + 0.3), "you added"),
        (torch.tensor([2.6, 2.1, 0.3]).softmax(0)[0], "its logarithm"),
        (1, "keeps its part"),
        (0, "\\*without\\*"),
        (0.95, "what is paid, the share"),
        (0.75, "Multiply each"),
    ],
}
