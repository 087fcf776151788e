"""Learners' answers to the exercises of notebook 04."""

import math

import numpy as np
import torch
from torch import nn


def solved_system():
    transitions = np.array([[0.0, 1.0], [0.5, 0.25]])
    return np.linalg.solve(np.eye(2) - 0.9 * transitions, [0.0, 1.0])[0]


def iterated():
    hall = study = 0.0
    for _ in range(500):
        hall, study = 0.9 * study, 0.5 * (2 + 0.45 * study) + 0.5 * 0.9 * hall
    return hall


def trick_by_autograd(logits, returns):
    logits = logits.clone().requires_grad_(True)
    (logits.softmax(0) * returns).sum().backward()
    return logits.grad


def trick_by_loop(logits, returns):
    e = [math.exp(x) for x in logits.tolist()]
    pi = [x / sum(e) for x in e]
    out = [0.0] * len(pi)
    for a, G in enumerate(returns.tolist()):
        for b in range(len(pi)):
            out[b] += pi[a] * G * ((a == b) - pi[b])
    return out


def trick_in_numpy(logits, returns):
    z = logits.numpy().astype(np.float64)
    pi = np.exp(z - z.max())
    pi /= pi.sum()
    return pi * (returns.numpy() - pi @ returns.numpy())


def unweighted(z, G):
    total = torch.zeros_like(z)
    for a in range(len(z)):
        total += G[a] * (nn.functional.one_hot(torch.tensor(a), len(z)) - z.softmax(0))
    return total


def trick_by_log_j(z, G):
    z = z.clone().requires_grad_(True)
    (z.softmax(0) @ G).log().backward()
    return z.grad


def trick_with_pi_twice(z, G):
    jacobian = torch.autograd.functional.jacobian(lambda y: y.softmax(0), z)
    return sum(z.softmax(0)[a] * jacobian[a] * G[a] for a in range(len(z)))


def trick_of_greedy(z, G):
    a = int(torch.argmax(z))
    return torch.autograd.functional.jacobian(lambda y: y.log_softmax(0)[a] * G[a], z)


def logits_unchanged(z, G):
    return torch.tensor([z[a] * (G[a] - (z * G).sum()) for a in range(len(z))])


def trick_in_place(z, G):
    G -= (z.softmax(0) * G).sum()
    return z.softmax(0) * G


def weights_by_loop(rewards, gamma):
    rows = []
    for row in rewards.tolist():
        rows.append([sum(gamma**k * row[k] for k in range(t, len(row))) for t in range(len(row))])
    return rows


def weights_from_behind(rewards, gamma):
    out, G = torch.zeros_like(rewards), torch.zeros(rewards.shape[0])
    for t in range(rewards.shape[1] - 1, -1, -1):
        G = rewards[:, t] + gamma * G
        out[:, t] = G * gamma**t
    return out


def weights_in_numpy(rewards, gamma):
    d = np.asarray(rewards, dtype=np.float64) * np.power(gamma, np.arange(rewards.shape[1]))
    return np.cumsum(d[:, ::-1], axis=1)[:, ::-1]


def weights_by_matrix(rewards, gamma):
    T = rewards.shape[1]
    return (rewards * gamma ** torch.arange(T)) @ torch.ones(T, T).tril()


def to_go(rewards, gamma):
    rows = []
    for row in rewards.tolist():
        rows.append([sum(gamma ** (k - t) * row[k] for k in range(t, len(row))) for t in range(len(row))])
    return torch.tensor(rows)


def trick_with_the_front_differentiated(logits, returns):
    z = logits.clone().requires_grad_(True)
    (z.softmax(0) * z.log_softmax(0) * returns).sum().backward()
    return z.grad


def total(rewards, gamma):
    return torch.stack([sum(gamma**t * rewards[:, t] for t in range(rewards.shape[1]))] * rewards.shape[1], 1)


def without_own(rewards, gamma):
    return [[sum(gamma**k * row[k] for k in range(t + 1, len(row))) for t in range(len(row))] for row in rewards]


def one_too_many(rewards, gamma):
    return [[sum(gamma ** (k + 1) * row[k] for k in range(t, len(row))) for t in range(len(row))] for row in rewards]


def past(rewards, gamma):
    return [[sum(gamma**k * row[k] for k in range(t + 1)) for t in range(len(row))] for row in rewards]


def powers(rewards, gamma):
    return torch.tensor([gamma**t for t in range(rewards.shape[1])])


