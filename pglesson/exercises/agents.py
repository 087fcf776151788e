"""How a whole agent is judged: by what it does. It trains on a tiny task, over several seeds, and is watched.

What is watched: the episodes as the environment saw them, the actions whose log-probability torch was asked for, and
the optimizer's steps. Common failures leave traces there, and are told by name.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import gymnasium
import numpy as np
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook

from pglesson.envs.signals import STEPS, Signals
from pglesson.exercises.calls import NOT_WRITTEN_YET, located, not_a_function, short
from pglesson.exercises.framework import NOT_ATTEMPTED, Outcome, wrong
from pglesson.exercises.time_limit import TooLong, time_limit

TASK = "watched/Signals-v0"
EPISODES, SEEDS, SECONDS = 300, (0, 1, 2), 30.0
# the mean return of so many last episodes must be so large, of 10; undecided agents have 0 ± 0.5
LAST, ENOUGH = 50, 6.0


class WatchedSignals(Signals):
    """The task, which notes what is done in it."""

    episodes: list[list[tuple[int, int, float]]] = []  # of all copies: of each episode its (side, action, reward)
    late = 0  # steps after an episode's end

    def reset(self, **options: Any) -> Any:
        type(self).episodes.append([])
        return super().reset(**options)

    def step(self, action: int | np.int64) -> Any:
        if not self._left:
            type(self).late += 1
        side = self._side
        stepped = super().step(action)
        type(self).episodes[-1].append((side, int(action), stepped[1]))
        return stepped


if TASK not in gymnasium.registry:
    gymnasium.register(TASK, entry_point=f"{__name__}:WatchedSignals")


class Trace:
    """What was seen of one training."""

    def __init__(self) -> None:
        self.steps, self.zeroed, self.kept = 0, 0, 0  # of optimizers; kept: steps whose gradient still held the last's
        self.asked: list[int] = []  # the actions whose log-probabilities a Categorical was asked for
        self._gradient: torch.Tensor | None = None

    def stepped(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Called before each step of an optimizer."""
        weight = optimizer.param_groups[0]["params"][0]
        same = weight.grad is not None and weight.grad is self._gradient
        self.kept += same
        self.steps, self._gradient = self.steps + 1, weight.grad

    @property
    def episodes(self) -> list[list[tuple[int, int, float]]]:
        """Those that were played; one that was only begun, as by a reset() too many, is none."""
        return [episode for episode in WatchedSignals.episodes if episode]

    @property
    def returns(self) -> np.ndarray[Any, Any]:
        """Of the episodes, undiscounted."""
        return np.array([sum(reward for *_, reward in episode) for episode in self.episodes])


@contextmanager
def watching() -> Iterator[Trace]:
    """Notes what a training does in here."""
    trace = Trace()
    WatchedSignals.episodes, WatchedSignals.late = [], 0
    zero, module_zero = torch.optim.Optimizer.zero_grad, torch.nn.Module.zero_grad
    log_prob = torch.distributions.Categorical.log_prob

    def zeroing(original: Callable[..., None]) -> Callable[..., None]:
        def zero_grad(*arguments: Any, **options: Any) -> None:
            trace.zeroed += 1
            original(*arguments, **options)

        return zero_grad

    def asked(self: Any, value: torch.Tensor) -> torch.Tensor:
        trace.asked += torch.as_tensor(value).flatten().int().tolist()
        return log_prob(self, value)

    hook = register_optimizer_step_pre_hook(trace.stepped)
    try:
        with (
            patch.object(torch.optim.Optimizer, "zero_grad", zeroing(zero)),
            patch.object(torch.nn.Module, "zero_grad", zeroing(module_zero)),
            patch.object(torch.distributions.Categorical, "log_prob", asked),
            warnings.catch_warnings(action="ignore"),
        ):
            yield trace
    finally:
        hook.remove()


