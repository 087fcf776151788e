"""What the weights of the log-probabilities in a loss say of an agent: by which formula they come from the rewards.

A formula is right or wrong up to a factor and a baseline, which may be any function of the observation. So weights are
fitted by the formula's numbers and one number for each observation: once for all updates, or for each update or episode
by itself. Only an exact fit counts, and only of a formula that would not fit right weights as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from pglesson.advantages import returns_to_go
from pglesson.exercises.traces import Trace

Numbers = NDArray[np.float64]
GAMMAS = (1.0, 0.999, 0.99, 0.98, 0.97, 0.95, 0.9)  # discounts that learners take
ANOTHER_GAMMA = 0.96
ENOUGH = 30  # steps by which a formula is known
SAME = 3e-4  # what an exact fit may leave of the weights; they are float32
NO_RETURN = (
    "all log-probabilities have the same weight in the loss, in good episodes and in poor ones: the returns are not in "
    "it."
)
OWN_REWARD = (
    "each log-probability is weighted by the reward of its own step alone. What the action leads to later counts, too: "
    "take the return from this step on, G_t."
)
PAST = (
    "each log-probability is weighted by what was earned up to its step. An action cannot change the past: add up the "
    "rewards from its step on."
)
BEFORE = (
    "each log-probability is weighted by the rewards of its own step and of the one before. G[t] needs G[t + 1], which "
    "holds what follows: add that one."
)
TURNED = (
    "the returns stand in the wrong order: the last step's log-probability is weighted by the first step's return. "
    "What is added up from the back has to be reversed."
)
FORWARD = (
    "each log-probability is weighted by two rewards only: the loop runs from the front, where G[t + 1] is no sum yet. "
    "Begin at the end."
)
LATE = (
    "the reward of a step is missing in the weight of its own log-probability. G_t begins with the reward that follows "
    "the action at t: add it up before you store G_t."
)
ACROSS = (
    "the returns run on from one episode into the next: what later episodes of the batch earn is added to the earlier "
    "ones. Begin each episode's sum at 0."
)
CUT = "the last reward is in its own return alone: the loop from the back begins one step too early."
DIVIDED = "each log-probability is divided by its return: the better an action, the less it counts. Multiply by G_t."
ALTERNATING = "the rewards that follow are added and subtracted in turn. All of them are added up."
PROBABILITY = (
    "probabilities are multiplied by the returns, and not log-probabilities: an action counts the more, the likelier "
    "it is already. Take the logarithm."
)
GROWING = (
    "the discount is {gamma:.3g}: a reward counts the more, the later it comes. A discount is 1 at most, such as 0.99."
)
PAIRED = (
    "each log-probability is multiplied by the returns of all steps, not of its own: where one factor has the shape "
    "(T, 1), or (T, T) as log_probs[:, actions] has it, and the other (T,), each step meets all. Give both (T,)."
)
FEW = (
    "of {steps} time steps only {seen} have their log-probability in the loss. All steps of all episodes that were "
    "played for an update belong there."
)
NO_BONUS = (
    "the loss pushes the logits as log-probabilities times advantages do, and not as an entropy does: it holds none, "
    "or one without a gradient. Add beta * pi.entropy() of each step to what is to grow, without detach."
)
OF_THE_LAST = "the loss holds the entropy of each episode's last step alone. Every step has one: add all of them up."
BONUS_TURNED = (
    "the loss pushes the entropy *down*: its sign is wrong. The bonus stands beside log pi * A, inside the minus."
)
PER_EPISODE = (
    "in each *episode* the weights of the log-probabilities have the mean 0 and the same standard deviation: a good "
    "episode counts no more than a poor one. Normalize over all time steps of the batch."
)
NOT_CENTRED = (
    "the weights of the log-probabilities have the same standard deviation in each batch, but not the mean 0: it is up "
    "to {shift:.2g} standard deviations. Subtract the batch's mean before you divide."
)
NOT_SCALED = (
    "the weights of the log-probabilities have the mean 0 in each batch, but not the same standard deviation: the "
    "largest is {times:.3g} times the smallest. Divide by the standard deviation of the same batch, plus 1e-8."
)
NOT_NORMALIZED = (
    "the weights of the log-probabilities are not normalized: in a batch their mean is up to {shift:.2g} standard "
    "deviations, and the largest standard deviation of a batch is {times:.3g} times the smallest. Subtract the mean of "
    "the batch's advantages from them, and divide by their standard deviation."
)
SUMMED = (
    "in each update all log-probabilities have the same weight, whatever their episode has earned: they are added up "
    "before they meet the returns. Multiply step by step, and then add up."
)


@dataclass
class Weighted:
    """Time steps in the order of play: the weights of their log-probabilities, the probabilities of their actions, the
    actions (of several dimensions, the first), their observations (the same number for the same one), the update and
    the episode that they belong to, all (steps,); and the rewards of each episode."""

    weights: Numbers
    pi: Numbers
    actions: NDArray[np.int64]
    observations: NDArray[np.int64]
    updates: NDArray[np.int64]
    episodes: NDArray[np.int64]
    rewards: list[Numbers]

    @cached_property
    def parts(self) -> list[list[NDArray[np.int64]]]:
        """All steps; those of each update; those of each episode."""
        labels = (np.zeros_like(self.updates), self.updates, self.episodes)
        return [[np.flatnonzero(of == label) for label in np.unique(of)] for of in labels]

    def is_seen(self, part: NDArray[np.int64]) -> Numbers:
        """(steps, observations): 1.0 where it was this one."""
        return (self.observations[part, None] == np.unique(self.observations[part])).astype(float)

    def fits(
        self, columns: Numbers, parts: list[NDArray[np.int64]], numbers: Numbers, enough: int = ENOUGH
    ) -> list[Numbers]:
        """The factors of columns (steps, k) by which they give numbers (steps,) in each of the parts, but for one more
        number for each observation. Empty where they do not in one of them, or where the parts that tell are few."""
        found, steps = [], 0
        for part in parts:
            is_seen, wanted = self.is_seen(part), numbers[part]
            matrix = np.column_stack([columns[part], is_seen])
            if len(part) < matrix.shape[1] + 3 or explains(is_seen, wanted) is not None:
                continue
            factors = explains(matrix, wanted)
            if factors is None:
                return []
            found.append(factors[: columns.shape[1]])
            steps += len(part)
        return found if steps >= enough else []

    def telling(self, numbers: Numbers, columns: Numbers, parts: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """The parts in which numbers (steps,) have one factor only, since columns (steps, k) do not give them."""
        return [
            part
            for part in parts
            if explains(np.column_stack([columns[part], self.is_seen(part)]), numbers[part]) is None
        ]

    def of_episode(self, numbers: Numbers) -> Numbers:
        """For each step the sum of numbers (steps,) over its episode."""
        return np.asarray(np.bincount(self.episodes, numbers)[self.episodes], float)

    def of_same_action(self, numbers: Numbers) -> Numbers:
        """For each step the sum of numbers (steps,) over the steps of its episode with the same action."""
        label = 2 * self.episodes + (self.actions == self.actions[0])
        return np.asarray(np.bincount(label, numbers)[label], float)


def explains(columns: Numbers, numbers: Numbers, same: float = SAME) -> Numbers | None:
    """The factors by which columns (steps, k) give numbers (steps,), up to a share of them; None where they do not."""
    if not (np.isfinite(columns).all() and np.isfinite(numbers).all()):
        return None
    lengths = np.linalg.norm(columns, axis=0) + 1e-12
    factors = np.linalg.lstsq(columns / lengths, numbers, rcond=1e-9)[0] / lengths
    return factors if np.linalg.norm(numbers - columns @ factors) <= same * np.linalg.norm(numbers) else None


def to_go(rewards: Numbers, gamma: float) -> Numbers:
    """The returns-to-go (steps,) of an episode's rewards (steps,)."""
    return returns_to_go(torch.as_tensor(rewards.copy()), gamma).numpy()


