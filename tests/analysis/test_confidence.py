"""Intervals cover the truth as often as they say. The oracle is a simulation whose true mean is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from pglesson.analysis.confidence import mean_interval, share_interval

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]


def normal(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return rng.normal(3.0, 2.0, n)


def exponential(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    return 3.0 * rng.exponential(size=n)


def coverage(draw: Draw, sizes: tuple[int, ...], level: float = 0.95, trials: int = 2000) -> float:
    """The share of the trials in which the interval holds the true mean, 3, or difference, 0."""
    rng, truth = np.random.default_rng(0), 3.0 if len(sizes) == 1 else 0.0
    found = [mean_interval(*(draw(rng, n) for n in sizes), level=level) for _ in range(trials)]
    return float(np.mean([low <= truth <= high for low, high in found]))


@pytest.mark.parametrize("sizes", [(5,), (10,), (5, 5), (6, 10)], ids=str)
def test_on_normal_data_the_coverage_is_within_two_points_of_the_promise(sizes: tuple[int, ...]) -> None:
    """The share of 2,000 trials has a standard error of 0.0049: at the exact level a failure has probability 4e-5, at
    the 0.9555 that Welch's interval covers for two groups of five with equal spreads, 2e-3."""
    assert abs(coverage(normal, sizes) - 0.95) < 0.02


@pytest.mark.parametrize(("sizes", "stated"), [((5,), 0.88), ((20,), 0.92), ((10, 10), 0.96)], ids=str)
def test_on_skewed_data_the_coverage_is_the_one_that_is_stated(sizes: tuple[int, ...], stated: float) -> None:
    """A standard error of 0.0073 at most: a failure has probability below 0.01."""
    assert abs(coverage(exponential, sizes) - stated) < 0.02


def test_another_level_is_kept_too() -> None:
    assert abs(coverage(normal, (5,), level=0.8) - 0.8) < 0.03


def test_several_intervals_hold_at_once() -> None:
    """Three independent means of five runs, all three covered in 95 % of 800 trials or more: in truth 0.951."""
    rng = np.random.default_rng(0)
    trials = [[mean_interval(normal(rng, 5), comparisons=3) for _ in range(3)] for _ in range(800)]
    assert np.mean([all(low <= 3 <= high for low, high in found) for found in trials]) > 0.92
    alone = [[mean_interval(normal(rng, 5)) for _ in range(3)] for _ in range(800)]
    assert np.mean([all(low <= 3 <= high for low, high in found) for found in alone]) < 0.90


@pytest.mark.parametrize(("trials", "stated"), [(10, 0.89), (24, 0.92), (100, 0.925)])
def test_the_coverage_of_a_share_is_the_one_that_is_stated(trials: int, stated: float) -> None:
    """Exact: the binomial distribution, by the recursion of its probabilities, over a grid of true shares."""
    intervals = np.array([share_interval(k, trials) for k in range(trials + 1)])
    found = []
    for p in np.linspace(0.05, 0.95, 181):
        probability = [(1 - p) ** trials]
        for k in range(trials):
            probability.append(probability[-1] * (trials - k) / (k + 1) * p / (1 - p))
        found.append(np.array(probability) @ ((intervals[:, 0] <= p) & (p <= intervals[:, 1])))
    assert min(found) > stated and abs(np.mean(found) - 0.95) < 0.01


def test_known_intervals() -> None:
    """By hand: the t of 4 degrees of freedom is 2.7764, the spread of 1 to 5 is sqrt(2.5); Wilson's formula for 0 of 10
    is [0, z^2 / (10 + z^2)]."""
    half = 2.776445 * 2.5**0.5 / 5**0.5
    assert mean_interval(range(1, 6)) == pytest.approx((3 - half, 3 + half))
    assert share_interval(0, 10) == pytest.approx((0.0, 1.959964**2 / (10 + 1.959964**2)))


def test_two_groups_give_the_first_minus_the_second() -> None:
    low, high = mean_interval([5.0, 6.0, 7.0], [1.0, 2.0, 3.0])
    assert low < 4.0 < high and low > 0
    assert mean_interval([1.0, 2.0, 3.0], [5.0, 6.0, 7.0]) == pytest.approx((-high, -low))


def test_runs_without_spread_give_one_number() -> None:
    assert mean_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)
    assert mean_interval([2.0, 2.0], [1.5, 1.5]) == (0.5, 0.5)


@pytest.mark.parametrize("wrong", [{"level": 95}, {"level": 0}, {"level": 1.0}, {"comparisons": 0}])
def test_invalid_level_and_comparisons_raise(wrong: dict[str, float]) -> None:
    for interval in (lambda: mean_interval(np.arange(5.0), **wrong), lambda: share_interval(1, 5, **wrong)):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="level must lie between 0 and 1, such as"):
            interval()


@pytest.mark.parametrize("sample", [np.zeros((3, 4)), [1.0], [1.0, np.nan], 3.0])
def test_invalid_sample_raises(sample: object) -> None:
    with pytest.raises(ValueError, match="one finite number a run"):
        mean_interval(sample)  # type: ignore[arg-type]


def test_one_or_two_samples() -> None:
    with pytest.raises(ValueError, match="3 samples were given, but it must be one, or two to compare"):
        mean_interval([1.0, 2.0], [1.0, 2.0], [1.0, 2.0])


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_invalid_counts_raise(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match=f"{successes} successes of {trials} trials were given"):
        share_interval(successes, trials)
