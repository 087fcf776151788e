"""Two rooms: a task with two decisions, so small that its policy gradient can be computed exactly."""

from __future__ import annotations

from typing import Any

import numpy as np

from pglesson.envs.batch import Array, SingleEnv
from pglesson.envs.finite_mdp import FiniteMDP, FiniteMDPVector

TWO_ROOMS = FiniteMDP(
    transitions=np.array([[[0, 0], [0, 1]], [[1, 0], [0, 0.5]]]),  # hall: leave, enter; study: go back, search
    rewards=[[1, 0], [0, 2]],
    start=[1, 0],
)


class TwoRoomsVector(FiniteMDPVector):
    """A hall with a coin in it, and a study behind it with a treasure.

    State 0, the hall: action 0 takes the coin, a reward of 1, and leaves, which ends the episode; action 1 enters the
    study. State 1, the study: action 0 goes back into the hall; action 1 searches, a reward of 2, after which the
    episode ends with probability 1/2. An episode starts in the hall and is truncated after 200 steps. Entering pays
    only if the agent then searches, and it can learn to search only after it has entered.
    """

    mdp = TWO_ROOMS

    def draw(self, axes: Any, state: Array) -> None:
        """Both rooms from above, the agent a disc."""
        from matplotlib.patches import Circle, Rectangle

        axes.set(xlim=(-0.4, 3.4), ylim=(-0.8, 1.7), aspect="equal")
        for x, name in enumerate(("hall: coin 1", "study: treasure 2")):
            axes.add_patch(Rectangle((1.5 * x, 0), 1.5, 1.2, fc="white", ec="#666666", linewidth=2))
            axes.text(1.5 * x + 0.75, -0.12, name, ha="center", va="top", fontsize=10)
        axes.add_patch(Circle((1.5 * int(state) + 0.75, 0.6), 0.25, fc="#0072B2", ec="white", linewidth=2))


class TwoRooms(SingleEnv):
    __doc__ = TwoRoomsVector.__doc__
    batch_type = TwoRoomsVector
