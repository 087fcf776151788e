"""Confidence intervals for comparisons of runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from pglesson.reinforce import FloatArray


def _mean_or_difference(first: FloatArray, *second: FloatArray) -> FloatArray:
    return first.mean(-1) - sum(x.mean(-1) for x in second)


def bootstrap_interval(
    *samples: ArrayLike,
    statistic: Callable[..., FloatArray] = _mean_or_difference,
    level: float = 0.95,
    resamples: int = 4000,
    seed: int = 0,
) -> tuple[float, float]:
    """A confidence interval that covers the truth with probability `level`, by the percentile bootstrap.

    samples: one number a run, (runs,), of one group or of two to compare. statistic: gets as many arrays (resamples,
    runs) and reduces the last axis; by default the mean, or the first group's mean minus the second's.
    Somewhat too narrow for few runs, as every percentile bootstrap: Efron & Tibshirani (1993), chapter 13.
    Raises ValueError for a sample that is not one finite number for each of two or more runs, for a level outside
    (0, 1), and for resamples < 1.
    """
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(
            f"level is {level} and resamples {resamples}, but level must lie between 0 and 1, such as 0.95, and "
            "resamples must be 1 or more."
        )
    rng, redrawn = np.random.default_rng(seed), []
    for sample in samples:
        runs = np.asarray(sample, dtype=float)
        if runs.ndim != 1 or len(runs) < 2 or not np.isfinite(runs).all():
            raise ValueError(
                f"A sample of the shape {runs.shape} was given, but it must be one finite number a run, (runs,), of "
                "two runs or more: average over updates and episodes first."
            )
        redrawn.append(runs[rng.integers(len(runs), size=(resamples, len(runs)))])
    low, high = np.quantile(statistic(*redrawn), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
