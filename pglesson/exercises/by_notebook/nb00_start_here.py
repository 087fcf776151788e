"""Exercises of notebook 00."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal


def _scattered(agents: int, episodes: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(agents, episodes))


NEW_RATE = Exercise(
    name="new_rate",
    objective="train agents by policy gradients and move a knob while they learn",
    starter="""# 40 updates in all; the knob was moved after the 25th, and Step pressed three times.
# How many of the 40 updates used the new learning rate?
answer = ...""",
    solution="""answer = 40 - 25""",
    hints=(
        "Which is the first update that uses the new rate? The table says when a move begins to count.",
        "The 26th is the first, and the 40th the last. What sort of update does Step make?",
        "40 - 25: it makes no difference whether Step or Start asked for an update.",
    ),
    why="A knob acts from the next update on, and never backward: the weights keep what the old setting taught them.",
    judge=NumberJudge(
        15.0,
        {
            12.0: "you left out the three of Step. A Step is one update like any other, and it uses the new rate.",
            18.0: "you counted the three of Step twice. They are among the 40.",
            40.0: "a move does not change the past: the updates before it used the old rate.",
            25.0: "those are the updates before the move. Count the ones after it.",
            28.0: "those are the updates until Start was pressed again. The new rate begins earlier, and stays.",
            14.0: "the first update after the move counts already: a move counts from the next update on.",
            16.0: "the 25th update was over when the knob moved. The first with the new rate is the 26th.",
            3.0: "Step is not the only button that uses the new rate. Start goes on with it.",
            0.0: "no Reset is needed: a knob may be moved at any time.",
            240.0: "those are episodes, sixteen for each update. The question is for updates.",
            15 / 40: "that is the share of them. How many are they?",
            13.0: "Step made three updates, and all of them used the new rate: a move counts from the next update on.",
            22.0: "you took the three of Step away from the 25. They came after the move: count what is left of the "
            "40.",
        },
        otherwise="this is not it. Which update is the first to use the new rate, and which is the last?",
    ),
)

POINTS = Exercise(
    name="points",
    objective="read a learning curve",
    starter='''def points(returns):
    """Returns (agents, episodes) -> the height of each faint line, (agents,), and that of the dark line, ()."""
    ...


answer = points''',
    solution='''def points(returns):
    """Returns (agents, episodes) -> the height of each faint line, (agents,), and that of the dark line, ()."""
    faint = returns.mean(1)
    return faint, faint.mean()


answer = points''',
    hints=(
        "A faint line is one agent. Which axis of `returns` do you have to remove, and how?",
        "returns.mean(1) averages over the episodes and leaves one number for each agent.",
        "The dark line is the mean of those. Return both, with a comma between them.",
    ),
    why="Every point of a learning curve is an average, first over an agent's episodes, then over the agents. The "
    "faint lines show how much the second average hides.",
    judge=judge_function(
        lambda returns: (returns.mean(1), returns.mean()),
        [
            Case("three agents with two episodes each", (20 + 5 * _scattered(3, 2, seed=0),)),
            Case("four agents with four episodes each", (20 + 5 * _scattered(4, 4, seed=1),)),
            Case("ten agents with sixteen episodes each", (20 + 5 * _scattered(10, 16, seed=2),)),
            Case("a single agent", (20 + 5 * _scattered(1, 5, seed=3),)),
            Case("a single episode", (20 + 5 * _scattered(5, 1, seed=4),)),
            Case("equal returns", (np.full((3, 4), 9.0),)),
            Case("negative returns", (-100 + 5 * _scattered(3, 6, seed=5),)),
        ],
        [
            Mistake(
                "these are sums over the episodes, and over the agents too. A point is a mean, or it would double "
                "with twice the episodes.",
                lambda r: (r.sum(1), r.sum()),
            ),
            Mistake(
                "you averaged over the agents, and got one number for each episode. A faint line is one agent: "
                "average over its episodes.",
                lambda r: (r.mean(0), r.mean()),
            ),
            Mistake(
                "these are sums over the episodes. A point is their mean, or it would double with twice the episodes.",
                lambda r: (r.sum(1), r.sum(1).mean()),
            ),
            Mistake(
                "the dark line is a sum over the agents here. It is their mean, and lies among the faint lines.",
                lambda r: (r.mean(1), r.mean(1).sum()),
            ),
            Mistake(
                "the dark line is a median here. The text calls it the mean of the ten.",
                lambda r: (r.mean(1), np.median(r.mean(1))),
            ),
            Mistake(
                "your dark line is the best agent's. It is the mean of all of them: the best one alone promises "
                "too much.",
                lambda r: (r.mean(1), r.mean(1).max()),
            ),
            Mistake(
                "your faint lines show each agent's best episode. Its mean is asked for.",
                lambda r: (r.max(1), r.max(1).mean()),
            ),
            Mistake(
                "your faint lines show each agent's last episode. All of them count, and their mean is asked for.",
                lambda r: (r[:, -1], r[:, -1].mean()),
            ),
            Mistake(
                "your faint lines show each agent's first episode. All of them count, and their mean is asked for.",
                lambda r: (r[:, 0], r[:, 0].mean()),
            ),
            Mistake(
                "the two are in the wrong order: first the faint lines, then the dark one.",
                lambda r: (r.mean(), r.mean(1)),
            ),
            Mistake("these are the faint lines alone. Return the dark one too, after a comma.", lambda r: r.mean(1)),
            Mistake(
                "this is the dark line alone. Return the faint ones too, before it and with a comma between.",
                lambda r: r.mean(),
            ),
            Mistake(
                "the dark line is one number at each update. Yours has one for each episode: average over these, too.",
                lambda r: (r.mean(1), r.mean(0)),
            ),
            Mistake(
                "your second number says how far the agents lie apart. The dark line is their mean.",
                lambda r: (r.mean(1), r.mean(1).std()),
            ),
            Mistake(
                "your dark line is the first agent's. It is the mean of all of them.",
                lambda r: (r.mean(1), r.mean(1)[0]),
            ),
            Mistake(
                "both are medians here. The curve draws means: one episode with a high return counts in them, too.",
                lambda r: (np.median(r, 1), np.median(r)),
            ),
            Mistake(
                "these are the returns themselves. A faint line has one point for each update: the mean of its "
                "agent's episodes.",
                lambda r: (r, r.mean()),
            ),
            Mistake(
                "you divided by the number of agents. An agent's mean is over its own episodes: divide by how many "
                "those are.",
                lambda r: (r.sum(1) / len(r), r.sum(1).mean() / len(r)),
            ),
            Mistake(
                "you divide by 16, however many episodes there are. Take the mean.",
                lambda r: (r.sum(1) / 16, (r.sum(1) / 16).mean()),
            ),
        ],
    ),
)

MOVES = Exercise(
    name="moves",
    objective="read a learning curve",
    starter="""# the curve above, at 560 on its axis: how often have the weights of one agent been moved by then?
