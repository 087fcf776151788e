"""Exercises of notebook 01."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, ChoiceJudge, Mistake, NumberJudge, judge_function

Array = NDArray[np.float64]
MEASURE = (
    "support three of the reasons with a measurement: a robot whose torques are rounded, a game that punishes every "
    "certainty, and an arm whose table of values outgrows your computer"
)


def _distances(torques: Array, bins: int) -> tuple[Array, Array]:
    """The bins, and how far each torque lies above each of them: (torques, bins)."""
    grid = np.linspace(-2, 2, bins)
    return grid, torques[:, None] - grid


def _nearest(torques: Array, bins: int) -> Array:
    grid, above = _distances(torques, bins)
    return grid[np.abs(above).argmin(1)]


def _torques(number: int, seed: int) -> Array:
    return np.random.default_rng(seed).uniform(-3, 3, number)


ROUNDED = Exercise(
    name="rounded",
    objective=MEASURE,
    starter='''def rounded(torques, bins):
    """Torques (n,) -> for each the nearest of `bins` torques that are spaced evenly from -2 to 2, (n,)."""
    ...


answer = rounded''',
    solution='''def rounded(torques, bins):
    """Torques (n,) -> for each the nearest of `bins` torques that are spaced evenly from -2 to 2, (n,)."""
    allowed = np.linspace(-2, 2, bins)
    return allowed[np.abs(torques[:, None] - allowed).argmin(1)]


answer = rounded''',
    hints=(
        "First make the list of the allowed torques. np.linspace counts them as the question does.",
        "torques[:, None] - allowed holds the distance of every torque to every allowed one, (n, bins).",
        "The smallest absolute distance in each row gives the allowed torque: argmin(1), then look it up.",
    ),
    why="This is all that an argmax over bins does here: it knows the best torque and must miss it, by up to half a "
    "bin, in every step.",
    judge=judge_function(
        _nearest,
        [
            Case("five bins", (_torques(9, 0), 5)),
            Case("two bins", (_torques(9, 1), 2)),
            Case("three bins and three torques", (np.array([-1.7, 0.3, 1.2]), 3)),
            Case("eight bins", (_torques(9, 2), 8)),
            Case("a single torque", (np.array([0.9]), 6)),
            Case("torques that are allowed", (np.array([-2.0, -1.5, -0.5, 1.0, 2.0]), 9)),
            Case("torques beyond the motor's range", (np.array([-7.0, 2.4, 40.0]), 7)),
        ],
        [
            Mistake(
                "these are the places in the list. Look up the torques that stand there.",
                lambda torques, bins: np.abs(_distances(torques, bins)[1]).argmin(1),
            ),
            Mistake(
                "you rounded to whole newton metres. The allowed torques lie 4 / (bins - 1) apart.",
                lambda torques, bins: np.clip(np.round(torques), -2, 2),
            ),
            Mistake(
                "your list has one torque too many. With `bins` torques there are bins - 1 gaps between them.",
                lambda torques, bins: _nearest(torques, bins + 1),
            ),
            Mistake(
                "your list stops short of 2. Both ends, -2 and 2, are allowed.",
                lambda torques, bins: (grid := np.linspace(-2, 2, bins, endpoint=False))[
                    np.abs(torques[:, None] - grid).argmin(1)
                ],
            ),
            Mistake(
                "the smallest difference is the most negative one, and that always belongs to the same bin. Take the "
                "absolute value first.",
                lambda torques, bins: np.linspace(-2, 2, bins)[_distances(torques, bins)[1].argmin(1)],
            ),
            Mistake(
                "the smallest difference is the most negative one, and that always belongs to the same bin. Take the "
                "absolute value first; then it does not matter which way you subtract.",
                lambda torques, bins: np.linspace(-2, 2, bins)[_distances(torques, bins)[1].argmax(1)],
            ),
            Mistake(
                "this is the allowed torque that is *furthest* away: the smallest distance is asked for.",
                lambda torques, bins: np.linspace(-2, 2, bins)[np.abs(_distances(torques, bins)[1]).argmax(1)],
            ),
            Mistake(
                "the minimum runs over the torques: you found the nearest torque for each bin. Use the other axis.",
                lambda torques, bins: np.linspace(-2, 2, bins)[np.abs(_distances(torques, bins)[1]).argmin(0)],
            ),
            Mistake(
                "you always round down to the next lower bin. The nearest may lie above.",
                lambda torques, bins: np.linspace(-2, 2, bins)[
                    np.maximum((_distances(torques, bins)[1] >= -1e-9).sum(1) - 1, 0)
                ],
            ),
            Mistake(
                "a torque outside of the motor's range stays outside. Its nearest allowed torque is -2 or 2.",
                lambda torques, bins: np.round((torques + 2) * (bins - 1) / 4) * 4 / (bins - 1) - 2,
            ),
            Mistake(
                "you rounded to multiples of the bins' width. That puts a bin on 0, but an even number of bins has "
                "none there: count from -2.",
                lambda torques, bins: np.clip(np.round(torques * (bins - 1) / 4) * 4 / (bins - 1), -2, 2),
            ),
            Mistake(
                "you cut the range into `bins` equal pieces, one for each torque. But the torques are 4 / (bins - 1) "
                "apart, and those at the two ends are the nearest for half of that only.",
                lambda torques, bins: np.linspace(-2, 2, bins)[
                    np.floor((torques + 2) / 4 * bins).clip(0, bins - 1).astype(int)
                ],
            ),
            Mistake(
                "you rounded to the middles of intervals. The outermost allowed torques are -2 and 2 themselves.",
                lambda torques, bins: (grid := -2 + 4 * (np.arange(bins) + 0.5) / bins)[
                    np.abs(torques[:, None] - grid).argmin(1)
                ],
            ),
            Mistake(
                "you always round up to the next higher bin. The nearest may lie below.",
                lambda torques, bins: np.linspace(-2, 2, bins)[
                    np.minimum((_distances(torques, bins)[1] > 1e-9).sum(1), bins - 1)
                ],
            ),
            Mistake(
                "np.digitize counts the edges that lie below, so you round down, and below -2 the index -1 gives the "
                "last bin. The nearest may lie above.",
                lambda torques, bins: np.linspace(-2, 2, bins)[(_distances(torques, bins)[1] >= -1e-9).sum(1) - 1],
            ),
            Mistake(
                "you round toward 0. The nearest bin may be the one farther out: round instead of cutting off.",
                lambda torques, bins: np.clip(np.trunc(torques * (bins - 1) / 4) * 4 / (bins - 1), -2, 2),
            ),
            Mistake(
                "your list ends before 2, since np.arange leaves out its end. Both ends are allowed.",
                lambda torques, bins: (grid := np.arange(-2, 2 - 1e-9, 4 / (bins - 1)))[
                    np.abs(torques[:, None] - grid).argmin(1)
                ],
            ),
            Mistake(
                "your torques lie between the smallest and the largest that were given. They lie between -2 and 2, "
                "whatever was given.",
                lambda torques, bins: (grid := np.linspace(torques.min(), torques.max(), bins))[
                    np.abs(torques[:, None] - grid).argmin(1)
                ],
            ),
            Mistake(
                "these are the distances to the nearest torque. The torque itself is asked for: argmin instead of min.",
                lambda torques, bins: np.abs(_distances(torques, bins)[1]).min(1),
            ),
            Mistake(
                "you round to a number of decimals. The allowed torques lie 4 / (bins - 1) apart.",
                lambda torques, bins: np.round(torques, 1),
            ),
            Mistake(
                "your torques lie between -1 and 1. The motor's range is from -2 to 2.",
                lambda torques, bins: (grid := np.linspace(-1, 1, bins))[np.abs(torques[:, None] - grid).argmin(1)],
            ),
            Mistake(
                "there are eleven torques in your list, whatever `bins` is.",
                lambda torques, bins: _nearest(torques, 11),
            ),
        ],
    ),
)

LEFT = Exercise(
    name="left",
    objective=MEASURE,
    starter="""# from 11 bins to 41, both odd: what part of the extra cost is left, by the law of the robot's curve?
