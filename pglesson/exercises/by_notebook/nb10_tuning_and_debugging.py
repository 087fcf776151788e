"""Exercises of notebook 10."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pglesson.exercises.calls import agree, difference, play
from pglesson.exercises.framework import Exercise, Outcome, wrong
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal

Array = NDArray[np.float64]
MEASURE = "choose a learning rate, gamma, entropy weight and clipping by measuring instead of copying"


def _middle(
    rates: Array,
    scores: Array,
    slack: float,
    mean: Callable[[Array], Array] = lambda scores: scores.mean(1),
    between: Callable[[Array], float] = lambda plateau: math.sqrt(plateau.min() * plateau.max()),
) -> float:
    height = mean(scores)
    return between(rates[height >= height.max() - slack])


def _unbroken(rates: Array, scores: Array, slack: float) -> float:
    """The middle of the rates that pass and are joined to the best by others that do."""
    order = np.argsort(rates)
    rates, height = rates[order], scores.mean(1)[order]
    passed, best = height >= height.max() - slack, int(height.argmax())
    low = max((i + 1 for i in range(best) if not passed[i]), default=0)
    high = min((i - 1 for i in range(best, len(rates)) if not passed[i]), default=len(rates) - 1)
    return math.sqrt(rates[low] * rates[high])


def _map(means: list[float], spread: float, agents: int, seed: int) -> Array:
    """Scores (rates, agents) with exactly these means."""
    noise = np.random.default_rng(seed).normal(0, spread, (len(means), agents))
    return np.array(means)[:, None] + noise - noise.mean(1, keepdims=True)


PLATEAU = Exercise(
    name="plateau",
    objective=MEASURE,
    starter='''def middle_of_plateau(rates, scores, slack):
    """Learning rates (n,) and scores (n, agents) -> the middle of the plateau, a single rate."""
    ...


answer = middle_of_plateau''',
    solution='''def middle_of_plateau(rates, scores, slack):
    """Learning rates (n,) and scores (n, agents) -> the middle of the plateau, a single rate."""
    mean = scores.mean(1)
    plateau = rates[mean >= mean.max() - slack]
    return np.sqrt(plateau.min() * plateau.max())


answer = middle_of_plateau''',
    hints=(
        "Three steps: one mean for each rate, then the rates whose mean is high enough, then their middle.",
        "High enough is mean >= mean.max() - slack. Of the rates that pass you need only the lowest and the highest.",
        "Halfway between two factors is the square root of their product: between 0.01 and 1 it is 0.1.",
    ),
    why="The highest number is partly chance, and may lie at the edge of the plateau. The middle is as far from the "
    "low edge as from the high one, in factors, which is how learning rates are counted.",
    judge=judge_function(
        _middle,
        [
            Case(
                "six rates, and a cliff after the fourth",
                (np.array([0.001, 0.003, 0.01, 0.03, 0.1, 1.0]), _map([20, 60, 92, 96, 70, 30], 15, 4, 0), 10.0),
            ),
            Case(
                "seven rates, four of them on the plateau",
                (
                    np.array([0.001, 0.002, 0.01, 0.03, 0.05, 0.3, 1.0]),
                    _map([20, 91, 93, 99, 98, 40, 9], 20, 5, 1),
                    10.0,
                ),
            ),
            Case(
                "returns below zero",
                (np.array([0.001, 0.01, 0.1, 1.0]), _map([-900, -205, -190, -700], 30, 3, 2), 20.0),
            ),
            Case(
                "one agent a rate",
                (np.array([0.003, 0.02, 0.1, 0.5]), np.array([[30.0], [85.0], [88.0], [12.0]]), 10.0),
            ),
            Case("a slack of 0", (np.array([0.01, 0.1, 1.0]), _map([50, 80, 60], 5, 4, 3), 0.0)),
            Case("a single rate", (np.array([0.03]), np.array([[70.0, 90.0]]), 10.0)),
            Case("rates in falling order", (np.array([1.0, 0.3, 0.1, 0.01]), _map([10, 95, 90, 40], 10, 6, 4), 10.0)),
            Case(
                "rates in no order, and a poor one between two good ones",
                (
                    np.array([0.1, 1.0, 0.3, 0.004, 0.03, 0.001]),
                    np.array(
                        [[70, 100, 100], [95, 94, -9], [91, 95, 99], [90, 92, 94], [40, 50, 30], [99, 5, 1]], float
                    ),
                    9.0,
                ),
            ),
            Case("means near 0", (np.array([0.001, 0.01, 0.1, 1.0]), _map([-30, -2, 4, -7], 20, 4, 5), 8.0)),
        ],
        [
            Mistake(
                "you take the first and the last rate that pass, but the rates come in any order. The ends of the "
                "plateau are the lowest and the highest of them.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: math.sqrt(p[0] * p[-1])),
            ),
            Mistake(
                "you put the rates in order and leave their scores where they were. Sort both alike, or neither.",
                lambda rates, scores, slack: _middle(np.sort(rates), scores, slack),
            ),
            Mistake(
                "you stop at the first poor rate beside the best. Poor ones between the two ends do not matter: take "
                "all rates that pass.",
                _unbroken,
            ),
            Mistake(
                "you go by the median of the agents. The mean is asked for.",
                lambda rates, scores, slack: _middle(rates, scores, slack, lambda s: np.median(s, axis=1)),
            ),
            Mistake(
                "a rate passes as soon as one of its agents does. One agent says little: compare the means.",
                lambda rates, scores, slack: _middle(
                    rates, np.minimum(scores.max(1), scores.mean(1).max())[:, None], slack
                ),
            ),
            Mistake(
                "you leave out rates that are exactly `slack` below the best mean, and with a slack of 0 the best "
                "itself. *At most* slack below is asked for.",
                lambda rates, scores, slack: math.sqrt(
                    rates[scores.mean(1) > scores.mean(1).max() - slack].min()
                    * rates[scores.mean(1) > scores.mean(1).max() - slack].max()
                ),
            ),
            Mistake(
                "you keep the rates whose mean is above `slack` itself. *At most* `slack` below the best mean is asked "
                "for.",
                lambda rates, scores, slack: math.sqrt(
                    rates[scores.mean(1) >= slack].min() * rates[scores.mean(1) >= slack].max()
                ),
            ),
            Mistake(
                "you compare means with the best score of a single agent. The best *mean* is meant.",
                lambda rates, scores, slack: math.sqrt(
                    rates[scores.mean(1) >= scores.max() - slack].min()
                    * rates[scores.mean(1) >= scores.max() - slack].max()
                ),
            ),
            Mistake(
                "the mean runs over the rates. Each rate has a mean of its own, over its agents: axis 1.",
                lambda rates, scores, slack: _middle(rates, scores, slack, lambda s: s.mean(0)),
            ),
            Mistake(
                "you take slack as a share of the best mean. It is in units of return: subtract it.",
                lambda rates, scores, slack: math.sqrt(
                    rates[scores.mean(1) >= scores.mean(1).max() * (1 - slack)].min()
                    * rates[scores.mean(1) >= scores.mean(1).max() * (1 - slack)].max()
                ),
                lambda rates, scores, slack: _middle(rates, scores, slack * abs(scores.mean(1).max())),
            ),
            Mistake(
                "this is the logarithm of the middle. Take the exponential.",
                lambda rates, scores, slack: math.log(_middle(rates, scores, slack)),
            ),
            Mistake(
                "you take the single rate with the highest mean. On a plateau that is chance, with so few agents; take "
                "the middle of all that come close.",
                lambda rates, scores, slack: float(rates[scores.mean(1).argmax()]),
            ),
            Mistake(
                "you take the arithmetic middle, which lies next to the highest rate. Rates are compared by factors: "
                "halfway between 0.01 and 1 is 0.1.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: (p.min() + p.max()) / 2),
            ),
            Mistake(
                "you average the plateau's rates, so the largest of them counts most. Rates are compared by factors: "
                "halfway between 0.01 and 1 is 0.1.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: float(p.mean())),
            ),
            Mistake(
                "you take the plateau's middle entry, or the mean of its logarithms, so it depends on how densely the "
                "grid was laid there. Take the middle of its two ends.",
                lambda rates, scores, slack: _middle(
                    rates, scores, slack, between=lambda p: math.exp(np.log(p).mean())
                ),
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: float(np.median(p))),
            ),
            Mistake(
                "you look at the best agent of each rate. One agent says little: take the mean over the agents.",
                lambda rates, scores, slack: _middle(rates, scores, slack, lambda s: s.max(1)),
            ),
            Mistake(
                "you look at the worst agent of each rate. That can be wise, but the mean is asked for.",
                lambda rates, scores, slack: _middle(rates, scores, slack, lambda s: s.min(1)),
            ),
            Mistake(
                "the plateau is there, but this is its lowest rate. Go to its middle.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: float(p.min())),
            ),
            Mistake(
                "the plateau is there, but this is its highest rate, next to the cliff. Go to its middle.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: float(p.max())),
            ),
            Mistake(
                "this is the middle of all the rates that were tried, whatever they earn. Look at the scores first.",
                lambda rates, scores, slack: math.sqrt(rates.min() * rates.max()),
            ),
            Mistake(
                "this is a mean return; the learning rate that belongs to it is asked for.",
                lambda rates, scores, slack: float(scores.mean(1).max()),
            ),
            Mistake(
                "you take the geometric middle as half of a product; it is the square root of it.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: p.min() * p.max() / 2),
            ),
            Mistake(
                "this is the product of the plateau's ends. Its square root is missing.",
                lambda rates, scores, slack: _middle(rates, scores, slack, between=lambda p: p.min() * p.max()),
            ),
            Mistake(
                "you take the plateau's middle entry, or the mean of its logarithms, so it depends on how densely the "
                "grid was laid there. Take the middle of its two ends.",
                lambda rates, scores, slack: _middle(
                    rates, scores, slack, between=lambda p: float(np.sort(p)[len(p) // 2])
                ),
            ),
            Mistake(
                "you take a share of the best mean, nine tenths, and `slack` is not used. It is in units of return: "
                "subtract it.",
                lambda rates, scores, slack: math.sqrt(
                    rates[scores.mean(1) >= 0.9 * scores.mean(1).max()].min()
                    * rates[scores.mean(1) >= 0.9 * scores.mean(1).max()].max()
                ),
            ),
            Mistake(
                "the agents' scores are added up, and slack is in units of one return. Take their mean.",
                lambda rates, scores, slack: _middle(rates, scores, slack, lambda s: s.sum(1)),
            ),
            Mistake(
                "this is the logarithm of the middle. Go back from it: 10 to its power, or exp.",
                lambda rates, scores, slack: math.log10(_middle(rates, scores, slack)),
                lambda rates, scores, slack: math.log(_middle(rates, scores, slack)),
            ),
            Mistake(
                "this is the listed rate nearest to the middle. The middle itself need not be in the list.",
                lambda rates, scores, slack: rates[
                    np.abs(np.log(rates) - np.log(_middle(rates, scores, slack))).argmin()
                ],
            ),
        ],
    ),
)

HORIZON = Exercise(
    name="horizon",
    objective=MEASURE,
    starter="""# an action shows its consequence only 200 steps later.
