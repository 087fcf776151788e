"""Exercises of notebook 06."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, judge_choice, judge_function, judge_number


def _cloud(episodes: int, mean: list[float], seed: int) -> Tensor:
    noise = torch.randn(episodes, len(mean), generator=torch.Generator().manual_seed(seed))
    return torch.tensor(mean) + noise * torch.linspace(1.0, 3.0, len(mean))


def _variance(g: Tensor) -> Tensor:
    return (g - g.mean(0)).square().sum(1).mean()


def _signal(g: Tensor) -> Tensor:
    return g.mean(0).square().sum()


def _needed(g: Tensor, accuracy: float) -> Tensor:
    return _variance(g) / (accuracy**2 * _signal(g))


NOISE = Exercise(
    name="noise",
    objective="measure how noisy a gradient is",
    starter='''def episodes_for(gradients, accuracy):
    """Gradients of single episodes (episodes, weights) -> how many make the typical error accuracy * |mean|."""
    ...


answer = episodes_for''',
    solution='''def episodes_for(gradients, accuracy):
    """Gradients of single episodes (episodes, weights) -> how many make the typical error accuracy * |mean|."""
    mean = gradients.mean(0)
    V = (gradients - mean).square().sum(1).mean()
    return V / (accuracy**2 * mean.square().sum())


answer = episodes_for''',
    hints=(
        "Two quantities go into the formula: V, and the squared length of the mean gradient.",
        "The mean gradient has one number for each weight: average over axis 0, the episodes.",
        "V is the sum over the weights of their variances. Then N = V / (accuracy^2 |mean|^2).",
    ),
    why="It turns noise into a price: when a baseline halves V, you pay for half of the episodes. The package also "
    "takes off the part of |mean|^2 that is noise itself.",
    judge=judge_function(
        _needed,
        [
            Case("2,000 episodes and three weights", (_cloud(2000, [1.0, -0.5, 0.5], 0), 0.3)),
            Case("a single weight", (_cloud(1500, [0.7], 1), 0.5)),
            Case("an accuracy of 1", (_cloud(1000, [0.5, 1.0, 0.0, 2.0], 2), 1.0)),
            Case("a high accuracy", (_cloud(3000, [1.0, 1.0], 3), 0.1)),
            Case("episodes that all agree", (torch.ones(1000, 2), 0.3)),
        ],
        [
            Mistake(
                "you average over the weights. V and the squared length are sums over all weights.",
                lambda g, c: (g - g.mean(0)).square().mean() / (c**2 * _signal(g)),
            ),
            Mistake(
                "the accuracy is not squared. Half the error costs four times the episodes.",
                lambda g, c: _variance(g) / (c * _signal(g)),
            ),
            Mistake(
                "the length of the mean gradient is not squared, but V is a square: the two cannot be compared.",
                lambda g, c: _variance(g) / (c**2 * _signal(g).sqrt()),
            ),
            Mistake(
                "you took the standard deviation for V. The variance is its square.",
                lambda g, c: _variance(g).sqrt() / (c**2 * _signal(g)),
            ),
            Mistake(
                "this is the root of what is asked for: spreads fall with the root of N, so N goes with the squares.",
                lambda g, c: _needed(g, c).sqrt(),
            ),
            Mistake(
                "the mean is not subtracted: this is the mean squared length, and what all episodes agree on is no "
                "noise.",
                lambda g, c: g.square().sum(1).mean() / (c**2 * _signal(g)),
            ),
            Mistake(
                "the denominator has the mean of the squared lengths. The noise makes them long; take the length of "
                "the mean.",
                lambda g, c: _variance(g) / (c**2 * g.square().sum(1).mean()),
            ),
            Mistake(
                "you took the variance of the lengths. Two gradients may be equally long and point in opposite "
                "directions, and that is noise, too.",
                lambda g, c: (g.norm(dim=1) - g.norm(dim=1).mean()).square().mean() / (c**2 * _signal(g)),
            ),
            Mistake(
                "the fraction is upside down: more noise must ask for more episodes.", lambda g, c: 1 / _needed(g, c)
            ),
            Mistake(
                "you multiply by the squared accuracy. The more accurate, the more episodes: divide by it.",
                lambda g, c: _variance(g) * c**2 / _signal(g),
            ),
            Mistake(
                "the accuracy is left out. This is the number of episodes for an error as long as the gradient itself.",
                lambda g, c: _needed(g, 1.0),
            ),
            Mistake(
                "you divide V by the number of episodes that you have. That is the variance of their mean; the formula "
                "has that of a single episode.",
                lambda g, c: _needed(g, c) / len(g),
            ),
            Mistake(
                "you average over the weights, axis 1. The mean gradient is a mean over the episodes, axis 0.",
                lambda g, c: (g - g.mean(1, keepdim=True)).square().sum(0).mean() / (c**2 * g.mean(1).square().sum()),
            ),
            Mistake(
                "these are as many numbers as there are weights. Add the variances up before you divide.",
                lambda g, c: g.var(0) / (c**2 * g.mean(0).square()),
            ),
        ],
        tolerance=3e-3,  # so that dividing by n - 1, as var() does, is right, too
    ),
)

BEST_CONSTANT = Exercise(
    name="best_constant",
    objective="subtract a baseline that lowers the noise",
    starter="""# the levers pay 10 and 12, and p, the probability of lever 1, is 0.25. Which baseline b leaves no noise?
