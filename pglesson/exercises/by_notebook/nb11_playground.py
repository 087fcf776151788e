"""Exercises of notebook 11."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise, Outcome
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal

OWN = "train your own environment and your own network in it"

LIVE = Exercise(
    name="live",
    objective="put a question to any task and any knob of this lesson",
    starter="""# 20 updates; episodes goes from 16 to 32, and gamma from 0.99 to 0.9, after update 10. No Reset.
# how many episodes has each agent played in the end?
answer = ...""",
    solution="""answer = 20 * 16""",
    hints=(
        "Which of the two is a knob beside the figure, and which stands under What shapes a run?",
        "A run keeps its shape from start to end; only gamma moved.",
        "20 updates of 16 episodes each.",
    ),
    why="The 32 waits for the next Reset, and gamma counted from update 11 on. So a question about a knob can be put "
    "to a running agent, and one about the shape of a run needs a new run, beside the pinned old one.",
    judge=NumberJudge(
        320.0,
        {
            11 * 16 + 9 * 32: "you let the 32 count "
            "from update 12 on. Episodes shapes the run, and waits for the next Reset.",
            10 * 16
            + 10
            * 16
            * 0.9: "gamma does not change how many episodes are played: it says how much later rewards count.",
            48.0: "those are two updates, and the second of a run that was never begun.",
            480.0: "you let the 32 count from update 11 on. That is how gamma moves; episodes shapes the run, and "
            "waits for the next Reset.",
            496.0: "you let the 32 count from update 10 on. Episodes shapes the run, and waits for the next Reset.",
            640.0: "you took 32 from the beginning. What was played cannot change, and the 32 waits for a Reset.",
            160.0: "that is the first half. After update 10 the run goes on as it was.",
            3200.0: "that is what ten agents play together. How many does each?",
            4800.0: "that is what ten agents would play together, were the 32 to count at once. It waits for a Reset.",
            20.0: "that is the number of updates. How many episodes are played for each?",
            16.0: "that is one update. There are 20.",
            32.0: "each agent plays the 16 episodes of an update by itself: nothing is divided by ten. (Or is it the "
            "32 of one update? That run was never begun.)",
            336.0: "that is 21 updates. The first is number 1, so there are 20.",
        },
        tolerance=1e-6,
        otherwise="this is not it. Multiply the number of updates by the episodes that each of them really had.",
    ),
)

CHANCE = Exercise(
    name="chance",
    objective="compare up to seven runs in one figure",
    starter="""# seven runs that differ in nothing but the seed; each is compared with each other one, at 95 %.