answer = ...""",
    solution="""answer = 560 / 16""",
    hints=(
        "What does the horizontal axis count? Look at its label.",
        "It counts the episodes of one agent. How many of them does one update play?",
        "Sixteen episodes, then one move of the weights: 560 / 16.",
    ),
    why="An agent plays first, learns once from all of it, and throws it away. So policy "
    "gradients need many episodes: 560 for 35 moves. Notebooks 06 and 07 are about getting more out of each move.",
    judge=NumberJudge(
        35.0,
        {
            560.0: "those are the episodes. The weights do not move after each, but once for each update.",
            5600.0: "those are the episodes of all ten agents. The question is for one agent, and for its updates.",
            350.0: "those are the moves of all ten agents together. Each has weights of its own; count one agent's.",
            16.0: "those are the episodes that one update plays. How often did that happen?",
            56.0: "you divided by the number of agents. The axis counts the episodes of *one* agent already.",
            3.5: "you divided by ten agents too. The axis counts the episodes of *one* agent already.",
            8960.0: "you multiplied by 16. An update plays 16 episodes, so there are fewer updates than episodes.",
            1.0: "the loop runs more than once: each of its records is an update with one move.",
            34.0: "nearly: the last update moves the weights too.",
            40.0: "that is the whole training. The question is for the place 560.",
            5.0: "so many are left until 640. How many were made by 560?",
            36.0: "nearly: before its first episodes an agent has not moved yet.",
        },
        tolerance=0.001,
        otherwise="this is not it. How many episodes does one update play before it moves the weights?",
    ),
)


def _first_return(rewards: Tensor, gamma: float) -> Tensor:
    return sum((gamma**k * reward for k, reward in enumerate(rewards)), torch.zeros(()))


def _all_returns(rewards: Tensor, gamma: float) -> Tensor:
    return torch.stack([_first_return(rewards[t:], gamma) for t in range(len(rewards))])


def _scaled(scale: Any) -> Any:
    """A model that weighs reward k of n by `scale(gamma, k, n)`."""
    return lambda rewards, gamma: sum(scale(gamma, k, len(rewards)) * reward for k, reward in enumerate(rewards))


FIRST_RETURN = Exercise(
    name="first_return",
    objective="say how far ahead an agent looks",
    starter='''def first_return(rewards, gamma):
    """The rewards of an episode, (steps,), and gamma -> the return at its first time step, G_0."""
    ...


answer = first_return''',
    solution='''def first_return(rewards, gamma):
    """The rewards of an episode, (steps,), and gamma -> the return at its first time step, G_0."""
    total = 0.0
    for k, reward in enumerate(rewards):
        total += gamma**k * reward
    return total


answer = first_return''',
    hints=(
        "Write the formula for G_0 and three rewards on paper. Which power of gamma stands before each?",
        "The first reward counts in full, the next gamma times, then gamma * gamma times.",
        "enumerate(rewards) gives you k and the reward; add up gamma**k * reward.",
    ),
    why="Numbers like this one, one for each step, are all that REINFORCE learns from: what raises them becomes more "
    "probable.",
    judge=judge_function(
        _first_return,
        [
            Case("the rewards 0, 0, 1 and gamma 0.5", (torch.tensor([0.0, 0.0, 1.0]), 0.5)),
            Case("the rewards 1, 2, 3 and gamma 0.9", (torch.tensor([1.0, 2.0, 3.0]), 0.9)),
            Case("an episode of one step", (torch.tensor([-2.0]), 0.9)),
            Case("gamma 0", (torch.tensor([3.0, 1.0, 2.0]), 0.0)),
            Case("gamma 1", (torch.tensor([3.0, -1.0, 2.0]), 1.0)),
            Case("equal rewards", (torch.ones(6), 0.8)),
            Case("an episode of twelve steps", (normal(12, seed=6), 0.95)),
        ],
        [
            Mistake(
                "gamma makes no difference in your function. A reward that lies k steps ahead counts gamma**k times.",
                lambda r, g: r.sum(),
            ),
            Mistake(
                "you begin to discount one step too early: the first reward counts in full.",
                _scaled(lambda g, k, n: g ** (k + 1)),
            ),
            Mistake(
                "you discount from the wrong end: here the last reward counts in full. The nearest one must.",
                _scaled(lambda g, k, n: g ** (n - 1 - k)),
            ),
            Mistake(
                "you discount from the wrong end, and one step too early. The first reward counts in full, the next "
                "gamma times, and so on.",
                _scaled(lambda g, k, n: g ** (n - k)),
            ),
            Mistake("these are the returns at every time step. The first of them is asked for.", _all_returns),
            Mistake(
                "you took the mean. The return is a sum: a longer episode may be worth more.",
                lambda r, g: _first_return(r, g) / len(r),
            ),
            Mistake(
                "every reward but the first is discounted by the same gamma. Each further step costs one gamma more.",
                _scaled(lambda g, k, n: g if k else 1.0),
            ),
            Mistake(
                "every reward is discounted by the same gamma. Each step ahead costs one gamma more, and the first "
                "costs none.",
                _scaled(lambda g, k, n: g),
            ),
            Mistake(
                "you multiplied gamma by the number of steps. It is raised to that power.",
                _scaled(lambda g, k, n: g * k),
            ),
            Mistake(
                "you left out the first reward. It follows the first action, so it belongs to G_0.",
                lambda r, g: _first_return(r, g) - r[0],
            ),
            Mistake(
                "you divide by powers of gamma, so that far rewards count more. They count less: multiply.",
                _scaled(lambda g, k, n: g**-k),
            ),
            Mistake(
                "only the last reward is left. Add to the sum in each turn of the loop instead of starting again.",
                lambda r, g: g ** (len(r) - 1) * r[-1],
            ),
            Mistake(
                "this is the first reward alone. If you have a loop, it ends in its first turn: indent the return "
                "less.",
                lambda r, g: r[0],
            ),
            Mistake(
                "you left out the first reward and begin to count at the second. The first follows the first action, "
                "and it counts in full.",
                lambda r, g: _first_return(r[1:], g),
            ),
            Mistake(
                "you left out the last reward. range(n) ends at n - 1 already.", lambda r, g: _first_return(r[:-1], g)
            ),
            Mistake(
                "this is the return at the last time step. The one at the first step is asked for.", lambda r, g: r[-1]
            ),
            Mistake(
                "the rewards are weighted, but not added up. The return is one number: their sum.",
                lambda r, g: r * g ** torch.arange(len(r)),
            ),
            Mistake(
                "gamma is the argument of that name. You took 0.99, whatever it is.",
                lambda r, g: _first_return(r, 0.99),
            ),
            Mistake(
                "you multiplied by 1 - gamma as well. The return is the plain sum of the weighted rewards.",
                lambda r, g: (1 - g) * _first_return(r, g),
            ),
            Mistake(
                "base and exponent are swapped: gamma is raised to the number of steps.", _scaled(lambda g, k, n: k**g)
            ),
            Mistake(
                "the weights are divided by their sum, which makes a mean of it. The return is a sum.",
                lambda r, g: r @ (w := g ** torch.arange(len(r))) / w.sum(),
            ),
        ],
    ),
)

LOOK_AHEAD = Exercise(
    name="look_ahead",
    objective="say how far ahead an agent looks",
    starter="""# which gamma lets an agent look about twenty steps ahead?
