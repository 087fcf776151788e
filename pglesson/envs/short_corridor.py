"""Sutton & Barto's short corridor with switched actions (2018, Example 13.1)."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv, SingleEnv

LEFT, RIGHT = 0, 1
GOAL = 3


def corridor_value(p_right: float) -> float:
    """The expected return of going right with probability p_right (0 to 1, exclusive) in every state.

    v = (2 p - 4) / (p (1 - p)), best at p = 2 - sqrt(2) = 0.586 with -6 - 4 sqrt(2) = -11.66: Sutton & Barto
    (2018), section 13.1, Example 13.1. Raises ValueError outside (0, 1): at 0 and 1 no episode ends.
    """
    if not 0 < p_right < 1:
        raise ValueError(f"p_right is {p_right!r}, but must lie strictly between 0 and 1, such as 0.5.")
    return (2 * p_right - 4) / (p_right * (1 - p_right))


class ShortCorridorVector(BatchEnv):
    """States 0, 1, 2 and a goal to their right. Each step costs 1; in state 1, left and right are switched.

    Observation: Discrete(1), since the states cannot be told apart. Actions: 0 left, 1 right; left in state 0
    stays there. An episode starts in state 0 and terminates at the goal; it is truncated after 1000 steps.
    """

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 1000, **options: Any) -> None:
        super().__init__(spaces.Discrete(1), spaces.Discrete(2), num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return np.zeros(number, dtype=np.int64)

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        move = np.where((actions == RIGHT) ^ (state == 1), 1, -1)
        state = np.maximum(state + move, 0)
        return state, np.full(len(state), -1.0), state == GOAL

    def _observe(self, state: Array) -> Array:
        return np.zeros(len(state), dtype=np.int64)

    def draw(self, axes: Any, state: Array) -> None:
        """Four cells; the switched one is hatched, the goal is green, the agent a disc."""
        from matplotlib.patches import Circle, Rectangle

        axes.set(xlim=(-0.3, 4.3), ylim=(-1.1, 2.1), aspect="equal")
        for cell, (color, hatch) in enumerate(zip(["white"] * 3 + ["#009E73"], ["", "//", "", ""])):
            axes.add_patch(Rectangle((cell, 0), 1, 1, fc=color, hatch=hatch, ec="#666666", linewidth=1.5))
        axes.add_patch(Circle((int(state) + 0.5, 0.5), 0.28, fc="#0072B2", ec="white", linewidth=2))
        axes.text(1.5, -0.15, "switched", ha="center", va="top", fontsize=11)
        axes.text(3.5, -0.15, "goal", ha="center", va="top", fontsize=11)


class ShortCorridor(SingleEnv):
    __doc__ = ShortCorridorVector.__doc__
    batch_type = ShortCorridorVector
