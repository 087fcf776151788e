"""What a value learns, and where it is subtracted, as the gradients of a training tell it.

The derivative of half a squared error by what the value gave is value minus target, up to a factor. The weights of the
log-probabilities are returns minus baseline, up to a factor and, if they are normalized, a number. So both the target
and the baseline can be told from formulas that look alike, by an exact fit.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pglesson.exercises.traces import Output, Trace
from pglesson.exercises.weights import GAMMAS, Numbers, explains, to_go

SEEN = 3  # updates in which a mistake has to show
NEAR, SMALL = 0.01, 0.001
SAME = 2e-5  # in a small unit the returns are a small part of what the value gives
ADVANTAGES = (
    "the value learns the advantages, G - v(s). So it ends at half of the returns, and takes away only half of what it "
    "should. Its targets are the returns G themselves."
)
ONE_REWARD = (
    "the value learns the reward of the next step alone. What is subtracted from G has to expect all that follows: let "
    "it learn G."
)
WHOLE_RETURN = (
    "the value learns the return of the whole episode at every step. It is subtracted from G_t, which holds only what "
    "follows: let it learn G_t."
)
RESCALED = (
    "the value learns the returns in another unit than that of G, from which it is subtracted: times a number, or with "
    "one added. Let it learn G itself."
)
PAIRED = (
    "the value learns the mean return of the batch, whatever the observation shows: in its loss G has the shape (T,) "
    "and v the shape (T, 1), and their difference is (T, T), each step against all. Give both the shape (T,)."
)
AWAY = "the value moves away from the returns: its loss has the wrong sign. It is half of the mean of (G - v(s))^2."
NOT_SUBTRACTED = (
    "a value learns, but it is not in the weights of the log-probabilities: these are the returns alone. Multiply by "
    "G - v(s)."
)
CONSTANT = (
    "one and the same number is subtracted from the returns of a batch, whatever the observation shows, and not v(s) "
    "of each step. If G has the shape (T,) and v the shape (T, 1), then G - v is (T, T): give both the shape (T,)."
)
ADDED = "the value is added to the returns. A baseline is subtracted: G - v(s)."
NEXT = "the value of the *next* observation is subtracted from G_t. Take v(s_t), of what was seen before the action."
FIRST = "v of an episode's first observation is subtracted at all of its steps. Take v(s_t), one for each step."
PEEKED = (
    "the value has learned from a batch before it is subtracted from the returns of the same batch. So it knows what "
    "came of the actions, and takes part of that away. Compute the advantages first, and let the value learn then."
)
SHARE = (
    "for each return, {times:.3g} times the value is subtracted. The value learns G: subtract it once, and from G "
    "itself, not from returns that have been divided."
)
UNITS = (
    "the value is subtracted from returns that have been divided by another number in each batch, as by their standard "
    "deviation. The value has the unit of G: subtract it first."
)
TD_ERROR = (
    "each log-probability is weighted by r + gamma * v(s') - v(s), the error of one step. That is an actor-critic "
    "(notebook 12), and biased while the value is wrong. Here the value is a baseline only: G - v(s)."
)


@dataclass
class Batch:
    """The time steps of some episodes, in the order of play: observations (the same number for the same one), rewards
    by episode, what the value gave, the derivative of its loss, and the weights of the log-probabilities."""

    observations: NDArray[np.int64]
    rewards: list[Numbers]
    given: Numbers
    gradient: Numbers | None
    weights: Numbers | None = None

    def returns(self, gamma: float) -> Numbers:
        return np.concatenate([to_go(r, gamma) for r in self.rewards])

    def values(self, observations: NDArray[np.int64]) -> Numbers:
        """What the value gave for these (steps,); NaN for others than it was asked for."""
        known = dict(zip(self.observations.tolist(), self.given.tolist()))
        return np.array([known.get(number, np.nan) for number in observations.tolist()])


def value_mistake(trace: Trace, episodes: int, unit: float = 1.0) -> str | None:
    """What is wrong with an agent's value, as its first episodes show it; None if nothing is, or cannot be read.

    unit: by which the agent's rewards are larger than those in the trace.
    """
    played = trace.episodes[:episodes]
    numbers = dict[bytes, int]()
    observations = np.array([numbers.setdefault(s.observation.tobytes(), len(numbers)) for of in played for s in of])
    rewards = [unit * np.array([step.reward for step in of]) for of in played]
    weights = np.concatenate([np.zeros(0), *(w for w, *_ in trace.weights()[:episodes])])
    found = dict[int, Batch]()  # the first that is seen of each batch, by its end
    for output in trace.outputs:
        batch = _batch(output, observations, rewards, weights)
        if batch is not None and (output.played not in found or found[output.played].gradient is None):
            found[output.played] = batch
    batches = [found[end] for end in sorted(found)]
    said = _often(_wrong_target(batch) for batch in batches) or _wrong_unit(batches)
    return said or _often(_wrong_baseline(batch, after) for batch, after in itertools.pairwise(batches))


def _often(said: Iterable[str | None]) -> str | None:
    """The words that are said most often, if they are said of most batches."""
    counts = Counter(said)
    words, number = max(counts.items(), key=lambda item: item[1], default=(None, 0))
    return words if number >= SEEN and number > counts.total() // 2 else None


def _batch(output: Output, observations: NDArray[np.int64], rewards: list[Numbers], weights: Numbers) -> Batch | None:
    """The steps that a value was asked for, if they are those of the last episodes that had been played."""
    ends = np.cumsum([0, *map(len, rewards)])
    start, end = output.played - len(output.rows), output.played
    if output.rows.shape[-1] != 1 or len(output.rows) < 10 or not {start, end} <= {*ends.tolist()}:
        return None
    of = rewards[np.flatnonzero(ends == start)[0] : np.flatnonzero(ends == end)[-1]]
    given = output.rows[:, 0].double().numpy()
    gradient = None if output.gradient is None else output.gradient[:, 0].double().numpy()
    batch = Batch(observations[start:end], of, given, gradient, weights[start:end] if len(weights) >= end else None)
    asked_in_order = np.allclose(batch.values(batch.observations), given, atol=1e-4 * abs(given).max())
    return batch if asked_in_order else None


def _fit(numbers: Numbers, *columns: Numbers) -> Numbers | None:
    """Factors of columns (steps,) and, last, the number that is added, by which they give numbers (steps,)."""
    return explains(np.column_stack([*columns, np.ones(len(numbers))]), numbers, SAME)


def _wrong_target(batch: Batch) -> str | None:
    """What is wrong with what the value learns from a batch."""
    if batch.gradient is None or np.ptp(batch.given) < NEAR * np.ptp(batch.returns(1.0)) / 10:
        return None
    v = batch.given
    if (alone := _fit(batch.gradient, v)) is not None:
        means = [batch.returns(gamma).mean() for gamma in GAMMAS]
        return PAIRED if np.isclose(-alone[1] / alone[0], means, rtol=NEAR).any() else None
    for gamma in GAMMAS:
        G = batch.returns(gamma)
        factors = _fit(batch.gradient, v, G)
        if factors is not None:
            return None if factors[0] > 0 else AWAY
        whole = np.concatenate([np.full(len(r), to_go(r, gamma)[0]) for r in batch.rewards])
        if _fit(batch.gradient, v, whole) is not None:
            return WHOLE_RETURN
    return ONE_REWARD if _fit(batch.gradient, v, np.concatenate(batch.rewards)) is not None else None


def _learned(batch: Batch) -> tuple[float, float] | None:
    """Which multiple of the returns the value learns, and which number, in their standard deviations, is added."""
    for G in map(batch.returns, GAMMAS):
        factors = None if batch.gradient is None else _fit(batch.gradient, batch.given, G)
        if factors is not None and factors[1]:
            return -factors[1] / factors[0], -factors[2] / factors[0] / np.std(G)
    return None


def _subtracted(batch: Batch) -> float | None:
    """Which multiple of the value is subtracted from the returns, where both are large enough to tell."""
    returns = [batch.returns(gamma) for gamma in GAMMAS]
    if batch.weights is None or not NEAR <= np.ptp(batch.given) / np.ptp(returns[0]) <= 1 / NEAR:
        return None
    if any(_fit(batch.weights, G) is not None for G in returns):
        return None
    return next((-f[1] / f[0] for G in returns if (f := _fit(batch.weights, G, batch.given)) is not None), None)


def _wrong_unit(batches: list[Batch]) -> str | None:
    """What is wrong with the unit in which the value learns, or in which it is subtracted, as most batches show it."""
    both = [(share, _learned(batch)) for batch in batches if (share := _subtracted(batch)) is not None]
    if len(both) < max(SEEN, len(batches) // 2 + 1):
        return None
    used = np.array([share for share, _ in both])
    if used.max() < 0:
        return ADDED
    known = [learned for _, learned in both if learned is not None]
    if len(known) < len(both):
        return None
    shares, shifts = np.array(known).T
    if np.allclose(shares * used, 1, atol=0.05) and abs(shifts).max() < NEAR:
        return None
    if np.allclose(used, 1, atol=0.05):
        return ADVANTAGES if np.allclose(shares, 0.5, atol=NEAR) and abs(shifts).max() < NEAR else RESCALED
    return UNITS if np.ptp(used) > NEAR * np.median(used) else SHARE.format(times=np.median(used))


def _wrong_baseline(batch: Batch, after: Batch) -> str | None:
    """What is wrong with what is subtracted from the returns of a batch. after: the next one."""
    if batch.weights is None:
        return None
    v, w, seen = batch.given, batch.weights, batch.observations
    first = np.concatenate(
        [np.full(len(r), i) for r, i in zip(batch.rewards, np.cumsum([0, *map(len, batch.rewards)]))]
    )
    goes_on = np.append(first[1:] == first[:-1], False)  # the observation after an episode's last step is not known
    others = {NEXT: np.append(v[1:], 0.0), FIRST: v[first], PEEKED: after.values(seen)}
    for gamma in GAMMAS:
        G = batch.returns(gamma)
        if np.ptp(v) < NEAR * np.ptp(G):
            return None
        alone = _fit(w, G)
        if alone is not None:
            return NOT_SUBTRACTED if abs(alone[1]) < SMALL * abs(alone[0]) * np.std(G) else CONSTANT
        if _fit(w, G, v) is not None:
            return None
        for message, b in others.items():
            if np.isfinite(b).all() and _fit(w[goes_on], G[goes_on], b[goes_on]) is not None:
                return message
    following = np.append(v[1:], 0.0)[goes_on]
    rewards = np.concatenate(batch.rewards)[goes_on]
    return TD_ERROR if _fit(w[goes_on], rewards, following, v[goes_on]) is not None else None
