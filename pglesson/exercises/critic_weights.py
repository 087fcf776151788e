"""What an agent's losses weigh log-probabilities and values by, compared with what the formulas give.

In a training in which every observation is another one, each row that a network is asked about belongs to one time
step. So the rewards and what the critic gave determine the advantages by any formula, and what the policy gave the
ratios; the derivatives of the losses show which of them the agent takes. All of it holds up to a factor and an addend
for each step of an optimizer, since advantages may be normalized. Where no formula fits, nothing is said.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
GAMMAS = (0.99, 1.0, 0.98, 0.97, 0.95, 0.9)
LAMBDAS = (0.95, 1.0, 0.99, 0.98, 0.97, 0.96, 0.92, 0.9, 0.8, 0.5)
BATCHES = 3  # so many are looked at; the later ones teach little that is new
CLOSE = 3e-4  # the error of a fit, as a share of what it explains
FEW = 8  # with fewer numbers, nothing is fitted
RARE = 0.02  # a weight may be 0 because an advantage is
NEAR = 0.02  # a factor that is as near to another one is the same
FAR = 0.5  # a ratio that is farther from 1 is clipped in any case
QUIET = 1e-3  # a standard deviation of values, beside rewards of 1
SAME = 1e-6  # a ratio that is as near to 1 is 1


@dataclass(eq=False)
class Asked:
    """What a network gave in one call. rows: the n observations, as bytes; outputs: (n, ...); actions: (n,), of
    log-probabilities; weights: (n,), minus the derivatives of the loss, None where no backward() came. played, steps:
    the time steps of all episodes, and those of the optimizers, when backward() came, or else when it was asked."""

    rows: list[bytes]
    outputs: Array
    played: int
    steps: int
    actions: Index | None = None
    weights: Array | None = None


@dataclass
class Played:
    """All that was played, n time steps. before, after: to which of them an observation belongs, the one before it or,
    of an episode's last step, the one after it. over: (n,), True there; ends: where that was no time-out."""

    before: dict[bytes, int]
    after: dict[bytes, int]
    actions: Index
    rewards: Array
    over: NDArray[np.bool_]
    ends: NDArray[np.bool_]

    def outputs(self, asked: Iterable[Asked], of: dict[bytes, int]) -> Array:
        """What was given for each time step, the last one if it was asked several times; nan where it never was."""
        found = np.full(len(self.rewards), np.nan)
        for one in asked:
            index = _index(one, of)
            found[index[index >= 0]] = one.outputs[index >= 0]
        return found


class Part(NamedTuple):
    """The time steps of a batch that one step of an optimizer used: which ones, what the network gave, the weights."""

    at: Index
    now: Array
    weights: Array
    others: NDArray[np.bool_]  # where the action is not the one that was played


@dataclass
class Batch:
    """The n time steps between two batches' steps of the policy. v_next: of the next states, 0 after an end; goes_on:
    0.0 at the last step of an episode or of the batch, else 1.0; old: the log-probabilities by the policy that played.
    policy, critic: what the steps of the optimizers used."""

    rewards: Array
    v: Array
    v_next: Array
    goes_on: Array
    old: Array
    policy: list[Part]
    critic: list[Part]

    def sums_to_go(self, x: Array, factor: float) -> Array:
        """What follows each step in its episode, with one more factor for every step."""
        sums = x.copy()
        for t in reversed(range(len(x) - 1)):
            sums[t] += factor * self.goes_on[t] * sums[t + 1]
        return sums

    def td_errors(self, gamma: float) -> Array:
        return self.rewards + gamma * self.v_next - self.v

    @property
    def begins(self) -> NDArray[np.bool_]:
        """At which steps an episode begins."""
        return np.append(0.0, self.goes_on[:-1]) == 0

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Which steps are an episode's last one, without a time-out."""
        return (self.goes_on == 0) & (self.v_next == 0)

    @property
    def v_first(self) -> Array:
        """At each step, the value of its episode's first one."""
        return self.v[np.flatnonzero(self.begins)[np.cumsum(self.begins) - 1]]

    def turned(self, x: Array) -> Array:
        """The numbers of each episode in the opposite order."""
        return np.concatenate([part[::-1] for part in np.split(x, np.flatnonzero(self.begins)[1:])])

    def gae(self, gamma: float, lam: float) -> Array:
        return self.sums_to_go(self.td_errors(gamma), gamma * lam)


