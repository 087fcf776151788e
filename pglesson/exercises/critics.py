"""What is asked of an agent with a critic beyond that it learns: seen in short trainings.

Two trainings that differ in nothing but the light that is seen *after* each episode's last step must be the same, bit
for bit, where the task has ended, since nothing comes after an end. They must differ where time ran out, since the
critic is asked about what is seen there. The operations of torch leave traces, too: ratios that are always 1, or a
product that carries a gradient to the policy and to the critic.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from unittest.mock import patch

import gymnasium
import numpy as np
import torch
from torch import Tensor
from torch.distributions import Categorical
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.overrides import TorchFunctionMode

from pglesson.envs.signals import Signals
from pglesson.exercises.agents import RICH_SIGNALS, judge_agent, judge_value_agent
from pglesson.exercises.calls import located
from pglesson.exercises.framework import Outcome, wrong
from pglesson.exercises.time_limit import TooLong, time_limit
from pglesson.exercises.traces import Trace, Watched, watching

EPISODES, SECONDS = 60, 60.0
SAME = 1e-6  # a ratio that is as near to 1 is 1
MINIMA, MAXIMA = ("min", "minimum", "fmin"), ("max", "maximum", "fmax")
CLIPS, CHOICES = ("clamp", "clip", "hardtanh"), ("min", "max", "fmin", "fmax", "amin", "amax", "where")
NO_CAUSE = "it runs, but"  # how the message of judge_agent begins where it names no cause


class LastLight(Signals):
    """The task, where the same light is seen after the last step of every episode: of its end, or of its time-out."""

    def __init__(self, light: int, timeout: bool) -> None:
        super().__init__()
        self._last, self._timeout = np.eye(2, dtype=np.float32)[light], timeout
        self._first_seed: int | None = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """The first one has a seed, even if the agent gives none: two trainings are to be compared."""
        seed, self._first_seed = self._first_seed if seed is None else seed, None
        return super().reset(seed=seed, options=options)

    def step(self, action: int | np.int64) -> Any:
        observation, reward, over, _, info = super().step(action)
        return self._last if over else observation, reward, over and not self._timeout, over and self._timeout, info


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
    # of each part of a batch whose log-probabilities were asked for: its actions, and the time steps played so far
    parts: list[tuple[list[int], int]] = field(default_factory=list)
    ones: list[tuple[int, int]] = field(default_factory=list)  # where all ratios were 1: time steps, steps made so far
    pulls: list[float] = field(default_factory=list)  # gradients of minima, and of maxima times -1
    divided: bool = False  # one log-probability by another
    names: set[str] = field(default_factory=set)  # of the operations
    off_one: float = -1.0  # by how much a ratio was away from 1, at most; -1 where none was computed
    mixed: bool = False  # whether a product depends on two networks that share no weight
    indices: set[bytes] = field(default_factory=set)  # by which parts of a batch were taken since the last step
    most_indices: int = 0

    def as_played(self) -> Any:
        """What two trainings that are the same have in common."""
        return [step[:2] for step in self.steps], self.actions

    def steps_a_batch(self) -> list[int]:
        """The steps of the policy between one batch of episodes and the next."""
        played = [step.played for step in self.steps if step.weights & self.policy]
        return [played.count(number) for number in dict.fromkeys(played)]


class Operations(TorchFunctionMode):
    """Notes what torch computes in here."""

    def __init__(self, seen: Seen, played: Callable[[], int]) -> None:
        super().__init__()
        self.seen, self.played = seen, played

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result, seen, name = func(*args, **(kwargs or {})), self.seen, getattr(func, "__name__", "").strip("_")
        if name == "getitem" and isinstance(args[1], Tensor) and args[1].ndim == 1 and args[1].numel() > 1:
            seen.indices.add(args[1].numpy().tobytes())
        if isinstance(result, Tensor) and result.requires_grad and result.numel() > 1:
            seen.names.add(name)
            tensors = [x for x in args if isinstance(x, Tensor) and x.numel() > 1]
            quotient = name in ("div", "truediv") and len(tensors) == 2
            if result.ndim == 1 and (name == "exp" or quotient):
                off_one = (result.detach() - 1).abs().max().item()
                seen.off_one = max(seen.off_one, off_one)
                seen.ones += [(self.played(), len(seen.steps))] if off_one < SAME else []
                seen.divided |= quotient and all(bool((x < 0).all()) for x in tensors)
                seen.policy |= leaves(result)
            if name in MINIMA + MAXIMA and len(tensors) == 2:
                sign = 1 if name in MINIMA else -1  # minus a minimum of gains, or a maximum of losses
                result.register_hook(lambda gradient: seen.pulls.append(sign * gradient.sum().item()))
            if name == "mul" and len(tensors) == 2 and not seen.mixed:
                one, other = (leaves(x) for x in tensors)
                seen.mixed = bool(one and other and not one & other)
        return result


def leaves(x: Tensor) -> set[int]:
    """The weights that a tensor depends on, by their ids."""
    found, known, left = set[int](), set[Any](), [x.grad_fn]
    while left:
        node = left.pop()
        if node is not None and node not in known:
            known.add(node)
            found |= {id(node.variable)} if hasattr(node, "variable") else set()
            left += [following for following, _ in node.next_functions]
    return found


def see(answer: Callable[..., Any], light: int, timeout: bool = False, env_id: str = "") -> Seen:
    """A short training, in another environment if its id is given. Raises whatever the agent raises."""
    seen = Seen(env_id=env_id)

    def stepped(optimizer: torch.optim.Optimizer, *_: Any) -> None:
        moved = [weight for group in optimizer.param_groups for weight in group["params"] if weight.grad is not None]
        gradient = sum(weight.grad.double().sum().item() for weight in moved)
        with_gradient = frozenset(id(weight) for weight in moved if weight.grad.any())
        seen.steps.append(Step(_played(trace), gradient, with_gradient))
        seen.most_indices = max(seen.most_indices, len(seen.indices))
        seen.indices.clear()

    with watching() as trace:
        log_prob = Categorical.log_prob

        def asked(self: Any, value: Tensor) -> Tensor:
            found = log_prob(self, value)
            if found.requires_grad:
                seen.policy |= leaves(found)
                if found.numel() > 1:  # and not that of one action, asked while playing
                    seen.parts.append((value.flatten().tolist(), _played(trace)))
            return found

        hook = register_optimizer_step_pre_hook(stepped)
        try:
            torch.manual_seed(0)
            np.random.seed(0)  # noqa: NPY002  an agent may draw from NumPy's global generator
            with patch.object(Categorical, "log_prob", asked), Operations(seen, lambda: _played(trace)):
                answer(env_id or with_last_light(light, timeout), EPISODES, 0)
        finally:
            hook.remove()
    seen.actions = trace.played.tolist()
    return seen


def _played(trace: Trace) -> int:
    return sum(map(len, trace.resets))


def judge_actor_critic(answer: Any) -> Outcome | None:
    """Judges train(env_id, episodes, seed) of an agent whose critic is asked about what follows a step."""
    return _judged(answer, [_of_gradients, _of_value, _of_ends])


def judge_ppo(answer: Any) -> Outcome | None:
    """Judges one that takes several clipped steps on parts of each batch, too."""
    return _judged(answer, [_of_gradients, _of_steps, _of_value, _of_ends])


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
        falls = "the returns *fall*" in found.message and _of_steps in finds  # a wrong ratio can do that, too
        if hint or not (found.message.startswith(NO_CAUSE) or falls):
            return Outcome(found.kind, f"{found.message.rstrip('.')}. {hint}") if hint else found
    before, numpys = torch.random.get_rng_state(), np.random.get_state()  # noqa: NPY002
    try:
        with time_limit(SECONDS):
            seen = see(answer, 0, env_id=env_id)
            named = next((said for find in finds if (said := find(answer, seen))), None)
            if found is not None and not found.message.startswith(NO_CAUSE) and named != DIVIDED:
                return found
            if named is None and found is not None and seen.most_indices > 1:
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
    """What is said of an agent whose log-probabilities torch was not asked for is what its ratios show."""
    batches = seen.steps_a_batch()
    if seen.divided:
        return DIVIDED
    if batches and np.median(batches) < 2:
        return ONE_STEP
    if seen.off_one < 0 and batches and not seen.names & {"pow", "rpow"}:
        return NO_RATIO
    if 0 <= seen.off_one < SAME:
        return RATIO_ONE
    chosen = any(name.startswith(CHOICES) for name in seen.names)
    if not chosen and not any(name.startswith(CLIPS) for name in seen.names):
        return NO_CLIP
    if not chosen:
        return NO_MINIMUM
    if seen.pulls and min(seen.pulls) > 0:
        return MAXIMUM
    starts = dict.fromkeys(played for _, played in seen.parts)
    batch_sizes = {now: now - before for before, now in zip([0, *starts], starts)}
    parts = [(part, played) for part, played in seen.parts if len(part) < batch_sizes[played]]
    if seen.parts and not parts:
        return WHOLE
    used = [sum(len(part) for part, at in parts if at == played) / size for played, size in batch_sizes.items()]
    if parts and np.median(used) < 1.5:
        return ONE_EPOCH
    if parts and _in_the_order_of_play(parts, seen.actions, batch_sizes):
        return NOT_RANDOM
    at_one = [len({step for at, step in seen.ones if at == played}) for played in batch_sizes]
    if at_one and np.median(at_one) > 1:
        return OLD_AGAIN
    return None


def _in_the_order_of_play(parts: list[tuple[list[int], int]], actions: list[int], sizes: dict[int, int]) -> bool:
    """Whether each part is what was played directly after the part before it, or the batch's beginning."""
    end, last = 0, -1
    for part, played in parts:
        begin = played - sizes[played] if played != last or end >= played else end
        end, last = begin + len(part), played
        if actions[begin:end] != part:
            return False
    return True


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
ONE_STEP = "each batch serves for one step of the policy. PPO takes several on the same episodes."
NO_RATIO = (
    "several steps are taken on each batch, but no ratio is computed: after the first, log-probabilities of the old "
    "actions do not give the new policy's gradient. Take exp(log_prob - old), element by element."
)
RATIO_ONE = (
    "the ratio is 1 in every step, so nothing is ever clipped: the old log-probabilities are those of the policy as it "
    "is now. Compute them once, detached, before the first step on a batch."
)
NO_CLIP = "the ratio is not clipped: nothing keeps the steps on one batch from leading far away."
NO_MINIMUM = (
    "something is clipped, but no minimum of ratio * A and clipped ratio * A is taken. Without the clipped one nothing "
    "keeps the steps short; with it alone, an action that has left the band on the side that does not pay has no "
    "slope, and never comes back."
)
DIVIDED = (
    "one log-probability is divided by another. The ratio is that of the probabilities: exp(log_prob - old), element "
    "by element."
)
MAXIMUM = (
    "the *larger* one of ratio * A and clipped ratio * A is taken: clipping hides the harm then, and not the profit."
)
ONE_EPOCH = "each time step of a batch is used once. PPO goes over the same episodes several times: several epochs."
NOT_RANDOM = (
    "the parts of a batch are what was played one after the other, the same in every epoch. Bring the batch into a "
    "random order first, such as torch.randperm(len(A)), in each epoch anew."
)
OLD_AGAIN = (
    "in a batch, all ratios are 1 again and again: the old log-probabilities are computed anew while the policy moves, "
    "so the clipping forgets how far it has gone. Compute them once, before the first epoch."
)
WHOLE = (
    "each step of the policy uses the whole batch. Cut it into parts, in a random order, and take one for each step. "
    "(Ten episodes of this task have 100 time steps: parts of a fixed size must be smaller.)"
)
INDICES = (
    "it learns too little, and the parts of the batch are not taken alike: between two steps, tensors are indexed by "
    "different orders. Log-probabilities, old ones, actions and advantages of a part need one and the same index."
)
RAISED = {
    "through the graph a second time": "Something that was computed before the first step still carries its gradient: "
    "the old log-probabilities, or the advantages. Detach it.",
    "must match the size of tensor": "Take the same part of all of them: observations, actions, old log-probabilities "
    "and advantages.",
}