answer = ...""",
    solution="""answer = 1 - 1 / 20""",
    hints=(
        "With gamma = 0.99 an agent looks about a hundred steps ahead. Which formula said so?",
        "1 / (1 - gamma) = 20. Solve it for gamma.",
        "1 - gamma = 1 / 20.",
    ),
    why="gamma sets a horizon: 0.9 is ten steps, 0.95 twenty, 0.99 a hundred. A reward several horizons "
    "away hardly teaches the agent anything.",
    judge=NumberJudge(
        0.95,
        {
            0.05: "that is 1 - gamma. An agent with gamma = 0.05 hardly sees beyond its next reward.",
            20.0: "that is the horizon itself. gamma lies between 0 and 1.",
            0.9: "with 0.9 an agent looks ten steps ahead, half as far.",
            0.99: "with 0.99 an agent looks a hundred steps ahead, five times as far.",
            0.98: "with 0.98 an agent looks fifty steps ahead. Solve 1 / (1 - gamma) = 20.",
            0.8: "with 0.8 an agent looks five steps ahead. You may have read 20 as a percentage.",
            0.2: "with 0.2 an agent hardly sees beyond its next reward. The larger gamma, the farther it looks.",
            0.5: "with 0.5 an agent looks two steps ahead.",
            1.0: "with 1 there is no horizon: all that follows counts in full, however far ahead.",
            0.0: "with 0 only the next reward counts.",
            95.0: "as a percentage that is right. gamma lies between 0 and 1.",
            20
            / 21: "with it gamma + gamma^2 + ... adds up to 20. The first reward counts in full, so the sum is 1 / (1 "
            "- gamma).",
            0.951229: "there a reward twenty steps ahead counts a third. That is nearly it; take the sum, 1 / (1 - "
            "gamma) = 20.",
            0.965936: "there a reward twenty steps ahead counts half. Here the horizon is the sum of all weights, 1 / "
            "(1 - gamma).",
            0.95**20: "that is gamma**20 with the right gamma, the weight of a reward twenty steps ahead. Give gamma.",
            0.96: "with 0.96 an agent looks twenty-five steps ahead.",
            0.94: "with 0.94 an agent looks about seventeen steps ahead.",
            0.995: "with 0.995 an agent looks two hundred steps ahead.",
            0.975: "with 0.975 an agent looks forty steps ahead, twice as far.",
            1.05: "gamma lies between 0 and 1. Solve 1 / (1 - gamma) = 20, and mind the sign.",
        },
        tolerance=0.001,
        otherwise="this is not it. How far does an agent look with that gamma, by 1 / (1 - gamma)?",
    ),
)

EXERCISES = (NEW_RATE, POINTS, MOVES, FIRST_RETURN, LOOK_AHEAD)
