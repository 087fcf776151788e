"""Learners' answers to the exercises of notebook 02."""

import math

import numpy as np
import torch
from torch import nn


def by_loop(logits):
    rows = []
    for row in logits.tolist():
        largest = max(row)
        total = math.log(sum(math.exp(x - largest) for x in row))
        rows.append([x - largest - total for x in row])
    return torch.tensor(rows)


def overflowing_rows(logits):
    out = torch.zeros_like(logits)
    for i, row in enumerate(logits):
        out[i] = row - torch.log(torch.exp(row).sum())
    return out


def in_place(logits):
    logits -= logits.max(-1, keepdim=True).values
    return logits - logits.exp().sum(-1, keepdim=True).log()


def score_by_autograd(logits, action):
    logits = logits.clone().requires_grad_(True)
    torch.log_softmax(logits, -1)[action].backward()
    return logits.grad


def score_by_loop(logits, action):
    e = [math.exp(x - max(logits.tolist())) for x in logits.tolist()]
    return [(1.0 if i == action else 0.0) - x / sum(e) for i, x in enumerate(e)]


def score_in_numpy(logits, action):
    z = logits.numpy().astype(np.float64)
    pi = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    onehot = np.zeros(len(z))
    onehot[action] = 1
    return onehot - pi


def endless(logits):
    while True:
        pass


RIGHT = {
    "log_policy": [
        by_loop,
        nn.LogSoftmax(-1),
        lambda z: torch.log_softmax(z.double(), 1),
        lambda z: z - torch.logsumexp(z, dim=1, keepdim=True),
        lambda z: torch.distributions.Categorical(logits=z).logits,
    ],
    "predict": [0.6, 3 / 5, torch.tensor(0.6), np.float32(0.6), torch.tensor([0.0, 0.0, math.log(3)]).softmax(0)[2]],
    "score": [score_by_autograd, score_by_loop, score_in_numpy],
    "certain": [0.01, 1e-2, torch.tensor(10 * (1 - 0.999)), np.float64(0.01)],
}
MISTAKES = {
    "log_policy": [
        (lambda z: z.exp() / z.exp().sum(-1, keepdim=True), "these are the probabilities"),
        (lambda z: torch.softmax(z, 1), "these are the probabilities"),
        (lambda z: z - torch.logsumexp(z, 0), "runs over the states"),
        (lambda z: z - torch.logsumexp(z.reshape(-1), 0), "whole batch"),
        (lambda z: torch.log(torch.softmax(z, dim=-1)), "rounded to zero"),
        (overflowing_rows, "overflows for large logits"),
        (lambda z: -(z - torch.logsumexp(z, 1, keepdim=True)), "sign is turned"),
        (lambda z: torch.log_softmax(z, -1) * math.log10(math.e), "base 10"),
        (lambda z: z - z.amax(-1, keepdim=True), "not the logarithm of the sum"),
        (
            lambda z: z - z.exp().log().sum(-1, keepdim=True).nan_to_num() * 0 - z.sum(-1, keepdim=True),
            "logarithm of each",
        ),
        (in_place, "in place"),
        (lambda z: torch.log_softmax(z, -1).numpy(), "NumPy array"),
        (lambda z: torch.log_softmax(z, -1)[:, 0], "shape"),
        (lambda z: z.log_softmax(), "raised a TypeError"),
        (endless, "had not come back"),
        (torch.tensor([0.5]), "must be a function"),
    ],
    "predict": [
        (3.0, "that is the exponential"),
        (1.0, "logits themselves"),
        (0.75, "two actions"),
        (0.2, "each of the other two"),
        (0.333, "equal logits"),
        (0.5, "undoes the logarithm"),
        (math.log(0.6), "its logarithm"),
        (60, "percentage"),
        (0.123, "three exponentials"),
        ("sixty", "must be one number"),
    ],
    "score": [
        (lambda z, a: torch.softmax(z, 0) - nn.functional.one_hot(torch.tensor(a), len(z)), "sign is turned"),
        (
            lambda z, a: torch.tensor([1 - p if i == a else 0 for i, p in enumerate(z.softmax(0).tolist())]),
            "only the chosen action",
        ),
        (lambda z, a: torch.autograd.functional.jacobian(lambda y: y.softmax(0)[a], z), "gradient of the probability"),
        (lambda z, a: nn.functional.one_hot(torch.tensor(a), len(z)) - z, "as they are"),
        (lambda z, a: nn.functional.one_hot(torch.tensor(a), len(z)) - z.log_softmax(0), "log-probabilities"),
        (lambda z, a: torch.ones_like(z) - z.softmax(0), "at every action"),
        (lambda z, a: 0 - z.softmax(0), "is missing"),
        (lambda z, a: torch.tensor([1 / p if i == a else 0.0 for i, p in enumerate(z.softmax(0))]), "chain rule"),
        (lambda z, a: nn.functional.one_hot(z.argmax(), len(z)) - z.softmax(0), "greedy action"),
        (lambda z: z, "raised a TypeError"),
    ],
    "certain": [
        (9.99, "you took pi"),
        (10, "alpha \\* G"),
        (0.001, "score alone"),
        (0, "never reaches 1"),
        (-0.01, "sign is turned"),
        (0.00999, "multiplied by pi"),
        (0.1, "not 0.01"),
        (5, "moves the logits by"),
    ],
}