answer = ...""",
    solution="""# both levers must give the same gradient: (10 - b) * (-0.25) = (12 - b) * 0.75
answer = 10 * 0.25 + 12 * 0.75""",
    hints=(
        "Set p to 0.25 in the picture with the parabola. On which side of the mean payment does the bottom lie?",
        "The parabola is flat there, so compute: b* is a mean of the payments, weighted by probability times squared "
        "score.",
        "The scores are -0.25 for lever 0 and 0.75 for lever 1. The weights are 0.75 * 0.25^2 and 0.25 * 0.75^2.",
    ),
    why="The rare lever has the long score, so the best baseline listens to it. The mean payment, 10.5, would do well, "
    "too: most of the noise is gone anywhere near.",
    judge=judge_number(
        11.5,
        {
            10.5: "that is the mean payment, which weighs by probability alone. The best baseline also weighs by the "
            "squared length of the score.",
            11.0: "that lies in the middle, as for p = 0.5 (or with scores that are not squared). Here the levers are "
            "not equally likely, and one score is three times as long.",
            11.8: "you weighted by the squared scores alone. Each also counts as often as it is drawn.",
            10.0: "then lever 0 would never push, and lever 1 would: two different gradients are noise.",
            12.0: "then lever 1 would never push, and lever 0 would: two different gradients are noise.",
            0.0: "without a baseline the variance is at its height here, not at its bottom.",
            10.4: "that is the bottom for p = 0.8. Move the slider to 0.25.",
            2.15625: "you forgot to divide by the sum of the weights: a mean of 10 and 12 lies between them.",
            11.6: "that is the mean payment for p = 0.8, and only near the bottom for 0.25. Compute b*.",
        },
        tolerance=5e-3,
        otherwise="this is not it. The bottom of the parabola is flat, so read it roughly from the picture, and then "
        "compute b* by the formula of its section.",
    ),
)

NOT_ALLOWED = Exercise(
    name="not_allowed",
    objective="prove that the mean stays",
    starter="""\
# one of "state", "time step", "past rewards", "last action", "other episodes", "constant", "next state", "policy"
answer = ...""",
    solution="""answer = "next state\"""",
    hints=(
        "The first line of the proof takes b out of the sum over actions. When may it?",
        "Which of them is still open at the moment when the action is drawn?",
    ),
    why="The next state depends on the action, so b cannot be taken out of the sum over actions. A good state is often "
    "what a good action has led to, and such a baseline would take that credit away.",
    judge=judge_choice(
        "next state",
        {
            "state": "it is settled before the action is drawn, so that b is one number in the whole sum. A value "
            "v(s) is such a baseline.",
            "time step": "t is the same whatever the action is. The time mean is such a baseline.",
            "past rewards": "they came before the action, which cannot change them any more.",
            "last action": "the action before this one is over when this one is drawn: it is part of what is held "
            "fixed.",
            "other episodes": "they do not know what is drawn in this one. The time mean of the other episodes is "
            "such a baseline.",
            "constant": "the simplest of all: a number comes out of every sum.",
            "policy": "pi(. | s) are the probabilities before the draw, and the same number in every term. Only what "
            "was drawn from them is forbidden.",
        },
    ),
)


def _drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _baseline_loss(log_probs: Tensor, returns: Tensor, values: Tensor) -> Tensor:
    return -(log_probs * (returns - values.detach())).sum()


def _standard(x: Tensor) -> Tensor:
    return (x - x.mean()) / (x.std(correction=0) + 1e-8)


