"""Learners' answers to the exercises of notebook 01."""

import math

import numpy as np
import torch


def rounded_by_loop(torques, bins):
    allowed = [-2 + 4 * i / (bins - 1) for i in range(bins)]
    return [min(allowed, key=lambda a: abs(a - t)) for t in torques]


def rounded_by_formula(torques, bins):
    width = 4 / (bins - 1)
    place = np.clip(np.round((np.asarray(torques) + 2) / width), 0, bins - 1)
    return -2 + width * place


def rounded_in_torch(torques, bins):
    t, allowed = torch.tensor(torques), torch.linspace(-2, 2, bins, dtype=torch.float64)
    return allowed[torch.cdist(t[:, None], allowed[:, None]).argmin(dim=1)]


def rounded_down(torques, bins):
    allowed = np.linspace(-2, 2, bins)
    return [max([a for a in allowed if a <= t + 1e-12], default=-2) for t in torques]


def rounded_middles(torques, bins):
    edges = np.linspace(-2, 2, bins + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    return [middles[np.argmin(np.abs(middles - t))] for t in torques]


def rounded_short_list(torques, bins):
    allowed = np.arange(-2, 2 - 1e-9, 4 / bins)
    return np.array([allowed[np.abs(t - allowed).argmin()] for t in torques])


def clipped_in_place(torques, bins):
    np.clip(torques, -2, 2, out=torques)
    return rounded_by_loop(torques, bins)


def greedy_by_loop(Q, epsilon):
    best = max(range(len(Q)), key=lambda a: Q[a])
    return [epsilon / len(Q) + (1 - epsilon if a == best else 0) for a in range(len(Q))]


def greedy_mixed(Q, epsilon):
    onehot = np.eye(len(Q))[np.argmax(Q)]
    return (1 - epsilon) * onehot + epsilon * np.ones_like(Q) / Q.size


def greedy_in_torch(Q, epsilon):
    pi = torch.full((len(Q),), epsilon / len(Q))
    pi[int(np.argmax(Q))] = 1 - epsilon + epsilon / len(Q)
    return pi


def as_it_was(Q, epsilon):
    pi = np.full(len(Q), epsilon)
    pi[Q.argmax()] = 1 - epsilon
    return pi


def only_divided(Q, epsilon):
    pi = np.full(len(Q), epsilon / len(Q))
    pi[Q.argmax()] = 1 - epsilon
    return pi


RNG = np.random.default_rng(0)


def like_the_values(Q, epsilon):
    pi = np.full_like(Q, epsilon / len(Q))
    pi[Q.argmax()] += 1 - epsilon
    return pi


def without_the_favourite(Q, epsilon):
    if len(Q) == 1:
        return [1.0]
    best = int(Q.argmax())
    return [1 - epsilon if a == best else epsilon / (len(Q) - 1) for a in range(len(Q))]


def normalized(Q, epsilon):
    pi = as_it_was(Q, epsilon)
    with np.errstate(invalid="ignore"):
        return pi / pi.sum()


def only_added(Q, epsilon):
    pi = np.full(len(Q), epsilon)
    pi[Q.argmax()] += 1 - epsilon
    return pi


def the_smallest(Q, epsilon):
    pi = np.full(len(Q), epsilon / len(Q))
    pi[Q.argsort()[0]] += 1 - epsilon
    return pi


def fits_by_range(states, bins, memory):
    return max(j for j in range(200) if 4 * states * bins**j <= memory or j == 0)


def fits_by_logarithm(states, bins, memory):
    return max(0, math.floor(math.log(memory / (4 * states), bins) + 1e-12))


def fits_by_division(states, bins, memory):
    entries, joints = memory // (4 * states), 0
    while entries >= bins:
        entries //= bins
        joints += 1
    return torch.tensor(joints)


def one_too_many(states, bins, memory):
    joints = 1
    while 4 * states * bins**joints <= memory:
        joints += 1
    return joints


def strictly_below(states, bins, memory):
    joints = 0
    while 4 * states * bins ** (joints + 1) < memory:
        joints += 1
    return joints


def with_entry(size):
    def fits(states, bins, memory):
        joints, table = -1, size * states
        while table <= memory:
            joints, table = joints + 1, table * bins
        return max(joints, 0)

    return fits


def without_states(states, bins, memory):
    joints = 0
    while bins ** (joints + 1) * 4 <= memory:
        joints += 1
    return joints


def upside_down(states, bins, memory):
    joints = 1
    while 4 * states * joints**bins <= memory:
        joints += 1
    return joints - 1


def states_to_the_power(states, bins, memory):
    joints = 0
    while 4 * states ** (joints + 1) * bins ** (joints + 1) <= memory:
        joints += 1
    return joints


def at_least_one(states, bins, memory):
    joints = 1
    while 4 * states * bins ** (joints + 1) <= memory:
        joints += 1
    return joints


def up_to_seven(states, bins, memory):
    return sum(4 * states * bins**j <= memory for j in range(1, 8))


def never_grows(states, bins, memory):
    joints = 0
    while 4 * states * bins <= memory:
        joints += 0
    return joints


def grid(bins):
    return np.linspace(-2, 2, bins)


def nearest_of(torques, allowed):
    return allowed[np.abs(torques[:, None] - allowed).argmin(1)]


RIGHT = {
    "rounded": [
        rounded_by_loop,
        rounded_by_formula,
        rounded_in_torch,
        lambda t, n: np.array([g[abs(g - x).argmin()] for x in t for g in [np.linspace(-2.0, 2.0, n)]], np.float32),
        lambda t, b: grid(b)[np.digitize(t, (grid(b)[1:] + grid(b)[:-1]) / 2)],
        lambda t, b: [min(grid(b).tolist(), key=lambda x: abs(x - y)) for y in t],
    ],
    "left": [1 / 16, 0.0625, np.float64(0.1 / 0.4) ** 2, torch.tensor(0.0625), "1/16", 0.06],
    "epsilon_greedy": [greedy_by_loop, greedy_mixed, greedy_in_torch],
    "wins": [0.3, 0.5 - 0.2, np.float32(0.3), torch.tensor(0.3)],
    "joints_that_fit": [fits_by_range, fits_by_logarithm, fits_by_division],
    "which": ["c", "C", " c\n"],
}
MISTAKES = {
    "rounded": [
        (lambda t, bins: (g := np.linspace(-2, 2, 11))[abs(t[:, None] - g).argmin(1)], "eleven torques"),
        (lambda t, n: [int(abs(np.linspace(-2, 2, n) - x).argmin()) for x in t], "places in the list"),
        (lambda t, n: np.minimum(np.maximum(np.rint(t), -2), 2), "whole newton metres"),
        (lambda t, n: rounded_by_loop(t, n + 1), "one torque too many"),
        (rounded_short_list, "stops short"),
        (lambda t, n: np.linspace(-2, 2, n)[(t[:, None] - np.linspace(-2, 2, n)).argmin(1)], "value first\\.$"),
        (lambda t, n: [np.linspace(-2, 2, n)[(np.linspace(-2, 2, n) - x).argmin()] for x in t], "which way you sub"),
        (lambda t, n: [max(np.linspace(-2, 2, n), key=lambda a: abs(a - x)) for x in t], "furthest"),
        (lambda t, n: np.linspace(-2, 2, n)[abs(t[:, None] - np.linspace(-2, 2, n)).argmin(0) % n], "the other axis"),
        (rounded_down, "round down"),
        (lambda t, n: (np.floor((t + 2) / 4 * (n - 1)) * 4 / (n - 1) - 2).clip(-2, 2), "round down"),
        (lambda t, n: (np.round((t + 2) / (4 / n)) * (4 / n) - 2).clip(-2, 2), "one torque too many"),
        (lambda t, n: grid(n)[np.abs(t - grid(n)).argmin()], "needs a second axis"),
        (lambda t, n: -2 + 4 / (n - 1) * np.round((t + 2) / (4 / (n - 1))), "stays outside"),
        (lambda t, n: (4 / (n - 1) * np.round(t / (4 / (n - 1)))).clip(-2, 2), "even number of bins"),
        (rounded_middles, "middles of intervals"),
        (lambda t, n: grid(n)[np.digitize(t, np.linspace(-2, 2, n + 1)[1:-1])], "for half of that"),
        (clipped_in_place, "in place"),
        (lambda t: t, "raised a TypeError"),
        (lambda t, b: grid(b)[np.minimum(np.searchsorted(grid(b), t), b - 1)], "round up"),
        (lambda t, b: grid(b)[np.digitize(t, grid(b)) - 1], "digitize"),
        (lambda t, b: np.clip(np.trunc(t / (4 / (b - 1))) * 4 / (b - 1), -2, 2), "toward 0"),
        (lambda t, b: nearest_of(t, np.arange(-2, 2, 4 / (b - 1))), "arange"),
        (lambda t, b: nearest_of(t, np.linspace(t.min(), t.max(), b)), "whatever was given"),
        (lambda t, b: np.abs(t[:, None] - grid(b)).min(1), "argmin instead"),
        (lambda t, b: np.round(t, 1), "number of decimals"),
        (lambda t, b: nearest_of(t, np.linspace(-1, 1, b)), "between -1 and 1"),
        (lambda t, b: grid(b)[np.searchsorted(grid(b), t)], "raised an IndexError"),
    ],
    "left": [
        (1 / 4, "left of the width"),
        (1 / 2, "square root"),
        (16, "by how much it falls"),
        (11 / 41, "ratio of the bins\\. The"),
        ((11 / 41) ** 2, "squared the ratio"),
        (4, "how much the width falls"),
        (1 / 64, "third power"),
        (1 - 1 / 16, "that part is gone"),
        (6.25, "percentage"),
        (1, "next even one"),
        (0.1, "before and after"),
        ((10 / 41) ** 2, "but 41 itself"),
        ((11 / 40) ** 2, "but 11 itself"),
        ((12 / 42) ** 2, "one gap too many"),
        (1 / 256, "squared twice"),
        (1 / 30, "the difference of the two"),
        (1 / 30**2, "the difference of the two"),
    ],
    "epsilon_greedy": [
        (lambda Q, epsilon: np.exp(Q) / np.exp(Q).sum(), "a softmax of the action values"),
        (lambda Q, epsilon: np.ones(len(Q)) / len(Q), "equally likely here"),
        (lambda Q, e: np.where(Q.max() == Q, 1 - e + e / len(Q), e / len(Q)), "both get 1 - epsilon"),
        (as_it_was, "as it was"),
        (only_divided, "no part of the random draw"),
        (without_the_favourite, "leaves out the favourite"),
        (lambda Q, e: np.where(np.arange(len(Q)) == Q.argmax(), 1 - e, e / (len(Q) - 1)), "leaves out the favourite"),
        (like_the_values, "take over the type of Q"),
        (lambda Q, e: RNG.integers(len(Q)) if RNG.random() < e else Q.argmax(), "another result|an action"),
        (normalized, "divided by the sum afterwards"),
        (only_added, "the whole of epsilon"),
        (lambda Q, e: greedy_mixed(Q, 1 - e), "changed places"),
        (the_smallest, "smallest action value"),
        (lambda Q, e: torch.softmax(torch.tensor(Q), 0), "this is a softmax"),
        (lambda Q, e: np.eye(len(Q))[Q.argmax()], "this is the greedy policy"),
        (lambda Q, e: int(np.argmax(Q)), "number of an action"),
        (lambda Q, e: Q[3], "raised an IndexError"),
        (
            lambda Q, e: np.where(np.arange(len(Q)) == Q.argmax(), 1 - e * (len(Q) - 1), e),
            "and the favourite what is left",
        ),
        (lambda Q, e: e / len(Q) + (1 - e) * (max(Q) == Q) / (max(Q) == Q).sum(), "you share 1 - epsilon"),
        (lambda Q, e: (1 - e) * np.eye(len(Q))[len(Q) - 1 - Q[::-1].argmax()] + e / len(Q), "take the last"),
        (lambda Q, e: (1 - e) * np.eye(len(Q))[Q.argmax()] + e / 3, "among three actions"),
        (lambda Q, e: np.eye(len(Q))[Q.argmax()] + e / len(Q), "gets 1 and"),
        (lambda Q, e: e * np.eye(len(Q))[Q.argmax()] + e / len(Q), "gets epsilon beside"),
    ],
    "wins": [
        (0.5, "against your rock"),
        (-0.3, "what \\*you\\* get"),
        (0, "average over its three"),
        (1, "only if you were certain"),
        (0.2, "as much is rock minus paper"),
        (-0.1, "what rock wins"),
        (-0.2, "what scissors win"),
        (0.1, "two of the three"),
        (0.7, "added its losses"),
        (0.8, "draws as wins"),
        (30, "percentage"),
        (0.6, "subtract how often"),
        (0.5 + 0.3 / 2, "half a win"),
        (0.5 * (0.5 - 0.2), "once more"),
    ],
    "joints_that_fit": [
        (lambda s, b, m: max(0, math.floor(math.log(m / 4 / s, b))), "a logarithm is rounded"),
        (one_too_many, "does \\*not\\* fit"),
        (lambda s, b, m: next(j for j in range(999) if 4 * s * b**j > m), "does \\*not\\* fit"),
        (lambda s, b, m: max(0, math.log(m / 4 / s) / math.log(b)), "fraction of a joint"),
        (strictly_below, "compare with <="),
        (with_entry(5), "may be it.*four bytes"),
        (with_entry(1), "counted one"),
        (with_entry(8), "counted eight"),
        (with_entry(32), "in bits"),
        (without_states, "left out the states"),
        (lambda states, bins, memory: int(memory / (states * bins * 4)), "bins by the joints"),
        (upside_down, "base and exponent"),
        (states_to_the_power, "raised the states"),
        (at_least_one, "not even one"),
        (up_to_seven, "stop at seven"),
        (lambda s, b, m: max(0, int(math.log(m / 4 / s, b) + 0.5)), "nearest whole"),
        (lambda s, b, m: math.log(m / 4 / s) / math.log(b), "fraction of a joint"),
        (lambda s, b, m: math.floor(math.log(m / (4 * s), b) + 1e-12), "below 0 where"),
        (never_grows, "had not come back"),
        (6, "must be a function"),
        (lambda s, b, m: max((j for j in range(1, 99) if 4 * s * b**j <= m), default=-1), "you give -1"),
        (lambda s, b, m: max(0, int(np.log2(m / 4 / s))), "base 2"),
        (lambda s, b, m: 4 * s * b ** max((j for j in range(99) if 4 * s * b**j <= m), default=0), "how many bytes"),
        (lambda s, b, m: max((j for j in range(1, 99) if 4 * s * b**j <= m * 1e9), default=0), "gigabytes"),
    ],
    "which": [
        ("a", "six torques"),
        ("b", "remembers you"),
        ("d", "a dose"),
        ("e", "a tiny change of Q changes the action"),
        ("f", "look alike"),
        ("g", "every subset"),
        ("h", "must be one of"),
        (3, "must be one of 'a'"),
    ],
}
