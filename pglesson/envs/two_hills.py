"""Two hills: a bandit with one continuous action, a low hill near the start and a higher one further away."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv, SingleEnv

NEAR, FAR = -1.0, 2.0  # the actions at the hills' tops
REACH = 5.0  # actions go from -REACH to REACH


def two_hills_reward(action: Any) -> Any:
    """exp(-(a + 1)^2 / 0.5) + 2 exp(-(a - 2)^2 / 0.5) of an array of any shape: tops of height 1 and 2."""
    return np.exp(-((action - NEAR) ** 2) / 0.5) + 2 * np.exp(-((action - FAR) ** 2) / 0.5)


class TwoHillsVector(BatchEnv):
    """One step with one action a, clipped to [-5, 5]; the reward is `two_hills_reward(a)`, and the episode ends.

    Observation: Discrete(1), always the same.
    """

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = None, **options: Any) -> None:
        actions = spaces.Box(-REACH, REACH, (1,), dtype=np.float32)
        super().__init__(spaces.Discrete(1), actions, num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return np.full(number, np.nan)  # the action taken; none yet

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        taken = np.clip(actions[:, 0], -REACH, REACH).astype(float)
        return taken, two_hills_reward(taken), np.ones(len(taken), dtype=bool)

    def _observe(self, state: Array) -> Array:
        return np.zeros(len(state), dtype=np.int64)

    def draw(self, axes: Any, state: Array) -> None:
        """The hills, and a disc where the action landed."""
        a = np.linspace(-REACH, REACH, 200)
        axes.set(xlim=(-REACH, REACH), ylim=(-0.3, 2.4))
        axes.fill_between(a, two_hills_reward(a), -0.3, facecolor=("#888888", 0.3), edgecolor="#888888")
        if np.isfinite(state):
            axes.plot(state, two_hills_reward(state), "o", color="#0072B2", markersize=12)


class TwoHills(SingleEnv):
    __doc__ = TwoHillsVector.__doc__
    batch_type = TwoHillsVector