LEAK = Exercise(
    name="leak",
    objective="subtract a baseline that lowers the noise",
    starter='''def baseline_loss(log_probs, returns, values):
    """Log-probabilities of the actions, G_t and v(s_t), each (episodes, steps) -> the policy's loss, one number.

    log_probs come from the policy's network, values from the baseline's.
    """
    advantages = returns - values
    return -(log_probs * advantages).sum()


# find the bug, fix it above, and then write answer = baseline_loss
answer = ...''',
    solution='''def baseline_loss(log_probs, returns, values):
    """Log-probabilities of the actions, G_t and v(s_t), each (episodes, steps) -> the policy's loss, one number.

    log_probs come from the policy's network, values from the baseline's.
    """
    advantages = (returns - values).detach()
    return -(log_probs * advantages).sum()


answer = baseline_loss''',
    hints=(
        "The number that comes out is right. Which networks get a gradient from it?",
        "The derivative of this loss by a value is the log-probability beside it. Should the policy's loss train the "
        "baseline?",
        "Cut the graph at the advantages: .detach() gives the same numbers without a history.",
    ),
    why="The proof treats b as a number. With the leak, this loss can be lowered by raising every value, most where "
    "actions are unlikely, and the baseline learns to be wrong.",
    judge=judge_function(
        _baseline_loss,
        [
            Case(
                "two episodes of three steps",
                (-_drawn(2, 3, seed=0).abs(), 5 * _drawn(2, 3, seed=1), _drawn(2, 3, seed=2)),
            ),
            Case("a single step", (torch.tensor([[-0.7]]), torch.tensor([[3.0]]), torch.tensor([[1.0]]))),
            Case("equal returns", (-_drawn(1, 4, seed=3).abs(), torch.full((1, 4), 2.0), _drawn(1, 4, seed=4))),
            Case("values that are exactly right", (-_drawn(2, 2, seed=5).abs(), torch.ones(2, 2), torch.ones(2, 2))),
            Case("values of zero", (-_drawn(3, 2, seed=6).abs(), _drawn(3, 2, seed=7) + 4, torch.zeros(3, 2))),
        ],
        [
            Mistake(
                "the gradient still flows into the values: the derivative by each is the log-probability beside it. "
                "Cut it where the values enter.",
                lambda lp, G, v: -(lp * (G - v)).sum(),
            ),
            Mistake(
                "now nothing learns at all: the log-probabilities are cut off, too. Cut the graph at the advantages "
                "alone.",
                lambda lp, G, v: -(lp * (G - v)).sum().detach(),
            ),
            Mistake(
                "you cut the wrong one: the log-probabilities are what the policy learns through, and the values are "
                "still in the graph.",
                lambda lp, G, v: -(lp.detach() * (G - v)).sum(),
            ),
            Mistake(
                "the minus sign is gone. An optimizer makes a loss smaller, so this would walk downhill.",
                lambda lp, G, v: -_baseline_loss(lp, G, v),
            ),
            Mistake(
                "the values are added. An advantage is the return minus the baseline.",
                lambda lp, G, v: _baseline_loss(lp, G, -v),
            ),
            Mistake(
                "you take a mean, so that the step depends on how many steps there are. The loss was a sum; leave it "
                "so.",
                lambda lp, G, v: _baseline_loss(lp, G, v) / lp.numel(),
            ),
            Mistake(
                "you take a mean over the episodes. That would be fine elsewhere, but this loss was a plain sum.",
                lambda lp, G, v: _baseline_loss(lp, G, v) / len(lp),
            ),
            Mistake(
                "the baseline is gone, and with it the leak, but the noise is back.", lambda lp, G, v: -(lp * G).sum()
            ),
            Mistake(
                "the squared error of the values has come in. They need it, but in a loss of their own.",
                lambda lp, G, v: _baseline_loss(lp, G, v) + (G - v).square().sum(),
            ),
            Mistake(
                "the mean squared error of the values has come in. They need it, but in a loss of their own.",
                lambda lp, G, v: _baseline_loss(lp, G, v) + (G - v).square().mean(),
            ),
            Mistake(
                "the advantages are squared, so that bad actions become likelier, just as good ones.",
                lambda lp, G, v: -(lp * (G - v.detach()).square()).sum(),
            ),
            Mistake(
                "the advantages have lost their sign, so that bad actions become likelier, just as good ones.",
                lambda lp, G, v: -(lp * (G - v.detach()).abs()).sum(),
            ),
            Mistake(
                "you normalize the advantages. That is for notebook 07, and changes the direction.",
                lambda lp, G, v: -(lp * _standard(G - v.detach())).sum(),
            ),
            Mistake(
                "these are probabilities: exp undoes the logarithm that the theorem asks for.",
                lambda lp, G, v: -(lp.exp() * (G - v.detach())).sum(),
            ),
        ],
        gradients=(0, 2),
    ),
)

