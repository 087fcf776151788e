"""Returns-to-go, the time mean and normalization against their definitions, NumPy and cases worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from pglesson.advantages import masked_mean, normalize, returns_to_go
from pglesson.baselines import time_mean


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


def ragged(runs: int, episodes: int, steps: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random numbers (runs, episodes, steps) in double precision and the mask of episodes of random lengths."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, steps + 1, size=(runs, episodes))
    lengths[:, 0] = steps
    mask = (np.arange(steps) < lengths[..., None]).astype(float)
    return torch.from_numpy(rng.normal(3, 2, size=mask.shape)), torch.from_numpy(mask)


def leave_one_out(returns: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The oracle, one number at a time: the mean over the other episodes at this step, else over all their steps."""
    baseline = np.zeros_like(returns)
    for run, episode, t in np.ndindex(returns.shape):
        others = [i for i in range(returns.shape[1]) if i != episode]
        same = [returns[run, i, t] for i in others if mask[run, i, t]]
        every = [returns[run, i, s] for i in others for s in range(returns.shape[2]) if mask[run, i, s]]
        baseline[run, episode, t] = np.mean(same or every or [0.0])
    return baseline


@pytest.mark.parametrize("shape", [(1, 1, 4), (1, 2, 1), (2, 3, 6), (3, 8, 12)])
def test_time_mean_is_the_mean_of_the_others(shape: tuple[int, int, int]) -> None:
    returns, mask = ragged(*shape)
    expected = leave_one_out(returns.numpy(), mask.numpy())
    np.testing.assert_allclose(time_mean(returns, mask).numpy(), expected, atol=1e-12)


def test_time_mean_of_a_single_episode_is_zero() -> None:
    returns = torch.tensor([[[3.0, 2.0, 1.0]]])
    assert time_mean(returns, torch.ones(1, 1, 3)).eq(0).all()


def test_time_mean_of_equal_returns_leaves_no_advantage() -> None:
    returns = torch.tensor([3.0, 2.0, 1.0]).expand(1, 4, 3)
    assert time_mean(returns, torch.ones(1, 4, 3)).equal(returns)


def test_time_mean_where_one_episode_outlasts_the_others() -> None:
    """By hand: after the others' ends, the long episode gets the mean of all their steps, (4 + 2 + 6) / 3 = 4."""
    returns = torch.tensor([[[9.0, 8.0, 7.0], [4.0, 2.0, 0.0], [6.0, 0.0, 0.0]]])
    mask = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])
    baseline = time_mean(returns, mask)
    assert baseline[0, 0].tolist() == [5.0, 2.0, 4.0]
    assert baseline[0, 1, :2].tolist() == [7.5, 8.0]
    assert baseline[0, 2, 0].item() == 6.5


def test_time_mean_does_not_depend_on_the_own_returns() -> None:
    """This makes it unbiased: when one episode's returns change, that episode's baseline does not."""
    returns, mask = ragged(1, 4, 5)
    changed = returns.clone()
    changed[0, 2] += 100
    before, after = time_mean(returns, mask), time_mean(changed, mask)
    torch.testing.assert_close(before[0, 2], after[0, 2], rtol=0, atol=1e-12)
    assert not torch.allclose(before[0, 1], after[0, 1])


def test_time_mean_ignores_masked_steps() -> None:
    returns, mask = ragged(2, 4, 6)
    assert time_mean(returns, mask).equal(time_mean(torch.where(mask > 0, returns, 1e6), mask))


def test_masked_mean() -> None:
    """The oracle is NumPy's masked array."""
    x, mask = ragged(2, 3, 5)
    expected = np.ma.masked_array(x.numpy(), mask.numpy() == 0).mean(2, keepdims=True)
    np.testing.assert_allclose(masked_mean(x, mask, (2,)).numpy(), expected, atol=1e-12)


def test_normalize_none_only_masks() -> None:
    x, mask = ragged(2, 3, 5)
    assert normalize(x, mask, "none").equal(x * mask)


@pytest.mark.parametrize("over", ["batch", "episode"])
def test_normalize(over: str) -> None:
    """The oracle is NumPy's mean and population standard deviation of the played steps alone."""
    x, mask = ragged(3, 5, 7)
    expected = np.zeros(x.shape)
    for run in range(3):
        groups = [slice(None)] if over == "batch" else list(range(5))
        for group in groups:
            played = mask[run, group].numpy() > 0
            values = x[run, group].numpy()[played]
            filled = np.zeros(played.shape)
            filled[played] = (values - values.mean()) / (values.std() + 1e-8)
            expected[run, group] = filled
    np.testing.assert_allclose(normalize(x, mask, over).numpy(), expected, atol=1e-9)  # type: ignore[arg-type]


@pytest.mark.parametrize("over", ["batch", "episode"])
def test_normalized_equal_advantages_are_zero(over: str) -> None:
    """A batch of equal advantages, and one of a single step, whose sample standard deviation would be NaN."""
    for shape in [(1, 1, 1), (1, 3, 4)]:
        assert normalize(torch.full(shape, 7.0), torch.ones(shape), over).eq(0).all()  # type: ignore[arg-type]


@pytest.mark.parametrize("episodes", [10, 16])
def test_equal_returns_cancel_exactly(episodes: int) -> None:
    """In float32 a rounding error of 1e-5 would remain, and normalization would scale it up to about 1."""
    returns = returns_to_go(torch.ones(1, episodes, 500), 0.99)
    mask = torch.ones_like(returns)
    assert normalize(returns - time_mean(returns, mask), mask, "batch").eq(0).all()
    for value in (0.1, 63.397):
        assert normalize(torch.full((1, episodes, 1), value), torch.ones(1, episodes, 1), "batch").eq(0).all()


def test_normalize_a_one_step_episode_among_longer_ones() -> None:
    """By hand: 1 and 3 become -1 and 1; the single 5 becomes 0."""
    advantages = torch.tensor([[[1.0, 3.0], [5.0, 99.0]]])
    mask = torch.tensor([[[1.0, 1.0], [1.0, 0.0]]])
    expected = torch.tensor([[[-1.0, 1.0], [0.0, 0.0]]], dtype=torch.float64)
    torch.testing.assert_close(normalize(advantages, mask, "episode"), expected)


def test_normalize_treats_each_run_separately() -> None:
    """The oracle is each run on its own."""
    x, mask = ragged(2, 3, 5)
    x[1] *= 1000
    apart = torch.cat([normalize(x[i : i + 1], mask[i : i + 1], "batch") for i in range(2)])
    torch.testing.assert_close(normalize(x, mask, "batch"), apart)