# how many comparisons will call one of the two better, on average?
answer = ...""",
    solution="""answer = 7 * 6 / 2 * 0.05""",
    hints=(
        "No run is better than another, so every such call is an error. How often does one comparison err?",
        "One in twenty. How many comparisons are there among seven runs?",
        "The first is compared with six others, the second with five more, then four, ...: 21 comparisons.",
    ),
    why="Among seven runs of the very same training, about one 95 % interval will leave out zero by chance. So say "
    "before you look which two runs you mean to compare, and train again what you only found by looking.",
    judge=NumberJudge(
        1.05,
        {
            15 * 0.05: "you counted the pairs among the six pinned runs. The present run is in the figure too.",
            0.2649: "that is the probability of at least one among six. Count the pairs among seven runs, and give "
            "the average.",
            1.0: "rounded, that is it. Give the average as it is: the number of pairs times 0.05.",
            1.1: "rounded, that is it. Give the average as it is: the number of pairs times 0.05.",
            math.factorial(7) * 0.05: "those are the orders in which seven runs can stand. A comparison has two runs.",
            0.05: "that is how often a single comparison errs. There are many.",
            21.0: "that is the number of comparisons. Which share of them errs?",
            0.35: "you counted one comparison for each run. Each run is compared with every other one.",
            2.1: "you counted each pair twice, A with B and B with A. It is one comparison.",
            2.45: "you counted 7 times 7 comparisons. No run is compared with itself, and A with B is B with A.",
            1.4: "you counted the runs' comparisons with themselves, too.",
            0.3: "that would be right if only the present run were compared with the six pinned ones.",
            1
            - 0.95**21: "that is, roughly, the probability that there is at least one. How many are there on average?",
            19.95: "that is how many say that they cannot tell. The others are asked for.",
            105.0: "as a percentage of one comparison that is right. How many comparisons is it?",
            0.0: "nothing differs, and yet one comparison in twenty errs by chance: that is the meaning of 95 %.",
            0.525: "you halved once too often: 21 comparisons, a twentieth of them.",
        },
        tolerance=0.005,
        otherwise="this is not it. Count the pairs among seven runs, and take one in twenty.",
    ),
)


def _bell(observations: Tensor, w: Tensor, log_sigma: Tensor) -> tuple[Tensor, Tensor]:
    mu = observations @ w
    return mu, log_sigma.expand_as(mu)


def _weights(n: int, size: int, actions: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    return normal(n, size, seed=seed), normal(size, actions, seed=seed + 50), normal(actions, seed=seed + 99)


NETWORK = Exercise(
    name="network",
    objective=OWN,
    starter='''def forward(observations, w, log_sigma):
    """Observations (n, size), w (size, actions), log_sigma (actions,) -> mu and log sigma, each (n, actions)."""
    ...


answer = forward''',
    solution='''def forward(observations, w, log_sigma):
    """Observations (n, size), w (size, actions), log_sigma (actions,) -> mu and log sigma, each (n, actions)."""
    mu = observations @ w
    return mu, log_sigma.expand_as(mu)


answer = forward''',
    hints=(
        "Two things are given back, with a comma between them, and they have the same shape.",
        "mu is a matrix product of the observations and w.",
        "Bell, above, shows how one log sigma is given to every observation: expand.",
    ),
    why="That is all the package asks of a network for Box actions, however large. A gradient must flow into both "
    "weights, or the agent would learn the mean and never the width.",
    judge=judge_function(
        _bell,
        [
            Case("four observations of size 3, two actions", _weights(4, 3, 2, 0)),
            Case("a single observation", _weights(1, 3, 2, 1)),
            Case("a single action", _weights(5, 2, 1, 2)),
            Case("as many observations as actions", _weights(3, 2, 3, 3)),
            Case("as many numbers in an observation as actions", _weights(2, 3, 3, 5)),
            Case("an action size of 7", _weights(2, 4, 7, 4)),
        ],
        [
            Mistake(
                "log sigma has no row for each observation. It must have the shape of mu: expand it.",
                lambda x, w, s: (x @ w, s),
            ),
            Mistake(
                "log sigma has one column for all actions. Every action dimension has a sigma of its own.",
                lambda x, w, s: (x @ w, s.mean().expand(len(x), 1)),
            ),
            Mistake("log sigma comes first. The pair is (mu, log_sigma).", lambda x, w, s: (s.expand_as(x @ w), x @ w)),
            Mistake(
                "this gives sigma, and the package takes the exponential of it once more. Give its logarithm as it is.",
                lambda x, w, s: (x @ w, s.exp().expand_as(x @ w)),
            ),
            Mistake(
                "the logarithm of log_sigma was taken. The name says it: it is one already.",
                lambda x, w, s: (x @ w, s.log().expand_as(x @ w)),
            ),
            Mistake(
                "mu is squeezed by tanh or clamped. The environment clips the action; mu is free, as in notebook 09.",
                lambda x, w, s: ((x @ w).tanh(), s.expand_as(x @ w)),
                lambda x, w, s: ((x @ w).clamp(-1, 1), s.expand_as(x @ w)),
            ),
            Mistake(
                "the numbers are right, but no gradient flows into log_sigma, so the agent would never learn how "
                "widely to try. Look for .data, .detach(), torch.tensor(...) or no_grad.",
                lambda x, w, s: (x @ w, s.detach().expand_as(x @ w)),
            ),
            Mistake(
                "the numbers are right, but no gradient flows into w, so the agent would never learn where to aim. "
                "Look for .data, .detach(), torch.tensor(...) or no_grad.",
                lambda x, w, s: ((x @ w).detach(), s.expand_as(x @ w)),
            ),
            Mistake(
                "the numbers are right, but no gradient flows into w and log_sigma. Look for .data, .detach(), "
                "torch.tensor(...) or no_grad.",
                lambda x, w, s: ((x @ w).detach(), s.detach().expand_as(x @ w)),
            ),
            Mistake("only mu is given back. A bell needs its width too.", lambda x, w, s: x @ w),
            Mistake(
                "mu is the same for every observation: a mean over the batch was taken. Each row has its own.",
                lambda x, w, s: ((x.mean(0) @ w).expand_as(x @ w), s.expand_as(x @ w)),
            ),
            Mistake(
                "log sigma is zero, so sigma is always 1. Give the weight that came as the third argument.",
                lambda x, w, s: (x @ w, torch.zeros_like(x @ w)),
            ),
            Mistake(
                "log sigma was added to mu. They are two numbers of the bell: where it stands, and how wide it is.",
                lambda x, w, s: (x @ w + s, s.expand_as(x @ w)),
            ),
            Mistake(
                "mu goes through relu or softmax. It is linear, and may be below zero and above one.",
                lambda x, w, s: ((x @ w).relu(), s.expand_as(x @ w)),
                lambda x, w, s: ((x @ w).softmax(-1), s.expand_as(x @ w)),
            ),
            Mistake(
                "one log sigma is given to all action dimensions, the mean of them. Every action dimension has its "
                "own.",
                lambda x, w, s: (x @ w, s.mean().expand_as(x @ w)),
            ),
            Mistake(
                "log sigma depends on the observation. It is the same weight for every row.",
                lambda x, w, s: (x @ w, (x @ w) * s),
                lambda x, w, s: (x @ w, x @ w + s),
            ),
            Mistake(
                "mu and log sigma are put into one tensor. A pair is asked for: two of them, with a comma between.",
                lambda x, w, s: torch.cat([x @ w, s.expand_as(x @ w)], -1),
            ),
            Mistake(
                "a mean over the batch was taken. mu has a row for each observation, and log sigma too.",
                lambda x, w, s: ((x @ w).mean(0), s),
            ),
            Mistake(
                "w is transposed. Its first axis meets the numbers of an observation as it is.",
                lambda x, w, s: (x @ w.T, s.expand_as(x @ w.T)),
            ),
            Mistake(
                "the first log sigma is given to all action dimensions. Every action dimension has its own.",
                lambda x, w, s: (x @ w, s[0].expand_as(x @ w)),
            ),
        ],
        gradients=(1, 2),
    ),
)

Step = Callable[[Any, int], Any]
Rows = list[tuple[Any, ...]]  # one a step: the observation, a copy of it, the reward, terminated, truncated


def _rows(step: Step, start: float, actions: Sequence[int]) -> Rows | None:
    robot, rows = SimpleNamespace(place=np.array([start], np.float32)), []
    for action in actions:
        given = step(robot, action)
        if given is None or given is ...:
            return None
        if not isinstance(given, tuple) or len(given) != 5:
            raise ValueError("step must give five things: observation, reward, terminated, truncated and a dict.")
        observation, reward, terminated, truncated, info = given
        if not isinstance(info, dict):
            raise TypeError("the last of the five things must be a dict, such as {}.")
        rows.append((observation, np.array(observation), reward, terminated, truncated))
    return rows


def _column(*numbers: int) -> Callable[[Rows], tuple[Any, ...]]:
    return lambda rows: tuple(np.array([row[number] for row in rows], float) for number in numbers)


def _robot(
    move: Callable[[int], float] = lambda action: 2 * action - 1,
    *,
    bound: float = 5.0,
    reward: Callable[[float, float], float] = lambda before, after: -abs(after),
    ends: Callable[[float, float], tuple[bool, bool]] = lambda before, after: (abs(after) < 0.5, False),
    keep: Callable[[Any, Any], Any] = lambda before, after: after,
    stays: bool = False,
    shown: Callable[[Any, Any], Any] = lambda before, after: after,
    in_place: bool = False,
) -> Step:
    """A step, right but for what is said."""

    def step(robot: Any, action: int) -> Any:
        before = robot.place
        after = keep(before, np.clip(before + move(action), -bound, bound))
        if in_place:
            before, robot.place[:] = robot.place.copy(), after
        else:
            robot.place = before if stays else after
        terminated, truncated = ends(before[0], after[0])
        return shown(before, robot.place if in_place else after), reward(before[0], after[0]), terminated, truncated, {}

    return step


_TRACKS = [
    Case("three steps to the right, from -2.25", (-2.25, (1, 1, 1))),
    Case("two steps to the left, from 1.75", (1.75, (0, 0))),
    Case("one step to the left, from 1 to the dock", (1.0, (0,))),
    Case("there and back, from 0.25", (0.25, (1, 0, 0, 1))),
    Case("a step that ends just 0.5 from the dock", (1.5, (0,))),
    Case("steps against the right end of the track", (4.25, (1, 1, 0))),
    Case("steps against the left end of the track", (-4.75, (0, 0, 1))),
]


def _judges() -> list[tuple[Callable[[Rows], Any], Callable[[Any], Outcome | None]]]:
    """What is looked at, one after the other, and a judge for each."""
    moves, alias, reward, ends = _column(1), _column(0), _column(2), _column(3, 4)
    wrong = {
        moves: [
            (
                "the robot never goes to the left: action 0 leaves it where it is. An action is a number of a choice, "
                "not a distance.",
                _robot(lambda action: action),
            ),
            ("left and right are the wrong way round: 0 is to the left.", _robot(lambda action: 1 - 2 * action)),
            ("the robot leaves the track. It must stay between -5 and 5.", _robot(bound=math.inf)),
            (
                "the robot never goes to the left, and leaves the track. Turn 0 and 1 into -1 and 1, and stay between "
                "-5 and 5.",
                _robot(lambda action: action, bound=math.inf),
            ),
            (
                "the observation is where the robot stood before the move. Show where it stands now.",
                _robot(shown=lambda before, after: before.copy()),
            ),
            (
                "the observation is a bare number. The observation space says: an array of shape (1,).",
                _robot(shown=lambda before, after: after[0]),
            ),
            ("the robot never moves. Keep the new place in self.place.", _robot(lambda action: 0)),
            (
                "every step begins where the episode began: the new place is shown and not kept. Put it into "
                "self.place.",
                _robot(stays=True),
            ),
            (
                "the observation stays on the track, and the robot does not: self.place goes beyond the end. Clip "
                "what is kept.",
                _robot(bound=math.inf, shown=lambda before, after: np.clip(after, -5, 5)),
            ),
            (
                "a step that would lead beyond an end is left out. The robot goes as far as the end: clip the new "
                "place.",
                _robot(keep=lambda before, after: before if abs(after[0]) > 5 else after, bound=math.inf),
            ),
            (
                "the track begins at 0 for you. It goes from -5 to 5.",
                _robot(keep=lambda before, after: after.clip(0, 5)),
            ),
            (
                "at one end only the robot is stopped. The track goes from -5 to 5.",
                _robot(keep=lambda before, after: after.clip(-math.inf, 5), bound=math.inf),
            ),
            (
                "at one end only the robot is stopped. The track goes from -5 to 5.",
                _robot(keep=lambda before, after: after.clip(-5, math.inf), bound=math.inf),
            ),
            (
                "the observation is the distance from the dock. The agent must see on which side it is.",
                _robot(shown=lambda before, after: abs(after)),
            ),
        ],
        alias: [
            (
                "all observations are one and the same array, so those of the past change when the robot moves. Make "
                "a new array, or give a copy.",
                _robot(in_place=True),
            )
        ],
        reward: [
            (
                "the reward is that of the place before the move. What an action earns must depend on where it led.",
                _robot(reward=lambda before, after: -abs(before)),
            ),
            (
                "the reward is that of a place beyond the end of the track. Limit the place first.",
                _robot(reward=lambda before, after: -abs(before + np.sign(after) if abs(after) == 5 else after)),
            ),
            (
                "in the dock the reward is 0. Minus the distance is asked for, there too.",
                _robot(reward=lambda before, after: 0 if abs(after) < 0.5 else -abs(after)),
            ),
            ("the reward has the wrong sign: far away would be best.", _robot(reward=lambda before, after: abs(after))),
            (
                "the reward is the square of the distance; the distance is asked for.",
                _robot(reward=lambda before, after: -(after**2)),
            ),
            (
                "the reward is -1 a step, wherever the robot stands. Minus the distance is asked for.",
                _robot(reward=lambda before, after: -1),
            ),
            (
                "the reward is the place itself, so one end of the track is best. Take the distance from 0.",
                _robot(reward=lambda before, after: -after),
            ),
            (
                "the reward is how much nearer the robot came. Minus the distance is asked for.",
                _robot(reward=lambda before, after: abs(before) - abs(after)),
            ),
            (
                "the reward is an array. It must be a single number: take the entry, place[0].",
                _robot(reward=lambda before, after: np.array([-abs(after)])),  # type: ignore[arg-type,return-value]
            ),
        ],
        ends: [
            (
                "docking stands where truncated belongs. Truncated is for time limits, which cut off an episode that "
                "could go on; arriving is terminated, the third thing.",
                _robot(ends=lambda before, after: (False, abs(after) < 0.5)),
            ),
            (
                "docking is both terminated and truncated. It is terminated; the time limit truncates, and "
                "max_episode_steps sees to that.",
                _robot(ends=lambda before, after: (abs(after) < 0.5, abs(after) < 0.5)),
            ),
            (
                "the end is looked for before the move, so it comes a step late.",
                _robot(ends=lambda before, after: (abs(before) < 0.5, False)),
            ),
            (
                "the episode ends at exactly 0.5 too, but closer than that is asked for.",
                _robot(ends=lambda before, after: (abs(after) <= 0.5, False)),
            ),
            (
                "without abs, the episode ends everywhere on the left.",
                _robot(ends=lambda before, after: (after < 0.5, False)),
            ),
            (
                "the episode ends only at exactly 0, which a number with decimals hardly ever is.",
                _robot(ends=lambda before, after: (after == 0, False)),
            ),
            (
                "the end of the track ends the episode. The robot only cannot go farther there; the dock ends it.",
                _robot(ends=lambda before, after: (abs(after) < 0.5, abs(after) >= 5)),
            ),
            (
                "the end of the track ends the episode. The robot only cannot go farther there; the dock ends it.",
                _robot(ends=lambda before, after: (abs(after) < 0.5 or abs(after) >= 5, False)),
            ),
            ("the episode never ends.", _robot(ends=lambda before, after: (False, False))),
            (
                "it is the wrong way round: the episode ends wherever the robot has not docked.",
                _robot(ends=lambda before, after: (abs(after) >= 0.5, False)),
            ),
        ],
    }
    return [(look, judge_function(_seen(_robot(), look), _TRACKS, _models(look, said))) for look, said in wrong.items()]


def _seen(step: Step, look: Callable[[Rows], Any]) -> Callable[[float, Sequence[int]], Any]:
    def play(start: float, actions: Sequence[int]) -> Any:
        rows = _rows(step, start, actions)
        return None if rows is None else look(rows)

    return play


def _models(look: Callable[[Rows], Any], said: list[tuple[str, Step]]) -> list[Mistake]:
    return [Mistake(message, _seen(step, look)) for message, step in said]


_JUDGES = _judges()


def _judge_step(answer: Any) -> Outcome | None:
    for look, judge in _JUDGES:
        outcome = judge(_seen(answer, look) if callable(answer) else answer)
        if outcome is not None:
            return outcome
    return None


DOCK = Exercise(
    name="dock",
    objective=OWN,
    starter='''def step(self, action):
    """self.place: array (1,), where the robot stands; action: 0 is to the left, 1 to the right."""
    reward = -abs(self.place[0])
    self.place += action
    docked = abs(self.place[0]) < 0.5
    return self.place, reward, False, docked, {}


answer = ...  # fix the method above; then write step here''',
    solution='''def step(self, action):
    """self.place: array (1,), where the robot stands; action: 0 is to the left, 1 to the right."""
    self.place = np.clip(self.place + (1 if action == 1 else -1), -5, 5)
    distance = abs(self.place[0])
    return self.place, -distance, distance < 0.5, False, {}


answer = step''',
    hints=(
        "Take one step by hand, from 4.5 with action 0, and compare it with the task, sentence by sentence.",
        "Look at what action 0 does, at the ends of the track, and at the place for which the reward is.",
        "The five things are observation, reward, terminated, truncated, info. And += changes the very array that was "
        "given out as the last observation.",
    ),
    why="None of these raises an error: the agent trains, on a task that you did not mean. So step through a new "
    "environment by hand before you train in it, as in the order of notebook 10.",
    judge=_judge_step,
)


Document = dict[str, Any]


def _knob(
    document: Document,
    name: str,
    number: int,
    counts: Callable[[int, int], bool] = lambda update, number: update <= number,
) -> float:
    value = document["settings"][name]
    for move in document["moves"]:
        if counts(move["update"], number):
            value = move["knobs"].get(name, value)
    return float(value)


def _moved(document: Document, name: str) -> list[tuple[int, float]]:
    return [(m["update"], float(m["knobs"][name])) for m in document["moves"] if name in m["knobs"]]


def _strict(document: Document, name: str, number: int) -> float:
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"][name]
    return float(value)


_RUN: Document = {
    "settings": {"learning_rate": 0.1, "gamma": 0.9, "entropy_weight": 0.02, "max_grad_norm": "inf"},
    "moves": [
        {"update": 5, "knobs": {"learning_rate": 0.03}},
        {"update": 8, "knobs": {"gamma": 0.95, "max_grad_norm": 0.5}},
        {"update": 13, "knobs": {"learning_rate": 0.01}},
        {"update": 20, "knobs": {"learning_rate": 0.3, "gamma": 0.99}},
        {"update": 24, "knobs": {"max_grad_norm": "inf"}},
    ],
}
_TO_ZERO: Document = {
    "settings": {"entropy_weight": 0.02, "gamma": 0.9},
    "moves": [{"update": 3, "knobs": {"entropy_weight": 0.0}}, {"update": 6, "knobs": {"gamma": 0.99}}],
}
_STILL: Document = {"settings": {"learning_rate": 0.05, "gamma": 1.0}, "moves": []}

KNOB = Exercise(
    name="knob",
    objective="take a run away as a file or as code",
    starter='''def knob_at(document, name, number):
    """What json.loads gives, a knob's name and an update's number -> the knob's value in that update, a float."""
    ...


