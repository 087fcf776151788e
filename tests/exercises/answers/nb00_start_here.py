"""Learners' answers to the exercises of notebook 00."""

import numpy as np
import torch


def points_by_loop(returns):
    each = []
    for agent in returns.tolist():
        each.append(sum(agent) / len(agent))
    return each, sum(each) / len(each)


def points_in_torch(returns):
    r = torch.from_numpy(returns)
    return r.mean(dim=-1), torch.mean(r)


def points_divided(returns):
    agents, episodes = returns.shape
    return returns.sum(axis=1) / episodes, returns.sum() / (agents * episodes)


def points_of_the_last(returns):
    for episode in returns.T:
        height = episode
    return height, height.mean()


def points_in_place(returns):
    returns /= returns.shape[1]
    return returns.sum(1), returns.sum(1).mean()


def backward_loop(rewards, gamma):
    G = 0
    for r in rewards.tolist()[::-1]:
        G = r + gamma * G
    return G


def recursive(rewards, gamma):
    return rewards[0] + gamma * recursive(rewards[1:], gamma) if len(rewards) else 0.0


def forgets_to_add(rewards, gamma):
    for k, r in enumerate(rewards):
        G = gamma**k * r
    return G


def returns_too_early(rewards, gamma):
    G = 0
    for k, r in enumerate(rewards):
        G += gamma**k * r
        return G


def discounts_in_place(rewards, gamma):
    for k in range(len(rewards)):
        rewards[k] *= gamma**k
    return rewards.sum()


def all_of_them(rewards, gamma):
    out, G = [], 0.0
    for r in reversed(rewards.tolist()):
        G = r + gamma * G
        out.insert(0, G)
    return torch.tensor(out)


def never_ends(rewards, gamma):
    k, G = 0, 0.0
    while k < len(rewards):
        G = G + gamma**k * rewards[k]
    return G


