"""Confidence intervals of means, of differences and of shares, by SciPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pglesson.reinforce import FloatArray


def mean_interval(*samples: ArrayLike, level: float = 0.95, comparisons: int = 1) -> tuple[float, float]:
    """A confidence interval of a mean, by Student's t, or of the difference of two means, by Welch's t.

    samples: one number a run, (runs,); or two such groups of different runs: the first group's mean minus the second's.
    For runs that began alike, give one sample of differences. comparisons: how many intervals are to hold all at once
    with probability `level`; each then has the level 1 - (1 - level) / comparisons (Bonferroni).

    For normal data one sample's interval covers the mean with probability `level` exactly; that of two groups of five
    or more to within 0.02. With 95 % promised, n runs of exponential data cover 88 % (n = 5), 90 % (10), 92 % (20). For
    runs that only fail or succeed use `share_interval`.
    Source: Student (1908); Welch (1947), Biometrika 34.
    Raises ValueError for other than one or two samples, a sample that is not one finite number for each of two or more
    runs, a level outside (0, 1), and comparisons < 1.
    """
    from scipy import stats  # imported here, since it takes a second that most uses of the package need not wait

    level = _level_of_each(level, comparisons)
    groups = [_one_number_a_run(sample) for sample in samples]
    if len(groups) not in (1, 2):
        raise ValueError(f"{len(groups)} samples were given, but it must be one, or two to compare.")
    if all(np.ptp(runs) == 0 for runs in groups):  # no spread: the interval is one number
        mean = float(groups[0].mean() - sum(runs.mean() for runs in groups[1:]))
        return mean, mean
    test = stats.ttest_1samp(groups[0], 0.0) if len(groups) == 1 else stats.ttest_ind(*groups, equal_var=False)
    low, high = test.confidence_interval(level)
    return float(low), float(high)


def share_interval(successes: int, trials: int, level: float = 0.95, comparisons: int = 1) -> tuple[float, float]:
    """A confidence interval of the probability of success, from 0 to 1: Wilson's.

    successes of trials, such as 9 of 24 runs that reached the goal. On the average over the probabilities it covers
    `level`; near 0 and 1 less for some of them: with 95 % promised, 89 % at the worst for 10 trials with a probability
    from 0.05 to 0.95, and 92 % for 24.
    Source: Wilson (1927); Brown, Cai & DasGupta (2001), Statistical Science 16, 101-133.
    Raises ValueError for successes outside 0 to trials, trials < 1, a level outside (0, 1), and comparisons < 1.
    """
    from scipy import stats

    level = _level_of_each(level, comparisons)
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(
            f"{successes} successes of {trials} trials were given, but there must be one trial or more, and from 0 to "
            "that many successes."
        )
    low, high = stats.binomtest(int(successes), int(trials)).proportion_ci(level, method="wilson")
    return float(low), float(high)


def _level_of_each(level: float, comparisons: int) -> float:
    if not 0 < level < 1 or comparisons < 1:
        raise ValueError(
            f"level is {level} and comparisons {comparisons}, but level must lie between 0 and 1, such as 0.95, and "
            "comparisons must be 1 or more."
        )
    return 1 - (1 - level) / comparisons


def _one_number_a_run(sample: ArrayLike) -> FloatArray:
    runs = np.asarray(sample, dtype=float)
    if runs.ndim != 1 or len(runs) < 2 or not np.isfinite(runs).all():
        raise ValueError(
            f"A sample of the shape {runs.shape} was given, but it must be one finite number a run, (runs,), of two "
            "runs or more: average over updates and episodes first."
        )
    return runs
