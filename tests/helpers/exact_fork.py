"""The exact policy gradient of tiny/Fork-v0, and how far an estimate lies from it."""

from __future__ import annotations

from statistics import NormalDist

import tiny_envs
import torch
from torch import Tensor

RUNS = 20_000
BASELINES = ("none", "constant", "running_mean", "time_mean", "value")
LOGITS = torch.tensor([[0.3, -0.2], [-0.5, 0.4], [0.1, 0.6]])
# All z-scores of this file together (5 baselines x 6 logits, 2 x 4 and 2 Gaussian parameters) exceed this limit with
# probability 1e-5 at most if every estimate is unbiased (Bonferroni, two-sided).
LIMIT = NormalDist().inv_cdf(1 - 1e-5 / 40 / 2)


def value_of(logits: Tensor) -> Tensor:
    """J by enumeration: the sum over all trajectories of probability times return, undiscounted."""
    log_pi = logits.log_softmax(-1)
    return sum(  # type: ignore[return-value]
        sum(log_pi[s, a] for s, a, _ in path).exp() * sum(r for _, _, r in path)
        for path in tiny_envs.fork_trajectories()
    )


def exact_gradient() -> Tensor:
    """dJ/dlogits (3, 2) in double precision, by differentiating the enumeration."""
    logits = LOGITS.double().requires_grad_()
    return torch.autograd.grad(value_of(logits), logits)[0]


def z_scores(sample: Tensor, exact: Tensor) -> Tensor:
    """How many standard errors the mean over runs lies from the exact value, for each component."""
    error = sample.double().flatten(1) - exact.flatten()
    return error.mean(0) / (error.std(0) / len(error) ** 0.5)
