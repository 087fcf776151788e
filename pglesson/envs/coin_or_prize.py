"""Coin or prize: a small reward at once, or a larger one after seven steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from pglesson.envs.batch import Array, SingleEnv
from pglesson.envs.finite_mdp import FiniteMDP, FiniteMDPVector

CELLS, COIN, PRIZE = 7, 1.0, 10.0


def _table() -> FiniteMDP:
    transitions, rewards = np.zeros((CELLS, 2, CELLS)), np.zeros((CELLS, 2))
    for cell in range(CELLS - 1):
        transitions[cell, 1, cell + 1] = 1  # action 1 goes on; action 0 ends the episode, as the last cell does
    rewards[0, 0], rewards[-1, 1] = COIN, PRIZE
    return FiniteMDP(transitions, rewards, np.eye(CELLS)[0])


COIN_OR_PRIZE = _table()


class CoinOrPrizeVector(FiniteMDPVector):
    """A corridor of seven cells, with a coin at its entrance and a prize at its end.

    In the first cell, action 0 takes the coin, a reward of 1, and ends the episode. Action 1 goes on, and in the last
    cell it takes the prize, a reward of 10. In any other cell, action 0 ends the episode with no reward. An episode
    starts in the first cell and takes seven steps at most. Going on pays only if action 0 is rare: under random actions
    it is worth 10 / 64, less than the coin.
    """

    mdp = COIN_OR_PRIZE

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = None, **options: Any) -> None:
        super().__init__(num_envs, max_episode_steps, **options)

    def draw(self, axes: Any, state: Array) -> None:
        """The cells from above, the agent a disc."""
        from matplotlib.patches import Circle, Rectangle

        axes.set(xlim=(-0.3, CELLS + 0.3), ylim=(-1.2, 2.2), aspect="equal")
        for cell in range(CELLS):
            axes.add_patch(Rectangle((cell, 0), 1, 1, fc="white", ec="#666666", linewidth=1.5))
        axes.text(0.5, -0.15, "coin 1", ha="center", va="top", fontsize=11)
        axes.text(CELLS - 0.5, -0.15, "prize 10", ha="center", va="top", fontsize=11)
        axes.add_patch(Circle((int(state) + 0.5, 0.5), 0.3, fc="#0072B2", ec="white", linewidth=2))


class CoinOrPrize(SingleEnv):
    __doc__ = CoinOrPrizeVector.__doc__
    batch_type = CoinOrPrizeVector
