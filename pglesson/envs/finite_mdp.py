"""Tasks given by tables: few states, few actions, every probability known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike

from pglesson.envs.batch import Array, BatchEnv


@dataclass(frozen=True, eq=False)
class FiniteMDP:
    """A finite Markov decision process with episodes.

    transitions: (states, actions, states), p(s'|s, a); 1 minus a row's sum is the probability that the episode ends
    rewards:     (states, actions), the reward of a step, which does not depend on the next state
    start:       (states,), the distribution of the first state
    Raises ValueError for shapes that do not fit and for probabilities that are not valid.
    """

    transitions: ArrayLike
    rewards: ArrayLike
    start: ArrayLike

    def __post_init__(self) -> None:
        for name in ("transitions", "rewards", "start"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=float))
        p, r, d = np.asarray(self.transitions), np.asarray(self.rewards), np.asarray(self.start)
        if r.ndim != 2 or p.shape != (*r.shape, len(r)) or d.shape != (len(r),):
            raise ValueError(
                f"transitions, rewards and start have the shapes {p.shape}, {r.shape} and {d.shape}, but must have "
                "(states, actions, states), (states, actions) and (states,)."
            )
        if not ((p >= 0).all() and (p.sum(-1) <= 1 + 1e-9).all() and (d >= 0).all() and abs(d.sum() - 1) < 1e-9):
            raise ValueError(
                "transitions and start must hold probabilities. None may be negative: the smallest here is "
                f"{min(p.min(), d.min()):g}. The rows of transitions may sum up to 1, the rest ends the episode: the "
                f"largest here sums to {p.sum(-1).max():g}. start must sum to 1: here it sums to {d.sum():g}."
            )


class FiniteMDPVector(BatchEnv):
    """Plays the table `mdp`. Observation: Discrete, the state. Actions: Discrete. Rewards as in the table."""

    mdp: FiniteMDP

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 200, **options: Any) -> None:
        self._transitions, self._rewards = np.asarray(self.mdp.transitions), np.asarray(self.mdp.rewards)
        states, actions = self._rewards.shape
        # cumulative probabilities of the next states; beyond the last of them the episode ends
        self._cumulative = np.append(self._transitions, np.ones((states, actions, 1)), -1)
        self._cumulative[..., :-1] = self._transitions.cumsum(-1)
        super().__init__(spaces.Discrete(states), spaces.Discrete(actions), num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return self.np_random.choice(len(self._rewards), number, p=np.asarray(self.mdp.start))

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        uniform = self.np_random.random((len(state), 1))
        following = (uniform >= self._cumulative[state, actions]).sum(1)
        over = following >= len(self._rewards)
        return np.where(over, state, following), self._rewards[state, actions], over

    def _observe(self, state: Array) -> Array:
        return state.copy()
