"""Learners' answers to the exercises of notebook 14."""

import math

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical


def states_by_loop(prompts, answers):
    rows = []
    for prompt, answer in zip(prompts.tolist(), answers.tolist()):
        size = len(prompt)
        rows.append([prompt + [10] + answer[:t] + [11] * (size - 1 - t) for t in range(size)])
    return torch.tensor(rows)


def states_by_mask(prompts, answers):
    n, length = prompts.shape
    whole = torch.cat([prompts, torch.full((n, 1), 10), answers[:, :-1]], dim=1).float()
    later = torch.arange(2 * length) > length + torch.arange(length)[:, None]
    return whole[:, None].expand(-1, length, -1).masked_fill(later, 11.0)


def states_in_numpy(prompts, answers):
    prompts, answers = prompts.numpy(), answers.numpy()
    n, length = prompts.shape
    seen = np.where(np.tri(length, length - 1, -1) > 0, answers[:, None, :-1], 11)
    start = np.column_stack([prompts, np.full(n, 10)])
    return np.concatenate([np.repeat(start[:, None], length, axis=1), seen], axis=2)


def states_by_writing(prompts, answers):
    n, length = prompts.shape
    row = torch.full((n, 2 * length), 11)
    row[:, :length] = prompts
    row[:, length] = 10
    found = [row.clone()]
    for t in range(length - 1):
        row[:, length + 1 + t] = answers[:, t]
        found.append(row.clone())
    return torch.stack(found, dim=1)


def each_row(make):
    """A learner's function that makes a list of tokens from a prompt, what is written, the answer and the length."""

    def states(prompts, answers):
        pairs = zip(prompts.tolist(), answers.tolist())
        return torch.tensor([[make(p, a[:t], a, len(p)) for t in range(len(p))] for p, a in pairs])

    return states


def filled(row, size, with_what=11):
    return (row + [with_what] * size)[: 2 * size]


def states_overwritten(prompts, answers):
    prompts[:] = prompts.sort(1).values
    return states_by_loop(prompts, answers)


def states_and_end(prompts, answers):
    whole = torch.cat([states_by_loop(prompts, answers), torch.full((*prompts.shape, 1), 11)], 2)
    last = torch.cat([prompts, torch.full((len(prompts), 1), 10), answers], 1)
    return torch.cat([whole, last.unsqueeze(1)], 1)


def log_prob_by_loop(logits, answers):
    n, length = answers.shape
    totals = []
    for i in range(n):
        total = torch.zeros(())
        for t in range(length):
            z = logits[i, length + t]
            total = total + z[answers[i, t]] - torch.logsumexp(z, 0)
        totals.append(total)
    return torch.stack(totals)


def log_prob_by_distribution(logits, answers):
    return Categorical(logits=logits[:, -answers.shape[1] :]).log_prob(answers).sum(1)


def log_prob_by_cross_entropy(logits, answers):
    each = nn.functional.cross_entropy(logits.chunk(2, 1)[1].mT, answers, reduction="none")
    return -each.sum(dim=1)


def log_prob_by_onehot(logits, answers):
    z = logits.double()[:, answers.size(1) :]
    return (nn.functional.one_hot(answers, 10) * nn.functional.log_softmax(z, dim=2)).sum((1, 2))


def read_from(start, give=lambda log_probs: log_probs.sum(1), prepare=None):
    """A learner's function that reads the logits from some position on."""

    def log_prob(logits, answers):
        length = answers.shape[1]
        z = logits[:, start(length) :][:, :length]
        log_pi = (prepare or (lambda z: nn.functional.log_softmax(z, 2)))(z)
        return give(torch.stack([log_pi[:, k].gather(1, answers[:, k : k + 1])[:, 0] for k in range(z.shape[1])], 1))

    return log_prob


def rightly(give=lambda log_probs: log_probs.sum(1), prepare=None):
    return read_from(lambda length: length, give, prepare)


