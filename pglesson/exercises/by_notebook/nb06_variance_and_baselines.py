"""Exercises of notebook 06."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pglesson.exercises.calls import MARKED
from pglesson.exercises.critics import judge_agent_with_value
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, ChoiceJudge, Mistake, judge_function, normal


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
                "neither the accuracy nor the length of the mean gradient is squared. V is a square, so both must be.",
                lambda g, c: _variance(g) / (c * _signal(g).sqrt()),
            ),
            Mistake(
                "mean and variance are those of all numbers together. Each weight has its own: take both over axis 0, "
                "and add up.",
                lambda g, c: g.var(correction=0) / (c * g.mean()) ** 2,
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
                "the mean is not subtracted: this is the mean squared length, and what all episodes have in common is "
                "not noise.",
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
                "numerator and denominator are swapped: more noise must ask for more episodes.",
                lambda g, c: 1 / _needed(g, c),
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
                lambda g, c: (g - g.mean(1, keepdim=True)).square().sum(1).mean() / (c**2 * g.mean(1).square().sum()),
            ),
            Mistake(
                "these are as many numbers as there are weights. Add the variances up before you divide.",
                lambda g, c: g.var(0) / (c**2 * g.mean(0).square()),
            ),
            Mistake("it is rounded. Give the number as it is.", lambda g, c: _needed(g, c).round()),
            Mistake("it is rounded up. Give the number as it is.", lambda g, c: _needed(g, c).ceil()),
            Mistake("it is cut to a whole number. Give the number as it is.", lambda g, c: _needed(g, c).floor()),
            Mistake("you took 0.3, whatever the accuracy is. It is the second argument.", lambda g, c: _needed(g, 0.3)),
            Mistake(
                "the denominator has the mean length of single gradients. The noise makes them long; take the length "
                "of the mean.",
                lambda g, c: _variance(g) / (c * g.norm(dim=1).mean()) ** 2,
            ),
            Mistake(
                "the variance is that of all numbers together, around one mean. Each weight has a mean of its own: "
                "take it over axis 0, and add up.",
                lambda g, c: g.var(correction=0) / (c**2 * _signal(g)),
            ),
            Mistake(
                "one mean of all numbers is subtracted. Each weight has a mean of its own: take it over axis 0.",
                lambda g, c: (g - g.mean()).square().sum(1).mean() / (c**2 * _signal(g)),
            ),
            Mistake(
                "the mean of each episode is subtracted. Each weight has a mean of its own, over the episodes: axis 0.",
                lambda g, c: (g - g.mean(1, keepdim=True)).square().sum(1).mean() / (c**2 * _signal(g)),
            ),
            Mistake(
                "the denominator has the mean of all numbers. The mean gradient has an entry for each weight, and its "
                "squared length is the sum of their squares.",
                lambda g, c: _variance(g) / (c * g.mean()) ** 2,
            ),
            Mistake(
                "the mean gradient's entries are added up and then squared. Its squared length is the sum of their "
                "squares.",
                lambda g, c: _variance(g) / (c * g.mean(0).sum()) ** 2,
            ),
            Mistake(
                "the length of the mean gradient is taken as the sum of absolute values. It is the root of the sum of "
                "squares.",
                lambda g, c: _variance(g) / (c * g.mean(0).abs().sum()) ** 2,
            ),
            Mistake(
                "standard deviations are added up for V. Add up the variances, their squares.",
                lambda g, c: g.std(0, correction=0).sum() / (c**2 * _signal(g)),
            ),
            Mistake(
                "standard deviations are added up, and their sum is squared. Square each first: V is the sum of the "
                "variances.",
                lambda g, c: g.std(0, correction=0).sum() ** 2 / (c**2 * _signal(g)),
            ),
            Mistake(
                "the squared distances are added up over the episodes, too. V is their mean over the episodes.",
                lambda g, c: _needed(g, c) * len(g),
            ),
            Mistake(
                "each weight's own ratio is added up. Add up the variances first, and the squares of the mean, and "
                "divide then.",
                lambda g, c: (g.var(0, correction=0) / (c * g.mean(0)) ** 2).sum(),
            ),
            Mistake(
                "the squared length of the mean is averaged over the weights. It is the sum of the squares.",
                lambda g, c: _variance(g) / (c**2 * g.mean(0).square().mean()),
            ),
            Mistake(
                "this is the signal-to-noise ratio. N is V over the squared accuracy times the squared length.",
                lambda g, c: (_signal(g) / _variance(g)).sqrt(),
            ),
            Mistake(
                "the accuracy is taken as a percentage. It is a fraction: 0.3 is 30 %.",
                lambda g, c: _needed(g, c / 100),
            ),
            Mistake(
                "the squared length of the mean gradient is left out. The error is asked for as a part of that length.",
                lambda g, c: _variance(g) / c**2,
            ),
        ],
        tolerance=3e-3,  # so that dividing by n - 1, as var() does, is right, too
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
        "Which of them is not yet decided when the action is drawn?",
    ),
    why="The next state depends on the action, so b cannot be taken out of the sum over actions. A good state is often "
    "what a good action has led to, and such a baseline would take that credit away.",
    judge=ChoiceJudge(
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
            "constant": "the simplest of all: a number can be taken out of every sum.",
            "policy": "pi(. | s) are the probabilities before the draw, and the same number in every term. Only what "
            "was drawn from them is forbidden.",
        },
    ),
)


def _residuals(w: Tensor, s: Tensor, G: Tensor, mask: Tensor) -> Tensor:
    return (G - s @ w) * mask


def _learned(
    direction: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor],
) -> Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]:
    """w moved by alpha_w along what `direction` gives."""
    return lambda w, s, G, mask, alpha_w: w + alpha_w * direction(w, s, G, mask)


def _along(error: Tensor, s: Tensor) -> Tensor:
    """The sum over episodes and time of error times observation, (features,)."""
    return (error[..., None] * s).sum((0, 1))


def _minus_gradient(w: Tensor, s: Tensor, G: Tensor, mask: Tensor) -> Tensor:
    return _along(_residuals(w, s, G, mask), s) / mask.sum()


def _lesson(lengths: list[int], features: int, seed: int, w: float = 1.0) -> tuple[Tensor, ...]:
    """w, observations, returns and mask of episodes of these lengths."""
    steps = torch.arange(max(lengths))
    mask = (steps < torch.tensor(lengths)[:, None]).float()
    observations = normal(*mask.shape, features, seed=seed) + 0.5
    return w * normal(features, seed=seed + 1), observations, (4 + 3 * normal(*mask.shape, seed=seed + 2)) * mask, mask


def _one_by_one(w: Tensor, s: Tensor, G: Tensor, mask: Tensor, alpha_w: float) -> Tensor:
    for episode, step in mask.nonzero():
        w = w + alpha_w * (G[episode, step] - s[episode, step] @ w) * s[episode, step]
    return w


LEARN = Exercise(
    name="learn",
    objective="write a baseline that lowers the noise",
    starter='''def learn(w, observations, returns, mask, alpha_w):
    """w after one step of gradient descent. The values of all time steps are observations @ w.

    w (features,), observations (episodes, steps, features), returns and mask (episodes, steps); alpha_w is a number.
    """
    ...


answer = learn''',
    solution='''def learn(w, observations, returns, mask, alpha_w):
    """w after one step of gradient descent. The values of all time steps are observations @ w.

    w (features,), observations (episodes, steps, features), returns and mask (episodes, steps); alpha_w is a number.
    """
    w = w.clone().requires_grad_(True)
    error = (returns - observations @ w) * mask
    loss = error.square().sum() / (2 * mask.sum())
    loss.backward()
    return (w - alpha_w * w.grad).detach()


answer = learn''',
    hints=(
        "Write the loss first: the differences returns - observations @ w, squared, averaged over the steps that were "
        "played, halved.",
        "w = w.clone().requires_grad_(True) makes a copy that you may differentiate by; loss.backward() fills its "
        ".grad. After the end of an episode the differences must be 0: multiply by mask, and divide by mask.sum().",
        "By hand: w + alpha_w * (the sum of mask * (G - v) * observation) / mask.sum().",
    ),
    why="That is all that a learned baseline needs: a regression of returns on states. With a network instead of the "
    "product it is the value baseline; with a single feature that is always 1 it is Sutton and Barto's w below.",
    judge=judge_function(
        _learned(_minus_gradient),
        [
            Case("two episodes of three steps", (*_lesson([3, 3], 2, 40), 0.1)),
            Case("episodes of different lengths", (*_lesson([4, 1, 2], 3, 50), 0.2)),
            Case("a single step", (*_lesson([1], 2, 60), 0.5)),
            Case("w = 0", (*_lesson([2, 5], 2, 70, w=0.0), 0.1)),
            Case(
                "one feature that is always 1",
                (torch.tensor([2.0]), torch.ones(2, 3, 1), *_lesson([3, 2], 1, 80)[2:], 0.25),
            ),
            Case("alpha_w = 0", (*_lesson([2, 3], 2, 90), 0.0)),
        ],
        [
            Mistake(
                "w moves away from the returns, so that the error grows. Mind the sign.",
                _learned(lambda w, s, G, mask: -_minus_gradient(w, s, G, mask)),
            ),
            Mistake(
                "steps after the end of an episode count. Multiply the differences by mask, and divide by the number "
                "of steps that were played.",
                _learned(lambda w, s, G, mask: _along(G - s @ w, s) / mask.numel()),
            ),
            Mistake(
                "the differences after the end are left in: there G is 0, but v is not. Multiply by mask.",
                _learned(lambda w, s, G, mask: _along(G - s @ w, s) / mask.sum()),
            ),
            Mistake(
                "you divide by all time steps of the array, also those after the end. Divide by mask.sum().",
                _learned(lambda w, s, G, mask: _along(_residuals(w, s, G, mask), s) / mask.numel()),
            ),
            Mistake(
                "the loss is a mean over the played steps; you take the sum.",
                _learned(lambda w, s, G, mask: _along(_residuals(w, s, G, mask), s)),
            ),
            Mistake(
                "you divide by the number of episodes. The mean is over all steps that were played.",
                _learned(lambda w, s, G, mask: _along(_residuals(w, s, G, mask), s) / len(mask)),
            ),
            Mistake(
                "the step is twice as long: the loss has a factor 1/2, which cancels the 2 of the square.",
                _learned(lambda w, s, G, mask: 2 * _minus_gradient(w, s, G, mask)),
            ),
            Mistake(
                "you average over the features, too. The loss is a mean over the time steps alone.",
                _learned(lambda w, s, G, mask: _minus_gradient(w, s, G, mask) / len(w)),
            ),
            Mistake(
                "the step is half as long: the derivative of the square brings a 2, which cancels the 1/2.",
                _learned(lambda w, s, G, mask: _minus_gradient(w, s, G, mask) / 2),
            ),
            Mistake("alpha_w is left out.", lambda w, s, G, mask, alpha_w: w + _minus_gradient(w, s, G, mask)),
            Mistake(
                "this is the step alone. Add it to w.",
                lambda w, s, G, mask, alpha_w: alpha_w * _minus_gradient(w, s, G, mask),
            ),
            Mistake(
                "this is the gradient. Take a step of alpha_w against it.",
                lambda w, s, G, mask, alpha_w: -_minus_gradient(w, s, G, mask),
            ),
            Mistake(
                "you move by the returns, not by the differences. A value that is right already must stay.",
                _learned(lambda w, s, G, mask: _along(G * mask, s) / mask.sum()),
            ),
            Mistake(
                "the mean difference and the mean observation are multiplied. Multiply first, at each step, and then "
                "average.",
                _learned(
                    lambda w, s, G, mask: _residuals(w, s, G, mask).sum() / mask.sum() * _along(mask, s) / mask.sum()
                ),
            ),
            Mistake(
                "every weight moves by the same amount. Each weight's share depends on its feature: multiply the "
                "differences by the observations.",
                _learned(lambda w, s, G, mask: (_residuals(w, s, G, mask).sum() / mask.sum()).expand(w.shape)),
                _learned(
                    lambda w, s, G, mask: ((_residuals(w, s, G, mask) * (s @ w)).sum() / mask.sum()).expand(w.shape)
                ),
            ),
            Mistake(
                "w has not moved. Without an optimizer you must take the step yourself.",
                lambda w, s, G, mask, alpha_w: w,
            ),
            Mistake(
                "the mean runs over all time steps of the array, and the step is twice as long: mse_loss knows no "
                "mask and no 1/2. Divide by 2 mask.sum().",
                _learned(lambda w, s, G, mask: 2 * _along(_residuals(w, s, G, mask), s) / mask.numel()),
            ),
            Mistake(
                "you take the sum, and the step is twice as long: the loss is half of a mean over the played steps.",
                _learned(lambda w, s, G, mask: 2 * _along(_residuals(w, s, G, mask), s)),
            ),
            Mistake(
                "steps after the end of an episode count, and the step is twice as long: the loss has a factor 1/2. "
                "Multiply the differences by mask.",
                _learned(lambda w, s, G, mask: 2 * _along(G - s @ w, s) / mask.numel()),
            ),
            Mistake(
                "w moves away from the returns, and twice as far. Mind the sign, and the factor 1/2 of the loss.",
                _learned(lambda w, s, G, mask: -2 * _minus_gradient(w, s, G, mask)),
            ),
            Mistake(
                "you average within each episode first, so that short episodes count as much as long ones. The mean "
                "is over all played steps.",
                _learned(
                    lambda w, s, G, mask: (
                        (_residuals(w, s, G, mask)[..., None] * s).sum(1) / mask.sum(1, keepdim=True)
                    ).mean(0)
                ),
            ),
            Mistake(
                "w moves in the middle: each time step sees the w of the one before. Add up all steps first, and move "
                "once.",
                _one_by_one,
            ),
            Mistake(
                "two steps are made. One is asked for.",
                lambda w, s, G, mask, alpha_w: (step := _learned(_minus_gradient))(
                    step(w, s, G, mask, alpha_w), s, G, mask, alpha_w
                ),
            ),
            Mistake(
                "only the signs of the differences count, not how large they are. That is another loss, the absolute "
                "error.",
                _learned(lambda w, s, G, mask: _along(_residuals(w, s, G, mask).sign(), s) / mask.sum()),
            ),
            Mistake(
                "this is the loss. Take its gradient, and give w after a step against it.",
                lambda w, s, G, mask, alpha_w: _residuals(w, s, G, mask).square().sum() / (2 * mask.sum()),
            ),
            Mistake(
                "these weights fit the returns best, all at once. One step of gradient descent is asked for, and "
                "alpha_w says how long it is.",
                lambda w, s, G, mask, alpha_w: torch.linalg.lstsq(s[mask > 0], G[mask > 0][:, None]).solution[:, 0],
            ),
            Mistake(
                "you divide by the entries of `observations`, features and all. The mean is over the played steps: "
                "mask.sum().",
                _learned(lambda w, s, G, mask: _along(_residuals(w, s, G, mask), s) / s.numel()),
            ),
        ],
        forbidden=(MARKED,),
    ),
)


Means = tuple[Tensor, Tensor]


def _batch_mean(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / mask.sum()


def _others(x: Tensor, mask: Tensor) -> Tensor:
    return (x.sum(0) - x) / (mask.sum(0) - mask).clamp(min=1) * mask


def _of_all_others(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of all that the other episodes earned, at any time step: (episodes, 1)."""
    return (x.sum() - x.sum(1, True)) / (mask.sum() - mask.sum(1, True)).clamp(min=1)