RIGHT = {
    "new_rate": [15, 15.0, torch.tensor(15), len(range(26, 41)), "15", " 15 "],
    "points": [
        points_by_loop,
        points_in_torch,
        points_divided,
        lambda r: [r.mean(1), r.mean()],
        lambda r: (r.astype(float).mean(-1), np.mean(r)),
        lambda r: ([agent.mean() for agent in r], torch.tensor(r).mean()),
        lambda r: (np.einsum("ae->a", r) / r.shape[1], float(np.average(r))),
    ],
    "moves": [35, 560 // 16, np.int64(35), torch.tensor(35.0)],
    "first_return": [
        backward_loop,
        recursive,
        lambda r, gamma: (r * gamma ** torch.arange(len(r))).sum(),
        lambda r, gamma: np.polyval(r.numpy()[::-1].astype(float), gamma),
        lambda r, gamma: r.double() @ torch.tensor([gamma**k for k in range(len(r))], dtype=torch.float64),
    ],
    "look_ahead": [0.95, 19 / 20, np.float32(0.95), torch.tensor(0.95)],
}
MISTAKES = {
    "new_rate": [
        (12, "left out the three"),
        (18, "twice"),
        (40, "does not change the past"),
        (25, "before the move"),
        (28, "until Start"),
        (14, "counts already"),
        (16, "26th"),
        (3, "not the only button"),
        (0, "no Reset"),
        (15 * 16, "those are episodes"),
        (7, "and which is the last"),
        ("fifteen", "must be one number"),
        (13, "counts from the next"),
        (25 - 3, "away from the 25"),
        (15 / 40, "the share"),
    ],
    "points": [
        (lambda r: (r.sum(axis=1) / 16, r.sum(axis=1).mean() / 16), "divide by 16"),
        (lambda r: (r.mean(axis=0), r.mean()), "averaged over the agents"),
        (lambda r: (r.sum(-1), r.sum(-1).mean()), "these are sums"),
        (lambda r: (r.mean(1), sum(r.mean(1))), "a sum over the agents"),
        (lambda r: (r.mean(1), np.median(r.mean(1))), "is a median"),
        (lambda r: (r.mean(1), max(r.mean(1))), "best agent"),
        (lambda r: (r.max(1), r.max(1).mean()), "best episode"),
        (points_of_the_last, "last episode"),
        (lambda r: (np.stack([agent[0] for agent in r]), r[:, 0].mean()), "first episode"),
        (lambda r: (r.mean(), r.mean(1)), "wrong order"),
        (lambda r: r.mean(-1), "faint lines alone"),
        (lambda r: np.mean(r), "dark line alone"),
        (lambda r: (r.mean(1), r.mean(1).std()), "how far the agents"),
        (lambda r: (r.mean(1), r[0].mean()), "first agent's"),
        (points_in_place, "in place"),
        (lambda r: (r.mean(2), r.mean()), "raised a AxisError"),
        (lambda r: (r.sum(1), r.sum()), "and over the agents"),
        (lambda r: (np.median(r, axis=1), np.median(r)), "both are medians"),
        (lambda r: (r, r.mean()), "returns themselves"),
        (lambda r: (r.sum(1) / len(r), (r.sum(1) / len(r)).mean()), "over its own episodes"),
        (lambda r: (r.mean(1, keepdims=True), r.mean()), "squeeze"),
        (lambda r: (r.mean(1), r.mean(0)), "one for each episode"),
        (lambda r: (r.mean(dim=1), r.mean()), "In NumPy it is axis="),
        (lambda r: (np.stack([r[i].mean() for i in range(3)]), r.mean()), "right for three agents with two episodes"),
    ],
    "moves": [
        (560, "those are the episodes\\."),
        (5600, "all ten agents\\."),
        (350, "moves of all ten"),
        (16, "one update plays"),
        (56, "number of agents"),
        (3.5, "ten agents too"),
        (560 * 16, "multiplied by 16"),
        (1, "more than once"),
        (34, "the last update"),
        (40, "whole training"),
        (36, "before its first"),
        ((640 - 560) / 16, "left until 640"),
        (100, "before it moves"),
    ],
    "first_return": [
        (lambda r, g: sum(g**k * x for k, x in enumerate(r)) / sum(g**k for k in range(len(r))), "makes a mean"),
        (lambda r, g: sum(r), "gamma makes no difference"),
        (lambda r, g: sum(g**k * x for k, x in enumerate(r, start=1)), "begin to discount"),
        (lambda r, g: sum(g**k * x for k, x in enumerate(r.flip(0))), "wrong end: here"),
        (lambda r, g: sum(g**k * x for k, x in enumerate(r.flip(0), 1)), "wrong end, and"),
        (all_of_them, "every time step"),
        (lambda r, g: (r * g ** torch.arange(len(r))).mean(), "took the mean"),
        (lambda r, g: r[0] + g * r[1:].sum(), "every reward but the first"),
        (lambda r, g: (g * r).sum(), "discounted by the same gamma\\. Each step"),
        (lambda r, g: sum(g * k * x for k, x in enumerate(r)), "raised to that power"),
        (lambda r, g: sum(g**k * r[k] for k in range(1, len(r))) if len(r) > 1 else 0.0, "left out the first"),
        (lambda r, g: (r / g ** torch.arange(len(r))).sum(), "divide by powers"),
        (forgets_to_add, "only the last reward"),
        (returns_too_early, "indent the return"),
        (discounts_in_place, "in place"),
        (never_ends, "had not come back"),
        (lambda r: r.sum(), "raised a TypeError"),
        (lambda r, g: r[0], "first reward alone"),
        (lambda r, g: sum(g**k * x for k, x in enumerate(r[1:])), "begin to count at the second"),
        (lambda r, g: sum(g**k * r[k] for k in range(len(r) - 1)), "left out the last"),
        (lambda r, g: all_of_them(r, g)[-1], "at the last time step"),
        (lambda r, g: r * g ** torch.arange(len(r)), "not added up"),
        (lambda r, g: backward_loop(r, 0.99), "0\\.99, whatever"),
        (lambda r, g: (1 - g) * backward_loop(r, g), "1 - gamma as well"),
        (lambda r, g: (r * torch.arange(len(r)) ** g).sum(), "base and exponent"),
    ],
    "look_ahead": [
        (1 / 20, "that is 1 - gamma"),
        (20, "the horizon itself"),
        (0.9, "ten steps ahead"),
        (0.99, "a hundred steps"),
        (0.98, "fifty steps"),
        (0.8, "five steps ahead"),
        (0.2, "farther"),
        (0.5, "two steps"),
        (1, "no horizon"),
        (0, "only the next"),
        (95, "percentage"),
        (0.7, "How far does"),
        (0.95**20, "twenty steps ahead. Give gamma"),
        (20 / 21, "adds up to 20"),
        (np.exp(-1 / 20), "counts a third"),
        (0.5 ** (1 / 20), "counts half"),
        (0.96, "twenty-five"),
        (0.94, "seventeen"),
        (0.995, "two hundred"),
        (0.975, "twice as far"),
        (1.05, "mind the sign"),
    ],
}