def log_prob_at(position):
    def log_prob(logits, answers):
        log_pi = torch.log_softmax(logits[:, position(answers.shape[1])], 1)
        return sum(log_pi[torch.arange(len(answers)), answers[:, k]] for k in range(answers.shape[1]))

    return log_prob


def log_prob_of_the_likeliest(logits, answers):
    log_pi = logits[:, answers.shape[1] :].log_softmax(-1)
    return log_pi.max(-1).values.sum(1)


def log_prob_along_positions(logits, answers):
    log_pi = nn.functional.log_softmax(logits, dim=1)[:, answers.shape[1] :]
    return torch.take_along_dim(log_pi, answers[:, :, None], 2).sum((1, 2))


def log_prob_shifted(logits, answers):
    late = logits[:, answers.shape[1] + 1 :].log_softmax(-1)
    return late.gather(-1, answers[:, 1:].unsqueeze(-1)).squeeze(-1).sum(1)


RIGHT = {
    "states": [states_by_loop, states_by_mask, states_in_numpy, states_by_writing],
    "log_prob": [log_prob_by_loop, log_prob_by_distribution, log_prob_by_cross_entropy, log_prob_by_onehot],
    "group": [6, math.floor(0.09 / 0.02) + 2, torch.tensor(6.0)],
}
MISTAKES = {
    "states": [
        (lambda p, a: states_by_mask(p, a).permute(1, 0, 2).reshape(len(p), p.shape[1], -1), "keeps the order"),
        (lambda prompts, answers: states_by_mask(prompts, answers[-1:].repeat(len(answers), 1)), "of the last answer"),
        (
            lambda prompts, answers: states_by_mask(prompts.reshape(-1, 3), answers.reshape(len(prompts), 3)),
            "fixed to 3",
        ),
        (lambda prompts, answers: states_by_mask(prompts[:1].repeat(len(prompts), 1), answers), "first prompt before"),
        (each_row(lambda p, w, a, n: filled([*p, *w, 10], n)), "moves with the answer"),
        (lambda prompts, answers: states_by_mask(prompts, answers)[:, :3, :], "fixed to 3|shape"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *a[: len(w) + 1]], n)), "it is the action"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *w[:-1]], n)), "written last"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *a], n)), "yet to be written"),
        (each_row(lambda p, w, a, n: filled([*p, 10], n)), "nothing is ever written"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *w], n, 0)), "a digit like any other"),
        (each_row(lambda p, w, a, n: filled([*p, 11, *w], n, 10)), "10 and 11 are exchanged"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *w], n, 10)), "you have the equals sign"),
        (each_row(lambda p, w, a, n: filled([*p, *w], n)), "equals sign is missing"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *[11] * (len(w) - 1), *w[-1:]], n)), "only the newest token"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *w[::-1]], n)), "reversed order"),
        (each_row(lambda p, w, a, n: [*p, 10, *[11] * (n - 1 - len(w)), *w]), "at the end of the row"),
        (each_row(lambda p, w, a, n: filled([*p, 10, *sorted(p)[: len(w)]], n)), "perfect agent"),
        (lambda prompts, answers: states_by_loop(answers, prompts), "prompts and answers are exchanged"),
        (lambda prompts, answers: states_by_mask(prompts, answers).permute(1, 0, 2), "first two axes"),
        (states_and_end, "a row too many"),
        (lambda prompts, answers: states_and_end(prompts, answers)[:, :, :-1], "a row too many"),
        (each_row(lambda p, w, a, n: [*filled([*p, 10, *w], n), 11]), "one place too long"),
        (lambda prompts, answers: states_by_mask(prompts, answers).reshape(-1, 2 * prompts.shape[1]), "in one list"),
        (states_overwritten, "in place"),
        (lambda prompts, answers: prompts + "=" + answers, "raised a TypeError"),
    ],
    "log_prob": [
        (
            lambda z, a: (
                torch.cat([z[:, a.shape[1] + 1 :], z[:, -1:]], 1).log_softmax(-1).gather(2, a[..., None]).sum((1, 2))
            ),
            "too late",
        ),
        (lambda z, a: log_prob_shifted(z, a), "leave out the first token"),
        (rightly(lambda each: each[:, 0]), "only the first token"),
        (rightly(lambda each: each[:, -1]), "only the last token"),
        (rightly(prepare=lambda z: z.flatten(1).log_softmax(1).view_as(z)), "positions and digits together"),
        (lambda z, a: z.log_softmax(-1).gather(2, torch.cat([a, a], 1)[..., None]).sum((1, 2)), "count as well"),
        (lambda z, a: z[:, a.shape[1] :].log_softmax(-1)[..., a].sum(1), "does not pair them"),
        (lambda z, a: z[:, 3:6].log_softmax(-1).gather(2, a[..., None]).sum((1, 2)), "fixed to 3"),
        (read_from(lambda length: length - 1), "one position too early"),
        (read_from(lambda length: length + 1), "place of the token itself"),
        (read_from(lambda length: 0), "prompt's positions"),
        (log_prob_at(lambda length: -1), "at one position, the last"),
        (log_prob_at(lambda length: length), "at one position, the equals sign"),
        (lambda z, a: z[:, 3:].log_softmax(2).gather(2, a[:, :, None])[:, :, 0].sum(1), "fixed to 3"),
        (lambda z, a: sum(z[:, 3 + k].log_softmax(1).gather(1, a[:, [k]])[:, 0] for k in range(3)), "fixed to 3"),
        (rightly(lambda each: each[:, :-1].sum(1)), "a token is missing"),
        (rightly(lambda each: each.mean(dim=1)), "divides by the length"),
        (rightly(lambda each: each), "number of its own"),
        (rightly(lambda each: each.sum(dim=0)), "runs over the answers"),
        (rightly(torch.sum), "everything is added up"),
        (rightly(prepare=lambda z: z), "as they are"),
        (rightly(prepare=lambda z: torch.softmax(z, -1)), "probabilities are added"),
        (rightly(lambda each: each.sum(1).log(), lambda z: z.softmax(2)), "of a sum of probabilities"),
        (rightly(lambda each: each.exp().prod(1)), "the probability of the answer"),
        (rightly(lambda each: torch.log(torch.prod(each, 1)), lambda z: z.softmax(2)), "rounded to zero"),
        (rightly(prepare=lambda z: torch.log(z.softmax(-1))), "rounded to zero"),
        (rightly(lambda each: each.log().sum(-1), lambda z: z.softmax(2)), "rounded to zero"),
        (rightly(prepare=lambda z: z - z.logsumexp(1, keepdim=True)), "softmax runs over the positions"),
        (log_prob_along_positions, "softmax runs over the positions"),
        (rightly(prepare=lambda z: z - z.logsumexp(0, keepdim=True)), "softmax runs over the answers"),
        (log_prob_of_the_likeliest, "likeliest tokens"),
        (rightly(lambda each: -each.sum(1)), "minus belongs to the loss"),
        (lambda z, a: log_prob_by_distribution(z, a).detach().numpy(), "NumPy array"),
        (lambda z, a: nn.functional.cross_entropy(z, a), "raised a"),
    ],
    "group": [
        (0.09 / 0.11, "share of the total"),
        (21.25, "squares of variances"),
        (0.11, "large batch's mean"),
        (5, "\\*others\\*: 0.09 / 5"),
        (5.5, "Take the next"),
        (0.09 / 0.02, "how many \\*others\\* make"),
        (4, "three others"),
        (3, "two others"),
        (2, "single other answer"),
        (0.3 / 0.02**0.5 + 1, "standard deviations"),
        (0.02 / 0.09 + 1, "wrong way round: it is"),
        (0.02 / 0.09, "wrong way round: it is"),
        (7, "but not the smallest. It is n - 1"),
        (8, "group of this notebook"),
        (0.09 / 7, "group of 8 adds"),
        (1, "has no others"),
        (12, "is below 0.02"),
        ("six", "must be one number"),
    ],
}
