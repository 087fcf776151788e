"""The update that `reinforce` itself makes, averaged over thousands of runs, against the exact policy gradient.

Each run is an independent batch with the same weights. A first update at a vanishing learning rate leaves the weights
unchanged, bit for bit, but lets the baselines learn; the second, at learning rate 1 by plain gradient ascent, moves
every run by its own estimate of the gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_envs
import torch
from exact_fork import BASELINES, LIMIT, LOGITS, RUNS, exact_gradient, value_of, z_scores
from torch import Tensor

from pglesson import Settings, make_policy, reinforce


def moves(policy_weights: dict[str, Tensor], **settings: Any) -> dict[str, Tensor]:
    """How far the engine's second update moves each weight of each run, by name: (RUNS, ...)."""
    fixed: dict[str, Any] = {"hidden": (), "optimizer": "sgd", "gamma": 1.0, "updates": 2, "learning_rate": 1e-30}
    chosen = Settings(runs=RUNS, **(fixed | {"normalization": "none"} | settings))
    policy = make_policy(chosen)
    weights = dict(policy.named_parameters())
    with torch.no_grad():
        for name, weight in policy_weights.items():
            weights[name].copy_(weight)
    updates = reinforce(chosen, policy)
    next(updates)
    before = {name: weight.detach().clone() for name, weight in weights.items()}
    assert all(before[name].equal(weight.expand_as(before[name])) for name, weight in policy_weights.items())
    chosen.learning_rate = 1.0
    next(updates)
    return {name: weight.detach() - before[name] for name, weight in weights.items()}


def test_three_ways_to_the_exact_gradient_agree() -> None:
    """Differentiated enumeration, the theorem's sum over trajectories and finite differences, in double precision."""
    logits, theorem, differences = LOGITS.double(), torch.zeros(3, 2).double(), torch.zeros(3, 2).double()
    pi = logits.softmax(-1)
    for path in tiny_envs.fork_trajectories():
        probability = float(np.prod([pi[s, a] for s, a, _ in path]))
        for t, (s, a, _) in enumerate(path):
            score = torch.eye(2, dtype=torch.float64)[a] - pi[s]
            theorem[s] += probability * score * sum(r for _, _, r in path[t:])
    for index in np.ndindex(3, 2):
        shift = torch.zeros(3, 2, dtype=torch.float64)
        shift[index] = 1e-6
        differences[index] = (value_of(logits + shift) - value_of(logits - shift)) / 2e-6
    torch.testing.assert_close(theorem, exact_gradient(), rtol=0, atol=1e-12)
    torch.testing.assert_close(differences, exact_gradient(), rtol=0, atol=1e-8)


@pytest.mark.parametrize("baseline", BASELINES)
def test_softmax_gradient_is_unbiased(baseline: str) -> None:
    """Oracle: enumeration. Four episodes of one to three steps in a batch, so that often only one lasts longest."""
    moved = moves({"logits.0.weight": LOGITS}, env="tiny/Fork-v0", episodes=4, baseline=baseline, baseline_constant=2.0)
    assert z_scores(moved["logits.0.weight"], exact_gradient()).abs().max() < LIMIT


def test_episode_normalization_is_detected_as_biased() -> None:
    """Negative control: the same measurement must detect a biased estimator."""
    moved = moves({"logits.0.weight": LOGITS}, env="tiny/Fork-v0", episodes=4, baseline="none", normalization="episode")
    assert z_scores(moved["logits.0.weight"], exact_gradient()).abs().max() > 20


@pytest.mark.parametrize("baseline", ["none", "time_mean"])
def test_gaussian_gradient_is_unbiased(baseline: str) -> None:
    """One step, reward -|a - c|^2; by hand dJ/dmu = 2 (c - mu) and dJ/dlog sigma = -2 sigma^2, for each dimension."""
    mu, log_sigma = torch.tensor([0.2, -0.3]), torch.tensor([-0.4, 0.1])
    moved = moves(
        {"mu.0.weight": mu.view(1, 1, 2), "log_sigma": log_sigma.view(1, 1, 2)},
        env="tiny/Target-v0",
        episodes=3,
        baseline=baseline,
    )
    exact_mu = 2 * (torch.tensor(tiny_envs.TARGET) - mu)
    assert z_scores(moved["mu.0.weight"], exact_mu.double()).abs().max() < LIMIT
    assert z_scores(moved["log_sigma"], (-2 * (2 * log_sigma).exp()).double()).abs().max() < LIMIT


def test_clipped_actions_leave_the_gradient_unbiased() -> None:
    """The environment pays the clipped action, but the score is the sampled one's.

    Oracle: J = E[clip(a, -1, 1)] for a ~ N(mu, sigma^2) in closed form, differentiated in double precision.
    """
    start = torch.tensor([0.4, -0.2], dtype=torch.float64, requires_grad=True)
    mu, sigma = start[0], start[1].exp()
    low, high = (-1 - mu) / sigma, (1 - mu) / sigma
    density = torch.exp(-(torch.stack([low, high]) ** 2) / 2) / (2 * torch.pi) ** 0.5
    below, above = torch.special.ndtr(low), torch.special.ndtr(high)
    expected = mu * (above - below) - sigma * (density[1] - density[0]) - below + (1 - above)
    exact = torch.autograd.grad(expected, start)[0]
    moved = moves(
        {"mu.0.weight": torch.tensor([[[0.4]]]), "log_sigma": torch.tensor([[[-0.2]]])},
        env="tiny/Clipped-v0",
        episodes=3,
        baseline="time_mean",
    )
    found = torch.cat([moved["mu.0.weight"].flatten(1), moved["log_sigma"].flatten(1)], 1)
    assert z_scores(found, exact).abs().max() < LIMIT
