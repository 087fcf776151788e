"""Returns-to-go against their definition, summed term by term in double precision."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pglesson.advantages import returns_to_go


def by_definition(rewards: np.ndarray, gamma: float) -> np.ndarray:
    """The oracle, O(T^2): G_t = sum over k of gamma^k R_{t+k+1} (Sutton & Barto, 2018, eq. 3.8)."""
    returns = np.zeros(rewards.shape)
    steps = rewards.shape[-1]
    for t in range(steps):
        for k in range(steps - t):
            returns[..., t] += gamma**k * rewards[..., t + k]
    return returns


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("shape", [(1,), (7,), (4, 30), (2, 3, 50)])
def test_returns_to_go_by_definition(gamma: float, shape: tuple[int, ...]) -> None:
    """Any leading axes, and a single step; the oracle is the definition."""
    rewards = np.random.default_rng(0).normal(size=shape)
    returns = returns_to_go(torch.from_numpy(rewards), gamma)
    np.testing.assert_allclose(returns.numpy(), by_definition(rewards, gamma), atol=1e-12)


def test_worked_example() -> None:
    """Worked by hand: rewards 1, 2, 4 with gamma 1/2 give 1 + 4/2, 2 + 4/2 and 4."""
    assert returns_to_go(torch.tensor([1.0, 2.0, 4.0]), 0.5).tolist() == [3.0, 4.0, 4.0]


def test_integer_rewards() -> None:
    assert returns_to_go(torch.tensor([1, 2, 4]), 0.5).tolist() == [3.0, 4.0, 4.0]


def test_gamma_zero_gives_the_next_reward() -> None:
    rewards = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    assert returns_to_go(rewards, 0.0).equal(rewards)


def test_gamma_one_gives_the_sum_of_the_remaining_rewards() -> None:
    """The oracle is a reversed cumulative sum of whole numbers, which floats hold exactly."""
    rewards = torch.arange(12.0).reshape(2, 6)
    assert returns_to_go(rewards, 1.0).equal(rewards.flip(-1).cumsum(-1).flip(-1))


def test_rewards_are_not_changed() -> None:
    rewards = torch.ones(2, 4)
    returns_to_go(rewards, 0.9)
    assert rewards.equal(torch.ones(2, 4))


def test_episodes_are_independent() -> None:
    """The oracle is the same episode on its own; zeros after its end change nothing."""
    long, short = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([5.0, 0.0, 0.0])
    both = returns_to_go(torch.stack([long, short]), 0.9)
    assert both[0].equal(returns_to_go(long, 0.9))
    assert both[1].tolist() == [5.0, 0.0, 0.0]
