"""Learners' answers to the exercises of notebook 17."""

import math

import numpy as np
import torch


def loss_by_loop(log_pi, log_old, log_ref, A, written, epsilon, beta):
    total = 0.0
    for i in range(len(A)):
        length = int(written[i].sum())
        inside = 0.0
        for t in range(length):
            rho = torch.exp(log_pi[i, t] - log_old[i, t])
            gain = torch.min(rho * A[i], torch.clamp(rho, 1 - epsilon, 1 + epsilon) * A[i])
            x = torch.exp(log_ref[i, t] - log_pi[i, t])
            inside = inside + gain - beta * (x - 1 - torch.log(x))
        total = total + inside / length
    return -total / len(A)


def loss_by_where(log_pi, log_old, log_ref, A, written, epsilon, beta):
    rho, A = torch.exp(log_pi - log_old), A.unsqueeze(1)
    blocked = ((A > 0) & (rho > 1 + epsilon)) | ((A < 0) & (rho < 1 - epsilon))
    gain = torch.where(blocked, torch.where(A > 0, 1 + epsilon, 1 - epsilon), rho) * A
    x = log_ref - log_pi
    weights = written / written.sum(1, keepdim=True) / len(written)
    return ((beta * (torch.expm1(x) - x) - gain) * weights).sum()


def loss_by_max(log_pi, log_old, log_ref, A, written, epsilon, beta):
    rho = (log_pi - log_old).exp()
    lost = torch.max(-A[:, None] * rho, -A[:, None] * torch.clip(rho, 1 - epsilon, 1 + epsilon))
    lost = lost + beta * ((log_ref - log_pi).exp() + log_pi - log_ref - 1)
    return torch.stack([row[mask > 0].mean() for row, mask in zip(lost, written)]).mean()


def parts(log_pi, log_old, log_ref, A, epsilon, beta):
    rho, A = (log_pi - log_old).exp(), A[:, None]
    gain = torch.minimum(rho * A, rho.clamp(1 - epsilon, 1 + epsilon) * A)
    return gain, (log_ref - log_pi).exp() - 1 - (log_ref - log_pi)


def each(average):
    def full_loss(log_pi, log_old, log_ref, A, written, epsilon, beta):
        gain, kl = parts(log_pi, log_old, log_ref, A, epsilon, beta)
        return -average(gain - beta * kl, written)

    return full_loss


def mean_within(x, written):
    return ((x * written).sum(1) / written.sum(1)).mean()


def with_gain(gain_of):
    def full_loss(log_pi, log_old, log_ref, A, written, epsilon, beta):
        rho = (log_pi - log_old).exp()
        _, kl = parts(log_pi, log_old, log_ref, A, epsilon, beta)
        gain = gain_of(rho, rho.clamp(1 - epsilon, 1 + epsilon), A[:, None])
        return -mean_within(gain - beta * kl, written)

    return full_loss


def with_kl(kl_of):
    def full_loss(log_pi, log_old, log_ref, A, written, epsilon, beta):
        gain, _ = parts(log_pi, log_old, log_ref, A, epsilon, beta)
        return -mean_within(gain - beta * kl_of(log_pi, log_ref), written)

    return full_loss


def kl_everywhere(log_pi, log_old, log_ref, A, written, epsilon, beta):
    gain, kl = parts(log_pi, log_old, log_ref, A, epsilon, beta)
    return -((gain * written - beta * kl).sum(1) / written.sum(1)).mean()


def logarithm(log_pi, log_old, log_ref, A, written, epsilon, beta):
    rho, A = log_pi - log_old, A[:, None]
    x = (log_ref - log_pi).exp()
    return -mean_within(torch.min(rho * A, rho.clip(1 - epsilon, 1 + epsilon) * A) - beta * (x - 1 - x.log()), written)


def one_ratio(log_pi, log_old, log_ref, A, written, epsilon, beta):
    rho = torch.exp(((log_pi - log_old) * written).sum(1) / written.sum(1))
    gain = torch.min(rho * A, rho.clip(1 - epsilon, 1 + epsilon) * A)
    x = (log_ref - log_pi).exp()
    return -(gain - beta * ((x - 1 - x.log()) * written).sum(1) / written.sum(1)).mean()