def batches(
    played: Played, policy: list[Asked], critic: list[Asked], logits: list[Asked], late: bool = False
) -> list[Batch]:
    """The first batches, with the first values that were asked for; late: the last ones before the policy's step. Left
    out are those for which the critic gives nearly the same everywhere, as some do at first: they show nothing."""
    weighted = [asked for asked in policy if asked.weights is not None]
    of_actions = [
        dataclasses.replace(one, outputs=log_softmax(one.outputs, played.actions[_index(one, played.before)]))
        for one in reversed(logits)
    ]
    old = played.outputs(of_actions, played.before)
    of_critic = [asked for asked in critic if asked.weights is not None]
    bounds = [0, *dict.fromkeys(one.played for one in weighted)][: BATCHES + 1]
    found = []
    for start, stop in itertools.pairwise(bounds):
        first = min(one.steps for one in weighted if one.played == stop)
        learned = max((one.steps for one in weighted + of_critic if one.played == start), default=-1)
        given = [one for one in critic if learned < one.steps and (one.steps <= first or not late)]
        given = given if late else given[::-1]
        v, v_after = played.outputs(given, played.before), played.outputs(given, played.after)
        v_next = np.where(played.ends, 0.0, np.where(played.over, v_after, np.append(v[1:], np.nan)))
        here, goes_on = slice(start, stop), np.append(~played.over[start : stop - 1], False).astype(float)
        parts = [_parts(asked, played, start, stop) for asked in (weighted, of_critic)]
        found.append(Batch(played.rewards[here], v[here], v_next[here], goes_on, old[here], *parts))
    return [batch for batch in found if batch.policy and not batch.v.std() < QUIET]


def _index(asked: Asked, of: dict[bytes, int]) -> Index:
    """The time step of each row, -1 where there is none."""
    return np.array([of.get(row, -1) for row in asked.rows], dtype=np.int64)


def log_softmax(logits: Array, actions: Index) -> Array:
    """The log-probabilities of actions (n,), from logits (n, number of actions)."""
    return logits[np.arange(len(actions)), actions] - np.logaddexp.reduce(logits, axis=-1)


def _parts(asked: list[Asked], played: Played, start: int, stop: int) -> list[Part]:
    found: dict[int, list[Part]] = {}
    for one in asked:
        index = _index(one, played.before)
        inside = (start <= index) & (index < stop)
        if one.played == stop and one.weights is not None and inside.any():
            others = np.zeros(len(index), bool) if one.actions is None else one.actions != played.actions[index]
            part = Part(index[inside] - start, one.outputs[inside], one.weights[inside], others[inside])
            found.setdefault(one.steps, []).append(part)
    return [Part(*map(np.concatenate, zip(*parts))) for parts in found.values()]


class Slope(NamedTuple):
    """The derivative of a gain by the log-probability, for an advantage of 1, from the new one and the old one."""

    of: Callable[[Array, Array], Array]
    message: str = ""