answer = ...""",
    solution="""answer = (10 / 40) ** 2""",
    hints=(
        "The extra cost depends on the width of a bin. How wide is one of 11, and one of 41?",
        "4 / 10 and 4 / 40: the width falls to a quarter. What does the cost do?",
        "It goes with the square of the width.",
    ),
    why="Four times finer, sixteen times better: rounding one torque soon costs little. So bins are not always bad. "
    "What they cost with seven joints is another question.",
    judge=NumberJudge(
        1 / 16,
        {
            0.25: "that is what is left of the width. The cost goes with its square.",
            0.5: "that is the square root of the width's quarter. The cost goes with the square.",
            16.0: "that is by how much it falls. The part that is left lies between 0 and 1.",
            11 / 41: "that is the ratio of the bins. The cost depends on the width of the gaps between them, squared.",
            (11 / 41) ** 2: "nearly: you squared the ratio of the bins. 11 bins have 10 gaps between them, 41 have 40.",
            4.0: "that is by how much the width falls. Square it, and ask what part of the cost is left.",
            1 / 64: "that is the third power of the width. The notebook measures a power of 2.",
            15 / 16: "that part is gone. The question is for the rest.",
            6.25: "as a percentage that is right. Write it as a number between 0 and 1.",
            1.0: "41 bins are better than 11. Little changes only from an odd number to the next even one.",
            (10 / 41) ** 2: "nearly: you took the gaps of 11 bins, but 41 itself. 41 bins have 40 gaps between them.",
            (11 / 40) ** 2: "nearly: you took the gaps of 41 bins, but 11 itself. 11 bins have 10 gaps between them.",
            (12 / 42) ** 2: "you counted one gap too many in both. Between n bins there are n - 1 gaps.",
            1 / 256: "you squared twice. The width falls to a quarter, and the cost goes with its square.",
            1 / 30: "you took the difference of the two numbers. What counts is the ratio of the widths, squared.",
            1 / 900: "you took the difference of the two numbers. What counts is the ratio of the widths.",
        },
        tolerance=0.045,
        otherwise="this is not it. Work out the width of a bin, before and after; the cost goes with its square.",
    ),
)


def _epsilon_greedy(Q: Array, epsilon: float) -> Array:
    pi = np.full(len(Q), epsilon / len(Q))
    pi[Q.argmax()] += 1 - epsilon
    return pi


def _favourite(Q: Array, its: float, others: float) -> Array:
    return np.where(np.arange(len(Q)) == Q.argmax(), its, others)


def _softmax(Q: Array) -> Array:
    return np.exp(Q - Q.max()) / np.exp(Q - Q.max()).sum()


EPSILON_GREEDY = Exercise(
    name="epsilon_greedy",
    objective=MEASURE,
    starter='''def epsilon_greedy_policy(Q, epsilon):
    """Action values (actions,) -> the probability of each action, (actions,)."""
    pi = np.full(len(Q), epsilon)
    pi[Q.argmax()] = 1 - epsilon
    return pi


answer = ...  # once it is repaired: epsilon_greedy_policy''',
    solution='''def epsilon_greedy_policy(Q, epsilon):
    """Action values (actions,) -> the probability of each action, (actions,)."""
    pi = np.full(len(Q), epsilon / len(Q))
    pi[Q.argmax()] += 1 - epsilon
    return pi


answer = epsilon_greedy_policy''',
    hints=(
        "Call it with three action values and epsilon = 0.1, and add up what comes out.",
        "The random draw is shared by *all* actions. How much does each get from it?",
        "Each gets epsilon / actions; the favourite gets 1 - epsilon in addition.",
    ),
    why="With three moves and epsilon = 0.1 the favourite has 0.93: a counting opponent uses that as easily as "
    "certainty. Random actions are there for exploring; they do not make a random *policy*.",
    judge=judge_function(
        _epsilon_greedy,
        [
            Case("three actions and epsilon 0.1", (np.array([0.2, 1.0, -0.5]), 0.1)),
            Case("four actions and epsilon 0.5", (np.array([-3.0, -2.0, -4.0, -1.5]), 0.5)),
            Case("two actions and epsilon 0.3", (np.array([5.0, 4.0]), 0.3)),
            Case("epsilon 0", (np.array([0.0, 1.0, 2.0]), 0.0)),
            Case("action values that are whole numbers", (np.array([3, 7, 5]), 0.2)),
            Case("epsilon 1", (np.array([0.0, 2.0, 1.0]), 1.0)),
            Case("a single action", (np.array([1.0]), 0.2)),
            Case("two actions that are equally good", (np.array([1.0, 3.0, 3.0]), 0.3)),
        ],
        [
            Mistake(
                "this is the function as it was. Its probabilities do not add up to 1: the draw with probability "
                "epsilon is shared by all actions.",
                lambda Q, epsilon: _favourite(Q, 1 - epsilon, epsilon),
            ),
            Mistake(
                "the favourite gets no part of the random draw, so the sum stays below 1. The draw is among *all* "
                "actions.",
                lambda Q, epsilon: _favourite(Q, 1 - epsilon, epsilon / len(Q)),
            ),
            Mistake(
                "they add up to 1 now, but the random draw leaves out the favourite. It is among *all* actions.",
                lambda Q, epsilon: _favourite(Q, 1 - epsilon, epsilon / (len(Q) - 1)) if len(Q) > 1 else np.ones(1),
                lambda Q, epsilon: _favourite(Q, 1 - epsilon, epsilon / (len(Q) - 1)),
                lambda Q, epsilon: _favourite(Q, 1 - epsilon, epsilon / max(len(Q) - 1, 1)),
            ),
            Mistake(
                "you divided by the sum afterwards. They add up to 1, but the favourite's share is wrong: epsilon has "
                "lost its meaning. Divide the random draw instead.",
                lambda Q, epsilon: (
                    _favourite(Q, 1 - epsilon, epsilon) / _favourite(Q, 1 - epsilon, epsilon).sum()
                    if _favourite(Q, 1 - epsilon, epsilon).any()
                    else np.full(len(Q), np.nan)
                ),
            ),
            Mistake(
                "where two actions are equally good, both get 1 - epsilon, and the sum is more than 1. The favourite "
                "is one action: argmax gives the first.",
                lambda Q, epsilon: epsilon / len(Q) + (1 - epsilon) * (Q.max() == Q),
            ),
            Mistake(
                "whole-number action values make whole numbers of your probabilities: np.zeros_like and np.full_like "
                "take over the type of Q. Give dtype=float, or np.zeros(len(Q)).",
                lambda Q, epsilon: _epsilon_greedy(Q, epsilon).astype(Q.dtype),
            ),
            Mistake(
                "each action has the whole of epsilon, and the favourite 1 - epsilon too: more than 1 together.",
                lambda Q, epsilon: _favourite(Q, 1.0, epsilon),
            ),
            Mistake(
                "epsilon and 1 - epsilon have changed places. epsilon is the probability of the random draw.",
                lambda Q, epsilon: _epsilon_greedy(Q, 1 - epsilon),
            ),
            Mistake(
                "the smallest action value has become the favourite.", lambda Q, epsilon: _epsilon_greedy(-Q, epsilon)
            ),
            Mistake(
                "this is a softmax of the action values. An epsilon-greedy policy asks only which is the largest.",
                lambda Q, epsilon: _softmax(Q),
            ),
            Mistake(
                "this is the greedy policy: the random draw is missing.", lambda Q, epsilon: _favourite(Q, 1.0, 0.0)
            ),
            Mistake(
                "this is the number of an action. The probability of each is asked for.", lambda Q, epsilon: Q.argmax()
            ),
            Mistake(
                "each of the others gets the whole of epsilon, and the favourite what is left. The draw with "
                "probability epsilon is shared by all actions.",
                lambda Q, epsilon: _favourite(Q, 1 - epsilon * (len(Q) - 1), epsilon),
            ),
            Mistake(
                "where two actions are equally good, you share 1 - epsilon between them. The favourite is one action: "
                "the first.",
                lambda Q, epsilon: epsilon / len(Q) + (1 - epsilon) * (Q.max() == Q) / (Q.max() == Q).sum(),
            ),
            Mistake(
                "of two equally good actions you take the last. The first is asked for, as argmax gives it.",
                lambda Q, epsilon: _epsilon_greedy(Q[::-1], epsilon)[::-1],
            ),
            Mistake(
                "you share epsilon among three actions, however many there are. Divide by how many there are: len(Q).",
                lambda Q, epsilon: _favourite(Q, 1 - epsilon + epsilon / 3, epsilon / 3),
            ),
            Mistake(
                "the favourite gets 1 and its share of the draw too: more than 1 together. What is left for it beside "
                "the draw is 1 - epsilon.",
                lambda Q, epsilon: _favourite(Q, 1 + epsilon / len(Q), epsilon / len(Q)),
            ),
            Mistake(
                "the favourite gets epsilon beside its share of the draw. What is left for it is 1 - epsilon.",
                lambda Q, epsilon: _favourite(Q, epsilon + epsilon / len(Q), epsilon / len(Q)),
            ),
            Mistake(
                "this is a softmax of the action values. Here the favourite gets 1 - epsilon, and the rest is shared.",
                lambda Q, epsilon: _softmax(Q),
                lambda Q, epsilon: _softmax(Q / max(epsilon, 1e-9)),
            ),
            Mistake(
                "every action is equally likely here. The favourite gets 1 - epsilon besides.",
                lambda Q, epsilon: np.full(len(Q), 1 / len(Q)),
            ),
        ],
    ),
)

WINS = Exercise(
    name="wins",
    objective=MEASURE,
    starter="""# you play rock, paper and scissors with the probabilities 0.5, 0.3 and 0.2.
