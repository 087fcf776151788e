"""Gymnasium's CartPole-v1, many at once; a single one is Gymnasium's own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv

GRAVITY, FORCE, TIME_STEP = 9.8, 10.0, 0.02  # m/s^2, N, s
POLE_MASS, TOTAL_MASS, HALF_LENGTH = 0.1, 1.1, 0.5  # kg, kg, m
MAX_POSITION, MAX_ANGLE = 2.4, 12 * 2 * math.pi / 360  # m, rad


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
        x, speed, angle, spin = state.T
        cos, sin = np.cos(angle), np.sin(angle)
        pushed = ((2 * actions - 1) * FORCE + POLE_MASS * HALF_LENGTH * spin**2 * sin) / TOTAL_MASS
        inertia = HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * cos**2 / TOTAL_MASS)
        angular = (GRAVITY * sin - cos * pushed) / inertia
        linear = pushed - POLE_MASS * HALF_LENGTH * angular * cos / TOTAL_MASS
        state = np.empty((4, len(actions)))
        state[0], state[1] = x + TIME_STEP * speed, speed + TIME_STEP * linear
        state[2], state[3] = angle + TIME_STEP * spin, spin + TIME_STEP * angular
        fallen = (np.abs(state[0]) > MAX_POSITION) | (np.abs(state[2]) > MAX_ANGLE)
        return state.T, np.ones(len(actions), dtype=np.float32), fallen

    def _observe(self, state: Array) -> Array:
        return state.astype(np.float32)
