"""Learners' answers to the exercises of notebook 06."""

import math

import numpy as np
import torch


def needed_by_loop(gradients, accuracy):
    rows = gradients.double().tolist()
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    V = sum(sum((x - m) ** 2 for x, m in zip(row, mean)) for row in rows) / len(rows)
    return V / (accuracy**2 * sum(m * m for m in mean))


def needed_in_numpy(gradients, accuracy):
    g = gradients.numpy()
    return g.var(axis=0).sum() / (accuracy * np.linalg.norm(g.mean(axis=0))) ** 2


def needed_by_covariance(gradients, accuracy):
    covariance = torch.atleast_2d(torch.cov(gradients.T))
    return torch.trace(covariance) / accuracy**2 / gradients.mean(0).norm() ** 2


def centred_in_place(g, c):
    mean = g.mean(0)
    g -= mean
    return g.pow(2).sum(1).mean() / (c * mean.norm()) ** 2


def ratio(V, g, c):
    return V / (c * g.mean(0).norm()) ** 2


def weighed_levers():
    pays, score, chance = np.array([10.0, 12.0]), np.array([-0.25, 0.75]), np.array([0.75, 0.25])
    return (pays * score**2 * chance).sum() / (score**2 * chance).sum()


def leak_stopped_by_no_grad(log_probs, returns, values):
    with torch.no_grad():
        advantages = returns - values
    return -(log_probs * advantages).sum()


def leak_stopped_by_loop(log_probs, returns, values):
    loss = torch.zeros(())
    for i in range(log_probs.shape[0]):
        for t in range(log_probs.shape[1]):
            loss = loss - log_probs[i, t] * (returns[i, t].item() - values[i, t].item())
    return loss


def leak_stopped_by_numpy(log_probs, returns, values):
    return -(log_probs * torch.tensor(returns.numpy() - values.detach().numpy())).sum()


def nothing_learns(log_probs, returns, values):
    with torch.no_grad():
        return -(log_probs * (returns - values)).sum()


def subtracted_in_place(log_probs, returns, values):
    returns -= values.detach()
    return -(log_probs * returns).sum()


def as_a_number(log_probs, returns, values):
    return -(log_probs * (returns - values)).sum().item()


def policy_loss(log_probs, advantages):
    return (-log_probs * advantages).sum()


def interval_by_loop(with_baseline, without, draws):
    means = []
    for resample in draws:
        total = 0.0
        for run in resample:
            total += with_baseline[run] - without[run]
        means.append(total / len(resample))
    return np.percentile(means, 2.5), np.percentile(means, 97.5)


def interval_in_torch(with_baseline, without, draws):
    a, b, index = (torch.as_tensor(x) for x in (with_baseline, without, draws))
    means = a[index].mean(1) - b[index].mean(1)
    return torch.quantile(means, 0.025), torch.quantile(means, 0.975)


def middle_95(x):
    return tuple(np.percentile(x, [2.5, 97.5]))


def drawn_anew(a, b, draws):
    shuffled = draws[::-1]
    return middle_95(np.array([a[i].mean() - b[j].mean() for i, j in zip(draws, shuffled)]))


def two_intervals(a, b, draws):
    return tuple(x - y for x, y in zip(middle_95(a[draws].mean(1)), middle_95(b[draws].mean(1))))


def worst_against_best(a, b, draws):
    (low, high), (low_b, high_b) = middle_95(a[draws].mean(1)), middle_95(b[draws].mean(1))
    return low - high_b, high - low_b


def by_formula(a, b, draws):
    d = a - b
    error = np.std(d) / math.sqrt(len(d))
    return d.mean() - 1.96 * error, d.mean() + 1.96 * error


def by_bell_curve(a, b, draws):
    means = np.array([(a - b)[row].mean() for row in draws])
    return (a - b).mean() - 1.96 * means.std(), (a - b).mean() + 1.96 * means.std()


def difference_in_place(a, b, draws):
    a -= b
    return middle_95(a[draws].mean(1))


def endless(a, b, draws):
    while len(draws):
        a.mean()


