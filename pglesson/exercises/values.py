"""How an agent with a learned value is judged: by a task in which half of the episodes are worth more from the start.

Which half shows in the observation, so that a value takes the difference away, and no mean does.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch.optim.optimizer import register_optimizer_step_pre_hook

from pglesson.envs.signals import STEPS, Signals
from pglesson.exercises.agents import LAST, SECONDS, SEEDS, SIGNALS, judge_agent
from pglesson.exercises.calls import located
from pglesson.exercises.framework import Outcome, wrong
from pglesson.exercises.time_limit import TooLong, time_limit

TASK, EPISODES = "watched/RichSignals-v0", SIGNALS.episodes
BONUS = 20.0
ENOUGH = 8.0  # of 10, without the bonus: with a value agents reach 9.8 and more, with a mean often less than 8


class RichSignals(Signals):
    """Signals with a third number, 1 in a rich episode and 0 in a poor one; a rich one's last step pays 20 more."""

    presses: list[list[float]] = []  # of all copies: of each episode its rewards, without the bonus

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 1.0, (3,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        gymnasium.Env.reset(self, seed=seed)
        self._rich = float(self.np_random.integers(2))
        type(self).presses.append([])
        return super().reset(options=options)

    def step(self, action: int | np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        type(self).presses[-1].append(reward)
        return observation, reward + BONUS * self._rich * terminated, terminated, truncated, info

    def _show(self) -> NDArray[np.float32]:
        return np.append(super()._show(), np.float32(self._rich))


if TASK not in gymnasium.registry:
    gymnasium.register(TASK, entry_point=f"{__name__}:RichSignals")


def judge_value_agent(answer: Any) -> Outcome | None:
    """Judges train(env_id, episodes, seed) that takes a batch for each step, and learns a value."""
    said = judge_agent(answer)
    if said is not None:
        return said
    before, means = torch.random.get_rng_state(), []
    try:
        for seed in SEEDS:
            RichSignals.presses = []
            moments: set[int] = set()  # how many episodes had been played when an optimizer made a step
            values: set[int] = set()  # trained parameters of one output

            def stepped(
                optimizer: torch.optim.Optimizer, *_: Any, moments: set[int] = moments, values: set[int] = values
            ) -> None:
                moments.add(sum(len(presses) == STEPS for presses in RichSignals.presses))
                weights = [weight for group in optimizer.param_groups for weight in group["params"]]
                values.update(id(w) for w in weights if w.grad is not None and w.ndim == 2 and 1 in w.shape)

            hook = register_optimizer_step_pre_hook(stepped)
            try:
                with time_limit(SECONDS):
                    answer(TASK, EPISODES, seed)
            except (Exception, SystemExit) as error:
                return wrong(
                    f"on the task with rich and poor episodes: {located(error)} {type(error).__name__}: {error}"
                )
            finally:
                hook.remove()
            if len(moments) > EPISODES // 2:
                return wrong(
                    f"{len(moments)} steps were made for {EPISODES} episodes: one after each. Play a batch, of ten "
                    "episodes, say, before the policy makes a step."
                )
            if moments and not values:
                return wrong(
                    "no network with one output is trained: where is the value? It has an optimizer and a loss of its "
                    "own, half of the mean of (G - v(s))^2."
                )
            played = [sum(presses) for presses in RichSignals.presses if len(presses) == STEPS]
            means.append(float(np.mean(played[-LAST:])))
    except TooLong:
        return wrong(f"{EPISODES} episodes had not ended after {SECONDS:g} seconds of computing.")
    finally:
        torch.random.set_rng_state(before)
    if sorted(means)[1] >= ENOUGH:  # two of three: a seed may fail without a mistake
        return None
    return wrong(
        "it learns Signals, but too little where half of the episodes pay 20 more: without that, the means of the last "
        f"{LAST} of {EPISODES} episodes are {', '.join(f'{mean:.1f}' for mean in means)}, of {STEPS}. The value has to "
        "take the 20 away: subtract v(s_t) of the step's own observation, without a gradient (detach), and let it learn "
        "G_t fast enough, by ten steps an update, say, with a learning rate of 0.05."
    )