# what does the best answer win from you in a round, on average?
answer = ...""",
    solution="""pi = {"rock": 0.5, "paper": 0.3, "scissors": 0.2}
against = {
    "rock": pi["scissors"] - pi["paper"],  # it beats scissors and loses to paper
    "paper": pi["rock"] - pi["scissors"],
    "scissors": pi["paper"] - pi["rock"],
}
answer = max(against.values())""",
    hints=(
        "Which of the three moves would you play against this policy?",
        "Paper: it beats your rock. But it does not win every round; what else can happen?",
        "It wins against rock, draws against paper and loses against scissors: 0.5 - 0.2.",
    ),
    why="A preference that nobody would call certain already costs 0.3 a round. Only the centre costs nothing, and no "
    "argmax can be there.",
    judge=NumberJudge(
        0.3,
        {
            0.5: "you counted what it wins with paper against your rock. It also loses, against your scissors.",
            -0.3: "the sign is wrong: this is what *you* get. The question is what the opponent wins.",
            0.0: "that is the average over its three moves. The best answer plays only the best of them.",
            1.0: "it would win every round only if you were certain.",
            0.2: "so often paper loses to you, and as much is rock minus paper. Subtract how often it loses from how "
            "often it wins.",
            -0.1: "that is what rock wins from you. There is a better answer.",
            -0.2: "that is what scissors win from you. There is a better answer.",
            0.1: "you compared two of the three moves alone. List all three answers, and what each wins and loses.",
            0.7: "you added its losses to its wins. A loss counts -1.",
            0.8: "you counted draws as wins: paper against paper is worth 0.",
            30.0: "as a percentage that is right. A round is worth 1 at most.",
            0.65: "you counted a draw as half a win. It is worth 0, and a loss -1.",
            0.15: "you weighted by rock's probability once more. Paper is played in every round.",
        },
        otherwise="this is not it. For each of its moves, subtract how often it loses from how often it wins.",
    ),
)


def _fits(states: int, bins: int, memory: float, size: float = 4) -> int:
    joints = 0
    while size * states * bins ** (joints + 1) <= memory:
        joints += 1
    return joints


def _while(fits: Any) -> Any:
    """A model that counts joints, at most 10^5, as long as `fits(joints, states, bins, memory)`."""

    def model(states: int, bins: int, memory: float) -> int:
        return next((j - 1 for j in range(1, 100_000) if not fits(j, states, bins, memory)), -1)

    return model


JOINTS_THAT_FIT = Exercise(
    name="joints_that_fit",
    objective=MEASURE,
    starter='''def joints_that_fit(states, bins, memory):
    """The largest number of joints whose Q-table, of four bytes an entry, fits into `memory` bytes; it may be 0."""
    ...


answer = joints_that_fit''',
    solution='''def joints_that_fit(states, bins, memory):
    """The largest number of joints whose Q-table, of four bytes an entry, fits into `memory` bytes; it may be 0."""
    joints = 0
    while 4 * states * bins ** (joints + 1) <= memory:
        joints += 1
    return joints


answer = joints_that_fit''',
    hints=(
        "How many entries does the table have for one state and one joint, for one state and two joints, and in all?",
        "4 * states * bins**joints bytes. Add joints for as long as one more still fits.",
        "Begin with 0, and look at joints + 1 in the condition of your loop.",
    ),
    why="With eleven bins, one joint more takes eleven times the memory. No computer's memory grows like that; a "
    "policy that puts out two numbers a joint does not have to.",
    judge=judge_function(
        _fits,
        [
            Case("1000 states, 11 bins and 16 GB", (1000, 11, 16 * 10**9)),
            Case("a million states, 2 bins and 16 GB", (10**6, 2, 16 * 10**9)),
            Case("one state, 2 bins and 4096 bytes, which ten joints fill exactly", (1, 2, 4096)),
            Case("10 states, 5 bins and 1000 bytes, which two joints fill exactly", (10, 5, 1000)),
            Case("one state, 10 bins and 4000 bytes, which three joints fill exactly", (1, 10, 4000)),
            Case("one state, 10 bins and 4400 bytes, which three joints nearly fill", (1, 10, 4400)),
            Case("a memory too small for one joint", (1000, 3, 100)),
            Case("3 states, 4 bins and 500 bytes", (3, 4, 500)),
            Case("7 states, 21 bins and 10 MB", (7, 21, 10**7)),
        ],
        [
            Mistake(
                "you say one joint where not even one fits. The answer is 0 there.",
                lambda states, bins, memory: max(1, _fits(states, bins, memory)),
            ),
            Mistake(
                "you rounded to the nearest whole number of joints. Half a joint more does not fit: round down.",
                lambda states, bins, memory: max(0, round(np.log(memory / 4 / states) / np.log(bins))),
            ),
            Mistake(
                "a logarithm is rounded: log(1000) / log(10) is a little below 3, and int() makes 2 of it. Count with "
                "whole numbers instead.",
                lambda states, bins, memory: max(0, int(np.log(memory / 4 / states) / np.log(bins))),
            ),
            Mistake(
                "this is the first number of joints that does *not* fit. One fewer is asked for.",
                lambda states, bins, memory: _fits(states, bins, memory) + 1,
                lambda states, bins, memory: _fits(states, bins, memory) + 1 if 4 * states <= memory else 0,
            ),
            Mistake(
                "a table that fills the memory exactly still fits: compare with <=.",
                _while(lambda j, states, bins, memory: 4 * states * bins**j < memory),
            ),
            Mistake(
                "each entry takes four bytes. You counted one.",
                lambda states, bins, memory: _fits(states, bins, memory, 1),
            ),
            Mistake(
                "each entry takes four bytes. You counted eight.",
                lambda states, bins, memory: _fits(states, bins, memory, 8),
            ),
            Mistake(
                "you counted in bits. An entry has 32 of them, but the memory is given in bytes.",
                lambda states, bins, memory: _fits(states, bins, memory, 32),
            ),
            Mistake(
                "you left out the states. The table has a row of all combinations for each of them.",
                lambda states, bins, memory: _fits(1, bins, memory),
            ),
            Mistake(
                "you multiplied the bins by the joints. Every combination has an entry: bins to the power of joints.",
                lambda states, bins, memory: memory // (4 * states * bins),
            ),
            Mistake(
                "base and exponent are swapped: it is bins to the power of joints.",
                _while(lambda j, states, bins, memory: 4 * states * j**bins <= memory),
            ),
            Mistake(
                "you raised the states to a power too. Only the combinations of torques multiply with the joints.",
                _while(lambda j, states, bins, memory: 4 * (states * bins) ** j <= memory),
            ),
            Mistake(
                "you stop at seven joints. The question is for the largest number that fits, whatever arm there is.",
                lambda states, bins, memory: min(7, _fits(states, bins, memory)),
            ),
            Mistake(
                "you give a fraction of a joint, or less than none. Round down, and not below 0.",
                lambda states, bins, memory: np.log(memory / 4 / states) / np.log(bins),
                lambda states, bins, memory: max(0.0, np.log(memory / 4 / states) / np.log(bins)),
            ),
            Mistake(
                "you go below 0 where nothing fits. The answer is 0 there.",
                lambda states, bins, memory: int(np.floor(np.log(memory / 4 / states) / np.log(bins) + 1e-9)),
            ),
            Mistake(
                "you give -1 where not even one joint fits. The answer is 0 there.",
                lambda states, bins, memory: _fits(states, bins, memory) or -1,
            ),
            Mistake(
                "this is the logarithm of base 2. A joint multiplies the table by `bins`, not by 2.",
                lambda states, bins, memory: _fits(states, 2, memory),
            ),
            Mistake(
                "this is how many bytes the table takes. How many joints it has is asked for.",
                lambda states, bins, memory: 4 * states * bins ** _fits(states, bins, memory),
            ),
            Mistake(
                "the memory is given in bytes already. You took it for gigabytes.",
                lambda states, bins, memory: _fits(states, bins, memory * 1e9),
            ),
        ],
    ),
)

WHICH = Exercise(
    name="which",
    objective="say when to learn a policy directly and when to learn action values",
    starter="""# for which one of the tasks a to g would you rather learn action values?