# for which gamma is 1 / (1 - gamma) just as long?
answer = ...""",
    solution="""answer = 1 - 1 / 200""",
    hints=(
        "Set 1 / (1 - gamma) = 200, and solve for gamma.",
        "Take the reciprocal of both sides: 1 - gamma = 1 / 200.",
    ),
    why="With 0.99, the value that everybody copies, such a consequence counts 0.13, and with 0.9 less than a "
    "thousandth of a millionth. Here it counts 0.37, so choose gamma somewhat higher still.",
    judge=NumberJudge(
        0.995,
        {
            1 - 1 / 201: "that has a horizon of 201 steps. Exactly 200 are asked for.",
            1 - 1 / 199: "that has a horizon of 199 steps. Exactly 200 are asked for.",
            0.99: "that is the value from the table, and it looks 1 / 0.01 = 100 steps ahead.",
            0.9: "1 / (1 - 0.9) is 10 steps.",
            0.95: "1 / (1 - 0.95) is 20 steps.",
            0.999: "1 / (1 - 0.999) is 1000 steps: it would do, but exactly 200 are asked for.",
            0.005: "that is 1 - gamma. A gamma this small would see nothing but the next reward.",
            0.5 ** (1 / 200): "with that gamma the weight of the 200th reward is a half. The rule of thumb here is "
            "1 / (1 - gamma); there, the weight has fallen to 1 / e.",
            math.exp(-1 / 200): "nearly: its weight is 1 / e after 200 steps, exactly. 1 / (1 - gamma) = 200 gives a "
            "round number.",
            1.0: "with gamma = 1 the sum 1 / (1 - gamma) has no end. Solve for 200.",
            1.005: "above 1 the future would count the more the further away it is. Check the sign.",
            200.0: "that is the number of steps. Which gamma belongs to it?",
            -1 / 199: "you put 200 in for gamma. It is what should come out of 1 / (1 - gamma).",
            1 - 1 / 2000: "1 / (1 - 0.9995) is 2000 steps. Exactly 200 are asked for.",
            0.98: "1 / (1 - 0.98) is 50 steps.",
        },
        tolerance=1e-6,
        near=2e-6,
        otherwise="this is not it. Put your number into 1 / (1 - gamma): 200 should come out.",
    ),
)


def _clip(gradients: Tensor, longest: float, norm: Tensor) -> Tensor:
    return torch.where(norm > longest, gradients * longest / norm, gradients)


def _norms(gradients: Tensor) -> Tensor:
    return gradients.norm(dim=1, keepdim=True)


CLIP = Exercise(
    name="clip",
    objective=MEASURE,
    starter='''def clip(gradients, longest):
    """Gradients (runs, weights), a row a run -> the same, each row with a norm of `longest` at most."""
    norm = gradients.norm()
    return gradients * longest / norm


answer = ...  # fix the function above; then write clip here''',
    solution='''def clip(gradients, longest):
    """Gradients (runs, weights), a row a run -> the same, each row with a norm of `longest` at most."""
    norm = gradients.norm(dim=1, keepdim=True)
    return torch.where(norm > longest, gradients * longest / norm, gradients)


answer = clip''',
    hints=(
        "Try it on two rows, one long and one short, and print the norm of each row before and after.",
        "The norm is that of the whole table. And what happens to a row that is short enough already?",
        "One norm a row: dim=1, keepdim=True. Then only rows with norm > longest are multiplied; torch.where chooses.",
    ),
    why="A short gradient stays as it is, so that steps become small where there is little to learn. Made longer, it "
    "would be noise at full length.",
    judge=judge_function(
        lambda gradients, longest: _clip(gradients, longest, _norms(gradients)),
        [
            Case("three long gradients", (4 * normal(3, 5, seed=0), 0.5)),
            Case("one long and one short gradient", (torch.tensor([[3.0, 4.0], [0.1, -0.2]]), 1.0)),
            Case("three gradients that are short enough", (0.1 * normal(3, 4, seed=1), 2.0)),
            Case("a single run", (2 * normal(1, 6, seed=2), 1.5)),
            Case("as many runs as weights", (3 * normal(3, 3, seed=3), 2.0)),
            Case("a gradient of zero beside another", (torch.tensor([[0.0, 0.0, 0.0], [2.0, -1.0, 2.0]]), 1.0)),
            Case("entries that are all below the bound, and a norm above it", (torch.full((2, 9), 0.8), 1.0)),
        ],
        [  # narrow mistakes first: what is wrong on fewer cases
            Mistake(
                "a row of zeros becomes NaN, since 0 / 0 does. It is short enough: it must stay as it is.",
                lambda gradients, longest: (
                    gradients * (longest / _norms(gradients)).clamp(max=1.0) + 0 * (gradients / _norms(gradients))
                ),
            ),
            Mistake(
                "short rows are made longer: a row of norm 0.2 must stay as it is.",
                lambda gradients, longest: gradients * longest / _norms(gradients).clamp_min(1e-8),
            ),
            Mistake(
                "short gradients stay, but the norm is that of the whole table. One run with a long gradient would "
                "shorten the steps of all others: take the norm along the weights.",
                lambda gradients, longest: _clip(gradients, longest, gradients.norm()),
            ),
            Mistake(
                "the norm is still that of the whole table, and short gradients are made longer. Each run is clipped "
                "by itself, and only if it is too long.",
                lambda gradients, longest: gradients * longest / gradients.norm(),
            ),
            Mistake(
                "each row has its own norm now, but rows that were short enough are made longer, and a row of zeros "
                "becomes NaN. Leave them as they are.",
                lambda gradients, longest: gradients * longest / _norms(gradients),
            ),
            Mistake(
                "the norm runs over the runs. It belongs to a row: dim=1, the axis of the weights.",
                lambda gradients, longest: _clip(gradients, longest, gradients.norm(dim=0, keepdim=True)),
            ),
            Mistake(
                "each entry is cut off by itself, which turns the gradient's direction. Multiply the whole row by one "
                "number.",
                lambda gradients, longest: gradients.clamp(-longest, longest),
            ),
            Mistake(
                "long rows get the norm 1, whatever `longest` is. Multiply by it.",
                lambda gradients, longest: torch.where(
                    _norms(gradients) > longest, gradients / _norms(gradients), gradients
                ),
            ),
            Mistake(
                "this divides by the square of the norm. Take the square root of the sum of squares.",
                lambda gradients, longest: _clip(gradients, longest, gradients.square().sum(1, keepdim=True)),
            ),
            Mistake(
                "the norm here is a sum of absolute values. The Euclidean one is asked for, the root of the sum of "
                "squares.",
                lambda gradients, longest: _clip(gradients, longest, gradients.abs().sum(1, keepdim=True)),
            ),
            Mistake(
                "the largest entry is taken for the norm. The Euclidean norm is asked for, the root of the sum of "
                "squares.",
                lambda gradients, longest: _clip(gradients, longest, gradients.abs().amax(1, keepdim=True)),
            ),
            Mistake(
                "it is the wrong way round: short rows are changed, and long ones stay.",
                lambda gradients, longest: torch.where(
                    _norms(gradients) < longest, gradients * longest / _norms(gradients), gradients
                ),
            ),
            Mistake(
                "rows that are too long are thrown away. Shorten them; their direction is worth keeping.",
                lambda gradients, longest: torch.where(_norms(gradients) > longest, 0.0, gradients),
            ),
            Mistake(
                "the factor is the wrong way round, so short rows are made shorter, and long ones stay: turn the "
                "quotient around.",
                lambda gradients, longest: gradients * (_norms(gradients) / longest).clamp(max=1.0),
            ),
            Mistake(
                "every row comes back as it was. A long one has to be shortened to `longest`.",
                lambda gradients, longest: gradients,
            ),
            Mistake(
                "all rows are shortened by one factor, that of the longest or of their mean. One run with a long "
                "gradient would shorten the steps of all others: each row has a factor of its own.",
                lambda gradients, longest: _clip(gradients, longest, _norms(gradients).max()),
                lambda gradients, longest: _clip(gradients, longest, _norms(gradients).mean()),
            ),
            Mistake(
                "every row is set to the length `longest` as soon as one is too long. Ask each row by itself.",
                lambda gradients, longest: (
                    gradients * longest / _norms(gradients) if (_norms(gradients) > longest).any() else gradients
                ),
            ),
            Mistake(
                "the norms have lost their axis, so (runs,) meets (runs, weights) and fits only by chance. Keep it: "
                "keepdim=True.",
                lambda gradients, longest: gradients * (longest / gradients.norm(dim=1).clamp_min(1e-8)).clamp(max=1.0),
                lambda gradients, longest: _clip(gradients, longest, gradients.norm(dim=1)),
            ),
        ],
    ),
)


def _kl(before: Tensor, after: Tensor) -> Tensor:
    """KL(before || after) for each state."""
    p, q = before.log_softmax(-1), after.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1)


_BOUNDED = (
    "a small number under the logarithm keeps it from minus infinity and bounds the result: where a policy becomes "
    "certain it is too small. log_softmax of the logits needs no such number."
)


def _kl_of_probabilities(before: Tensor, after: Tensor, bounded: Callable[[Tensor], Tensor]) -> Tensor:
    p, q = bounded(before.softmax(-1)), bounded(after.softmax(-1))
    return (p * (p / q).log()).sum(-1).mean()


_judge_values = judge_function(
    lambda before, after: _kl(before, after).mean(),
    [
        Case("four states with three actions", (normal(4, 3, seed=4), normal(4, 3, seed=5))),
        Case("a single state with two actions", (normal(1, 2, seed=6), normal(1, 2, seed=7))),
        Case("an update that changed nothing", (normal(3, 2, seed=8), normal(3, 2, seed=8))),
        Case("logits that are all 5 higher than before", (normal(3, 4, seed=9), normal(3, 4, seed=9) + 5)),
        Case("a policy that becomes nearly certain", (normal(3, 2, seed=10), 6 * normal(3, 2, seed=11))),
        Case(
            "a policy that was certain before",
            (torch.tensor([[200.0, 0.0], [0.5, 0.0]]), torch.tensor([[3.0, 0.0], [0.0, 0.0]])),
        ),
        Case(
            "a policy that becomes certain",
            (torch.tensor([[0.5, 0.0, 0.0], [0.0, 1.0, 0.5]]), torch.tensor([[60.0, 0.0, 0.0], [0.0, 1.0, 60.0]])),
        ),
    ],
    [
        Mistake(
            "the weights are those of the policy after the update. KL(before || after) averages over the actions "
            "of the policy before: it played the episodes.",
            lambda before, after: _kl(after, before).mean(),
            lambda before, after: -_kl(after, before).mean(),
        ),
        Mistake(
            "the sum runs over all states. Their mean is asked for, so that a longer episode is no larger change.",
            lambda before, after: _kl(before, after).sum(),
        ),
        Mistake(
            "the mean runs over the actions too. Sum over them: the probabilities are the weights already.",
            lambda before, after: _kl(before, after).mean() / before.shape[-1],
        ),
        Mistake(
            "the sign is wrong. A divergence is never below zero: log pi before, minus log pi after.",
            lambda before, after: -_kl(before, after).mean(),
        ),
        Mistake(
            "the logits were compared as they are. A number added to all of a state's logits changes no policy: "
            "take log_softmax first.",
            lambda before, after: (before.softmax(-1) * (before - after)).sum(-1).mean(),
        ),
        Mistake(
            "this is the cross-entropy, which is not zero when nothing changes. The entropy of the policy before "
            "has to be taken off.",
            lambda before, after: -(before.softmax(-1) * after.log_softmax(-1)).sum(-1).mean(),
        ),
        Mistake(
            "this is how much the entropy fell. A policy can change its mind and be as undecided as before.",
            lambda before, after: (
                (after.softmax(-1) * after.log_softmax(-1)).sum(-1)
                - (before.softmax(-1) * before.log_softmax(-1)).sum(-1)
            ).mean(),
        ),
        Mistake(
            "the differences of log pi were added up without weights. Weight each action by its probability "
            "before the update.",
            lambda before, after: (before.log_softmax(-1) - after.log_softmax(-1)).sum(-1).mean(),
        ),
        Mistake(
            "the softmax runs over the states. Each row is a policy of its own: use the last axis.",
            lambda before, after: (before.softmax(0) * (before.log_softmax(0) - after.log_softmax(0))).sum(-1).mean(),
        ),
        Mistake(
            "this is in bits, by the logarithm of base 2. Nats are asked for, with the natural one.",
            lambda before, after: _kl(before, after).mean() / math.log(2),
        ),
        Mistake(
            "this compares probabilities by their difference. The KL divergence compares their logarithms.",
            lambda before, after: (before.softmax(-1) - after.softmax(-1)).abs().sum(-1).mean(),
        ),
        Mistake(
            "this compares probabilities by their squares. The KL divergence compares their logarithms.",
            lambda before, after: (before.softmax(-1) - after.softmax(-1)).square().sum(-1).mean(),
        ),
        Mistake(
            "a probability was rounded to zero, and its logarithm is lost. Take log_softmax of the logits, never "
            "the logarithm of a softmax.",
            lambda before, after: (
                (before.softmax(-1) * (before.softmax(-1).log() - after.softmax(-1).log())).sum(-1).mean()
            ),
        ),
        Mistake(
            "one number for each state is left. Their mean is asked for.", lambda before, after: _kl(before, after)
        ),
        Mistake(
            _BOUNDED,
            lambda before, after: _kl_of_probabilities(before, after, lambda p: p + 1e-8),
            lambda before, after: _kl_of_probabilities(before, after, lambda p: p.clamp_min(1e-8)),
            lambda before, after: _kl_of_probabilities(before, after, lambda p: p + 1e-12),
        ),
        Mistake(
            "this is the mean of both directions. KL(before || after) alone is asked for.",
            lambda before, after: (_kl(before, after) + _kl(after, before)).mean() / 2,
        ),
        Mistake(
            "this compares probabilities by their difference. The KL divergence compares their logarithms.",
            lambda before, after: (before.softmax(-1) - after.softmax(-1)).abs().sum(-1).mean() / 2,
        ),
        Mistake(
            "the weights are log-probabilities. Weight each action by its probability before the update.",
            lambda before, after: (
                (before.log_softmax(-1) * (before.log_softmax(-1) - after.log_softmax(-1))).sum(-1).mean()
            ),
        ),
        Mistake("this is the largest of the states. Their mean is asked for.", lambda b, a: _kl(b, a).max()),
        Mistake(
            "the differences of log pi lost their sign, so they cannot cancel. Leave abs out.",
            lambda before, after: (
                (before.softmax(-1) * (before.log_softmax(-1) - after.log_softmax(-1)).abs()).sum(-1).mean()
            ),
        ),
        Mistake(
            "the softmax runs over the states. Each row is a policy of its own: use the last axis.",
            lambda before, after: (before.softmax(0) * (before.log_softmax(0) - after.log_softmax(0))).sum(0).mean(),
        ),
        Mistake(
            "logits are taken for log-probabilities. Take their log_softmax first.",
            lambda before, after: (before.exp() * (before - after)).sum(-1).mean(),
        ),
        Mistake(
            "F.kl_div takes the policy *after* first, as log-probabilities, then the one before; and it needs "
            'reduction="batchmean".',
            lambda before, after: torch.nn.functional.kl_div(before.log_softmax(-1), after.softmax(-1)),
            lambda before, after: torch.nn.functional.kl_div(after.log_softmax(-1), before.softmax(-1)),
        ),
    ],
)
_CERTAIN = Case("a policy that becomes certain", (torch.tensor([[0.5, 0.0]]), torch.tensor([[200.0, 0.0]])))
_REPLACED = (
    " Something there keeps inf and NaN away, such as nan_to_num() or clamp(), and puts a wrong number instead. "
    "log_softmax of the logits is finite by itself."
)


_INFINITE = (
    " A probability is rounded to zero there, as also in torch's kl_divergence() of two Categoricals. log_softmax of "
    "the logits is finite."
)


def _judge_change(answer: Any) -> Outcome | None:
    found = _judge_values(answer)
    if found is not None:
        return found
    got, want = play(answer, _CERTAIN), play(lambda before, after: _kl(before, after).mean(), _CERTAIN)
    if agree(got, want, 1e-4):
        return None
    if got.failure:
        return wrong(got.message)
    why = _REPLACED if got.outputs[0].isfinite().all() else _INFINITE
    return wrong(difference(answer, _CERTAIN, got, want, (), 1e-4).partition(" inf comes")[0] + why)


CHANGE = Exercise(
    name="change",
    objective="name the five curves worth watching",
    starter='''def policy_change(before, after):
    """Logits before and after an update, each (n, actions) -> the mean KL divergence, one number."""
    ...


answer = policy_change''',
    solution='''def policy_change(before, after):
    """Logits before and after an update, each (n, actions) -> the mean KL divergence, one number."""
    p, q = before.log_softmax(-1), after.log_softmax(-1)
    return (p.exp() * (p - q)).sum(-1).mean()


answer = policy_change''',
    hints=(
        "First turn both tables of logits into log-probabilities.",
        "For one state it is an average of log pi_before(a) - log pi_after(a), over the actions. With which weights?",
        "Weight each by pi_before, sum over the last axis, and take the mean over the states.",
    ),
    why="It does not depend on the scale of the rewards, nor on the size of the network, so you can compare it between "
    "trainings. On the maps of this notebook 0.001 to 0.1 went well; measure the range of your own task.",
    judge=_judge_change,
)

RATE = Exercise(
    name="rate",
    objective=MEASURE,
    starter="""# alpha = 0.001 gives a policy change of 0.00005, which grows with the square of alpha.
