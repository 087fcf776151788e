"""An arm in the plane that reaches for a target: one continuous action for each of its 1 to 7 joints."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv, SingleEnv

MAX_SPEED = 0.3  # radians a time step, at action 1: any joint angle can be reached within 11 steps


class PlanarArmVector(BatchEnv):
    """`joints` links of length 1 / joints, hinged at the origin; the last one ends in the hand.

    Reward: minus the distance from hand to target after the step, in arm lengths, so in [-2, 0]. Action:
    Box(-1, 1, (joints,)), the joints' velocities in units of MAX_SPEED, clipped to that range. Observation:
    Box, the cosines and then the sines of the joint angles, each relative to the link before (joints values
    each), and the vector from hand to target in arm lengths (2). An episode starts at random angles, with a
    target that some other random angles reach, and is truncated after 50 steps; it never terminates. Raises
    ValueError unless joints is a whole number from 1 to 7.
    """

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 50, joints: int = 2, **options: Any) -> None:
        if not isinstance(joints, (int, np.integer)) or not 1 <= joints <= 7:
            raise ValueError(f"joints is {joints!r}, but must be a whole number from 1 to 7, such as 2.")
        self.joints = int(joints)
        high = np.array([1.0] * 2 * self.joints + [2.0] * 2, dtype=np.float32)
        seen, actions = spaces.Box(-high, high), spaces.Box(-1, 1, (self.joints,), dtype=np.float32)
        super().__init__(seen, actions, num_envs, max_episode_steps, **options)

    def elbows(self, angles: Array) -> Array:
        """The ends of the links in arm lengths, hand last: angles (..., joints), rad -> (..., joints, 2)."""
        heading = angles.cumsum(-1)
        return np.stack([np.cos(heading), np.sin(heading)], -1).cumsum(-2) / self.joints

    def _start(self, number: int) -> Array:
        angles, goal = self.np_random.uniform(-np.pi, np.pi, (2, number, self.joints))
        return np.concatenate([angles, self.elbows(goal)[:, -1]], 1)  # angles, target x and y

    def _to_target(self, state: Array) -> Array:
        heading = state[:, : self.joints].cumsum(1)  # only the hand: `elbows` would compute the other ends too
        return state[:, self.joints :] - np.stack([np.cos(heading).mean(1), np.sin(heading).mean(1)], 1)

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        state = state.copy()
        state[:, : self.joints] += MAX_SPEED * np.clip(actions, -1, 1)
        return state, -np.hypot(*self._to_target(state).T), np.zeros(len(state), dtype=bool)

    def _observe(self, state: Array) -> Array:
        angles = state[:, : self.joints]
        return np.concatenate([np.cos(angles), np.sin(angles), self._to_target(state)], 1, dtype=np.float32)

    def draw(self, axes: Any, state: Array) -> None:
        """The arm in blue with a black hinge and an orange hand; the target is a ring, the reach a circle."""
        points = np.vstack([np.zeros((1, 2)), self.elbows(state[: self.joints])])
        turn = np.linspace(0, 2 * np.pi, 80)
        axes.set(xlim=(-1.65, 1.65), ylim=(-1.1, 1.1), aspect="equal")
        axes.plot(np.cos(turn), np.sin(turn), color="#888888", linewidth=1)
        axes.plot(*state[self.joints :], "o", markersize=17, mfc="none", mec="#D55E00", mew=3)
        axes.plot(*points.T, "-o", color="#0072B2", linewidth=4, markersize=7, solid_capstyle="round")
        axes.plot(*points[0], "ks", markersize=8)
        axes.plot(*points[-1], "o", color="#D55E00", markersize=9)


class PlanarArm(SingleEnv):
    __doc__ = PlanarArmVector.__doc__
    batch_type = PlanarArmVector
