"""Bootstrap intervals of samples whose true mean is known."""

from __future__ import annotations

import numpy as np
import pytest

from pglesson.analysis.confidence import bootstrap_interval


@pytest.mark.parametrize("groups", [1, 2])
def test_coverage_of_the_bootstrap_interval(groups: int) -> None:
    """300 samples of 20 normal runs. A percentile bootstrap of 20 covers about 93 %, not 95 %: at that rate fewer than
    87 % or more than 99 % happen with probability below 1e-3."""
    rng, truth = np.random.default_rng(0), (3.0 if groups == 1 else 3.0 - 1.0)
    covered = 0
    for _ in range(300):
        samples = [rng.normal(mean, 2.0, 20) for mean in (3.0, 1.0)[:groups]]
        low, high = bootstrap_interval(*samples, resamples=1000)
        covered += low <= truth <= high
    assert 0.87 * 300 < covered < 0.99 * 300


def test_interval_of_another_statistic() -> None:
    """The oracle is the sample itself: where all runs but one are equal, the median's interval is that one number."""
    runs = np.array([5.0] * 30 + [1000.0])
    low, high = bootstrap_interval(runs, statistic=lambda x: np.median(x, axis=-1))
    assert low == high == 5.0
    assert bootstrap_interval(runs)[1] > 50  # the mean's is not


def test_the_same_seed_gives_the_same_interval() -> None:
    runs = np.arange(10.0) ** 1.5
    assert bootstrap_interval(runs) == bootstrap_interval(runs)
    assert bootstrap_interval(runs) != bootstrap_interval(runs, seed=1)


@pytest.mark.parametrize("wrong", [{"level": 95}, {"level": 0}, {"level": 1.0}, {"resamples": 0}])
def test_invalid_level_and_resamples_raise(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="level must lie between 0 and 1, such as"):
        bootstrap_interval(np.arange(5.0), **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("sample", [np.zeros((3, 4)), [1.0], [1.0, np.nan], 3.0])
def test_invalid_sample_raises(sample: object) -> None:
    with pytest.raises(ValueError, match="one finite number a run"):
        bootstrap_interval(sample)  # type: ignore[arg-type]