# which alpha gives 0.005?
answer = ...""",
    solution="""answer = 0.001 * (0.005 / 0.00005) ** 0.5""",
    hints=(
        "By which factor must the policy change grow?",
        "By 100. If alpha is multiplied by x, the policy change is multiplied by x squared.",
        "x squared is 100.",
    ),
    why="One update was enough to find it; no training had to be watched to its end. Look again at the next update: "
    "the square holds for short steps only.",
    judge=NumberJudge(
        0.01,
        {
            0.1: "you multiplied alpha by 100. The policy change would grow by 100 squared, to 0.5: too much.",
            10.0: "that is the factor. Multiply the old alpha by it.",
            100.0: "by this factor the policy change must grow. What does that mean for alpha?",
            0.0001: "that is a shorter step. The policy change must grow.",
            0.00001: "that is a shorter step. The policy change must grow.",
            0.0031623: "with that alpha the policy change is ten times as large, 0.0005. (Did you take the root twice, "
            "or lose a zero?)",
            0.031623: "with that alpha the policy change is a thousand times as large, 0.05. Count the zeros.",
            0.05: "that factor is 50. Half of what the policy change must grow by is not its root.",
            0.005: "that is the policy change that is wanted, not the alpha.",
            0.001: "that is the old alpha.",
        },
        tolerance=0.01,
        otherwise="this is not it. Multiply the old alpha by x; the policy change is then x * x times the old one.",
    ),
)

BROKEN = Exercise(
    name="broken",
    objective="tell from them what is wrong with a failing run",
    starter="""# which update broke it? Give its number.
