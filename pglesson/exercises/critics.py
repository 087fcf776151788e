"""What is asked of an agent with a critic beyond that it learns: seen in short trainings.

Two trainings that differ in nothing but the light that is seen *after* each episode's last step must be the same, bit
for bit, where the task has ended, since nothing comes after an end. They must differ where time ran out, since the
critic is asked about what is seen there. The operations of torch leave traces, too: ratios that are always 1, or a
product that carries a gradient to the policy and to the critic.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple
from unittest.mock import patch

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Categorical
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from pglesson.envs.signals import Signals
from pglesson.exercises.agents import RICH_SIGNALS, judge_agent, judge_value_agent
from pglesson.exercises.calls import located
from pglesson.exercises.critic_weights import (
    NO_RATIO,
    SAME,
    Asked,
    Batch,
    Played,
    batches,
    hardly_moved,
    log_softmax,
    said_of_critic,
    said_of_parts,
    said_of_policy,
)
from pglesson.exercises.framework import Outcome, wrong
from pglesson.exercises.time_limit import TooLong, time_limit
from pglesson.exercises.traces import Trace, Watched, computed_by, watching

EPISODES, SECONDS = 60, 60.0
FASTER = 30.0  # where the ratios hardly move: what is clipped cannot be seen then
NUMBERS = 2  # of an observation
# operations by which the actions' log-probabilities are picked out, with a minus or without
CHOSEN = ("gather", "getitem", "cross_entropy", "nll_loss")
GOLDEN = 0.6180339887  # its multiples, modulo 0.5, are spread evenly and differ
NO_CAUSE = "it runs, but"  # how the message of judge_agent begins where it names no cause


class LastLight(Signals):
    """The task, where the same light is seen after the last step of every episode: of its end, or of its time-out.

    Where a light is off, a number below 0.5 stands instead of 0, another one in every observation.
    """

    shown: ClassVar[int] = 0  # observations, of all episodes
    last: ClassVar[list[bytes]] = []  # what was seen after each episode's last step

    def __init__(self, light: int, timeout: bool) -> None:
        super().__init__()
        self._last, self._timeout = light, timeout
        self._first_seed: int | None = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """The first one has a seed, even if the agent gives none: two trainings are to be compared."""
        seed, self._first_seed = self._first_seed if seed is None else seed, None
        return super().reset(seed=seed, options=options)

    def step(self, action: int | np.int64) -> Any:
        observation, reward, over, _, info = super().step(action)
        if over:
            self._side = self._last
            observation = self._marked()
            self.last.append(observation.tobytes())
        return observation, reward, over and not self._timeout, over and self._timeout, info

    def _show(self) -> NDArray[np.float32]:
        super()._show()
        return self._marked()

    def _marked(self) -> NDArray[np.float32]:
        LastLight.shown += 1
        light = np.full(2, self.shown * GOLDEN % 0.5, dtype=np.float32)
        light[self._side] = 1.0
        return light


def with_last_light(light: int, timeout: bool) -> str:
    """The id of such a task, watched."""
    name = f"watched/{'TimeOut' if timeout else 'End'}{light}-v0"
    if name not in gymnasium.registry:
        gymnasium.register(name, entry_point=lambda **_: Watched(LastLight(light, timeout)))
    return name


class Step(NamedTuple):
    """One step of an optimizer."""

    played: int  # time steps that had been played, of all episodes
    gradient: float  # the sum of its entries, by which two trainings are compared
    weights: frozenset[int]  # which weights had a gradient, by their ids


@dataclass
class Seen:
    """What a training did. Its fields are of operations on tensors that carry a gradient and have several entries."""

    env_id: str = ""  # where it was none of those with a last light
    steps: list[Step] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    policy: set[int] = field(default_factory=set)  # the weights that log-probabilities depend on, by their ids
    ones: list[tuple[int, int]] = field(default_factory=list)  # where all ratios were 1: time steps, steps made so far
    off_one: float = -1.0  # by how much a ratio was away from 1, at most; -1 where none was computed
    mixed: bool = False  # whether a product depends on two networks that share no weight
    entropy: list[float] = field(default_factory=list)  # minus the derivatives of the losses by the entropies
    played: Played | None = None
    log_probs: list[Asked] = field(default_factory=list)
    values: list[Asked] = field(default_factory=list)
    logits: list[Asked] = field(default_factory=list)
    indices: set[bytes] = field(default_factory=set)  # by which parts of a batch were taken since the last step
    most_indices: int = 0

    def as_played(self) -> Any:
        """What two trainings that are the same have in common."""
        return [step[:2] for step in self.steps], self.actions

    def batches(self, late: bool = False) -> list[Batch]:
        return batches(self.played, self.log_probs, self.values, self.logits, late) if self.played else []

    def steps_a_batch(self) -> list[int]:
        """The steps of the policy between one batch of episodes and the next."""
        played = [step.played for step in self.steps if step.weights & self.policy]
        return [played.count(number) for number in dict.fromkeys(played)]


class Operations(TorchFunctionMode):
    """Notes what torch computes in here."""

    def __init__(self, seen: Seen, played: Callable[[], int]) -> None:
        super().__init__()
        self.seen, self.played = seen, played
        self.rows: list[bytes] = []  # of the observations that a network was asked about last

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result, seen, name = func(*args, **(kwargs or {})), self.seen, getattr(func, "__name__", "").strip("_")
        if name == "getitem" and isinstance(args[1], Tensor) and args[1].ndim == 1 and args[1].numel() > 1:
            seen.indices.add(args[1].numpy().tobytes())
        if name == "linear" and args:
            self.asked(args[0].detach(), result)
        if isinstance(result, Tensor) and result.requires_grad:
            if name in CHOSEN:
                self.chosen(args, result)
            if result.ndim == 1 and result.numel() > 1 and name in ("exp", "div", "truediv"):
                off_one = (result.detach() - 1).abs().max().item()
                seen.off_one = max(seen.off_one, off_one)
                seen.ones += [(self.played(), len(seen.steps))] if off_one < SAME else []
            tensors = [x for x in args if isinstance(x, Tensor) and x.numel() > 1]
            if name == "mul" and len(tensors) == 2 and not seen.mixed:
                one, other = (leaves(x) for x in tensors)
                seen.mixed = bool(one and other and not one & other)
        return result

    def asked(self, x: Tensor, result: Tensor) -> None:
        """Notes what a linear layer gives: a value, or logits, where it is a network's last one."""
        if x.shape[-1] == NUMBERS:
            self.rows = [row.tobytes() for row in x.reshape(-1, NUMBERS).float().numpy()]
        outputs = result.detach().double().numpy()
        if outputs.size == len(self.rows):
            self.note(self.seen.values, outputs.ravel(), result)
        elif outputs.size == 2 * len(self.rows) and outputs.shape[-1] == 2:
            self.note(self.seen.logits, outputs.reshape(-1, 2))

    def chosen(self, args: tuple[Any, ...], result: Tensor) -> None:
        """Notes log-probabilities, those times -1, or probabilities that were picked out by the actions."""
        given = self.seen.logits[-1] if self.seen.logits else None
        index = args[-1][-1] if isinstance(args[-1], tuple) else args[-1]
        actions = index.flatten().numpy() if isinstance(index, Tensor) else np.array([index])
        if given is None or actions.dtype != int or not len(actions) == result.numel() == len(given.rows):
            return
        if actions.min() < 0 or actions.max() > 1:
            return
        log_pi = log_softmax(given.outputs, actions)
        for outputs, slopes in ((log_pi, 1.0), (-log_pi, -1.0), (np.exp(log_pi), np.exp(log_pi))):
            if np.allclose(result.detach().flatten(), outputs, atol=1e-5):
                self.rows, self.seen.policy = given.rows, self.seen.policy | leaves(result)
                self.note(self.seen.log_probs, log_pi, result, slopes, actions)

    def note(
        self, into: list[Asked], outputs: Any, result: Tensor | None = None, slopes: Any = 1.0, actions: Any = None
    ) -> None:
        """result: where backward() brings the derivatives; slopes: of this by the outputs."""
        asked = Asked(self.rows, outputs, self.played(), len(self.seen.steps), actions)

        def weighted(gradient: Tensor) -> None:
            asked.weights = -gradient.detach().double().numpy().ravel() * slopes
            asked.played, asked.steps = self.played(), len(self.seen.steps)

        into.append(asked)
        if result is not None and result.requires_grad:
            result.register_hook(weighted)