SUITS = Exercise(
    name="suits",
    objective="say which baseline suits which task",
    starter="""\
# episodes of one step; half of them start rich, where the return is 60 or 64, half poor, where it is 0 or 4.
# how many times smaller is the mean of (G - b)^2 with b = v(s) than with b = the mean return?
answer = ...""",
    solution="""with_mean = ((60 - 32) ** 2 + (64 - 32) ** 2 + (0 - 32) ** 2 + (4 - 32) ** 2) / 4  # 904
with_value = 2**2  # v(s) is 62 or 2, and every return is 2 away from it
answer = with_mean / with_value""",
    hints=(
        "What is the mean return over all episodes, and what is v(s) in either state?",
        "The mean return is 32; v(s) is 62 or 2. How far is each of the four returns from its baseline?",
        "From 32: 28, 32, 32 and 28. From v(s): 2 each time. Square, average, and divide.",
    ),
    why="Where the state tells what can still be earned, only a value takes that part away. Where all episodes start "
    "alike, both would do the same, and the time mean costs no second network.",
    judge=judge_number(
        226.0,
        {
            15.033: "that is the ratio of the sizes. The mean of the squares is asked for.",
            15.0: "that is the ratio of 30 and 2. The mean of the squares is asked for, and the chance within a state "
            "counts in both.",
            225.0: "nearly: with the mean, a return is not 30 away, but 28 or 32. The chance within a state adds to "
            "the distance between the states.",
            224.0: "nearly, with the wrong sign: with the mean, the chance within a state adds its 4 to the 900 "
            "between the states.",
            1.0: "that would be so if all episodes started alike. Here v(s) knows what the mean return does not.",
            1 / 226: "upside down: how many times smaller is it with v(s)?",
            904.0: "that is the mean square with the mean return. Divide by that with v(s).",
            4.0: "that is the mean square with v(s). Compare it with that of the mean return.",
            900.0: "that is the difference of both. Their ratio is asked for.",
            482.0: "you compare v(s) with no baseline at all. Subtract the mean return first.",
            2.1327: "you compare the mean return with no baseline at all. Compare v(s) with the mean return.",
            256.0: "you took the squared mean return, 32^2. How far is each return from 32?",
            452.0: "you divided by 2, which is how far a return is from v(s). Square it, too.",
        },
        tolerance=1e-3,
        otherwise="this is not it. Write down four distances from the mean return and four from v(s), and square them.",
    ),
)

Array = NDArray[np.float64]
Runs = NDArray[np.int64]


def _quantiles(x: Array, tail: float = 0.025) -> tuple[Any, Any]:
    return np.quantile(x, tail), np.quantile(x, 1 - tail)


def _interval(a: Array, b: Array, draws: Runs) -> tuple[Any, Any]:
    return _quantiles((a - b)[draws].mean(1))


def _around(of: Callable[[Array, Runs], Any]) -> Callable[[Array, Array, Runs], tuple[Any, Any]]:
    """Two standard errors to each side of the mean difference."""

    def interval(a: Array, b: Array, draws: Runs) -> tuple[Any, Any]:
        middle, width = (a - b).mean(), 1.96 * of(a - b, draws)
        return middle - width, middle + width

    return interval


def _unpaired(a: Array, b: Array, draws: Runs) -> tuple[Any, Any]:
    return _quantiles(a[draws].mean(1) - b[draws[::-1]].mean(1))


def _edge_by_edge(a: Array, b: Array, draws: Runs) -> tuple[Any, Any]:
    first, second = _quantiles(a[draws].mean(1)), _quantiles(b[draws].mean(1))
    return first[0] - second[0], first[1] - second[1]


def _farthest(a: Array, b: Array, draws: Runs) -> tuple[Any, Any]:
    first, second = _quantiles(a[draws].mean(1)), _quantiles(b[draws].mean(1))
    return first[0] - second[1], first[1] - second[0]


def _comparison(runs: int, gain: float, seed: int) -> tuple[Array, Array, Runs]:
    rng = np.random.default_rng(seed)
    without = rng.uniform(100, 300, runs)
    return without + gain + rng.normal(0, 20, runs) * (gain != 7), without, rng.integers(runs, size=(400, runs))