def weighted(trace: Trace, episodes: int, by_logits: bool = False) -> Weighted | None:
    """What the first episodes have left; None where it cannot be read."""
    found = trace.weights(by_logits)[:episodes]
    if len(found) < 10:
        return None
    played, numbers = trace.episodes[: len(found)], dict[bytes, int]()
    lengths = [len(steps) for steps in played]
    return Weighted(
        np.concatenate([w for w, *_ in found]),
        np.concatenate([pi for _, pi, _ in found]),
        np.array([step.action.flat[0] for steps in played for step in steps]),
        np.array([numbers.setdefault(step.observation.tobytes(), len(numbers)) for steps in played for step in steps]),
        np.repeat([steps for *_, steps in found], lengths),
        np.repeat(np.arange(len(found)), lengths),
        [np.array([step.reward for step in steps]) for steps in played],
    )


def discounts(data: Weighted, parts: list[NDArray[np.int64]]) -> list[float]:
    """Of each part that tells, by which factor a weight holds the next one, besides a reward and numbers for the two
    observations; empty where it does not."""
    follows = np.append(data.episodes[1:] == data.episodes[:-1], False)
    of_next = np.append(data.weights[1:], 0.0) * follows
    next_seen = (np.append(data.observations[1:], 0)[:, None] == np.unique(data.observations)) * follows[:, None]
    others = np.column_stack([np.concatenate(data.rewards), next_seen])
    tell = data.telling(of_next, others, parts)
    return [factors[0] for factors in data.fits(np.column_stack([of_next, others]), tell, data.weights)]