def leaves(x: Tensor) -> set[int]:
    """The weights that a tensor depends on, by their ids."""
    return {id(node.variable) for node in computed_by(x.grad_fn) if hasattr(node, "variable")}


def see(answer: Callable[..., Any], light: int, timeout: bool = False, env_id: str = "", faster: float = 1.0) -> Seen:
    """A short training, in another environment if its id is given, with learning rates so many times as large. Raises
    whatever the agent raises."""
    seen, groups = Seen(env_id=env_id), set[int]()

    def stepped(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        for group in optimizer.param_groups:
            group["lr"] *= 1.0 if id(group) in groups else faster
            groups.add(id(group))
        moved = [weight for group in optimizer.param_groups for weight in group["params"] if weight.grad is not None]
        gradient = sum(weight.grad.double().sum().item() for weight in moved)
        with_gradient = frozenset(id(weight) for weight in moved if weight.grad.any())
        seen.steps.append(Step(_played(trace), gradient, with_gradient))
        seen.most_indices = max(seen.most_indices, len(seen.indices))
        seen.indices.clear()

    with watching() as trace:
        log_prob, entropy = Categorical.log_prob, Categorical.entropy
        LastLight.shown = 0
        LastLight.last.clear()

        def asked(self: Any, value: Tensor) -> Tensor:
            found = log_prob(self, value)
            if found.requires_grad:
                seen.policy |= leaves(found)
            return found

        def asked_entropy(self: Any) -> Tensor:
            found = entropy(self)
            if found.requires_grad:
                found.register_hook(lambda gradient: seen.entropy.append(-gradient.sum().item()))
            return found

        hook = register_optimizer_step_pre_hook(stepped)
        try:
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002  an agent may draw from NumPy's global generator
            with (
                patch.object(Categorical, "log_prob", asked),
                patch.object(Categorical, "entropy", asked_entropy),
                Operations(seen, lambda: _played(trace)),
            ):
                answer(env_id or with_last_light(light, timeout), EPISODES, 0)
        finally:
            hook.remove()
    seen.actions = trace.played.tolist()
    lengths = [len(episode) for episode in trace.episodes]
    seen.played = Played(
        {step.observation.tobytes(): t for t, step in enumerate(itertools.chain(*trace.episodes))},
        dict(zip(LastLight.last, np.cumsum(lengths) - 1)),
        np.array(seen.actions),
        np.array([step.reward for step in itertools.chain(*trace.episodes)]),
        over := np.isin(np.arange(sum(lengths)), np.cumsum(lengths) - 1),
        over & (not timeout),
    )
    return seen


def _played(trace: Trace) -> int:
    return sum(map(len, trace.resets))


def judge_actor_critic(answer: Any) -> Outcome | None:
    """Judges train(env_id, episodes, seed) of an agent whose critic is asked about what follows a step."""
    return _judged(answer, [_of_gradients, _of_value, _of_weights, _of_ends])


def judge_ppo(answer: Any) -> Outcome | None:
    """Judges one that takes several clipped steps on parts of each batch, too."""
    return _judged(answer, [_of_gradients, _of_steps, _of_value, _of_weights, _of_ends])


def judge_agent_with_value(answer: Any) -> Outcome | None:
    """Judges one whose value is a baseline, trained by a loss of its own."""
    return _judged(answer, [_of_gradients, _of_value], judge_value_agent, RICH_SIGNALS.watched_id)


def _judged(
    answer: Any,
    finds: Sequence[Callable[[Any, Seen], str | None]],
    judge: Callable[[Any], Outcome | None] = judge_agent,
    env_id: str = "",
) -> Outcome | None:
    found = judge(answer)
    if found is not None:
        hint = next((more for words, more in RAISED.items() if words in found.message), "")
        if "the returns *fall*" in found.message:  # a wrong ratio can do that, too
            finds = [find for find in finds if find is _of_weights]
        elif hint or not found.message.startswith(NO_CAUSE):
            return Outcome(found.kind, f"{found.message.rstrip('.')}. {hint}") if hint else found
    before, numpys = torch.random.get_rng_state(), np.random.get_state()  # noqa: NPY002
    try:
        with time_limit(SECONDS):
            seen = see(answer, 0, env_id=env_id)
            named = next((said for find in finds if (said := find(answer, seen))), None)
            if named is None and found is not None and len(finds) > 1 and seen.most_indices > 1:
                named = INDICES
    except TooLong:
        return found
    except (Exception, SystemExit) as error:
        named = LATE if "Call reset() first" in str(error) else f"{located(error)} {type(error).__name__}: {error}."
        named = f"in a shorter training, of {EPISODES} episodes, {named}"
    finally:
        torch.random.set_rng_state(before)
        np.random.set_state(numpys)  # noqa: NPY002
    return wrong(named) if named else found


def _of_gradients(answer: Any, seen: Seen) -> str | None:
    if seen.entropy and max(seen.entropy) < 0:
        return ENTROPY
    return MIXED if seen.mixed else None


def _of_value(answer: Any, seen: Seen) -> str | None:
    if seen.policy and seen.steps and all(step.weights <= seen.policy for step in seen.steps):
        return NO_VALUE
    takes_lam = callable(answer) and "lam" in inspect.signature(answer).parameters
    same = takes_lam and see(functools.partial(answer, lam=0.5), 0, env_id=seen.env_id).as_played() == seen.as_played()
    return NO_LAMBDA if same else None


def _of_ends(answer: Any, seen: Seen) -> str | None:
    """An agent that is not the same twice cannot be compared, and nothing is said of it."""
    if see(answer, light=1).as_played() != seen.as_played() == see(answer, light=0).as_played():
        return END
    one, other = (see(answer, light, timeout=True).as_played() for light in (0, 1))
    return TIME_OUT if seen.steps and one == other else None


def _of_steps(answer: Any, seen: Seen) -> str | None:
    steps = seen.steps_a_batch()
    if steps and np.median(steps) < 2:
        return ONE_STEP
    if said := said_of_parts(seen.batches()):
        return said
    at_one = [len({step for at, step in seen.ones if at == played}) for played in {at for at, _ in seen.ones}]
    return OLD_AGAIN if at_one and steps and 1 < np.median(at_one) < np.median(steps) else None


def _of_weights(answer: Any, seen: Seen) -> str | None:
    """What the weights show, first where time runs out: there the value of what is seen last counts."""
    shown = see(answer, light=0, timeout=True)
    with np.errstate(all="ignore"):
        found = shown.batches()
        said = said_of_policy(found, shown.batches(late=True)) or said_of_critic(found)
        said = said or said_of_policy(seen.batches(), seen.batches(late=True))
        if not said and hardly_moved(found):
            with suppress(Exception):  # which may be due to the haste
                quick = see(answer, light=0, timeout=True, faster=FASTER)
                said = said_of_policy(quick.batches(), quick.batches(late=True))
    return RATIO_ONE if said == NO_RATIO and 0 <= seen.off_one < SAME else said


LATE = (
    "it calls step() after an episode that was cut off. Stop where `terminated` or `truncated` is true, and begin the "
    "next episode with reset()."
)
MIXED = (
    "the advantages carry a gradient: the policy's loss multiplies log-probabilities or ratios by numbers that depend "
    "on the critic's weights, and so moves the critic too. Detach the values before you compute the advantages."
)
END = (
    "what is seen after an episode's *end* changes what your agent learns: of two trainings that differ in nothing "
    "else, each took another course. Nothing comes after an end, so its value is 0 where `terminated` is true."
)
TIME_OUT = (
    "what is seen after a *time-out* makes no difference to your agent: two trainings that differ in nothing else are "
    "the same to the last bit. Where `truncated` is true and `terminated` is not, rewards would have followed, and the "
    "critic's value of the last observation stands for them."
)
NO_VALUE = (
    "every step moves the policy's weights alone: no value learns. It has a loss of its own, half of the mean "
    "squared difference from what it is to learn, and steps of its own."
)
NO_LAMBDA = (
    "lam makes no difference: with 0.5 and with its default the trainings are the same to the last bit. GAE adds up "
    "the TD errors that follow, each with one more factor gamma * lam."
)
ENTROPY = (
    "the entropy is *subtracted* from the objective: the policy is drawn to the actions that it takes already. A bonus "
    "for entropy is added to the gain, so it has a minus in the loss."
)
ONE_STEP = "each batch serves for one step of the policy. PPO takes several on the same episodes."
RATIO_ONE = (
    "the ratio is 1 in every step, so nothing is ever clipped: the old log-probabilities are those of the policy as it "
    "is now. Compute them once, detached, before the first step on a batch."
)
OLD_AGAIN = (
    "in a batch, all ratios are 1 again and again: the old log-probabilities are computed anew while the policy moves, "
    "so the clipping forgets how far it has gone. Compute them once, before the first epoch."
)
INDICES = (
    "it learns too little, and the parts of the batch are not taken alike: between two steps, tensors are indexed by "
    "different orders. Log-probabilities, old ones, actions and advantages of a part need one and the same index."
)
RAISED = {
    "must match the size of tensor": "Take the same part of all of them: observations, actions, old log-probabilities "
    "and advantages."
}
