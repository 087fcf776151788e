"""Levers: two lights say to which side two levers should go. Small enough for a Gaussian agent to learn it at once."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

STEPS = 10


class Levers(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """Ten steps. Observations: the two sides, each -1 or 1 with equal probability at every step. Actions: how far the
    two levers go, each from -1 to 1. Reward: the mean of action times side over the levers. So the best return is 10,
    that of levers which stay in the middle 0, and the worst -10.

    Raises ValueError for an action outside of the box or of another shape, and RuntimeError for a step before the first
    reset or after an episode's end.
    """

    def __init__(self) -> None:
        self.observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
        self._left = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[NDArray[np.float32], dict[str, Any]]:
        super().reset(seed=seed)
        self._left = STEPS
        return self._show(), {}

    def step(self, action: NDArray[np.float32]) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        if not self._left:
            raise RuntimeError("There is no episode: it has ended, or not begun. Call reset() first.")
        given = np.asarray(action, dtype=np.float64)
        if given.shape != (2,) or not (np.abs(given) <= 1).all():
            raise ValueError(f"The action is {given.round(3).tolist()}, but must be two numbers from -1 to 1.")
        reward = float((given * self._sides).mean())
        self._left -= 1
        return self._show(), reward, self._left == 0, False, {}

    def _show(self) -> NDArray[np.float32]:
        self._sides = self.np_random.choice([-1.0, 1.0], size=2).astype(np.float32)
        return self._sides.copy()
