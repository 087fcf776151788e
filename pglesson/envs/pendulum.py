"""Gymnasium's Pendulum-v1, many at once; a single one is Gymnasium's own."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.envs.classic_control.pendulum import DEFAULT_X, DEFAULT_Y, angle_normalize

from pglesson.envs.batch import Array, BatchEnv

MAX_SPEED, MAX_TORQUE, TIME_STEP, GRAVITY = 8, 2.0, 0.05, 10.0  # rad/s, N m, s, m/s^2


class PendulumVector(BatchEnv):
    """The physics of Pendulum-v1 over whole arrays; mass and length are 1, the angle is zero upright.

    State: angle in rad (not wrapped) and angular velocity in rad/s, float64. Observation: Box, the cosine and
    sine of the angle and the velocity. Action: Box(-2, 2, (1,)), a torque in N m, clipped to that range.
    Reward: -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), before the step, with the angle in [-pi, pi).
    Truncated after 200 steps; never terminates.
    """

    metadata = BatchEnv.metadata | {"render_modes": []}

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 200, **options: Any) -> None:
        high = np.array([1.0, 1.0, MAX_SPEED], dtype=np.float32)
        seen, actions = spaces.Box(-high, high), spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,), dtype=np.float32)
        super().__init__(seen, actions, num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return self.np_random.uniform([-DEFAULT_X, -DEFAULT_Y], [DEFAULT_X, DEFAULT_Y], (number, 2))

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        # Gymnasium's order of operations and its float32 torque, so that the states stay equal bit for bit
        angle, speed = state.T
        torque = np.clip(actions, -MAX_TORQUE, MAX_TORQUE)[:, 0]
        cost = angle_normalize(angle) ** 2 + 0.1 * speed**2 + 0.001 * torque**2
        speed = speed + (3 * GRAVITY / 2 * np.sin(angle) + 3.0 * torque) * TIME_STEP
        speed = np.clip(speed, -MAX_SPEED, MAX_SPEED)
        return np.stack([angle + speed * TIME_STEP, speed], 1), -cost, np.zeros(len(state), dtype=bool)

    def _observe(self, state: Array) -> Array:
        angle, speed = state.T
        return np.stack([np.cos(angle), np.sin(angle), speed], 1, dtype=np.float32)