NOT_ASKED = (
    "before the policy makes its step, the critic is not asked about what was seen: the advantages do not use it. Each "
    "TD error is r + gamma * v_next - v."
)
NO_CRITIC = (
    "the weights of the log-probabilities are what the rewards alone give: the critic learns, but the advantages do "
    "not use it. Each TD error is r + gamma * v_next - v."
)
OWN_REWARD = (
    "each log-probability is weighted by the reward of its own step alone. What the action leads to later counts, too."
)
TD_ERRORS = "the advantages add up r {:+.2f} * v_next {:+.2f} * v. A TD error is r + gamma * v_next - v."
ONE_ERROR = (
    "each log-probability is weighted by the TD error of its own step alone. GAE adds up those that follow, each with "
    "one more factor gamma * lam."
)
GROWING = (
    "the TD errors that follow are added up with a factor of {:.2f}: the later, the more they count. The factor is "
    "gamma * lam."
)
TARGETS_WEIGH = (
    "the log-probabilities are weighted by what the value is to learn, A + v. The policy gets A: how much better than "
    "expected."
)
FIRST = (
    "in the TD errors the value of an episode's first state is subtracted at all of its steps. Take v(s_t), of each."
)
CUT = "an episode's last TD error is in its own advantage alone: the loop from the back begins one step too early."
SHORT = (
    "each episode's first advantage is another one than GAE gives, and all others are right: perhaps the loop from the "
    "back ends one step too early."
)
TURNED = (
    "the advantages of each episode stand in the opposite order: the last step's log-probability is weighted by the "
    "first one's advantage. What is added up from the back has to be reversed."
)
PAST = (
    "each advantage adds up the TD errors *before* its step. An action cannot change the past: begin at the end of the "
    "episode."
)
ACROSS = (
    "the sums of TD errors run on from each episode into the next one, which has nothing to do with it. Begin each "
    "episode's sum with 0 at its own last step."
)
TWICE = (
    "after a time-out the value of what was seen last counts twice: it is in the last TD error, and the sum begins "
    "with it once more. The sum begins with 0."
)
LAST_REWARD = (
    "an episode's last reward is lost: where it has ended, the factor 0 takes away the reward, too. It belongs to "
    "gamma * v_next alone."
)
LATE_CRITIC = (
    "the critic has already learned from these episodes when it judges them, so chance looks expected. "
    "Compute the advantages first; then come the steps of the value."
)
OTHER_ORDER = (
    "the log-probabilities of a part of the batch meet advantages that still stand in the order of play. Take "
    "observations, actions, old log-probabilities and advantages by one and the same index."
)
OTHER_ACTIONS = (
    "log-probabilities are taken of other actions than those that were played when these observations were seen. Take "
    "observations, actions, old log-probabilities and advantages by one and the same index."
)
INVERSE = "each log-probability is divided by its advantage: the better an action, the less it counts. Multiply by A."
NO_RATIO = (
    "several steps are taken on each batch, but no ratio is computed: after the first, log-probabilities of the old "
    "actions do not give the new policy's gradient. Take exp(log_prob - old), element by element."
)
PROBABILITY = (
    "probabilities are multiplied by the advantages, so an action counts the more, the likelier it is already. Take "
    "log-probabilities, or their ratio to the old policy's."
)
RATIO_OF_SUM = (
    "the log-probabilities are weighted as by exp(log_prob + old), a product of two probabilities. The ratio is "
    "exp(log_prob - old)."
)
RATIO_INVERTED = "the ratio is upside down: exp(old - log_prob). The new policy comes first: exp(log_prob - old)."
DIVIDED = (
    "one log-probability is divided by another. The ratio is that of the probabilities: exp(log_prob - old), element "
    "by element."
)
RATIO = Slope(lambda now, old: np.exp(now - old))
SLOPES = (
    Slope(lambda now, old: np.exp(now), PROBABILITY),
    Slope(lambda now, old: np.ones_like(now), NO_RATIO),
    Slope(lambda now, old: np.exp(now + old), RATIO_OF_SUM),
    Slope(lambda now, old: -np.exp(old - now), RATIO_INVERTED),
    Slope(lambda now, old: 1 / old, DIVIDED),
)
# other sums than those of rewards and values, step by step: (what is said, the advantages)
FORMULAS: tuple[tuple[str, Callable[[Batch, float, float], Array]], ...] = (
    (TARGETS_WEIGH, lambda b, *of: b.gae(*of) + b.v),
    (FIRST, lambda b, *of: dataclasses.replace(b, v=b.v_first).gae(*of)),
    (ACROSS, lambda b, *of: dataclasses.replace(b, goes_on=np.ones_like(b.goes_on)).gae(*of)),
    (CUT, lambda b, *of: dataclasses.replace(b, goes_on=b.goes_on * np.append(b.goes_on[1:], 0.0)).gae(*of)),
    (SHORT, lambda b, *of: np.where(b.begins, np.nan, b.gae(*of))),
    (TURNED, lambda b, *of: b.turned(b.gae(*of))),
    (LAST_REWARD, lambda b, *of: dataclasses.replace(b, rewards=np.where(b.ended, 0.0, b.rewards)).gae(*of)),
    (PAST, lambda b, gamma, lam: b.turned(b.sums_to_go(b.turned(b.td_errors(gamma)), gamma * lam))),
    (
        TWICE,
        lambda b, gamma, lam: b.sums_to_go(b.td_errors(gamma) + gamma * lam * (1 - b.goes_on) * b.v_next, gamma * lam),
    ),
)
PAIRS = [*itertools.product(GAMMAS, LAMBDAS)]
FACTORS = [*dict.fromkeys([*(gamma * lam for gamma, lam in PAIRS), 0.0, *(gamma / lam for gamma, lam in PAIRS)])]