answer = ...""",
    solution="""answer = 3""",
    hints=(
        "In an update the episodes come first, and the step comes after them. Who played the episodes of row 4?",
        "Look for the row whose *step* is out of all proportion, not for the one whose return is.",
        "Compare the policy changes with each other. One is more than ten times as large as any other.",
    ),
    why="That row has the best return of the run, since its episodes were played before its step. One outlier of a "
    "gradient made the step far too long, the policy became certain, and a certain policy has no gradient to come back "
    "by. The return tells you one update late; the policy change tells you at once.",
    judge=NumberJudge(
        3.0,
        {
            1.0: "its policy change is large, but the run survived: the next return is higher.",
            2.0: "its policy change is the smallest of the first three, the next return is higher, and the policy is "
            "still undecided.",
            4.0: "here you see the damage, in the return. Its episodes were played by the policy that an earlier step "
            "had left, and its own step is zero.",
            5.0: "in row 5 nothing moves any more: it was broken before.",
            6.0: "in row 6 nothing moves any more: it was broken before.",
            7.0: "in row 7 nothing moves any more: it was broken before.",
            8.0: "in the last row nothing moves any more: it was broken before.",
            4.7: "that is a policy change, and the right one to look at. In which row is it?",
            117.0: "that is a return. The number of the update is asked for.",
            199.0: "that is a gradient norm, and the largest. In which row is it?",
            0.0: "the updates count from 1, and the first two did good.",
        },
        otherwise="this is not one of the rows. Give the number of an update, from 1 to 8.",
    ),
)

EXERCISES = (PLATEAU, HORIZON, CLIP, CHANGE, RATE, BROKEN)