def _moved(b: float, mean: Tensor, rate: float = 0.1) -> Tensor:
    return b + rate * (mean - b)


def _means(b: float, x: Tensor, mask: Tensor) -> Means:
    return _moved(b, _batch_mean(x, mask)), _others(x, mask)


def _with_running(new: Callable[[float, Tensor, Tensor], Any]) -> Callable[[float, Tensor, Tensor], Any]:
    """The time mean is right, and the running mean is what `new` gives."""
    return lambda b, x, mask: (new(b, x, mask), _others(x, mask))


def _with_others(others: Callable[[Tensor, Tensor], Any]) -> Callable[[float, Tensor, Tensor], Any]:
    """The running mean is right, and the time mean is what `others` gives."""
    return lambda b, x, mask: (_moved(b, _batch_mean(x, mask)), others(x, mask))


def _batch(lengths: list[int], seed: int, equal: bool = False) -> tuple[Tensor, Tensor]:
    """Returns and mask of episodes of these lengths."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).float()
    return (torch.ones_like(mask) if equal else 5 + 3 * normal(*mask.shape, seed=seed)) * mask, mask


MEANS = Exercise(
    name="means",
    objective="write a baseline that lowers the noise",
    starter='''def means(b, returns, mask):
    """The running mean after this batch, and the time mean of the other episodes, (episodes, steps).

    b: the running mean so far, a number; returns G_t and mask, (episodes, steps): both 0 after an episode's end.
    """
    ...


answer = means''',
    solution='''def means(b, returns, mask):
    """The running mean after this batch, and the time mean of the other episodes, (episodes, steps).

    b: the running mean so far, a number; returns G_t and mask, (episodes, steps): both 0 after an episode's end.
    """
    running_mean = b + 0.1 * (returns.sum() / mask.sum() - b)
    others, number = returns.sum(0) - returns, mask.sum(0) - mask
    return running_mean, others / number.clamp(min=1) * mask


answer = means''',
    hints=(
        "The mean return of the batch is a sum divided by the number of steps that were played, mask.sum().",
        "What the others earned at each time step: the sum over all episodes, returns.sum(0), minus one's own. How "
        "many others there are: the same with mask.",
        "number.clamp(min=1) keeps 0 / 0 away where there is no other; multiply by mask at the end.",
    ),
    why="The running mean is one number from earlier batches, and the time mean one for each step from other episodes. "
    "Neither has seen the action that it judges, so neither moves the mean of the gradient.",
    judge=judge_function(
        _means,
        [
            Case("three episodes of three steps", (2.0, *_batch([3, 3, 3], 80))),
            Case("episodes of different lengths", (-1.0, *_batch([4, 2, 3], 81))),
            Case("one long episode, and two of one step", (0.0, *_batch([1, 5, 1], 82))),
            Case("a single episode", (3.0, *_batch([3], 83))),
            Case("five episodes", (1.0, *_batch([2, 2, 1, 2, 2], 85))),
            Case("two episodes that earn the same", (4.0, *_batch([2, 2], 84, equal=True))),
        ],
        [
            Mistake(
                "the two have changed places: the running mean comes first.", lambda b, x, m: _means(b, x, m)[::-1]
            ),
            Mistake(
                "this is the time mean alone. Give the running mean before it, after a comma.",
                lambda b, x, m: _others(x, m),
            ),
            Mistake(
                "this is the running mean alone. Give the time mean of the others after it, behind a comma.",
                lambda b, x, m: _moved(b, _batch_mean(x, m)),
            ),
            Mistake(
                "an episode's own return is still in its time mean, so that it depends on the action. Take it out of "
                "the sum and of the number.",
                _with_others(lambda x, m: x.sum(0) / m.sum(0) * m),
            ),
            Mistake(
                "the episode's own return is taken out of the sum, but not out of the number. Divide by how many "
                "*others* there are.",
                _with_others(lambda x, m: (x.sum(0) - x) / m.sum(0) * m),
            ),
            Mistake(
                "you divide by the number of the other episodes, at all time steps alike. Count those that are still "
                "going, by mask.",
                _with_others(lambda x, m: (x.sum(0) - x) / max(len(x) - 1, 1) * m),
            ),
            Mistake(
                "you divide by the number of episodes, at all time steps alike. Count the others that are still going, "
                "by mask.",
                _with_others(lambda x, m: (x.sum(0) - x) / len(x) * m),
            ),
            Mistake(
                "you average over the steps of an episode. The time mean runs over the episodes, at one time step: "
                "axis 0.",
                _with_others(lambda x, m: (x.sum(1, True) - x) / (m.sum(1, True) - m).clamp(min=1) * m),
            ),
            Mistake(
                "where no other episode goes on, 0 / 0 is NaN. Asked for is 0: let the number be 1 at least.",
                _with_others(lambda x, m: (x.sum(0) - x) / (m.sum(0) - m) * m),
            ),
            Mistake(
                "where no other episode goes on you give another number. Asked for is 0.",
                _with_others(lambda x, m: torch.where(m.sum(0) > 1, _others(x, m), x)),
                _with_others(lambda x, m: torch.where(m.sum(0) > 1, _others(x, m), _of_all_others(x, m)) * m),
                lambda b, x, m: ((new := _means(b, x, m))[0], torch.where(m.sum(0) > 1, new[1], b * m)),
                lambda b, x, m: ((new := _means(b, x, m))[0], torch.where(m.sum(0) > 1, new[1], new[0] * m)),
            ),
            Mistake(
                "after its own end an episode still gets a mean of the others. Multiply by mask.",
                _with_others(lambda x, m: (x.sum(0) - x) / (m.sum(0) - m).clamp(min=1)),
            ),
            Mistake(
                "these are the advantages. The baseline is what is subtracted from the returns.",
                _with_others(lambda x, m: (x - _others(x, m)) * m),
            ),
            Mistake(
                "the time mean of the others is one number for each episode here. Each time step has its own.",
                _with_others(lambda x, m: _of_all_others(x, m) * m),
            ),
            Mistake(
                "the others' returns are added up, and not yet divided by how many they are.",
                _with_others(lambda x, m: (x.sum(0) - x) * m),
            ),
            Mistake(
                "the running mean forgets all earlier batches: it moves a tenth of the way to the new mean.",
                _with_running(lambda b, x, m: _batch_mean(x, m)),
            ),
            Mistake(
                "the running mean moves nine tenths of the way. A tenth is asked for.",
                _with_running(lambda b, x, m: _moved(b, _batch_mean(x, m), 0.9)),
            ),
            Mistake(
                "a tenth of the batch's mean is added to b, which grows without an end. Move it a tenth of the *way*: "
                "b + 0.1 * (mean - b).",
                _with_running(lambda b, x, m: b + 0.1 * _batch_mean(x, m)),
            ),
            Mistake(
                "the batch's mean counts the zeros after an episode's end. Divide by the number of played steps.",
                _with_running(lambda b, x, m: _moved(b, x.mean())),
            ),
            Mistake(
                "the batch's mean is that of the first steps. Take all G_t that were played.",
                _with_running(lambda b, x, m: _moved(b, x[:, 0].mean())),
            ),
            Mistake(
                "the batch's mean is a mean of the episodes' means, in which a short episode counts as much as a long "
                "one. Take all G_t that were played.",
                _with_running(lambda b, x, m: _moved(b, (x.sum(1) / m.sum(1)).mean())),
            ),
            Mistake(
                "the returns are added up for each episode, and averaged over the episodes. Divide by the number of "
                "played steps.",
                _with_running(lambda b, x, m: _moved(b, x.sum(1).mean())),
            ),
            Mistake(
                "the running mean is one number. Yours has one for each time step.",
                _with_running(lambda b, x, m: _moved(b, x.sum(0) / m.sum(0))),
            ),
            Mistake("the running mean does not move.", _with_running(lambda b, x, m: torch.tensor(b))),
        ],
    ),
)


Array = NDArray[np.float64]


STUDENT = {16: 2.1314495, 8: 2.3646243, 10: 2.2621572, 6: 2.5705818, 3: 4.3026527}  # 97.5 %, by number of runs


def _around(
    width: Callable[[Array, Array, float], Any], middle: Callable[[Array, Array], Any] = lambda a, b: (a - b).mean()
) -> Callable[[Array, Array, float], tuple[Any, Any]]:
    """From middle minus width to middle plus width."""
    return lambda a, b, t: (middle(a, b) - width(a, b, t), middle(a, b) + width(a, b, t))


def _error(x: Array, ddof: int = 1) -> Any:
    return x.std(ddof=ddof) / np.sqrt(len(x))


_interval = _around(lambda a, b, t: t * _error(a - b))


def _comparison(runs: int, gain: float, seed: int, noise: float = 20.0) -> tuple[Array, Array, float]:
    rng = np.random.default_rng(seed)
    without = rng.uniform(100, 300, runs)
    return without + gain + rng.normal(0, noise, runs), without, STUDENT[runs]


INTERVAL = Exercise(
    name="interval",
    objective="show how sure you are that it helps",
    starter='''def interval(with_baseline, without, t):
    """What each run earned, (runs,) twice, and Student's factor t -> lower edge, upper edge."""
    ...


