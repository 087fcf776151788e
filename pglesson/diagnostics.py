"""Measurements of an update: the noise of its gradient, the change of the policy, what the baseline explains."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from pglesson.advantages import masked_mean
from pglesson.policies import device_of, distribution_at, to_distribution
from pglesson.rollout import Episodes, in_pieces


def explained_variance(returns: Tensor, advantages: Tensor, mask: Tensor) -> Tensor:
    """1 - var(G - b) / var(G) over the played time steps (runs,); NaN where all returns are equal."""

    def variance(x: Tensor) -> Tensor:
        return masked_mean((x - masked_mean(x, mask, (1, 2))) ** 2, mask, (1, 2)).flatten()

    spread, size = variance(returns), masked_mean(returns**2, mask, (1, 2)).flatten()
    return torch.where(spread > 1e-10 * size, 1 - variance(advantages) / spread, torch.nan)  # less is rounding alone


def episode_gradients(policy: nn.Module, episodes: Episodes, advantages: Tensor) -> Tensor:
    """The policy gradient that each episode alone would give: (episodes, runs, parameters of a run).

    advantages: (runs, episodes, steps), or (several, runs, episodes, steps) for several estimators on the same
    episodes, which gives (episodes, several, runs, parameters). Uses torch.func: one forward pass, and one backward
    pass an estimator, vectorized over episodes.
    """
    weights = {name: weight.detach() for name, weight in policy.named_parameters() if weight.requires_grad}

    def gradients(observations: Tensor, actions: Tensor, advantages: Tensor) -> dict[str, Tensor]:
        def log_prob(weights: dict[str, Tensor]) -> Tensor:
            output = torch.func.functional_call(policy, weights, (observations,))
            return to_distribution(policy, output).log_prob(actions)

        # runs share no weights, so the gradient of the sum over runs holds each run's own
        pull_back = torch.func.vjp(log_prob, weights)[1]
        if advantages.dim() == 2:
            return pull_back(advantages)[0]
        return torch.func.vmap(pull_back)(advantages)[0]

    device = device_of(policy)
    batch = [x.to(device) for x in (episodes.observations, episodes.actions, advantages.detach())]
    with _unvalidated():
        each = torch.func.vmap(gradients, (1, 1, -2), randomness="different")(*batch)
    return torch.cat(
        [g.reshape(*g.shape[: advantages.dim() - 2], len(episodes.rewards), -1) for g in each.values()], -1
    )


@contextmanager
def _unvalidated() -> Iterator[None]:
    # a learner's own torch distribution checks its arguments by looking at them, which vmap does not allow
    validates = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        yield
    finally:
        torch.distributions.Distribution.set_default_validate_args(validates)


def total_variance(gradients: Tensor) -> Tensor:
    """The trace of the covariance of single-episode gradients (episodes, ..., parameters) -> (...).

    A mean over N independent episodes has 1/N of it. NaN for a single episode, whose spread is unknown.
    """
    if len(gradients) < 2:
        return gradients.new_full(gradients.shape[1:-1], torch.nan)
    return gradients.var(0).sum(-1)


@torch.no_grad()  # not inference mode, in which what a policy keeps would serve no later gradient
def policy_change(old_policy: nn.Module, policy: nn.Module, episodes: Episodes) -> Tensor:
    """KL(old_policy || policy) in the states of these episodes, mean over their time steps: (runs,), in nats."""
    total = torch.zeros(len(episodes.mask))
    for observations, mask in in_pieces(device_of(policy), episodes.observations, episodes.mask):
        change = distribution_at(old_policy, observations).kl(distribution_at(policy, observations))
        total += (change * mask).sum(1).cpu()
    return total / episodes.mask.sum((1, 2))
