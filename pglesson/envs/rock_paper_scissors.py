"""Rock-paper-scissors against a chosen opponent: the smallest task whose best policy is random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from pglesson.envs.batch import Array, BatchEnv, SingleEnv

MOVES = ("rock", "paper", "scissors")
PAYOFF = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])  # [own move, opponent's move]
_NAMED = dict(zip(MOVES, np.eye(3))) | {"uniform": np.full(3, 1 / 3), "counter": None}


class RockPaperScissorsVector(BatchEnv):
    """`rounds` rounds against one opponent: reward 1 for a win, 0 for a draw, -1 for a loss.

    The last round terminates the episode. Observation: Discrete(1), always the same. Actions: 0 rock,
    1 paper, 2 scissors. opponent: "rock", "paper", "scissors", "uniform", "counter" (a best response to the
    agent's moves of the episode so far, chosen at random where there are several, as in the first round), or
    three probabilities. Raises ValueError for another opponent and for rounds < 1.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        opponent: str | Sequence[float] = "rock",
        rounds: int = 1,
        **options: Any,
    ) -> None:
        if not isinstance(rounds, (int, np.integer)) or rounds < 1:
            raise ValueError(f"rounds is {rounds!r}, but must be a whole number from 1 up, such as 10.")
        self.rounds, self.probabilities = int(rounds), _probabilities(opponent)
        super().__init__(spaces.Discrete(1), spaces.Discrete(3), num_envs, max_episode_steps, **options)

    def _start(self, number: int) -> Array:
        return np.zeros((number, 5), dtype=np.int64)  # own rocks, papers, scissors so far; the last two moves

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        number = len(actions)
        if self.probabilities is None:
            payoffs = state[:, :3] @ PAYOFF.T
            best = payoffs == payoffs.max(1, keepdims=True)
            replies = (best * (0.5 + self.np_random.random((number, 3)))).argmax(1)
        else:
            replies = self.np_random.choice(3, number, p=self.probabilities)
        state = state.copy()
        state[np.arange(number), actions] += 1
        state[:, 3], state[:, 4] = actions, replies
        return state, PAYOFF[actions, replies], state[:, :3].sum(1) >= self.rounds

    def _observe(self, state: Array) -> Array:
        return np.zeros(len(state), dtype=np.int64)

    def draw(self, axes: Any, state: Array) -> None:
        """Both moves of the last round and who won it."""
        axes.set(xlim=(0, 3), ylim=(0, 2))
        if not state[:3].sum():
            axes.text(1.5, 1, "not played yet", ha="center", va="center", fontsize=13)
            return
        own, reply = state[3:]
        result = {1.0: "won", 0.0: "drawn", -1.0: "lost"}[float(PAYOFF[own, reply])]
        for x, who, move, color in ((0.8, "agent", own, "#0072B2"), (2.2, "opponent", reply, "#D55E00")):
            axes.text(x, 1.55, who, ha="center", fontsize=11)
            axes.text(x, 1.1, MOVES[move], ha="center", fontsize=15, color=color, weight="bold")
        axes.text(1.5, 0.45, f"round {state[:3].sum()} of {self.rounds}: {result}", ha="center", fontsize=12)


def _probabilities(opponent: str | Sequence[float]) -> Array | None:
    if isinstance(opponent, str) and opponent in _NAMED:
        return _NAMED[opponent]
    try:
        given = np.asarray(opponent, dtype=float)
        if given.shape == (3,) and bool((given >= 0).all()) and abs(given.sum() - 1) < 1e-6:
            return given / given.sum()
    except (TypeError, ValueError):
        pass
    raise ValueError(
        f"opponent is {opponent!r}, but must be one of {', '.join(map(repr, _NAMED))}, or three "
        "probabilities (rock, paper, scissors) that are not negative and sum to 1, such as (0.5, 0.25, 0.25)."
    )


class RockPaperScissors(SingleEnv):
    __doc__ = RockPaperScissorsVector.__doc__
    batch_type = RockPaperScissorsVector