answer = ...""",
    solution='answer = "c"',
    hints=(
        "Go through the table at the start of the notebook: where are action values strong?",
        "A few actions, expensive steps, and old data: look for a task that has all of them.",
        "Six of the tasks have actions that are continuous or too many, or need a random policy.",
    ),
    why="A few buttons make the argmax cheap, and every recorded step can be used again and again. REINFORCE would "
    "have to throw the million away.",
    judge=ChoiceJudge(
        "c",
        {
            "a": "six torques are six continuous numbers. A plain argmax would need bins for all of them together.",
            "b": "a player who remembers you punishes every certainty, and an argmax is certain. The best policy is "
            "random.",
            "d": "a dose is a continuous number. You could divide it into bins, but there is no need for old "
            "experience: the simulated steps cost nothing.",
            "e": "near a tie, a tiny change of Q changes the action. A policy changes a little when its weights do.",
            "f": "where two places look alike and ask for different actions, any fixed choice fails in one of them. A "
            "random policy gets through; an argmax cannot be one.",
            "g": "the argmax would have to look at every subset, and there are more than 10^23 of them. A policy can "
            "choose page after page.",
        },
    ),
)

EXERCISES = (ROUNDED, LEFT, WINS, EPSILON_GREEDY, JOINTS_THAT_FIT, WHICH)