def fitted(columns: Sequence[Array], y: Array) -> Array | None:
    """The coefficients with which the columns add up to y; None where they do not, or where there is too little."""
    x = np.stack(columns, 1)
    known = np.isfinite(x).all(1) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(y) < FEW:
        return None
    coefficients = np.asarray(np.linalg.lstsq(x, y)[0], np.float64)
    return coefficients if np.linalg.norm(x @ coefficients - y) <= CLOSE * np.linalg.norm(y - y.mean()) else None


class Explained(NamedTuple):
    """A part whose weights are explained. ratio: the new policy's to the old one's; gains: the advantages as the loss
    takes them; cut: where the weight is 0; terms: the factors of all columns, of which the first has 1."""

    ratio: Array
    gains: Array
    cut: NDArray[np.bool_]
    terms: Array
    batch: Batch


def explained(
    found: list[Batch],
    columns: Sequence[Sequence[Array]],
    slope: Slope = RATIO,
    inverse: bool = False,
    in_order: bool = True,
) -> list[Explained]:
    """All parts of some batches, if the weights that are not 0 are sums of a batch's columns (n,), times the slope. The
    first column has a positive factor. inverse: the sums are of 1 / weight; in_order: False takes the columns for each
    part in the order of play."""
    parts = []
    for batch, own in zip(found, columns):
        of_batch = [*own, np.ones(len(batch.v))]
        for part in batch.policy:
            size, old, used = len(part.at), batch.old[part.at], part.weights != 0
            if used.sum() < FEW:
                continue
            y = (part.weights / slope.of(part.now, old))[used]
            orders = (
                [part.at] if in_order else [np.arange(o, o + size) for o in range(0, len(batch.v) - size + 1, size)]
            )
            for order in orders:
                taken = [column[order] for column in of_batch]
                factors = fitted([column[used] for column in taken], 1 / y if inverse else y)
                if factors is not None and factors[0] > 0:
                    gains = sum(factor * column for factor, column in zip(factors, taken))
                    parts.append(Explained(np.exp(part.now - old), gains, ~used, factors[:-1] / factors[0], batch))
                    break
            else:
                return []
    return parts


def by_gae(found: list[Batch], slope: Slope = RATIO, inverse: bool = False, in_order: bool = True) -> list[Explained]:
    """All parts, if one factor of GAE explains them, with TD errors of any discount."""
    for factor in dict.fromkeys(gamma * lam for gamma, lam in PAIRS):
        parts = explained(found, [_sums(batch, factor) for batch in found], slope, inverse, in_order)
        if parts and all(_is_td_error(part.terms) for part in parts):
            return parts
    return []


def _sums(batch: Batch, factor: float) -> list[Array]:
    return [batch.sums_to_go(x, factor) for x in (batch.rewards, batch.v_next, batch.v)]


def _is_td_error(terms: Array) -> bool:
    """Whether they are r, gamma * v_next and -v, with rewards in any unit."""
    return terms[2] < -NEAR and 0.8 <= -terms[1] / terms[2] <= 1 + NEAR


def _differs(slope: Slope, found: list[Batch]) -> bool:
    """Whether it can be told from that of the ratio by more than a factor."""
    parts = [(part.now, batch.old[part.at]) for batch in found for part in batch.policy]
    return any(np.ptp(slope.of(*part) / RATIO.of(*part)) > NEAR for part in parts)


def said_of_policy(found: list[Batch], late: list[Batch]) -> str | None:
    """What is wrong with the weights of the log-probabilities. late: batches with the values as the critic gives them
    directly before the policy's step."""
    if any(part.others.any() for batch in found for part in batch.policy):
        return OTHER_ACTIONS
    if parts := by_gae(found):
        of_batches = [[part for part in parts if part.batch is batch] for batch in found]
        return _unweighted(found) or next((said for of in of_batches if (said := said_of_clipping(of))), None)
    for slope in SLOPES:
        if _differs(slope, found) and by_gae(found, slope):
            return slope.message
    if by_gae(found, inverse=True):
        return INVERSE
    if by_gae(found, in_order=False):
        return OTHER_ORDER
    if by_gae(late):
        return LATE_CRITIC
    for message, advantages in FORMULAS:
        for gamma, lam in PAIRS:
            if explained(found, [[advantages(batch, gamma, lam)] for batch in found]):
                return message
    if any(batch.critic and np.isnan(batch.v).all() for batch in late):
        return NOT_ASKED
    for factor in FACTORS:
        if explained(found, [_sums(batch, factor)[:1] for batch in found]):
            return NO_CRITIC if factor else OWN_REWARD
    for factor in FACTORS:
        if parts := explained(found, [_sums(batch, factor) for batch in found]):
            terms = np.stack([part.terms for part in parts])
            if not all(map(_is_td_error, terms)):
                return TD_ERRORS.format(*np.median(terms, 0)[1:]) if np.ptp(terms, axis=0).max() < NEAR else None
            return GROWING.format(factor) if factor else ONE_ERROR
    return _unweighted(found)