answer = interval''',
    solution='''def interval(with_baseline, without, t):
    """What each run earned, (runs,) twice, and Student's factor t -> lower edge, upper edge."""
    differences = with_baseline - without
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return differences.mean() - t * error, differences.mean() + t * error


answer = interval''',
    hints=(
        "Run 7 begins with the same weights under both baselines, so take the difference run by run, before anything "
        "else.",
        "The standard error of their mean is their standard deviation (divided by n - 1: ddof=1) over the root of n.",
        "The interval is the mean difference, minus and plus t times the standard error.",
    ),
    why="If the interval leaves out zero, you may say that the baseline helps. Pairing takes away what the starting "
    "weights do to both runs, so that fewer runs are enough. mean_interval of the package computes the same.",
    judge=judge_function(
        _interval,
        [
            Case("sixteen runs that gain", _comparison(16, 40, 0)),
            Case("eight runs that neither gain nor lose", _comparison(8, 0, 1)),
            Case("ten runs that lose", _comparison(10, -60, 2)),
            Case("the same gain in every run", _comparison(6, 7, 3, noise=0.0)),
            Case("three runs", _comparison(3, 20, 4)),
        ],
        [
            Mistake(
                "you treat the two groups as if they had nothing in common. Run 7 with a baseline belongs to run 7 "
                "without: take the differences run by run first.",
                _around(lambda a, b, t: t * np.hypot(_error(a), _error(b))),
            ),
            Mistake(
                "you subtract the interval of one from that of the other, edge by edge. That is no interval of the "
                "difference: take the differences first.",
                lambda a, b, t: tuple(a.mean() + k * t * _error(a) - b.mean() - k * t * _error(b) for k in (-1, 1)),
            ),
            Mistake(
                "you add the widths of two intervals. Take the differences run by run first; theirs is narrower.",
                _around(lambda a, b, t: t * (_error(a) + _error(b))),
            ),
            Mistake(
                "this is where single runs lie. The question is how sure their mean is: divide by the root of the "
                "number of runs.",
                _around(lambda a, b, t: t * (a - b).std(ddof=1)),
            ),
            Mistake(
                "you divide by the number of runs, not by its root.",
                _around(lambda a, b, t: t * (a - b).std(ddof=1) / len(a)),
            ),
            Mistake(
                "you divide by the root of n - 1 once more: np.std with ddof=1 has done that already, so divide by "
                "the root of n.",
                _around(lambda a, b, t: t * (a - b).std(ddof=1) / np.sqrt(len(a) - 1)),
            ),
            Mistake(
                "np.std divides by n. From a sample the standard deviation is estimated with n - 1: ddof=1.",
                _around(lambda a, b, t: t * _error(a - b, 0)),
            ),
            Mistake(
                "you took 1.96, which is right for very many runs. For few, Student's t is larger: use the one given.",
                _around(lambda a, b, t: 1.96 * _error(a - b)),
            ),
            Mistake(
                "you took the variance for the standard deviation. The latter is its root.",
                _around(lambda a, b, t: t * (a - b).var(ddof=1) / np.sqrt(len(a))),
            ),
            Mistake(
                "this is one standard error to each side. Multiply it by t.", _around(lambda a, b, t: _error(a - b))
            ),
            Mistake(
                "the difference is the wrong way round: a gain must be positive.", lambda a, b, t: _interval(b, a, t)
            ),
            Mistake(
                "the edges have changed places: the lower one comes first.", lambda a, b, t: _interval(a, b, t)[::-1]
            ),
            Mistake(
                "this is the interval of the return with a baseline. Subtract what the same run earned without one.",
                _around(lambda a, b, t: t * _error(a), lambda a, b: a.mean()),
            ),
            Mistake(
                "this is the width to each side. Give the mean difference minus and plus it.",
                _around(lambda a, b, t: t * _error(a - b), lambda a, b: 0.0),
            ),
            Mistake(
                "the middle is the median. The claim is about the mean.",
                _around(lambda a, b, t: t * _error(a - b), lambda a, b: np.median(a - b)),
            ),
            Mistake(
                "this is the mean and the width to each side. Give the mean minus the width, and the mean plus it.",
                lambda a, b, t: ((a - b).mean(), t * _error(a - b)),
            ),
            Mistake(
                "the middle 95 % of the differences say where single runs lie. Asked is how sure their mean is: t "
                "times the standard error.",
                lambda a, b, t: tuple(np.quantile(a - b, [0.025, 0.975])),
            ),
            Mistake(
                "you took 2.13, which is t for sixteen runs. Use the one given.",
                _around(lambda a, b, t: 2.13 * _error(a - b)),
            ),
            Mistake(
                "you divided by the root of 16. There are as many runs as differences: len.",
                _around(lambda a, b, t: t * (a - b).std(ddof=1) / 4),
            ),
            Mistake(
                "the interval is half as wide: t times the standard error belongs to each side.",
                _around(lambda a, b, t: t * _error(a - b) / 2),
            ),
            Mistake(
                "the differences have lost their sign. A run may earn less with the baseline, and that counts against "
                "it.",
                _around(lambda a, b, t: t * _error(np.abs(a - b)), lambda a, b: np.abs(a - b).mean()),
            ),
            Mistake(
                "the width is that of the runs with a baseline. Take the standard deviation of the differences.",
                _around(lambda a, b, t: t * _error(a)),
            ),
            Mistake(
                "the width is that of the runs without a baseline. Take the standard deviation of the differences.",
                _around(lambda a, b, t: t * _error(b)),
            ),
            Mistake(
                "you sorted both, and that breaks the pairs: run 7 belongs to run 7.",
                _around(lambda a, b, t: t * _error(np.sort(a) - np.sort(b))),
            ),
            Mistake(
                "you divide by the root of 2 n. A pair is one difference: there are n.",
                _around(lambda a, b, t: t * _error(a - b) / np.sqrt(2)),
            ),
            Mistake(
                "this is the interval of a ratio. A difference is asked for, with minus without.",
                _around(lambda a, b, t: t * _error(a / b), lambda a, b: (a / b).mean()),
            ),
            Mistake(
                "the lower edge is kept from going below 0. An interval may contain 0, and must then say so.",
                lambda a, b, t: (max(0.0, _interval(a, b, t)[0]), _interval(a, b, t)[1]),
            ),
            Mistake(
                "this is the lower edge alone. Return the upper one too, after a comma.",
                lambda a, b, t: _interval(a, b, t)[0],
            ),
            Mistake(
                "t itself is the width to each side. Multiply it by the standard error of the mean difference.",
                _around(lambda a, b, t: t),
            ),
            Mistake(
                "these are the worst and the best difference. Asked is how sure their mean is: t times the standard "
                "error.",
                lambda a, b, t: ((a - b).min(), (a - b).max()),
            ),
        ],
    ),
)

AGENT = Exercise(
    name="agent",
    objective="give your agent a value that it learns",
    starter='''def train(env_id, episodes, seed):
    """REINFORCE with a value as its baseline -> the returns of all episodes, each a plain sum of rewards."""
    ...