answer = knob_at''',
    solution='''def knob_at(document, name, number):
    """What json.loads gives, a knob's name and an update's number -> the knob's value in that update, a float."""
    value = document["settings"][name]
    for move in document["moves"]:
        if move["update"] <= number:
            value = move["knobs"].get(name, value)
    return float(value)


answer = knob_at''',
    hints=(
        'Begin with document["settings"][name], and go through document["moves"], which are in order of time.',
        "A move counts in the update whose number it bears, and in all later ones. It need not name your knob.",
        "The last move up to that update which names the knob wins. float makes a number of it, of 'inf' too.",
    ),
    why="The file holds the first settings and what changed, so that nothing is said twice. Whoever reads it must put "
    "the two together, as the loop of the copied code does.",
    judge=judge_function(
        _knob,
        [
            Case("a run without moves", (_STILL, "gamma", 3)),
            Case("an update before the first move", (_RUN, "learning_rate", 4)),
            Case("the very update of a move", (_RUN, "learning_rate", 13)),
            Case("an update between two moves", (_RUN, "learning_rate", 10)),
            Case("an update after the last move", (_RUN, "gamma", 30)),
            Case("the last update before a move", (_RUN, "learning_rate", 19)),
            Case("a knob that never moved", (_RUN, "entropy_weight", 15)),
            Case("a knob that another move left alone", (_RUN, "gamma", 15)),
            Case("the very update of a move of two knobs", (_RUN, "gamma", 20)),
            Case("clipping that is off at the beginning, the string 'inf'", (_RUN, "max_grad_norm", 1)),
            Case("clipping that was switched on", (_RUN, "max_grad_norm", 22)),
            Case("clipping that was switched off again, a move to the string 'inf'", (_RUN, "max_grad_norm", 25)),
            Case("a knob that was moved to 0", (_TO_ZERO, "entropy_weight", 7)),
        ],
        [  # narrow mistakes first: what is wrong on fewer cases
            Mistake(
                "a move to 0 is taken for no move. 0 is a value like any other: ask whether the move names the knob.",
                lambda document, name, number: float(
                    ([document["settings"][name]] + [v for u, v in _moved(document, name) if u <= number and v])[-1]
                ),
            ),
            Mistake(
                "when a move does not name the knob, you go back to the first setting. It stays where it was put.",
                lambda document, name, number: float(
                    ([m for m in document["moves"] if m["update"] <= number] or [{"knobs": {}}])[-1]["knobs"].get(
                        name, document["settings"][name]
                    )
                ),
            ),
            Mistake(
                "a move counts in one update only. A knob stays where it was put until it is moved again.",
                lambda document, name, number: _knob(document, name, number, lambda update, number: update == number),
            ),
            Mistake(
                "a move counts one update late. It counts in the very update whose number it bears: <= instead of <.",
                lambda document, name, number: _knob(document, name, number, lambda update, number: update < number),
            ),
            Mistake(
                "a move counts one update early. It counts from the update whose number it bears.",
                lambda document, name, number: _knob(
                    document, name, number, lambda update, number: update <= number + 1
                ),
            ),
            Mistake(
                "these are the settings of the first update. What moved later stands under moves.",
                lambda document, name, number: float(document["settings"][name]),
            ),
            Mistake(
                "every move counts, also those that were still to come. Stop at the update that is asked for.",
                lambda document, name, number: _knob(document, name, number, lambda update, number: True),
            ),
            Mistake(
                "the first move of the knob wins. It may have been moved again: go on to the last one up to that "
                "update.",
                lambda document, name, number: next(
                    (value for update, value in _moved(document, name) if update <= number),
                    float(document["settings"][name]),
                ),
            ),
            Mistake(
                "this looks at the moves that come after the update. Those up to it count.",
                lambda document, name, number: _knob(document, name, number, lambda update, number: update >= number),
            ),
            Mistake(
                "where a knob has not moved yet this is zero. Then the first setting counts.",
                lambda document, name, number: ([0.0] + [v for u, v in _moved(document, name) if u <= number])[-1],
            ),
            Mistake(
                "clipping that is off is zero here, which would cut everything off. It is infinity: float reads 'inf'.",
                lambda document, name, number: (
                    0.0 if math.isinf(_knob(document, name, number)) else _knob(document, name, number)
                ),
            ),
            Mistake(
                "a move may be of other knobs, and then it does not name yours. Ask `name in move['knobs']` first, or "
                "use get.",
                _strict,
            ),
            Mistake(
                "the moves are added to the first setting. A move gives the new value itself.",
                lambda document, name, number: (
                    float(document["settings"][name]) + sum(v for u, v in _moved(document, name) if u <= number)
                ),
            ),
            Mistake(
                "it is always the learning rate, or another fixed knob. Take `name`.",
                lambda document, name, number: _knob(document, "learning_rate", number),
            ),
            Mistake(
                "the last move of the whole run counts, where the update lies before the knob's first. Then it is the "
                "first setting.",
                lambda document, name, number: next(
                    (v for u, v in reversed(_moved(document, name)) if u <= number),
                    (_moved(document, name) or [(0, float(document["settings"][name]))])[-1][1],
                ),
            ),
            Mistake(
                "what is given back is the move's number, and not the value.",
                lambda document, name, number: next(
                    (float(u) for u, _ in reversed(_moved(document, name)) if u <= number),
                    float(document["settings"][name]),
                ),
            ),
            Mistake(
                "moves are counted here, where the number of the update is meant: compare move['update'] with it.",
                lambda document, name, number: float(
                    (
                        [document["settings"][name]]
                        + [m["knobs"][name] for m in document["moves"][: number + 1] if name in m["knobs"]]
                    )[-1]
                ),
            ),
            Mistake(
                "the loop ends too early: at the first move, or at one of another knob. Go on to the last, and give "
                "the value after the loop.",
                lambda document, name, number: _knob({**document, "moves": document["moves"][:1]}, name, number),
            ),
            Mistake(
                "the largest of the values counts. It is the last one up to the update.",
                lambda document, name, number: max(
                    (v for u, v in _moved(document, name) if u <= number), default=float(document["settings"][name])
                ),
            ),
        ],
    ),
)

CURVES = Exercise(
    name="curves",
    objective="show all that to a class",
    starter="""# five runs are in the figure, four of them pinned.
# how many curves can the class tell apart?
answer = ...""",
    solution="""answer = 3""",
    hints=(
        "Which two runs have the same seed and the same knobs?",
        "The first, the second and the fifth are the same training. What differs in the others?",
    ),
    why="The same seed and the same knobs give the same curve, to the last bit, and it lies hidden under the other. "
    "Let the class predict that first: it shows that chance in a computer can be repeated, and that a difference which "
    "you see afterwards has a cause.",
    judge=NumberJudge(
        3.0,
        {
            5.0: "five runs are drawn, but some are the very same training, and their curves lie on top of each other.",
            4.0: "one more pair is the same. What has Reset to do with the seed, and what did the last step set back?",
            2.0: "the runs with seed 0 are one curve. Of the two with seed 1, one has ten times the alpha.",
            1.0: "the seed is not all: another seed, or another alpha, gives another curve.",
            6.0: "there are five runs. And are they all different?",
            7.0: "that is how many a figure can hold.",
            **dict.fromkeys((30.0, 40.0, 50.0), "the ten agents of a run have one curve, their mean. Count the runs."),
            0.0: "you see at least one curve. How many more?",
        },
        otherwise="this is not it. Write down seed and alpha for each of the five runs.",
    ),
)

EXERCISES = (LIVE, CHANCE, DOCK, NETWORK, KNOB, CURVES)