def weights_in_place(rewards, gamma):
    rewards *= powers(rewards, gamma)
    return weights_by_matrix(rewards, 1.0)


def endless(rewards, gamma):
    t = 0
    while t < rewards.shape[1]:
        rewards[:, t] + gamma


def estimate_by_loop(pushes, rewards, gamma):
    estimate = 0.0
    for push, reward in zip(pushes.tolist(), rewards.tolist()):
        G = sum(gamma**t * r for t, r in enumerate(reward))
        estimate += G * sum(push)
    return estimate / len(pushes)


def estimate_in_numpy(pushes, rewards, gamma):
    returns = rewards.numpy() @ np.power(gamma, np.arange(rewards.shape[1]))
    return np.mean(returns * pushes.numpy().sum(axis=1))


def G_of(rewards, gamma):
    return rewards @ powers(rewards, gamma).to(rewards.dtype)


def by_played_steps(pushes, rewards, gamma):
    steps = sum(int((row != 0).sum()) for row in pushes)
    return sum(G * row.sum() for G, row in zip(G_of(rewards, gamma), pushes)) / steps


RIGHT = {
    "climbs": [90 / 37, 2.43, 2.4, torch.tensor(2.4324), solved_system(), iterated()],
    "trajectory": [0.045, 9 / 200, np.float32(0.045), torch.tensor([0.5, 0.6, 0.5, 0.6, 0.5]).prod(), "9/200"],
    "trick": [
        trick_by_autograd,
        trick_by_loop,
        trick_in_numpy,
        lambda z, G: torch.func.grad(lambda y: y.double().softmax(-1) @ G.double())(z),
        lambda z, G: torch.autograd.functional.jacobian(lambda y: y.softmax(0), z) @ G,
    ],
    "line_4": [
        weights_by_loop,
        weights_from_behind,
        weights_in_numpy,
        weights_by_matrix,
        lambda r, g: (d := r * powers(r, g)).sum(1, keepdim=True) - d.cumsum(1) + d,
    ],
    "estimate": [
        estimate_by_loop,
        estimate_in_numpy,
        lambda u, r, gamma: torch.einsum("nt,n->", u, G_of(r, gamma)) / u.shape[0],
        lambda u, r, gamma: (u.double() * G_of(r, gamma).unsqueeze(1)).sum(dim=1).mean(),
    ],
    "how_many": [157, 100 * 3.3 / 2.1, 160, torch.tensor(157.14), np.int64(156)],
}
MISTAKES = {
    "climbs": [
        (100 / 37, "value of the study"),
        (4, "without a discount"),
        (3.27, "always searches"),
        (0.9, "stop after one action"),
        (1.8, "one certain search"),
        (0.9 / (1 - 0.225), "end where the agent goes back"),
        (0.9 / (1 - 0.405), "every search end"),
        (0.9 / (1 - 0.45 - 0.405), "no search end"),
        (1.8 / 0.37, "pays nothing, so the mean"),
        (0.9 / (1 - 0.225 - 0.45), "two factors of gamma"),
        (0.81 / 0.37, "one discount too many"),
        (7, "in terms of itself"),
        ([1.0, 2.0], "must be one number"),
        (0.9 * 2 / 0.55 / 2, "half of J"),
        (1 / 0.775, "value of the study\\. J"),
        (0.9 * 4, "the way in alone"),
        (0.9 * 0.5 / 0.37, "half of the reward"),
        (1.0, "mean reward of one action"),
        (2, "what a search pays"),
        (2.5, "near"),
    ],
    "trajectory": [
        (0.5 * (0.6 * 0.5) * (0.4 * 0.5), "of the two searches has 0.4"),
        (0.5 * 0.6 * 0.6, "policy's factors"),
        (0.25, "world's factors"),
        (0.09, "factor of 1/2 is missing"),
        (0.6 * 0.5 * 0.6 * 0.5, "factor of 1/2 is missing"),
        (0.15, "has two searches"),
        (0.0225, "a factor of 1/2 too many"),
        (0.5 * 0.2 * 0.2, "you took 0.4"),
        (0.5 * 0.6 * 0.4, "for the end"),
        (0.5 * 0.6, "after each the world"),
        (0.6**2, "two searches alone"),
        (0.045 * 0.81, "no discount"),
        (0.5 + 0.4 + 0.4, "the score"),
        (0.5 + 0.6 + 0.6, "you added"),
        (0.045 * 3.42, "part of J"),
        (0.9 * 2 + 0.81 * 2, "return of this episode"),
        (math.log(0.045), "log p"),
        (0.5 + 0.6 + 0.5 + 0.6 + 0.5, "you added"),
        (4.5, "percentage"),
        (0.7, "multiply all six"),
        ("0,045", "must be one number"),
    ],
    "trick": [
        (lambda z, G: z.softmax(0) * (G - G.max()), "best return is subtracted"),
        (unweighted, r"pi\(a\) is missing"),
        (lambda z, G: unweighted(z, G) / z.numel(), "plain mean"),
        (lambda z, G: torch.tensor([p * g for p, g in zip(z.softmax(0), G)]), "only the 1 is left"),
        (lambda z, G: z.softmax(0) * G - z.softmax(0) ** 2 * G, r"pi \(1 - pi\)"),
        (lambda z, G: -trick_by_autograd(z, G), "sign is wrong"),
        (logits_unchanged, "logits stand"),
        (trick_by_log_j, "gradient of log J"),
        (trick_of_greedy, "most likely action"),
        (trick_with_pi_twice, "only once"),
        (lambda z, G: torch.autograd.functional.jacobian(lambda p: p @ G, z.softmax(0)), "by the probabilities"),
        (lambda z, G: G - (z.softmax(0) * G).sum(), "how often the action is drawn"),
        (lambda z, G: z.softmax(0) - z.softmax(0) * z.softmax(0).sum(), "this is 0 everywhere"),
        (lambda z, G: (z.softmax(0) * G).sum(), "this is J"),
        (trick_in_place, "in place"),
        (lambda z, G: z.softmax(0) @ G[:, None, None], "raised a"),
        (lambda z, G: trick_by_autograd(z, G) / len(z), "mean over the actions"),
        (lambda z, G: z.softmax(0) * (G - G.mean()), "plain mean of the returns"),
        (lambda z, G: z.softmax(0) * (G - G.sum()), "sum of all returns"),
        (lambda z, G: (1 - z.softmax(0)) * G, "entry of its own action"),
        (lambda z, G: 2 * trick_by_autograd(z, G), "backward called twice"),
        (lambda z, G: z.softmax(0) * (1 - z.softmax(0)), "returns are left out"),
        (lambda z, G: (torch.eye(len(z)) - z.softmax(0)) @ (z.softmax(0) * G), "wrong axis"),
        (lambda z, G: z.softmax(0) * trick_by_autograd(z, G), "once more"),
        (lambda z, G: (G - G.mean()) / len(G), "counts alike"),
        (lambda z, G: z.exp() * (G - (z.exp() * G).sum()), "not divided by their sum"),
        (trick_with_the_front_differentiated, "in front, too"),
    ],
    "line_4": [
        (lambda r, g: (r * 0.9 ** torch.arange(r.shape[1])).flip(1).cumsum(1).flip(1), "whatever `gamma`"),
        (lambda r, g: (r * g ** torch.arange(r.shape[1])).flip(1).cumsum(1).flip(1).mean(0), "are averaged"),
        (to_go, "this is G_t"),
        (total, "cannot change the past"),
        (past, "add up the past"),
        (without_own, "of the step itself"),
        (one_too_many, "one discount too many"),
        (lambda r, g: powers(r, g) ** 2 * to_go(r, g), "in it twice"),
        (lambda r, g: to_go(r, 1.0), "nothing is discounted"),
        (lambda r, g: to_go(r, 1.0) * powers(r, g), "discount of its own"),
        (lambda r, g: weights_by_matrix(r * powers(r, g).flip(0), 1.0), "runs from the end"),
        (lambda r, g: (r * powers(r, g)).flip(0).cumsum(0).flip(0), "over the episodes"),
        (lambda r, g: torch.stack([g**t * r[:, t] for t in range(r.shape[1])], 1), "own reward"),
        (lambda r, g: (r * powers(r, g)).flip(1).cumsum(1), "order is reversed"),
        (lambda r, g: torch.stack([(r * powers(r, g))[:, t:].mean(1) for t in range(r.shape[1])], 1), "is a sum"),
        (weights_in_place, "in place"),
        (endless, "had not come back"),
        (lambda r, g: to_go(r, g) @ powers(r, g)[:1, None], "raised a RuntimeError|shape"),
        (0.9, "must be a function"),
        (lambda r, g: to_go(r, g) / powers(r, g) * powers(r, g), "0 by 0"),
        (lambda r, g: (r * powers(r, g)).flip(1).cumsum(1).flip(1) / powers(r, g), "is missing"),
        (lambda r, g: weights_by_matrix(r, g) * (r != 0), "own reward is 0"),
        (lambda r, g: to_go(r.flip(1), g).flip(1) * powers(r, g), "from the front"),
        (
            lambda r, g: torch.stack([(r * powers(r, g))[:, t:-1].sum(1) for t in range(r.shape[1])], 1),
            "last reward is left out",
        ),
        (lambda r, g: total(r, g) * powers(r, g), "in front\\. An action"),
        (lambda r, g: to_go(r, g) * powers(r, g).flip(0), "reversed order: the first"),
        (lambda r, g: to_go(r, g) * g * torch.arange(r.shape[1]), "power of t"),
        (lambda r, g: (r * powers(r, g)).sum(1), "one number for each"),
        (lambda r, g: weights_by_matrix(r, g) / r.shape[1], "number of steps"),
        (lambda r, g: weights_by_matrix(r, g).squeeze(), "lost its axis"),
        (lambda r, g: to_go(r * powers(r, g), g), "discount is in it twice"),
    ],
    "estimate": [
        (
            lambda u, r, g: (
                (u * g ** torch.arange(r.shape[1])).sum(1) * (r * g ** torch.arange(r.shape[1])).sum(1)
            ).mean(),
            "push is discounted",
        ),
        (lambda u, r, g: torch.mean(u * G_of(r, g)[:, None]), "still divides by the number of steps"),
        (lambda u, r, g: (u * G_of(r, g)[:, None] / r.shape[1]).sum(1).mean(), "the rewards in its return"),
        (lambda u, r, g: (u.sum(1) * G_of(r, g)).sum(), "everything is summed"),
        (by_played_steps, "steps that were played"),
        (lambda u, r, g: u.sum() / len(u) * (G_of(r, g).sum() / len(r)), "mean return times"),
        (lambda u, r, g: (u.sum(1) * r.sum(1)).mean(), "discount is lost"),
        (lambda u, r, g: (u * r * powers(r, g)).sum() / len(u), "own reward"),
        (lambda u, r, g: (u * r).sum() / len(u), "own reward, undiscounted"),
        (lambda u, r, g: (u * weights_from_behind(r, g)).sum() / len(u), "weights of line 4"),
        (lambda u, r, g: (u * to_go(r, g)).sum() / len(u), "from each step on"),
        (lambda u, r, g: (u.sum(1) @ (G_of(r, g) - G_of(r, g).mean())) / len(u), "no baseline"),
        (lambda u, r, g: -estimate_by_loop(u, r, g), "sign is wrong"),
        (lambda u, r, g: (u * G_of(r, g)[:, None]).sum(1), "one number for each episode"),
        (lambda u, r, g: np.mean([G * row[row != 0].mean() for G, row in zip(G_of(r, g), u)]), "mean of means"),
        (lambda u, r, g: (u * G_of(r, g)).sum(1).mean(), "raised a RuntimeError"),
        (lambda u, r, g: (u * G_of(r, g)[:, None]).sum(0).mean(), "the other way round"),
        (lambda u, r, g: g * estimate_by_loop(u, r, g), "one discount too many"),
        (lambda u, r, g: (u.sum(1) * G_of(r, g)).mean() / len(u), "twice"),
        (lambda u, r, g: (u.sum(1) * G_of(r, g)).sum() / (len(u) - 1), "N - 1"),
        (lambda u, r, g: (u.sum(1) * G_of(r, g)).median(), "median"),
        (lambda u, r, g: (u * G_of(r, g)[:, None]).mean(1), "one number for each"),
    ],
    "how_many": [
        (100 * math.sqrt(3.3 / 2.1), "square root"),
        (64, "other way round"),
        (247, "squared the ratio"),
        (100, "do not coincide"),
        (57, "come on top"),
        (220, "their ratio"),
        (1.57, "that is the ratio"),
        (330, "ratio of both"),
        (1000, "next mark"),
        (500, "the two V"),
        (136, "what is left"),
        (133, "what is left"),
        (80, "root of it"),
        (1.25, "ratio of the spreads"),
        (210, "of the return-to-go"),
        (120, "difference of the variances, times"),
        (36, "in percent"),
        (100 * 2.084 / 3.265, "noisier"),
    ],
}