def wrong_formulas(data: Weighted) -> Iterator[tuple[str, Numbers]]:
    """Each mistake that is known, and the columns (steps, k) of which its weights are made."""
    rewards = data.rewards
    of_update = [data.updates[data.episodes == i][0] for i in range(len(rewards))]
    last = np.concatenate([np.arange(len(r)) == len(r) - 1 for r in rewards]).astype(float)
    own, before, after = (np.concatenate([np.roll(r, k) for r in rewards]) for k in (0, 1, -1))
    # where the loop over an episode begins or ends elsewhere, its last step has a factor of its own
    yield OWN_REWARD, np.column_stack([own, own * last])
    yield BEFORE, np.column_stack([own, own * last, before, before * last])
    yield FORWARD, np.column_stack([own, own * last, after * (1 - last)])
    for gamma in GAMMAS:
        G, past = ([to_go(r[::turn], gamma)[::turn] for r in rewards] for turn in (1, -1))
        following = 0.0
        across = []
        for i in reversed(range(len(rewards))):
            following *= i + 1 < len(rewards) and of_update[i] == of_update[i + 1]
            across.append(G[i] + following * gamma ** np.arange(len(G[i]), 0, -1))
            following = across[-1][0]
        columns = {
            PAST: past,
            TURNED: [g[::-1] for g in G],
            LATE: [g - r for g, r in zip(G, rewards)],
            ACROSS: across[::-1],
            PAIRED: [np.full(len(g), g.sum()) for g in G],
            CUT: [np.append(to_go(r[:-1], gamma), r[-1]) if len(r) > 1 else r for r in rewards],
            DIVIDED: [1 / np.where(g == 0, np.nan, g) for g in G],
            ALTERNATING: [to_go(r, -gamma) for r in rewards],
        }
        for message, of_episodes in columns.items():
            yield message, np.concatenate(of_episodes)[:, None]