INTERVAL = Exercise(
    name="interval",
    objective="show how sure you are that it helps",
    starter='''def interval(with_baseline, without, draws):
    """What each run earned, (runs,) twice, and the run numbers of each resample, (resamples, runs) -> low, high."""
    ...


answer = interval''',
    solution='''def interval(with_baseline, without, draws):
    """What each run earned, (runs,) twice, and the run numbers of each resample, (resamples, runs) -> low, high."""
    means = (with_baseline - without)[draws].mean(axis=1)
    return np.quantile(means, 0.025), np.quantile(means, 0.975)


answer = interval''',
    hints=(
        "Run 7 begins with the same weights under both baselines, so take the difference run by run, before anything "
        "else.",
        "differences[draws] has the shape of draws: each row is one resample of the differences. What is its mean?",
        "The middle 95 % of those means leave 2.5 % out on each side: np.quantile with 0.025 and 0.975.",
    ),
    why="If the interval leaves out zero, you may say that the baseline helps. Pairing takes away what is luck of the "
    "starting weights, so that fewer runs are enough.",
    judge=judge_function(
        _interval,
        [
            Case("sixteen runs that gain", _comparison(16, 40, 0)),
            Case("eight runs that neither gain nor lose", _comparison(8, 0, 1)),
            Case("ten runs that lose", _comparison(10, -60, 2)),
            Case("the same gain in every run", _comparison(6, 7, 3)),
            Case("a single run", _comparison(1, 20, 4)),
        ],
        [
            Mistake(
                "you draw the two groups independently. Run 7 with a baseline belongs to run 7 without: draw the same "
                "runs for both, or draw differences.",
                _unpaired,
            ),
            Mistake(
                "you compare the lower edges, and the upper edges, of two intervals. That is no interval of the "
                "difference: take the differences first.",
                _edge_by_edge,
            ),
            Mistake(
                "you subtract two intervals as if the worst of one met the best of the other. Take the differences run "
                "by run first; theirs is much narrower.",
                _farthest,
            ),
            Mistake(
                "this is where single runs lie. Asked is how sure their mean is: average each resample first.",
                lambda a, b, draws: _quantiles(a - b),
            ),
            Mistake(
                "you take the quantiles of all that was drawn. Average each resample, along axis 1, first.",
                lambda a, b, draws: _quantiles((a - b)[draws]),
            ),
            Mistake(
                "5 % are left out on each side, which makes 90 %. For 95 %, both sides share the 5 %.",
                lambda a, b, draws: _quantiles((a - b)[draws].mean(1), 0.05),
            ),
            Mistake(
                "the difference is the wrong way round: a gain must be positive.",
                lambda a, b, draws: _interval(b, a, draws),
            ),
            Mistake(
                "the edges have changed places: the lower one comes first.",
                lambda a, b, draws: _interval(a, b, draws)[::-1],
            ),
            Mistake(
                "this is the interval of the return with a baseline. Subtract what the same run earned without one.",
                lambda a, b, draws: _quantiles(a[draws].mean(1)),
            ),
            Mistake(
                "this is a standard error from a formula. It needs a bell curve; the bootstrap takes the quantiles of "
                "the resampled means.",
                _around(lambda x, draws: x.std(ddof=1) / np.sqrt(len(x))),
            ),
            Mistake(
                "this is a standard error from a formula. It needs a bell curve; the bootstrap takes quantiles of the "
                "resampled means.",
                _around(lambda x, draws: x.std() / np.sqrt(len(x))),
            ),
            Mistake(
                "you take 1.96 standard deviations of the resampled means. Their own quantiles need no bell curve.",
                _around(lambda x, draws: x[draws].mean(1).std()),
            ),
            Mistake(
                "you average over the resamples. Each row of draws is one resample: average along axis 1.",
                lambda a, b, draws: _quantiles((a - b)[draws].mean(0)),
            ),
            Mistake(
                "you take the median of each resample. The claim is about the mean.",
                lambda a, b, draws: _quantiles(np.median((a - b)[draws], axis=1)),
            ),
            Mistake(
                "you add each resample up. The claim is about the mean.",
                lambda a, b, draws: _quantiles((a - b)[draws].sum(1)),
            ),
            Mistake(
                "np.percentile counts from 0 to 100. Use 2.5 and 97.5, or np.quantile.",
                lambda a, b, draws: tuple(np.percentile((a - b)[draws].mean(1), [0.025, 0.975])),
            ),
            Mistake(
                "these are the smallest and the largest of the means. The middle 95 % leave 2.5 % out on each side.",
                lambda a, b, draws: _quantiles((a - b)[draws].mean(1), 0.0),
            ),
        ],
    ),
)

EXERCISES = (NOISE, NOT_ALLOWED, BEST_CONSTANT, LEAK, SUITS, INTERVAL)