answer = train''',
    solution='''from collections import namedtuple

import gymnasium as gym
import torch
from torch import nn
from torch.distributions import Categorical

Episode = namedtuple("Episode", "observations actions rewards terminated")  # T + 1 observations of T steps


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def play(env, policy):
    """One episode, with the observation after its last step."""
    observations, actions, rewards, over = [torch.as_tensor(env.reset()[0])], [], [], False
    while not over:
        with torch.no_grad():
            actions.append(Categorical(logits=policy(observations[-1])).sample())
        observation, reward, terminated, truncated, _ = env.step(actions[-1].item())
        observations.append(torch.as_tensor(observation))
        rewards.append(reward)
        over = terminated or truncated
    return Episode(torch.stack(observations), torch.stack(actions), torch.tensor(rewards), terminated)


def sums_to_go(x, gamma):
    G = x.clone()
    for t in reversed(range(len(x) - 1)):
        G[t] += gamma * G[t + 1]
    return G


def judge(value, episode, gamma):
    """The advantages (T,), and what the value is to learn (T,)."""
    v = value(episode.observations[:-1])[:, 0].detach()
    G = sums_to_go(episode.rewards, gamma)
    return G - v, G


def update(policy, value, optimizer, value_optimizer, batch, gamma, value_steps):
    A, targets = map(torch.cat, zip(*[judge(value, episode, gamma) for episode in batch]))
    observations = torch.cat([episode.observations[:-1] for episode in batch])
    actions = torch.cat([episode.actions for episode in batch])
    pi = Categorical(logits=policy(observations))
    loss = -(pi.log_prob(actions) * A).sum() / len(batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for _ in range(value_steps):
        value_loss = (targets - value(observations)[:, 0]).square().mean() / 2
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def train(env_id, episodes, seed, batch_size=10, gamma=0.99, alpha=0.02, value_alpha=0.05, value_steps=10):
    """REINFORCE with a value as its baseline -> the returns of all episodes, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    numbers, actions = env.observation_space.shape[0], int(env.action_space.n)
    policy, value = network(numbers, actions), network(numbers, 1)
    optimizer = torch.optim.Adam(policy.parameters(), lr=alpha)
    value_optimizer = torch.optim.Adam(value.parameters(), lr=value_alpha)
    returns = []
    while len(returns) < episodes:
        batch = [play(env, policy) for _ in range(min(batch_size, episodes - len(returns)))]
        update(policy, value, optimizer, value_optimizer, batch, gamma, value_steps)
        returns += [episode.rewards.sum().item() for episode in batch]
    return returns


answer = train''',
    hints=(
        'Begin with your agent of notebook 05, or with Exercises("05_reinforce").agent.solution(). First the batch: '
        "play ten episodes before each step, join them with torch.cat, and divide the loss by their number.",
        "Then the value: a second network with one output, and an optimizer of its own. In the policy's loss, G "
        "becomes G - v, with v = value(observations)[:, 0].detach().",
        "After the policy's step the value learns: ten times zero_grad, backward and step of (G - "
        "value(observations)[:, 0]).square().mean() / 2, with a learning rate of 0.05.",
    ),
    why="With the baseline that suits its task, the agent learns where half of the episodes are worth 30 more than the "
    "others, whatever it does. Later notebooks change a line of this agent at a time.",
    judge=judge_agent_with_value,
)

EXERCISES = (NOISE, NOT_ALLOWED, LEARN, MEANS, INTERVAL, AGENT)