def misweighted(trace: Trace, episodes: int) -> str | None:
    """What is wrong with the weights of the log-probabilities in the first episodes, if they are exactly those of a
    known mistake."""
    steps = sum(map(len, trace.episodes[:episodes]))
    if len(trace.episodes) <= episodes and 0 < trace.in_loss < steps / 2:
        return FEW.format(steps=steps, seen=trace.in_loss)
    data = weighted(trace, episodes)
    if data is None:
        return None
    if np.ptp(data.weights) <= SAME * abs(data.weights).max():
        return NO_RETURN
    right = [np.concatenate([to_go(r, gamma) for r in data.rewards]) for gamma in (*GAMMAS, ANOTHER_GAMMA)]
    updates = [
        part for part in data.parts[1] if np.ptp([data.rewards[i].sum() for i in np.unique(data.episodes[part])])
    ]
    if updates and all(np.ptp(w) <= SAME * abs(data.weights).max() for w in map(data.weights.__getitem__, updates)):
        return SUMMED
    for parts in data.parts:
        if any(data.fits(G[:, None], parts, data.weights) for G in right):
            return None
        if any(data.fits(G[:, None], parts, data.weights / data.pi) for G in right):
            return PROBABILITY
        if said := _growing(data, parts):
            return said
        crossed = [data.of_same_action(G) - data.pi * data.of_episode(G) for G in right]
        if any(data.fits(x[:, None], parts, data.weights * (1 - data.pi)) for x in crossed):
            return PAIRED
        for message, columns in wrong_formulas(data):
            if data.fits(columns, parts, data.weights) and not data.fits(columns, parts, right[-1]):
                return message
    return None


def unnormalized(trace: Trace, episodes: int) -> str | None:
    """What shows that the weights are not normalized over each batch of the first episodes."""
    data = weighted(trace, episodes)
    if data is None:
        return None
    updates, of_episodes = (
        [data.weights[part] for part in parts if data.weights[part].any()] for parts in data.parts[1:]
    )
    if len(updates) == len(of_episodes) or len(updates) < 3:
        return None
    if all(abs(w.mean()) < 1e-3 * w.std() for w in of_episodes):
        return PER_EPISODE
    stds = [w.std() for w in updates]
    shift, times = max(abs(w.mean()) / w.std() for w in updates), max(stds) / min(stds)
    centred, scaled = shift < 0.02, times < 1.1
    message = None if centred and scaled else NOT_SCALED if centred else NOT_CENTRED if scaled else NOT_NORMALIZED
    return message and message.format(shift=shift, times=times)


def entropy_weights(trace: Trace, episodes: int, last: bool = False) -> list[float]:
    """For each update that tells, the weight of a step's entropy in the loss beside that of its log pi * A. last: if it
    is that of an episode's last step alone."""
    data = weighted(trace, episodes, by_logits=True)
    if data is None:
        return []
    H = -(data.pi * np.log(data.pi) + (1 - data.pi) * np.log1p(-data.pi))  # of two actions
    by_entropy = -data.pi * (np.log(data.pi) + H) / (1 - data.pi)
    if last:
        by_entropy *= np.append(data.episodes[1:] != data.episodes[:-1], True)
    for gamma in GAMMAS:
        G = np.concatenate([to_go(r, gamma) for r in data.rewards])
        tell = data.telling(by_entropy, G[:, None], data.parts[1])
        factors = data.fits(np.column_stack([G, by_entropy]), tell, data.weights, enough=1)
        if factors:
            return [entropy / weight for weight, entropy in factors]
    return []


def wrong_bonus(trace: Trace, episodes: int) -> str | None:
    """What is wrong with the entropy in the loss of the first episodes."""
    found = entropy_weights(trace, episodes)
    if not found and len(entropy_weights(trace, episodes, last=True)) > 1:
        return OF_THE_LAST
    if len(found) > 1 and max(map(abs, found)) < 1e-3:
        return NO_BONUS
    return BONUS_TURNED if max(found, default=0) < -1e-3 else None


def growing(trace: Trace) -> str | None:
    """What is said of a discount above 1, from the updates of a whole training."""
    data = weighted(trace, len(trace.episodes))
    return _growing(data, data.parts[1]) if data else None


def _growing(data: Weighted, parts: list[NDArray[np.int64]]) -> str | None:
    gammas = discounts(data, parts)
    return GROWING.format(gamma=gammas[0]) if gammas and min(gammas) > 1 and np.ptp(gammas) < 1e-3 else None
