"""Gymnasium's CartPole-v1, many at once; a single one is Gymnasium's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv

GRAVITY, TIME_STEP = 9.8, 0.02  # m/s^2, s
FORCE = np.array([-10.0, 10.0])  # of each action, in N
POLE_MASS, TOTAL_MASS, HALF_LENGTH = 0.1, 1.1, 0.5  # kg, kg, m
MAX_POSITION, MAX_ANGLE = 2.4, 12 * 2 * math.pi / 360  # m, rad
LIMITS = np.array([[MAX_POSITION], [MAX_ANGLE]])


class CartPoleVector(BatchEnv):
    """The physics of CartPole-v1 over whole arrays: Barto, Sutton & Anderson (1983).

    State: cart position in m and velocity, pole angle in rad (zero upright) and angular velocity, float64. Observation:
    Box, the same as float32. Action: Discrete, 0 pushes to the left, 1 to the right. Reward: 1 a step. Terminated when
    the cart leaves +-2.4 m or the pole +-12 degrees; truncated after 500 steps.
    """

    metadata = BatchEnv.metadata | {"render_modes": []}

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 500, **options: Any) -> None:
        high = np.array([2 * MAX_POSITION, np.inf, 2 * MAX_ANGLE, np.inf], dtype=np.float32)
        super().__init__(spaces.Box(-high, high), spaces.Discrete(2), num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return self.np_random.uniform(-0.05, 0.05, (4, number)).T  # drawn in Gymnasium's order

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        # Gymnasium's order of operations, so that the states stay equal bit for bit
        _, speed, angle, spin = state.T
        cos, sin = np.cos(angle), np.sin(angle)
        pushed = (FORCE[actions] + POLE_MASS * HALF_LENGTH * (spin * spin) * sin) / TOTAL_MASS
        inertia = HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cos * cos) / TOTAL_MASS)
        change = np.empty((4, len(actions)))  # per second
        change[0], change[2] = speed, spin
        change[3] = (GRAVITY * sin - cos * pushed) / inertia
        change[1] = pushed - POLE_MASS * HALF_LENGTH * change[3] * cos / TOTAL_MASS
        following = state.T + TIME_STEP * change
        beyond = np.abs(following[::2]) > LIMITS
        return following.T, np.ones(len(actions), dtype=np.float32), beyond[0] | beyond[1]

    def _observe(self, state: Array) -> Array:
        return state.astype(np.float32)
