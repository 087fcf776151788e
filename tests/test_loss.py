"""Single-episode gradients against autograd, and the loss by the package's own functions against the exact gradient.

The same measurement through `reinforce` itself is in test_reinforce_gradient.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from exact_fork import BASELINES, LIMIT, LOGITS, RUNS, exact_gradient, z_scores
from torch import Tensor, nn

from pglesson.advantages import masked_mean, normalize, returns_to_go
from pglesson.baselines import time_mean
from pglesson.diagnostics import episode_gradients, total_variance
from pglesson.envs.factory import make_envs
from pglesson.loss import policy_gradient_loss
from pglesson.own_policies import SingleRunPolicy
from pglesson.policies import GaussianPolicy, SoftmaxPolicy, distribution_at
from pglesson.rollout import Episodes, play_episodes


def play(env: str, policy: Any, runs: int, episodes: int, seed: int) -> Episodes:
    generator = torch.Generator().manual_seed(seed)
    return play_episodes(make_envs(env, runs * episodes), policy, runs, max_steps=10, generator=generator, seed=seed)


def loss_gradient(policy: nn.Module, played: Episodes, advantages: Tensor) -> Tensor:
    """Minus the gradient of the batch loss, by autograd: (runs, parameters of a run)."""
    runs, episodes = played.mask.shape[:2]
    log_prob = distribution_at(policy, played.observations.flatten(1, 2)).log_prob(played.actions.flatten(1, 2))
    gain = log_prob * advantages.flatten(1)
    loss = policy_gradient_loss(gain, torch.zeros(()), entropy_weight=0.0, episodes=episodes)
    policy.zero_grad()
    loss.sum().backward()
    return -torch.cat([weight.grad.reshape(runs, -1) for weight in policy.parameters()], 1)


def batch_gradients(baseline: str, over: Any = "none") -> Tensor:
    """One estimate from each of RUNS independent batches of four episodes of tiny/Fork-v0: (RUNS, 6)."""
    policy = SoftmaxPolicy(3, 2, runs=RUNS)
    policy.logits[0].weight.data = LOGITS.repeat(RUNS, 1, 1)
    past, played = (play("tiny/Fork-v0", policy, RUNS, 4, seed) for seed in (1, 2))
    returns, mask = returns_to_go(played.rewards, 1.0), played.mask
    subtracted = {
        "none": lambda: 0.0,
        "constant": lambda: 2.0,
        "running_mean": lambda: masked_mean(returns_to_go(past.rewards, 1.0), past.mask, (1, 2)),
        "time_mean": lambda: time_mean(returns, mask),
        "value": lambda: played.observations @ torch.tensor([3.0, -1.0, 0.7]),
        "own return included": lambda: masked_mean(returns, mask, (1,)),
    }[baseline]()
    return loss_gradient(policy, played, normalize((returns - subtracted) * mask, mask, over))


@pytest.mark.parametrize("baseline", BASELINES)
def test_every_baseline_leaves_the_gradient_unbiased(baseline: str) -> None:
    """Oracle: enumeration. Five baselines, six components: an unbiased estimator fails with probability below 1e-5."""
    assert z_scores(batch_gradients(baseline), exact_gradient()).abs().max() < LIMIT


def test_mean_with_the_own_return_is_detected_as_biased() -> None:
    """Negative control: the mistake that leaving one out avoids."""
    assert z_scores(batch_gradients("own return included"), exact_gradient()).abs().max() > 20


def test_episode_normalization_is_detected_as_biased() -> None:
    assert z_scores(batch_gradients("none", "episode"), exact_gradient()).abs().max() > 20


def small_policy(kind: str, runs: int) -> tuple[nn.Module, str]:
    generator = torch.Generator().manual_seed(3)
    if kind == "softmax":
        return SoftmaxPolicy(3, 2, hidden=(5,), runs=runs, generator=generator), "tiny/Fork-v0"
    if kind == "gaussian":
        return GaussianPolicy(1, [-1], [1], hidden=(5,), runs=runs, generator=generator), "tiny/Echo-v0"
    module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    return SingleRunPolicy(module), "tiny/Fork-v0"


@pytest.mark.parametrize(("kind", "runs"), [("softmax", 1), ("softmax", 3), ("gaussian", 3), ("plain module", 1)])
def test_episode_gradients(kind: str, runs: int) -> None:
    """Their mean is the gradient of the batch loss, and each is the gradient of a batch of that one episode."""
    policy, env = small_policy(kind, runs)
    played = play(env, policy, runs, 6, seed=0)
    advantages = torch.randn(played.mask.shape, generator=torch.Generator().manual_seed(4)) * played.mask
    each = episode_gradients(policy, played, advantages)
    whole = loss_gradient(policy, played, advantages)
    assert each.shape == (6, *whole.shape) and whole.abs().max() > 0.01
    torch.testing.assert_close(each.mean(0), whole, atol=1e-5, rtol=1e-4)
    for i in range(6):
        part = Episodes(**{name: value[:, i : i + 1] for name, value in vars(played).items()})
        alone = loss_gradient(policy, part, advantages[:, i : i + 1])
        torch.testing.assert_close(each[i], alone, atol=1e-5, rtol=1e-4)


def test_total_variance() -> None:
    """The oracle is the trace of NumPy's covariance matrix, for each run."""
    gradients = torch.randn(9, 2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = [np.trace(np.cov(gradients[:, run].numpy().T)) for run in range(2)]
    np.testing.assert_allclose(total_variance(gradients).numpy(), expected)
    several = gradients.unflatten(1, (2, 1))  # one more axis, as with a gradient for each estimator
    np.testing.assert_allclose(total_variance(several).numpy(), np.array(expected)[:, None])


def test_loss_by_hand() -> None:
    """-(1/2) [(-1)(3) + (-2)(4) + 0.5 (0.6 + 0.2)] = 5.3."""
    log_prob = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    advantages, entropy = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.6, 0.2]])
    loss = policy_gradient_loss(log_prob * advantages, entropy, entropy_weight=0.5, episodes=2)
    torch.testing.assert_close(loss, torch.tensor([5.3]))
    loss.sum().backward()
    assert log_prob.grad.tolist() == [[-1.5, -2.0]]


def test_total_variance_of_one_episode_is_nan_without_warning() -> None:
    assert total_variance(torch.ones(1, 2, 3)).isnan().tolist() == [True, True]