def judge_agent(answer: Any) -> Outcome | None:
    """Judges train(env_id, episodes, seed), which returns each episode's return: on `Signals`, over three seeds."""
    if not callable(answer):
        return wrong(not_a_function(answer))
    before = torch.random.get_rng_state()
    means = []
    try:
        for seed in SEEDS:
            with watching() as trace, time_limit(SECONDS):
                try:
                    given = answer(TASK, EPISODES, seed)
                except NotImplementedError:
                    return Outcome(NOT_ATTEMPTED, NOT_WRITTEN_YET)
                except (Exception, SystemExit) as error:
                    return wrong(_raised(error))
            said = _refused(given, trace)
            if said is not None:
                return said
            means.append(trace.returns[-LAST:].mean())
            if means[-1] < ENOUGH:
                named = _cause(trace)
                if named:
                    return wrong(named)
    except TooLong:
        return wrong(
            f"{EPISODES} episodes of {STEPS} steps had not ended after {SECONDS:g} seconds of computing. Look for a "
            "loop that does not end with its episode, or for a list that grows over all episodes."
        )
    finally:
        torch.random.set_rng_state(before)
    if sorted(means)[1] >= ENOUGH:  # two of three: a seed may fail without a mistake
        return None
    reached = ", ".join(f"{mean:.1f}" for mean in means)
    return wrong(
        f"it runs, but learns too little: on a task with a best return of {STEPS}, the means of the last {LAST} of "
        f"{EPISODES} episodes are {reached} for three seeds. An undecided agent has 0. Check that each log-probability "
        "is multiplied by the return that *follows* it, that the loss is a sum over the episode, and the learning rate."
    )


def _refused(given: Any, trace: Trace) -> Outcome | None:
    """What is wrong even where the agent learns: nothing is played, another thing is given, or a mistake shows."""
    if (given is None or given is ...) and not trace.episodes:
        return Outcome(NOT_ATTEMPTED, "your function gives nothing yet, and plays nothing.")
    if not trace.episodes:
        return wrong("no episode was played in the environment that was asked for. Make it by gym.make(env_id).")
    if given is None:
        return wrong("it plays, but gives nothing. It must end with return: each episode's return, in a list.")
    try:
        numbers = np.array([float(x) for x in given])
    except Exception:
        return wrong(f"it gives {short(given)}, but must give a list with the return of each episode.")
    if len(numbers) != EPISODES:
        return wrong(
            f"{EPISODES} episodes were asked for, but your list has {len(numbers)} returns, and {len(trace.episodes)} "
            "episodes were played."
        )
    played = trace.returns
    if len(played) < EPISODES:
        return wrong(f"{EPISODES} returns are given, but {len(played)} episodes were played.")
    if trace.kept > EPISODES // 2 and trace.zeroed == 0:
        return wrong(
            "the gradient is never set to zero: backward() adds to what is there, so each step follows the gradients "
            "of all earlier episodes too. Call optimizer.zero_grad() before it."
        )
    if all(len({(side, action) for side, action, _ in episode}) <= 2 for episode in trace.episodes[:4]):
        return wrong(  # an undecided policy that samples does so in one of 10^7 trainings
            "in each of the first episodes the same light always gets the same action: the action is not sampled. "
            "With argmax the policy tries nothing out, and the average over its actions is gone. Draw from the "
            "probabilities."
        )
    if not np.allclose(numbers, played[: len(numbers)], atol=1e-3):
        if np.allclose(numbers, played.cumsum()[: len(numbers)], atol=1e-3):
            return wrong("the returns are not reset: each episode's is added to those before. Begin every one with 0.")
        return wrong(
            f"your first returns are {short(numbers[:3].round(2).tolist())}, but the rewards of these episodes add up "
            f"to {short(played[:3].tolist())}. Give the plain sum of an episode's rewards, without a discount."
        )
    return None


def _cause(trace: Trace) -> str | None:
    """What the traces say of an agent that did not learn."""
    played = [action for episode in trace.episodes for _, action, _ in episode]
    if len(trace.asked) == len(played) and trace.asked != played:
        return (
            "the log-probabilities belong to other actions than those that were played. Draw each action once, and "
            "use the same one for step() and for log_prob()."
        )
    if trace.steps == 0 and abs(trace.returns[-LAST:].mean()) < 2:
        return "no optimizer has made a step, and the returns stay as they were. After backward() comes step()."
    if trace.returns[-LAST:].mean() < -ENOUGH:
        return (
            f"the returns *fall*, from {trace.returns[:LAST].mean():.1f} to {trace.returns[-LAST:].mean():.1f}: the "
            "sign is turned. An optimizer makes the loss smaller, so the loss is minus what is to grow."
        )
    return None


def _raised(error: BaseException) -> str:
    if WatchedSignals.late:
        return (
            "it calls step() after an episode has ended. Stop when `terminated` or `truncated` is true, and begin the "
            "next episode with reset()."
        )
    return f"{located(error)} {type(error).__name__}: {error}"
