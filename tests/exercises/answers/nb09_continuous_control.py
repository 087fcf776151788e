"""Learners' answers to the exercises of notebook 09."""

import math
from collections import deque

import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical, Independent, Normal


def arrives_by_convolution(returns, window, bar):
    if len(returns) < window:
        return 0
    means = np.convolve(returns, np.ones(window) / window, "valid")
    above = means > bar
    return int(above.argmax()) + window if above.any() else 0


def arrives_by_queue(returns, window, bar):
    last = deque(maxlen=window)
    for number, value in enumerate(returns.tolist(), start=1):
        last.append(value)
        if len(last) == window and sum(last) / window > bar:
            return number
    return 0


def arrives_in_torch(returns, window, bar):
    if len(returns) < window:
        return torch.tensor(0)
    means = torch.from_numpy(returns).unfold(0, window, 1).mean(-1)
    places = (means > bar).nonzero().flatten()
    return places[0] + window if len(places) else torch.tensor(0)


def windows(returns, window):
    return [returns[i : i + window] for i in range(len(returns) - window + 1)]


def place(returns, window, bar, good=None):
    good = good or (lambda w: sum(w) / len(w) > bar)
    return next((i for i, w in enumerate(windows(returns, window)) if good(w)), None)


def first(shift, good=None):
    """A learner's function that finds the right window, and then counts in their own way."""

    def arrives(returns, window, bar):
        i = place(returns, window, bar, None if good is None else lambda w: good(w, bar))
        return 0 if i is None else i + shift(window)

    return arrives


def arrives_for_nothing(returns, window, bar):
    above = np.array([w.mean() > bar for w in windows(returns, window)] or [False])
    return above.argmax() + window


def arrives_at_the_end(returns, window, bar):
    i = place(returns, window, bar)
    return len(returns) if i is None else i + window


def arrives_minus_one(returns, window, bar):
    i = place(returns, window, bar)
    return -1 if i is None else i + window


def arrives_at_once(returns, window, bar):
    for number, value in enumerate(returns, 1):
        if value > bar:
            return number
    return 0


def arrives_too_soon(returns, window, bar):
    last = deque(maxlen=window)
    for number, value in enumerate(returns, 1):
        last.append(value)
        if np.mean(last) > bar:
            return number
    return 0


def arrives_in_the_long_run(returns, window, bar):
    for number in range(window, len(returns) + 1):
        if np.mean(returns[:number]) > bar:
            return number
    return 0


def arrives_last(returns, window, bar):
    found = 0
    for i, w in enumerate(windows(returns, window)):
        if w.mean() > bar:
            found = i + window
    return found


def power_by_loop(speed, sampled, strongest):
    powers = []
    for speeds, torques in zip(speed.tolist(), sampled.tolist()):
        powers.append(sum(v * max(-strongest, min(strongest, u)) for v, u in zip(speeds, torques)) / len(speeds))
    return powers


def power_in_torch(speed, sampled, strongest):
    torque = torch.tensor(sampled, dtype=torch.float32).clamp(-strongest, strongest)
    return (torch.tensor(speed, dtype=torch.float32) * torque).mean(dim=-1)


def power_by_einsum(speed, sampled, strongest):
    torque = np.where(abs(sampled) > strongest, strongest * np.sign(sampled), sampled)
    return np.einsum("es,es->e", speed, torque) / speed.shape[1]


def power_in_place(speed, sampled, strongest):
    sampled[sampled > strongest] = strongest
    sampled[sampled < -strongest] = -strongest
    return np.mean(sampled * speed, axis=1)


def given(sampled, strongest):
    return np.maximum(-strongest, np.minimum(strongest, sampled))


def joints_by_loop(logits, choices):
    rows = []
    for table, chosen in zip(logits, choices.tolist()):
        rows.append(sum(row[level] - torch.logsumexp(row, 0) for row, level in zip(table, chosen)))
    return torch.stack(rows)


def joints_by_distribution(logits, choices):
    return Independent(Categorical(logits=logits), 1).log_prob(choices)