RIGHT = {
    "full_loss": [each(mean_within), loss_by_loop, loss_by_where, loss_by_max],
    "silent": [0.9**8 + 0.1**8, 0.43, np.float64(0.4304672)],
    "which_change": ["mixed groups only", "Mixed groups only", "mixed_groups_only"],
}
MISTAKES = {
    "full_loss": [
        (lambda *a: -each(mean_within)(*a), "minus is missing"),
        (with_gain(lambda rho, clipped, A: rho * A), "nothing is clipped"),
        (with_gain(lambda rho, clipped, A: clipped * A), "even where it is the larger"),
        (with_gain(lambda rho, clipped, A: torch.maximum(rho * A, clipped * A)), "larger of the two"),
        (with_gain(lambda rho, clipped, A: torch.minimum(rho, clipped) * A), "smaller \\*ratio\\*"),
        (with_kl(lambda p, q: 0 * p), "KL term is missing"),
        (with_kl(lambda p, q: 1 + (q - p) - (q - p).exp()), "wrong sign"),
        (with_kl(lambda p, q: (p - q).exp() - 1 - (p - q)), "wrong way round"),
        (with_kl(lambda p, q: p - q), "plain log ratio"),
        (each(lambda x, m: (x * m).sum() / m.sum()), "count alike"),
        (each(lambda x, m: (x * m).sum(1).mean()), "not divided by its length"),
        (each(lambda x, m: (x * m).mean()), "how wide the table is"),
        (each(lambda x, m: x.mean()), "never written"),
        (each(lambda x, m: ((x * m).sum(1) / m.sum(1)).sum()), "added up"),
        (each(lambda x, m: (x * m).sum(1) / m.sum(1)), "a loss of its own"),
        (lambda *a: each(mean_within)(*a).item(), "a float"),
        (with_kl(lambda p, q: (q - p).exp() - (q - p)), "lacks the minus 1"),
        (lambda p, old, ref, *rest: each(mean_within)(p, old, old, *rest), "policy which wrote the answers. The"),
        (kl_everywhere, "counts tokens that were never written"),
        (with_kl(lambda p, q: (q - p).exp() - 1 + (q - p)), "wrong sign: x - 1"),
        (
            lambda p, old, ref, A, m, eps, b: (
                -mean_within(parts(old, p, ref, A, eps, b)[0] - b * parts(p, old, ref, A, eps, b)[1], m)
            ),
            "the ratio is the wrong way",
        ),
        (with_kl(lambda p, q: (q - p.detach()).exp() - 1 - (q - p.detach())), "as a constant"),
        (with_gain(lambda rho, clipped, A: torch.minimum(rho * A.T, clipped * A.T)), "meets the tokens"),
        (lambda *a: a[-1] * each(mean_within)(*a[:-1], 1.0), "multiplies the gain, too"),
        (lambda p, old, ref, *rest: each(mean_within)(p, ref, ref, *rest), "that to pi_ref"),
        (lambda p, old, ref, A, m, epsilon, beta: each(mean_within)(p, old, ref, A, m, 0.2, beta), "You took 0.2"),
        (logarithm, "exponential is missing"),
        (one_ratio, "one ratio for a whole answer"),
    ],
    "silent": [
        (1 - 0.9**8 - 0.1**8, "mixed"),
        (0.9, "single answer is right"),
        (0.1, "single answer is wrong"),
        (0.9**7, "seven right"),
        (0.8, "eight times"),
        (2 * 0.9**8, "not as likely"),
        (0.1**8, "all eight wrong"),
        (2 * 0.5**8, "half of the time"),
        (1 / (1 - 0.9**8), "groups are drawn"),
        (8 * 0.9**7 * 0.1, "exactly one wrong"),
        (math.pi, "other case"),
    ],
    "which_change": [
        ("token-level average", "same length"),
        ("clip higher", "nothing is clipped"),
        ("answer ratios", "of tokens and of answers"),
        ("GSPO", "answer ratios"),
        ("DAPO", "several changes"),
        ("Dr. GRPO", "two divisions"),
        ("everything", "must be one of"),
    ],
}
