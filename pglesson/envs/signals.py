"""Signals: a light shows one of two sides, and you press one. Small enough for an agent to learn it within a second."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

STEPS = 10


class Signals(gymnasium.Env[NDArray[np.float32], np.int64]):
    """Ten steps. Observations: (1, 0) or (0, 1), with equal probability at every step. Reward: 1 for the action with
    the number of the 1, and -1 for the other. So the best return is 10, and that of an undecided policy 0 on average.

    Raises ValueError for another action, and RuntimeError for a step before the first reset or after an episode's end.
    """

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Discrete(2)
        self._left = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self._left = STEPS
        return self._show(), {}

    def step(self, action: int | np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        if not self._left:
            raise RuntimeError("There is no episode: it has ended, or not begun. Call reset() first.")
        if not self.action_space.contains(np.asarray(action).item() if np.ndim(action) == 0 else action):
            raise ValueError(f"The action is {action!r}, but must be 0 or 1.")
        reward = 1.0 if int(action) == self._side else -1.0
        self._left -= 1
        return self._show(), reward, self._left == 0, False, {}

    def _show(self) -> NDArray[np.float32]:
        self._side = int(self.np_random.integers(2))
        return np.eye(2, dtype=np.float32)[self._side]


class RichSignals(Signals):
    """Signals in which every second episode is rich, whatever the seed: the first is, and the one after it is poor.

    A third number of the observation is 1 in a rich episode and 0 in a poor one. The last step pays 15 more in a rich
    one, and 15 less in a poor one, whatever is done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 1.0, (3,), np.float32)
        self._rich = False

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        self._rich = not self._rich
        return super().reset(seed=seed, options=options)

    def step(self, action: int | np.int64) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = super().step(action)
        extra = (15.0 if self._rich else -15.0) if terminated else 0.0
        return observation, reward + extra, terminated, truncated, info

    def _show(self) -> NDArray[np.float32]:
        return np.append(super()._show(), np.float32(self._rich))