NO_WEIGHT = "{:.0%} of the log-probabilities have no weight in the loss. Each has its advantage, whatever its sign."
CUT_AT_ONE = (
    "before the first step on a batch every ratio is 1, so nothing may be clipped, and yet {:.0%} of the "
    "log-probabilities have no weight in the loss. Look at the bounds of the clipping: the lower one is 1 - clip, the "
    "upper one 1 + clip; and the smaller one of both gains counts."
)
NO_CLIP = "the ratio is not clipped: nothing keeps the steps on one batch from leading far away."
NO_MINIMUM = (
    "something is clipped, but no minimum of ratio * A and clipped ratio * A is taken: an action that has left the "
    "band on the side that does not pay has no slope, and never comes back."
)
MAXIMUM = (
    "the *larger* one of ratio * A and clipped ratio * A is taken: clipping hides the harm then, and not the profit."
)


def _unweighted(found: list[Batch]) -> str | None:
    """What is said where log-probabilities have no weight although nothing has moved yet."""
    parts = [(batch, part) for batch in found for part in batch.policy]
    cut = [(part.weights == 0)[abs(np.exp(part.now - batch.old[part.at]) - 1) < SAME] for batch, part in parts]
    share = float(np.mean(np.concatenate([*cut, [False]])))
    several = any(len(batch.policy) > 1 for batch in found)
    return (CUT_AT_ONE if several else NO_WEIGHT).format(share) if share > RARE else None


def said_of_clipping(parts: list[Explained]) -> str | None:
    """What is wrong with where the weights of a batch are 0. Right is: where the ratio is farther from 1 than a bound,
    the same one on both sides, and the gain has grown with it."""
    if not parts:
        return None
    ratio, gains, cut = (np.concatenate(x) for x in [*zip(*parts)][:3])
    clear = abs(gains) > NEAR * abs(gains).max()  # whose sign no rounding has made
    ratio, gains, cut = ratio[clear], gains[clear], cut[clear]
    pays = gains * (ratio - 1) > 0
    if cut[~pays].any():
        return NO_MINIMUM if cut[pays].any() else MAXIMUM
    ups, downs = (_bounds(abs(ratio - 1)[pays & side], cut[pays & side]) for side in (gains > 0, gains < 0))
    if not cut.any():
        return NO_CLIP if max(ups[0], downs[0]) > FAR else None
    if ups[0] > downs[1] or downs[0] > ups[1]:
        at = [
            f"from {1 + sign * bound:.2f} on" if np.isfinite(bound) else "nowhere"
            for sign, (_, bound) in ((1, ups), (-1, downs))
        ]
        return (
            f"the clipping is not the same on both sides: above 1 it begins {at[0]}, and below 1 {at[1]}. "
            "Hold the ratio between 1 - clip and 1 + clip."
        )
    return None


def hardly_moved(found: list[Batch]) -> bool:
    """Whether an agent takes several steps on a batch, and no ratio is so far from 1 that clipping would show."""
    parts = by_gae(found)
    several = any(len(batch.policy) > 1 for batch in found)
    return several and bool(parts) and all(abs(part.ratio - 1).max() < FAR and not part.cut.any() for part in parts)


def _bounds(distance: Array, cut: NDArray[np.bool_]) -> tuple[float, float]:
    """The largest distance from 1 that is not cut off, and the smallest one that is."""
    return float(distance[~cut].max(initial=0.0)), float(distance[cut].min(initial=np.inf))