def joints_by_cross_entropy(logits, choices):
    return -nn.functional.cross_entropy(logits.transpose(1, 2), choices, reduction="none").sum(1)


def joints_by_onehot(logits, choices):
    onehot = nn.functional.one_hot(choices, logits.shape[-1]).double()
    return (onehot * nn.functional.log_softmax(logits.double(), dim=2)).sum(dim=(1, 2))


def one_softmax(logits, choices):
    n, joints, levels = logits.shape
    flat = Categorical(logits=logits.reshape(n, -1))
    return torch.stack([flat.log_prob(choices[:, j] + j * levels) for j in range(joints)], 1)


def each_joint(logits, choices):
    return Categorical(logits=logits).log_prob(choices)


def along(axis):
    def log_pi(logits, choices):
        onehot = nn.functional.one_hot(choices, logits.shape[-1])
        return (nn.functional.log_softmax(logits, dim=axis) * onehot).sum((1, 2))

    return log_pi


def probabilities(logits, choices):
    return torch.take_along_dim(nn.functional.softmax(logits, 2), choices[:, :, None], 2).squeeze(2)


RIGHT = {
    "sigma": [
        math.exp(0.40 - 0.5 * math.log(2 * math.pi * math.e)),
        0.361,
        np.exp(0.4) / np.sqrt(2 * np.pi * np.e),
        (0.4 - Normal(0.0, 1.0).entropy()).exp(),
    ],
    "arrives": [arrives_by_convolution, arrives_by_queue, arrives_in_torch],
    "power": [power_by_loop, power_in_torch, power_by_einsum],
    "tries": [7, 7.0, math.floor(math.log(800, 3)) + 1],
    "joints": [joints_by_loop, joints_by_distribution, joints_by_cross_entropy, joints_by_onehot],
    "leftover": [1.7, -0.4 + 2.1, 1.69, np.float32(1.7)],
}
MISTAKES = {
    "sigma": [
        (0.4, "entropy itself"),
        (math.exp(0.4), "constant is missing"),
        (0.4 - 1.4189385, "Take the exponential"),
        (0.4 + 1.4189385, "forgot the exponential"),
        (math.exp(0.4 + 1.4189385), "you added the constant. Solve"),
        (math.exp(2 * (0.4 - 1.4189385)), "variance"),
        (math.exp(0.4 - 0.9189385), "the e in the constant"),
        (math.exp(0.4 - 2 * 1.4189385), "\\*half\\*"),
        (2**0.4 / math.sqrt(2 * math.pi * math.e), "you took 2"),
        (2, "untrained agent"),
        (10 ** (0.4 - 1.4189385), "you took 10"),
        (0.9, "Solve H"),
    ],
    "arrives": [
        (first(lambda window: window, lambda w, bar: np.mean(w) >= bar), "> instead of >="),
        (arrives_for_nothing, "ask .any\\(\\) first"),
        (arrives_at_the_end, "the number of its updates"),
        (arrives_minus_one, "gets -1"),
        (first(lambda window: window - 1), "one too small"),
        (first(lambda window: 1), "where the window begins"),
        (first(lambda window: 0), "place in the row of means"),
        (first(lambda window: window - window // 2), "middle of the window"),
        (arrives_at_once, "single update"),
        (arrives_too_soon, "too short"),
        (first(lambda window: window, lambda w, bar: all(x > bar for x in w)), "every update of the window"),
        (first(lambda window: window, lambda w, bar: any(x > bar for x in w)), "best update of the window"),
        (arrives_in_the_long_run, "everything so far"),
        (arrives_last, "the last update whose window"),
        (first(lambda window: window, lambda w, bar: np.mean(w) < bar), "\\*below\\*"),
        (first(lambda window: window, lambda w, bar: sum(w) > bar), "sum of the window"),
        (lambda returns, window: 0, "raised a TypeError"),
    ],
    "power": [
        (lambda speed, sampled, strongest: np.mean(speed * sampled, 1), "never gives more than it has"),
        (lambda speed, sampled, strongest: given(speed * sampled, strongest).mean(-1), "product is clipped"),
        (lambda speed, sampled, strongest: np.mean(speed * sampled.clip(-2, 2), axis=1), "whatever the motor has"),
        (lambda speed, sampled, strongest: np.mean(speed * sampled.clip(max=strongest), axis=1), "upper end only"),
        (lambda speed, sampled, strongest: np.sum(speed * given(sampled, strongest), axis=1), "steps are added up"),
        (lambda speed, sampled, strongest: np.mean(speed * given(sampled, strongest), axis=0), "over the episodes"),
        (lambda speed, sampled, strongest: np.mean(speed * given(sampled, strongest)), "all episodes too"),
        (lambda speed, sampled, strongest: (abs(speed) * abs(given(sampled, strongest))).mean(1), "Leave abs out"),
        (lambda speed, sampled, strongest: speed.mean(1) * given(sampled, strongest).mean(1), "product of two means"),
        (lambda speed, sampled, strongest: (-speed * given(sampled, strongest)).mean(1), "sign is turned"),
        (lambda speed, sampled, strongest: (np.sign(speed * sampled) > 0).mean(1), "how often"),
        (lambda speed, sampled, strongest: np.sign(speed * sampled).mean(1), "only the directions"),
        (lambda speed, sampled, strongest: given(sampled, strongest).mean(1), "mean torque"),
        (lambda speed, sampled, strongest: (given(sampled, strongest) * speed / 20).sum(1), "in joules"),
        (power_in_place, "in place"),
    ],
    "tries": [
        (6, "just enough"),
        (5, "three for each"),
        (math.log(800) / math.log(3), "next whole number"),
        (267, "not 3 times n"),
        (800, "number of tries"),
        (4, "one episode"),
        (3, "with 16 tries"),
        (2187, "length of the right list"),
        (729, "not yet long enough"),
        (10, "2\\*\\*10"),
        (9, "9\\*\\*3"),
        (8, "Compare"),
    ],
    "joints": [
        (lambda z, c: one_softmax(z, c).mean(1), "as it was"),
        (lambda z, c: each_joint(z, c).mean(1), "mean over the joints is left"),
        (lambda z, c: one_softmax(z, c).sum(1), "levels of all joints together"),
        (along(1), "runs over the joints"),
        (along(0), "softmax runs over the batch"),
        (lambda z, c: probabilities(z, c).sum(1), "probabilities are added"),
        (lambda z, c: probabilities(z, c).sum(1).log(), "of a sum of probabilities"),
        (lambda z, c: probabilities(z, c).prod(1), "the probability of the action"),
        (lambda z, c: torch.log(torch.prod(probabilities(z, c), 1)), "rounded to zero"),
        (lambda z, c: probabilities(z, c).log().sum(1), "rounded to zero"),
        (each_joint, "number of its own. Add them up"),
        (lambda z, c: each_joint(z, c).sum(0), "sum runs over the batch"),
        (lambda z, c: each_joint(z, c).sum(), "everything is added up"),
        (lambda z, c: torch.take_along_dim(z, c[:, :, None], 2).sum((1, 2)), "as they are"),
        (lambda z, c: each_joint(z, z.argmax(-1)).sum(1), "most likely levels"),
        (lambda z, c: nn.functional.cross_entropy(z.mT, c, reduction="none").sum(1), "sign is turned"),
        (lambda z, c: each_joint(z, c).sum(1).detach().numpy(), "NumPy array"),
    ],
    "leftover": [
        (0.3, "true slope"),
        (-0.4 - 2.1, "one sign is lost: the baseline"),
        (-0.4, "changes nothing only"),
        (2.1, "on top of"),
        (-2.1, "with its sign turned. And"),
        (1, "baseline of 2"),
        (2.4, "began at the true slope"),
        (0.84, "multiplied all three"),
        (-1.2, "the estimate by the baseline"),
        (-3.4, "subtracted as it is"),
        (2.6, "added as it is"),
        (-1.1, "baseline of -1"),
        (7, "mean of score \\* reward"),
    ],
}