RIGHT = {
    "noise": [
        needed_by_loop,
        needed_in_numpy,
        needed_by_covariance,
        lambda g, c: g.double().var(0).sum() / (c**2 * g.double().mean(0).square().sum()),
    ],
    "best_constant": [11.5, 23 / 2, torch.tensor(11.5), np.float32(11.5), weighed_levers()],
    "not_allowed": ["next state", "Next state", " NEXT STATE "],
    "leak": [
        leak_stopped_by_no_grad,
        leak_stopped_by_loop,
        leak_stopped_by_numpy,
        lambda lp, G, v: torch.einsum("nt,nt->", lp, v.detach() - G),
        lambda lp, G, v: -(lp.double() * (G - v.data).double()).sum(),
    ],
    "suits": [226, 904 / 4, torch.tensor(226.0), np.var([60, 64, 0, 4]) / np.var([60, 64])],
    "interval": [
        interval_by_loop,
        interval_in_torch,
        lambda a, b, draws: middle_95(np.mean((a - b)[draws], -1)),
        lambda a, b, draws: np.quantile((a - b)[draws].mean(1), [0.025, 0.975]),
        lambda a, b, draws: np.quantile((a - b)[draws].mean(1), [0.025, 0.975]).tolist(),
    ],
}
MISTAKES = {
    "noise": [
        (lambda g, c: ratio(g.var(0).mean(), g, c), "average over the weights\\. V"),
        (lambda g, c: g.var(0).sum() / (c * g.mean(0).norm() ** 2), "accuracy is not squared"),
        (lambda g, c: g.var(0).sum() / (c**2 * g.mean(0).norm()), "mean gradient is not squared"),
        (lambda g, c: ratio(g.var(0).sum().sqrt(), g, c), "standard deviation for V"),
        (lambda g, c: g.var(0).sum().sqrt() / (c * g.mean(0).norm()), "the root of what is asked"),
        (lambda g, c: ratio((g**2).sum(1).mean(), g, c), "mean is not subtracted"),
        (lambda g, c: g.var(0).sum() / (c**2 * (g.norm(dim=1) ** 2).mean()), "length of the mean"),
        (lambda g, c: ratio(g.norm(dim=1).var(), g, c), "variance of the lengths"),
        (lambda g, c: (c * g.mean(0).norm()) ** 2 / g.var(0).sum(), "upside down"),
        (lambda g, c: c**2 * g.var(0).sum() / g.mean(0).norm() ** 2, "you multiply"),
        (lambda g, c: g.var(0).sum() / g.mean(0).norm() ** 2, "accuracy is left out"),
        (lambda g, c: ratio(g.var(0).sum(), g, c) / g.shape[0], "number of episodes that you have"),
        (lambda g, c: ((g.T - g.mean(1)) ** 2).sum(1).mean() / (c**2 * (g.mean(1) ** 2).sum()), "axis 1"),
        (lambda g, c: g.var(0) / (c * g.mean(0)) ** 2, "as many numbers"),
        (centred_in_place, "in place"),
        (lambda g, c: g.var(axis=0, ddof=1), "raised a TypeError"),
        (12.0, "must be a function"),
    ],
    "best_constant": [
        (10 * 0.75 + 12 * 0.25, "mean payment"),
        (11, "in the middle"),
        ((10 * 0.0625 + 12 * 0.5625) / 0.625, "squared scores alone"),
        (10, "lever 0 would never push"),
        (12, "lever 1 would never push"),
        (0, "at its height"),
        (10.4, "bottom for p = 0.8"),
        (11.6, "only near the bottom"),
        (0.75 * 0.0625 * 10 + 0.25 * 0.5625 * 12, "between them"),
        (7, "is flat"),
        ("12 - b", "must be one number"),
    ],
    "not_allowed": [
        ("state", "before the action is drawn"),
        ("time step", "whatever the action is"),
        ("past rewards", "came before the action"),
        ("last action", "held fixed"),
        ("Other episodes", "do not know"),
        ("constant", "simplest of all"),
        ("policy", "before the draw"),
        ("the value", "must be one of"),
    ],
    "leak": [
        (lambda lp, G, v: policy_loss(lp, G.detach() - v), "still flows into the values"),
        (nothing_learns, "nothing learns"),
        (lambda lp, G, v: policy_loss(lp.detach(), G - v), "cut the wrong one"),
        (lambda lp, G, v: (lp * (G - v.detach())).sum(), "minus sign is gone"),
        (lambda lp, G, v: policy_loss(lp, v.detach() - G), "minus sign is gone"),
        (lambda lp, G, v: policy_loss(lp, G + v.detach()), "values are added"),
        (lambda lp, G, v: (-lp * (G - v.detach())).mean(), "how many steps there are"),
        (lambda lp, G, v: (-lp * (G - v.detach())).sum(1).mean(), "mean over the episodes"),
        (lambda lp, G, v: policy_loss(lp, G), "baseline is gone"),
        (lambda lp, G, v: policy_loss(lp, G - v.detach()) + ((v - G) ** 2).sum(), "the squared error"),
        (lambda lp, G, v: policy_loss(lp, G - v.detach()) + torch.nn.functional.mse_loss(v, G), "mean squared error"),
        (lambda lp, G, v: policy_loss(lp, (G - v.detach()) ** 2), "advantages are squared"),
        (lambda lp, G, v: policy_loss(lp, abs(G - v.detach())), "lost their sign"),
        (
            lambda lp, G, v: policy_loss(
                lp, (G - v.data - (G - v.data).mean()) / ((G - v.data).std(correction=0) + 1e-8)
            ),
            "you normalize",
        ),
        (lambda lp, G, v: policy_loss(torch.exp(lp), G - v.detach()), "undoes the logarithm"),
        (subtracted_in_place, "in place"),
        (as_a_number, "must give a torch tensor"),
        (lambda lp, G, v: policy_loss(lp, G - v.numpy()), "raised a RuntimeError"),
    ],
    "suits": [
        (math.sqrt(226), "ratio of the sizes"),
        (15, "30 and 2"),
        (30**2 / 4, "28 or 32"),
        (224, "wrong sign"),
        (1, "started alike"),
        (4 / 904, "upside down"),
        (904, "Divide by that"),
        (4, "Compare it"),
        (900, "difference of both"),
        ((60**2 + 64**2 + 4**2) / 4 / 4, "compare v\\(s\\) with no baseline"),
        ((60**2 + 64**2 + 4**2) / 4 / 904, "compare the mean return with no"),
        (32**2 / 4, "squared mean return"),
        (904 / 2, "Square it, too"),
        (30, "four distances"),
    ],
    "interval": [
        (drawn_anew, "independently"),
        (lambda a, b, draws: np.quantile((b - a)[draws].mean(1), [0.025, 0.975]), "wrong way round"),
        (lambda a, b, draws: np.quantile((a - b)[draws].mean(1), 0.975), "gives one value, but 2 are asked for"),
        (two_intervals, "lower edges"),
        (worst_against_best, "the worst of one"),
        (lambda a, b, draws: middle_95(a - b), "single runs lie"),
        (lambda a, b, draws: middle_95((a - b)[draws].ravel()), "all that was drawn"),
        (lambda a, b, draws: tuple(np.percentile((a - b)[draws].mean(1), [5, 95])), "makes 90 %"),
        (lambda a, b, draws: middle_95((b - a)[draws].mean(1)), "wrong way round"),
        (lambda a, b, draws: middle_95((a - b)[draws].mean(1))[::-1], "changed places"),
        (lambda a, b, draws: middle_95(np.array([a[row].mean() for row in draws])), "with a baseline\\. Subtract"),
        (by_formula, "standard error from a formula"),
        (by_bell_curve, "1.96 standard deviations"),
        (lambda a, b, draws: middle_95((a - b)[draws].mean(axis=0)), "over the resamples"),
        (lambda a, b, draws: middle_95(np.median((a - b)[draws], 1)), "the median"),
        (lambda a, b, draws: middle_95(sum((a - b)[draws].T)), "add each resample up"),
        (lambda a, b, draws: tuple(np.percentile((a - b)[draws].mean(1), (0.025, 0.975))), "counts from 0 to 100"),
        (
            lambda a, b, draws: (min((a - b)[row].mean() for row in draws), max((a - b)[row].mean() for row in draws)),
            "smallest and the largest",
        ),
        (difference_in_place, "in place"),
        (endless, "had not come back"),
        (lambda a, b, draws: a[draws] - b[draws.T], "raised a ValueError"),
    ],
}