ADVANTAGES_LEARNED = (
    "the value learns the advantages. What it is to learn is the advantage plus the value that was subtracted: A + v."
)
V_LEARNED = "the value learns A {:+.1f} * v. It is the value that was subtracted, so add it as it is: A + v."
REWARDS_LEARNED = "the value learns the reward of one step. It is to learn what follows in all, such as A + v."
ONE_NUMBER = (
    "all values are drawn towards the same number, whatever their states earned: (T, 1) minus (T,) gives (T, T), every "
    "difference. Give both the shape (T,)."
)
ANOTHER_LEARNED = "the value learns A + v of another state than its own. It is the value that was subtracted: A + v."
OPPOSITE_LEARNED = (
    "the value learns v - A: the TD errors have the wrong sign, or the advantages are subtracted. With "
    "delta = r + gamma * v_next - v it is to learn A + v."
)
NORMALIZED_LEARNED = (
    "the value learns v plus normalized advantages, or such in another unit. Compute its targets A + v before you "
    "normalize A."
)
VALUE_SIGN = "the value moves away from what it is to learn: the sign of its loss is wrong."


def said_of_critic(found: list[Batch]) -> str | None:
    """What is wrong with what the critic learns, by its last step on each batch: there its values are others than
    those by which the advantages were computed."""
    parts = [(batch, batch.critic[-1]) for batch in found if len(batch.critic) > 1]

    def factors(columns: Callable[[Batch, float, float], Sequence[Array]]) -> Array:
        """With which factors of the values, of such columns (n,), and of 1 the weights of the first batch come out, if
        they do so in all; else none."""
        for gamma, lam in itertools.product(GAMMAS, (*LAMBDAS, 0.0)):
            fits = [
                fitted(
                    [-part.now, *(x[part.at] for x in columns(batch, gamma, lam)), np.ones(len(part.at))], part.weights
                )
                for batch, part in parts
            ]
            if fits and fits[0] is not None and all(fit is not None for fit in fits):
                return fits[0]
        return np.zeros(0)

    if factors(lambda b, *of: []).size:
        return ONE_NUMBER
    if (of_gae := factors(lambda b, *of: [b.gae(*of), b.v])).size:
        times, times_v, more = of_gae[1:] / of_gae[0]
        if abs(times_v - 1) > NEAR:
            return ADVANTAGES_LEARNED if abs(times_v) < NEAR else V_LEARNED.format(times_v)
        if times < 0:
            return OPPOSITE_LEARNED
        if abs(times - 1) > NEAR or abs(more) > NEAR:
            return NORMALIZED_LEARNED
        return VALUE_SIGN if of_gae[0] < 0 else None
    if factors(lambda b, *of: [b.rewards]).size:
        return REWARDS_LEARNED
    of_next, of_first = (
        factors(columns).size
        for columns in ((lambda b, *of: [b.gae(*of) + b.v_next]), (lambda b, *of: [b.gae(*of) + b.v_first]))
    )
    return ANOTHER_LEARNED if of_next or of_first else None


ONE_EPOCH = "each time step of a batch is used once. PPO goes over the same episodes several times: several epochs."
NOT_RANDOM = (
    "the parts of a batch are what was played one after the other, the same in every epoch. Bring the batch into a "
    "random order first, such as torch.randperm(len(A)), in each epoch anew."
)
WHOLE = (
    "each step of the policy uses the whole batch. Cut it into parts, in a random order, and take one for each step. "
    "(Ten episodes of this task have 100 time steps: parts of a fixed size must be smaller.)"
)
NOT_ALL = (
    "some time steps of a batch are used again before all have had their turn, about {:.0%} of them in each pass. An "
    "epoch is one random order of the whole batch, cut into parts, with a step for each part."
)
LEAST = 0.6  # parts of a fixed size may leave out the rest of an epoch


def said_of_parts(found: list[Batch]) -> str | None:
    """What is wrong with the parts into which batches are cut for the steps of the policy."""
    sizes = [len(batch.rewards) for batch in found]
    cut = [[part.at for part in batch.policy] for batch in found]
    if not any(cut):
        return None
    if all(len(index) == size for parts, size in zip(cut, sizes) for index in parts):
        return WHOLE
    passes = [[len(of) / size for of in _passes(parts)] for parts, size in zip(cut, sizes)]
    if all(len(of) == 1 for of in passes):
        return ONE_EPOCH
    used = float(np.median(np.concatenate(passes)))
    if used < LEAST:
        return NOT_ALL.format(used)
    if all((np.diff(np.concatenate(parts)) != 1).sum() < len(of) for parts, of in zip(cut, passes)):
        return NOT_RANDOM
    return None


def _passes(parts: Iterable[Index]) -> list[set[int]]:
    """What was used before something was used again."""
    found = [set[int]()]
    for index in parts:
        if found[-1] & {*index} or len({*index}) < len(index):
            found.append(set())
        found[-1] |= {*index}
    return [of for of in found if of]
