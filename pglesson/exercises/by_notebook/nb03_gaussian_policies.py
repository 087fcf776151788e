"""Exercises of notebook 03."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pglesson.exercises.calls import AUTOGRAD
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal

HALF_LOG = 0.5 * math.log(2 * math.pi)


def _bell(*shape: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """mu, log sigma, and actions drawn with them."""
    mu, log_sigma = normal(*shape, seed=seed), 0.7 * normal(*shape, seed=seed + 100) - 0.3
    return mu, log_sigma, mu + log_sigma.exp() * normal(*shape, seed=seed + 200)


def _each(mu: Tensor, log_sigma: Tensor, actions: Tensor) -> Tensor:
    """The log-density of each action dimension by itself."""
    return -0.5 * ((actions - mu) / log_sigma.exp()) ** 2 - log_sigma - HALF_LOG


LOG_DENSITY = Exercise(
    name="log_density",
    objective="build a policy over torques, speeds or angles",
    starter='''def log_density(mu, log_sigma, actions):
    """Each of shape (states, joints) -> the log-density of each state's action, (states,)."""
    ...


answer = log_density''',
    solution='''def log_density(mu, log_sigma, actions):
    """Each of shape (states, joints) -> the log-density of each state's action, (states,)."""
    z = (actions - mu) / log_sigma.exp()
    return (-0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi)).sum(-1)


answer = log_density''',
    hints=(
        "Take one joint first. The logarithm of the density has three terms.",
        "-z**2 / 2, -log sigma, and the constant -log(2 pi) / 2, where z is the distance from mu in sigmas.",
        "Do that for every joint, and then .sum(-1): over the joints, and over nothing else.",
    ),
    why="Together with a way to sample, this is a whole Gaussian policy. Everything that learns from here on "
    "differentiates this number by mu and log sigma.",
    judge=judge_function(
        lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(-1),
        [
            Case("five states and three joints", _bell(5, 3, seed=0)),
            Case("three states and three joints", _bell(3, 3, seed=1)),
            Case("a single joint", _bell(4, 1, seed=2)),
            Case("a single state", _bell(1, 2, seed=3)),
            Case("actions at the centre", (normal(2, 2, seed=4), normal(2, 2, seed=5), normal(2, 2, seed=4))),
            Case("a narrow bell", (torch.zeros(2, 2), torch.full((2, 2), -4.0), 0.02 * normal(2, 2, seed=6))),
            Case("actions 30 sigma away", (torch.zeros(2, 3), torch.zeros(2, 3), torch.full((2, 3), 30.0))),
        ],
        [
            Mistake(
                "the joints are not summed: there is a number for each of them. The density of the whole action is a "
                "product, its logarithm a sum.",
                _each,
            ),
            Mistake(
                "the sum runs over the states too. Every state's action has a log-density of its own.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(),
            ),
            Mistake(
                "the sum runs over the states. The joints are on the last axis.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(0),
            ),
            Mistake(
                "you took the mean over the joints. The logarithm of a product is a sum.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).mean(-1),
            ),
            Mistake(
                "this is the density. Its logarithm is asked for.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(-1).exp(),
            ),
            Mistake(
                "you used log sigma as if it were sigma. Exponentiate it.",
                lambda mu, log_sigma, actions: (
                    -0.5 * ((actions - mu) / log_sigma) ** 2 - log_sigma.log() - HALF_LOG
                ).sum(-1),
            ),
            Mistake(
                "the spread comes out wrong: this is a bell whose standard deviation is sigma squared.",
                lambda mu, log_sigma, actions: _each(mu, 2 * log_sigma, actions).sum(-1),
            ),
            Mistake(
                "the spread comes out wrong: this is a bell whose *variance* is sigma. Divide the squared distance by "
                "sigma squared.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma / 2, actions).sum(-1),
            ),
            Mistake(
                "you divide the squared distance by sigma. The distance is divided by sigma before it is squared.",
                lambda mu, log_sigma, actions: (
                    -0.5 * (actions - mu) ** 2 / log_sigma.exp() - log_sigma - HALF_LOG
                ).sum(-1),
            ),
            Mistake(
                "-log sigma is missing. Without it a wider bell would be as high: its height must fall.",
                lambda mu, log_sigma, actions: (-0.5 * ((actions - mu) / log_sigma.exp()) ** 2 - HALF_LOG).sum(-1),
            ),
            Mistake(
                "log sigma has the wrong sign: a wide bell is a low one.",
                lambda mu, log_sigma, actions: (
                    -0.5 * ((actions - mu) / log_sigma.exp()) ** 2 + log_sigma - HALF_LOG
                ).sum(-1),
            ),
            Mistake(
                "-log sigma is there as sigma itself. The factor 1 / sigma of the density becomes -log sigma.",
                lambda mu, log_sigma, actions: (
                    -0.5 * ((actions - mu) / log_sigma.exp()) ** 2 - log_sigma.exp() - HALF_LOG
                ).sum(-1),
            ),
            Mistake(
                "the constant is missing, -log(2 pi) / 2 for each joint. No gradient would notice, but the densities "
                "do not integrate to 1.",
                lambda mu, log_sigma, actions: (_each(mu, log_sigma, actions) + HALF_LOG).sum(-1),
            ),
            Mistake(
                "the constant is there once. Every joint brings its own, so it belongs inside of the sum.",
                lambda mu, log_sigma, actions: (_each(mu, log_sigma, actions) + HALF_LOG).sum(-1) - HALF_LOG,
            ),
            Mistake(
                "the constant is twice too large: the square root of 2 pi becomes half of its logarithm.",
                lambda mu, log_sigma, actions: (_each(mu, log_sigma, actions) - HALF_LOG).sum(-1),
            ),
            Mistake(
                "the factor 1/2 before the square is missing.",
                lambda mu, log_sigma, actions: (-(((actions - mu) / log_sigma.exp()) ** 2) - log_sigma - HALF_LOG).sum(
                    -1
                ),
            ),
            Mistake(
                "the distance is not squared.",
                lambda mu, log_sigma, actions: (-0.5 * (actions - mu) / log_sigma.exp() - log_sigma - HALF_LOG).sum(-1),
            ),
            Mistake(
                "the sign is wrong: this grows with the distance from mu.",
                lambda mu, log_sigma, actions: -_each(mu, log_sigma, actions).sum(-1),
            ),
            Mistake(
                "the numbers are right, but no gradient reaches mu and log sigma. Work with the tensors themselves, "
                "and without detach or no_grad.",
                lambda mu, log_sigma, actions: _each(mu.detach(), log_sigma.detach(), actions).sum(-1),
            ),
            Mistake(
                "far out the density rounds to 0, and its logarithm is minus infinity. Take the logarithm on paper "
                "first, and add up three terms.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).exp().prod(-1).log(),
            ),
            Mistake(
                "the square has the wrong sign: the density falls with the distance from mu.",
                lambda mu, log_sigma, actions: (
                    0.5 * ((actions - mu) / log_sigma.exp()) ** 2 - log_sigma - HALF_LOG
                ).sum(-1),
            ),
            Mistake(
                "you add up the densities of the joints. That of the whole action is their product, so add up the "
                "logarithms.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).exp().sum(-1).log(),
            ),
            Mistake(
                "these are densities, added up. The logarithm of their product is asked for.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).exp().sum(-1),
            ),
            Mistake(
                "the log-densities of the joints are multiplied. Densities are; their logarithms add up.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).prod(-1),
            ),
            Mistake(
                "the logarithm of the constant is missing: 1 / sqrt(2 pi) becomes -log(2 pi) / 2.",
                lambda mu, log_sigma, actions: (_each(mu, log_sigma, actions) + HALF_LOG - math.sqrt(2 * math.pi)).sum(
                    -1
                ),
            ),
            Mistake(
                "the distance is not divided by sigma.",
                lambda mu, log_sigma, actions: (-0.5 * (actions - mu) ** 2 - log_sigma - HALF_LOG).sum(-1),
            ),
            Mistake(
                "only the first joint counts. The action has all of them: sum over the last axis.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions)[:, 0],
            ),
            Mistake(
                "the sum kept its axis. The result has one number for each state, (states,): leave keepdim out.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(-1, keepdim=True),
            ),
            Mistake(
                "log_sigma stands where sigma belongs. Take its exponential.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma.abs().log(), actions).sum(-1),
                lambda mu, log_sigma, actions: (
                    _each(mu, log_sigma.abs().log(), actions) + log_sigma.abs().log() - log_sigma
                ).sum(-1),
            ),
            Mistake(
                "the actions are clipped to -1 and 1 first. The density is that of the action as it was drawn.",
                lambda mu, log_sigma, actions: _each(mu, log_sigma, actions.clamp(-1, 1)).sum(-1),
            ),
        ],
        gradients=(0, 1),
    ),
)


def _z(mu: Tensor, log_sigma: Tensor, action: Tensor) -> Tensor:
    return (action - mu) / log_sigma.exp()


PUSHES = Exercise(
    name="pushes",
    objective="say in which direction one action pushes its mean and its spread",
    starter='''def pushes(mu, log_sigma, action):
    """Tensors (n,), one entry a dimension -> the scores on mu and on log sigma, (n,) each, without autograd."""
    ...


answer = pushes''',
    solution='''def pushes(mu, log_sigma, action):
    """Tensors (n,), one entry a dimension -> the scores on mu and on log sigma, (n,) each, without autograd."""
    sigma = log_sigma.exp()
    z = (action - mu) / sigma
    return z / sigma, z**2 - 1


answer = pushes''',
    hints=(
        "Both formulas are under the heading of this section. Where do you get sigma from?",
        "sigma is log_sigma.exp(). With z = (action - mu) / sigma both become short.",
        "z / sigma on mu, and z**2 - 1 on log sigma.",
    ),
    why="The sign of the first says to which side the bell moves, that of the second whether it widens: where z**2 "
    "passes 1, one sigma from the centre.",
    judge=judge_function(
        lambda mu, log_sigma, action: (_z(mu, log_sigma, action) / log_sigma.exp(), _z(mu, log_sigma, action) ** 2 - 1),
        [
            Case("three dimensions", _bell(3, seed=10)),
            Case(
                "an action below and one above", (torch.zeros(2), torch.tensor([0.3, -0.4]), torch.tensor([-0.8, 2.0]))
            ),
            Case("an action at the centre", (torch.tensor([0.7]), torch.tensor([-0.5]), torch.tensor([0.7]))),
            Case("an action one sigma away", (torch.tensor([1.0]), torch.tensor([math.log(0.5)]), torch.tensor([1.5]))),
            Case("a narrow bell", (torch.zeros(2), torch.full((2,), -3.0), torch.tensor([0.1, -0.02]))),
            Case("a wide bell", (torch.ones(1), torch.tensor([1.5]), torch.tensor([-7.0]))),
        ],
        [
            Mistake(
                "you used log sigma as if it were sigma. Exponentiate it first.",
                lambda mu, log_sigma, action: ((action - mu) / log_sigma**2, ((action - mu) / log_sigma) ** 2 - 1),
            ),
            Mistake(
                "the score on mu is divided by sigma once. A narrow bell pushes harder: divide by its square.",
                lambda mu, log_sigma, action: (_z(mu, log_sigma, action), _z(mu, log_sigma, action) ** 2 - 1),
            ),
            Mistake(
                "the score on mu is not divided by sigma squared. The distance alone is what a bell with sigma = 1 "
                "would give.",
                lambda mu, log_sigma, action: (action - mu, _z(mu, log_sigma, action) ** 2 - 1),
            ),
            Mistake(
                "the sign of the score on mu is wrong. A rewarded action above mu pulls it *up*.",
                lambda mu, log_sigma, action: (
                    -_z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) ** 2 - 1,
                ),
            ),
            Mistake(
                "the -1 is missing in the score on log sigma. Without it every rewarded action would widen the bell.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) ** 2,
                ),
            ),
            Mistake(
                "the sign of the score on log sigma is wrong. A rewarded action far out makes the bell wider.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    1 - _z(mu, log_sigma, action) ** 2,
                ),
            ),
            Mistake(
                "the distance is not squared in the score on log sigma: to both sides a far action widens the bell.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) - 1,
                ),
            ),
            Mistake(
                "your second score is that on sigma itself, which explodes for narrow bells. By the chain rule, the "
                "one on log sigma is sigma times that.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    (_z(mu, log_sigma, action) ** 2 - 1) / log_sigma.exp(),
                ),
            ),
            Mistake(
                "in the second score the squared distance is not divided by sigma squared.",
                lambda mu, log_sigma, action: (_z(mu, log_sigma, action) / log_sigma.exp(), (action - mu) ** 2 - 1),
            ),
            Mistake(
                "the two are in the wrong order: first the score on mu, then that on log sigma.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) ** 2 - 1,
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                ),
            ),
            Mistake(
                "this is the score on mu alone. Return that on log sigma too, after a comma.",
                lambda mu, log_sigma, action: _z(mu, log_sigma, action) / log_sigma.exp(),
            ),
            Mistake(
                "each dimension has its own mu and sigma, and its own scores. Do not sum them.",
                lambda mu, log_sigma, action: (
                    (_z(mu, log_sigma, action) / log_sigma.exp()).sum(),
                    (_z(mu, log_sigma, action) ** 2 - 1).sum(),
                ),
            ),
            Mistake(
                "you used sigma where its square belongs, in both scores: log_sigma is the logarithm of sigma, not of "
                "the variance.",
                lambda mu, log_sigma, action: (
                    (action - mu) / log_sigma.exp(),
                    (action - mu) ** 2 / log_sigma.exp() - 1,
                ),
            ),
            Mistake(
                "in the second score the squared distance is divided by sigma once. Divide the distance by sigma, and "
                "square then.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    (action - mu) ** 2 / log_sigma.exp() - 1,
                ),
            ),
            Mistake(
                "both signs are wrong. A rewarded action pulls mu toward itself, and one far out makes the bell wider.",
                lambda mu, log_sigma, action: (
                    -_z(mu, log_sigma, action) / log_sigma.exp(),
                    1 - _z(mu, log_sigma, action) ** 2,
                ),
            ),
            Mistake(
                "the factor 1/2 of the log-density is still in the second score. The derivative of the square takes "
                "it away.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) ** 2 / 2 - 1,
                ),
            ),
            Mistake(
                "the factor 1/2 of the log-density is still in the first score. The derivative of the square takes it "
                "away.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp() / 2,
                    _z(mu, log_sigma, action) ** 2 - 1,
                ),
            ),
            Mistake(
                "where 1 belongs you subtract log sigma: the derivative of log sigma by itself is 1.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) ** 2 - log_sigma,
                ),
            ),
            Mistake(
                "each dimension has its own mu and sigma, and its own scores. Do not average them.",
                lambda mu, log_sigma, action: (
                    (_z(mu, log_sigma, action) / log_sigma.exp()).mean(),
                    (_z(mu, log_sigma, action) ** 2 - 1).mean(),
                ),
            ),
            Mistake(
                "the sign of the score on mu is lost. An action below mu pulls it down.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action).abs() / log_sigma.exp(),
                    _z(mu, log_sigma, action) ** 2 - 1,
                ),
            ),
            Mistake(
                "in the second score z - 1 is squared. Square z, and subtract 1 then.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    (_z(mu, log_sigma, action) - 1) ** 2,
                ),
            ),
            Mistake(
                "the first score is divided by sigma once, and in the second the distance is not squared.",
                lambda mu, log_sigma, action: (_z(mu, log_sigma, action), _z(mu, log_sigma, action) - 1),
            ),
            Mistake(
                "the second score is summed over the dimensions. Each has its own.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    (_z(mu, log_sigma, action) ** 2 - 1).sum(),
                ),
            ),
            Mistake(
                "this is the log-density itself. Its derivatives by mu and by log sigma are asked for.",
                lambda mu, log_sigma, action: (_each(mu, log_sigma, action), _each(mu, log_sigma, action)),
            ),
            Mistake(
                "in the second score the distance is not squared, and it is divided by sigma twice: z**2 - 1 has both "
                "squared.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    _z(mu, log_sigma, action) / log_sigma.exp() - 1,
                ),
            ),
            Mistake(
                "in the second score you squared the first one. There the distance is divided by sigma once, and "
                "squared then.",
                lambda mu, log_sigma, action: (
                    _z(mu, log_sigma, action) / log_sigma.exp(),
                    (_z(mu, log_sigma, action) / log_sigma.exp()) ** 2 - 1,
                ),
            ),
            Mistake(
                "the distance is squared in the score on mu. Its sign says to which side the bell moves.",
                lambda mu, log_sigma, action: (_z(mu, log_sigma, action) ** 2, _z(mu, log_sigma, action) ** 2 - 1),
            ),
        ],
        forbidden=(AUTOGRAD,),
    ),
)

WIDTH = Exercise(
    name="width",
    objective="say in which direction one action pushes its mean and its spread",
    starter="""# mu = 1, sigma = 0.5, the action 1.25, its return G = -2, and alpha = 0.1.
# by how much does log sigma move in one step of gradient ascent?
answer = ...""",
    solution="""z = (1.25 - 1) / 0.5
answer = 0.1 * -2 * (z**2 - 1)""",
    hints=(
        "One step moves log sigma by alpha * G * its score. How far out is the action, in sigmas?",
        "Half a sigma: z = 0.5. The score on log sigma is z**2 - 1.",
        "0.1 * (-2) * (0.25 - 1). Mind both signs.",
    ),
    why="A bad action near the centre *widens* the bell: what the agent tries there does not pay, so it tries actions "
    "further away. It is the rule for good actions, with the opposite sign.",
    judge=NumberJudge(
        0.15,
        {
            -0.15: "one of two signs is lost. The action is nearer than one sigma, so its score is negative, and so is "
            "the return.",
            -0.05: "the -1 of the score is missing: z**2 - 1.",
            -0.1: "that is alpha * G * z. The score on log sigma is z**2 - 1.",
            0.1: "you forgot to square the distance: z**2 - 1, not z - 1.",
            0.3: "that is the step of sigma itself, with 1 / sigma in the score. The weight here is log sigma.",
            -0.2: "that is how far mu moves. The question is for log sigma.",
            1.5: "alpha is missing. It makes the step ten times smaller.",
            -0.75: "that is the score alone. Multiply it by alpha and by the return.",
            0.75: "that is the score with the wrong sign. Multiply z**2 - 1 by alpha and by the return.",
            -0.075: "the return is missing.",
            0.1875: "you did not divide by sigma: the distance counts in sigmas. (1.25 - 1) / 0.5 is half a sigma.",
            0.0: "only an action at a distance of exactly one sigma leaves the width unchanged.",
            0.5: "0.5 is how far out the action is, in sigmas. Go on to the score, and then to the step.",
            -0.5431: "that is the new log sigma. By how much did it move?",
            -0.8431: "that would be the new log sigma, and one of two signs is lost. By how much does it move?",
            1.1618: "that is the factor by which sigma grows. By how much does its logarithm move?",
            0.5809: "that is the new sigma. By how much does its logarithm move?",
            0.0809: "that is by how much sigma moves. The question is for its logarithm, which is the weight.",
            0.65: "that would be the new sigma if sigma were the weight. The question is how far log sigma moves.",
            0.175: "the distance is squared, but sigma is not. Divide by sigma first, and square then.",
            0.075: "the return is missing, or its size: it is -2, and multiplies the step.",
            -1.5: "alpha is missing, and one of two signs is lost.",
            -1.05: "the distance is that from mu, not from 0: 1.25 - 1.",
            -0.6: "numerator and denominator are swapped: (a - mu) / sigma, not sigma / (a - mu).",
        },
        otherwise="this is not it. log sigma moves by alpha * G * (z**2 - 1), and z is the distance in sigmas.",
    ),
)


def _bounded(mu: Tensor, log_sigma: Tensor, sampled: Tensor, low: float, high: float) -> tuple[Tensor, Tensor]:
    return sampled.clamp(low, high), _each(mu, log_sigma, sampled).sum(-1)


def _limits(
    *shape: int, seed: int, low: float, high: float, far: float = 1.0
) -> tuple[Tensor, Tensor, Tensor, float, float]:
    mu, log_sigma, sampled = _bell(*shape, seed=seed)
    return mu, log_sigma, far * sampled, low, high


def _normal(mu: Tensor, log_sigma: Tensor) -> torch.distributions.Normal:
    return torch.distributions.Normal(mu, log_sigma.exp())


def _squashed_sample(correction: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """A model that squashes the action by tanh, and takes `correction` off each joint's log-density."""
    return lambda mu, log_sigma, s, low, high: (
        low + (high - low) * (s.tanh() + 1) / 2,
        (_each(mu, log_sigma, s) - correction(s)).sum(-1),
    )


BOUNDED = Exercise(
    name="bounded",
    objective="handle bounds without spoiling the gradient",
    starter='''def bounded(mu, log_sigma, sampled, low, high):
    """Sampled actions (states, joints) -> what the environment gets, and the log-densities to learn from (states,)."""
    action = sampled.clamp(low, high)
    log_pi = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(action).sum()
    return action, log_pi


answer = ...  # once it is fixed: bounded''',
    solution='''def bounded(mu, log_sigma, sampled, low, high):
    """Sampled actions (states, joints) -> what the environment gets, and the log-densities to learn from (states,)."""
    action = sampled.clamp(low, high)
    log_pi = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(sampled).sum(-1)
    return action, log_pi


answer = bounded''',
    hints=(
        "One mistake is a shape: how many log-densities does it give for five states?",
        "The other shows only where something was clipped: whose log-density is it, and whose did the bell draw?",
        "log_prob takes the sampled action, and the sum runs over the last axis.",
    ),
    why="The weights chose the sampled action; the clipping belongs to the environment. Only then is the average of "
    "score times reward the slope that you want to climb.",
    judge=judge_function(
        _bounded,
        [
            Case("five states and three joints", _limits(5, 3, seed=20, low=-1, high=1)),
            Case("two states, with bounds of -0.5 and 2", _limits(2, 3, seed=21, low=-0.5, high=2)),
            Case("three states and three joints", _limits(3, 3, seed=22, low=-1, high=1)),
            Case("actions that are all inside", _limits(4, 2, seed=23, low=-50, high=50)),
            Case("actions that are all outside", _limits(4, 2, seed=24, low=-0.01, high=0.01, far=3)),
            Case("a single joint", _limits(4, 1, seed=25, low=-0.3, high=0.4)),
            Case("actions far outside", _limits(2, 3, seed=27, low=-1, high=1, far=40)),
            Case("a single state", _limits(1, 2, seed=26, low=-0.2, high=0.3)),
        ],
        [
            Mistake(
                "this is the function as it was. It gives one number for all states, and the log-density of an action "
                "that was never drawn.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu, log_sigma, s.clamp(low, high)).sum(),
                ),
            ),
            Mistake(
                "one is fixed. The log-density is still that of the clipped action, which was never drawn: it can "
                "push mu back from the bound.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu, log_sigma, s.clamp(low, high)).sum(-1),
                ),
            ),
            Mistake(
                "one is fixed. The sum still runs over the states too, so good and bad actions are pushed alike.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).sum()),
            ),
            Mistake(
                "nothing is clipped any more. The environment must get an action within its bounds.",
                lambda mu, log_sigma, s, low, high: (s, _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "it is the wrong way round: the environment gets the sampled action, and the log-density is that of "
                "the clipped one.",
                lambda mu, log_sigma, s, low, high: (s, _each(mu, log_sigma, s.clamp(low, high)).sum(-1)),
            ),
            Mistake(
                "mu is clipped as well. That stops its gradient where it is out of bounds; clip the action alone.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu.clamp(low, high), log_sigma, s).sum(-1),
                ),
            ),
            Mistake(
                "the environment gets the mean of the bell curve. It must get the sampled action, clipped, or nothing "
                "new is ever tried.",
                lambda mu, log_sigma, s, low, high: (mu.clamp(low, high), _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "you clip to -1 and 1, whatever the bounds are. They are given: low and high.",
                lambda mu, log_sigma, s, low, high: (s.clamp(-1, 1), _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "you clip at the upper bound only.",
                lambda mu, log_sigma, s, low, high: (s.clamp(max=high), _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "the log-densities are clipped. Clip the action alone.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu, log_sigma, s).sum(-1).clamp(low, high),
                ),
            ),
            Mistake(
                "the joints are not summed: each state has one log-density, for its whole action.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s)),
            ),
            Mistake(
                "the sum runs over the states. The joints are on the last axis.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).sum(0)),
            ),
            Mistake(
                "the two are in the wrong order: first what the environment gets.",
                lambda mu, log_sigma, s, low, high: (_each(mu, log_sigma, s).sum(-1), s.clamp(low, high)),
            ),
            Mistake(
                "no gradient reaches mu and log sigma. The action may be detached, the log-density may not.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu.detach(), log_sigma.detach(), s).sum(-1),
                ),
            ),
            Mistake(
                "you took the mean over the joints. The log-density of the whole action is their sum.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).mean(-1)),
            ),
            Mistake(
                "the environment gets tanh of the action. Here it is clipped to the bounds: low and high.",
                lambda mu, log_sigma, s, low, high: (s.tanh(), _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "you clip at the lower bound only.",
                lambda mu, log_sigma, s, low, high: (s.clamp(min=low), _each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "the sign of the log-densities is wrong. The loss gets its minus later.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), -_each(mu, log_sigma, s).sum(-1)),
            ),
            Mistake(
                "joints that were clipped are left out of the log-density. They were drawn, too: what was sampled "
                "counts, for every joint.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    (_each(mu, log_sigma, s) * ((s > low) & (s < high))).sum(-1),
                ),
            ),
            Mistake(
                "you used log sigma as if it were sigma. Exponentiate it.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    (-0.5 * ((s - mu) / log_sigma) ** 2 - log_sigma.log() - HALF_LOG).sum(-1),
                ),
            ),
            Mistake(
                "you took tanh's correction off. Nothing is squashed here: the log-density is that of the sampled "
                "action.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    (_each(mu, log_sigma, s) - torch.log(1 - s.tanh() ** 2)).sum(-1),
                ),
            ),
            Mistake(
                "the sum kept its axis. There is one log-density for each state, (states,): leave keepdim out.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).sum(-1, keepdim=True)),
            ),
            Mistake(
                "these are the log-densities alone. The environment needs its actions: return them first.",
                lambda mu, log_sigma, s, low, high: _each(mu, log_sigma, s).sum(-1),
            ),
            Mistake(
                "a clipped joint gets the probability of all that lies beyond the bound. What was sampled is known, "
                "so its own density counts.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    torch.where(
                        s > high,
                        (1 - _normal(mu, log_sigma).cdf(torch.tensor(float(high)))).log(),
                        torch.where(
                            s < low, _normal(mu, log_sigma).cdf(torch.tensor(float(low))).log(), _each(mu, log_sigma, s)
                        ),
                    ).sum(-1),
                ),
            ),
            Mistake(
                "the mean runs over the states and the joints. Each state's action has a log-density of its own: sum "
                "over the last axis.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).mean()),
            ),
            Mistake(
                "you took the mean over the joints, and of the clipped action, which was never drawn. Sum, and take "
                "the sampled one.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu, log_sigma, s.clamp(low, high)).mean(-1),
                ),
            ),
            Mistake(
                "the log-densities of all states are averaged. Each state's action has its own.",
                lambda mu, log_sigma, s, low, high: (s.clamp(low, high), _each(mu, log_sigma, s).sum(-1).mean()),
            ),
            Mistake(
                "the action is squashed by a tanh. It is clipped: inside the bounds it stays as it was drawn.",
                _squashed_sample(lambda s: 0 * s),
                _squashed_sample(lambda s: torch.log(1 - s.tanh() ** 2)),
            ),
        ],
        gradients=(0, 1),
    ),
)


def _heads(
    states: int, joints: int, seed: int, low: float = -1.0, high: float = 1.0
) -> tuple[Tensor, Tensor, Tensor, Tensor, float, float]:
    """Three features a state, two heads, noise, and bounds."""
    features, noise = normal(states, 3, seed=seed), normal(states, joints, seed=seed + 100)
    w_mu, w_log_sigma = normal(3, joints, seed=seed + 200), 0.4 * normal(3, joints, seed=seed + 300)
    return features, w_mu, w_log_sigma, noise, low, high


def _acts(
    spread: Callable[[Tensor], Tensor] = torch.exp,
    seen: Callable[[Tensor, float, float], Tensor] = Tensor.clamp,
    learned: Callable[[Tensor, float, float], Tensor] = lambda sampled, low, high: sampled,
    total: Callable[[Tensor], Tensor] = lambda each: each.sum(-1),
    drawn: Callable[[Tensor, Tensor, Tensor], Tensor] = lambda mu, sigma, noise: (mu + sigma * noise).detach(),
) -> Callable[..., tuple[Tensor, Tensor]]:
    """The function of the exercise TWO_HEADS, right but for what is given.

    spread: from log sigma to sigma; seen, learned: from the sampled action to the environment's and to that of the
    log-density; total: sums the log-densities; drawn: from mu, sigma and noise to the sampled action.
    """

    def act(
        features: Tensor, w_mu: Tensor, w_log_sigma: Tensor, noise: Tensor, low: float, high: float
    ) -> tuple[Tensor, Tensor]:
        mu, sigma = features @ w_mu, spread(features @ w_log_sigma)
        sampled = drawn(mu, sigma, noise)
        return seen(sampled, low, high), total(_each(mu, sigma.log(), learned(sampled, low, high)))

    return act


def _without_gradient(
    features: Tensor, w_mu: Tensor, w_log_sigma: Tensor, noise: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor]:
    return _acts()(features, w_mu.detach(), w_log_sigma.detach(), noise, low, high)


def _action_with_gradient(
    features: Tensor, w_mu: Tensor, w_log_sigma: Tensor, noise: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor]:
    _, log_pi = _acts()(features, w_mu, w_log_sigma, noise, low, high)
    return (features @ w_mu + (features @ w_log_sigma).exp() * noise).clamp(low, high), log_pi


def _squashed(squash: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """A model in which `squash` changes mu first."""

    def act(
        features: Tensor, w_mu: Tensor, w_log_sigma: Tensor, noise: Tensor, low: float, high: float
    ) -> tuple[Tensor, Tensor]:
        mu, log_sigma = squash(features @ w_mu), features @ w_log_sigma
        sampled = (mu + log_sigma.exp() * noise).detach()
        return sampled.clamp(low, high), _each(mu, log_sigma, sampled).sum(-1)

    return act


def _not_exponentiated(
    features: Tensor, w_mu: Tensor, w_log_sigma: Tensor, noise: Tensor, low: float, high: float
) -> tuple[Tensor, Tensor]:
    mu, sigma = features @ w_mu, features @ w_log_sigma
    sampled = (mu + sigma * noise).detach()
    each = -((sampled - mu) ** 2) / (2 * sigma**2) - sigma.log() - HALF_LOG
    return sampled.clamp(low, high), each.sum(-1)


TWO_HEADS = Exercise(
    name="two_heads",
    objective="build a policy over torques, speeds or angles",
    starter='''def act(features, w_mu, w_log_sigma, noise, low, high):
    """Features (n, k), heads (k, joints), noise (n, joints) -> the environment's actions (n, joints), log pi (n,)."""
    ...


answer = act''',
    solution='''def act(features, w_mu, w_log_sigma, noise, low, high):
    """Features (n, k), heads (k, joints), noise (n, joints) -> the environment's actions (n, joints), log pi (n,)."""
    mu, sigma = features @ w_mu, (features @ w_log_sigma).exp()
    sampled = (mu + sigma * noise).detach()
    log_pi = torch.distributions.Normal(mu, sigma).log_prob(sampled).sum(-1)
    return sampled.clamp(low, high), log_pi


answer = act''',
    hints=(
        "Five steps: mu and sigma, the sampled action, its log-density, the sum over the joints, the clipping.",
        "mu = features @ w_mu, sigma = (features @ w_log_sigma).exp(), and the sampled action is mu + sigma * noise. "
        "What must not be differentiated?",
        "(mu + sigma * noise).detach() goes into Normal(mu, sigma).log_prob(...).sum(-1); the environment gets it "
        "clamped.",
    ),
    why="That is a whole policy over continuous actions. With one weight for each joint instead of the second head, it "
    "is the policy of the cell above.",
    judge=judge_function(
        _acts(),
        [
            Case("five states and two joints", _heads(5, 2, 30)),
            Case("three states and three joints", _heads(3, 3, 31)),
            Case("two states, with bounds of -0.5 and 2", _heads(2, 3, 32, -0.5, 2.0)),
            Case("actions that are all inside", _heads(4, 2, 33, -50.0, 50.0)),
            Case("a single joint", _heads(4, 1, 34)),
            Case("a single state", _heads(1, 2, 35, -0.2, 0.3)),
        ],
        [
            Mistake(
                "the numbers are right, but the gradient runs through the sampled action, which moves along with mu: "
                "the score of mu cancels to 0. The action is given once it is drawn: detach it.",
                _acts(drawn=lambda mu, sigma, noise: mu + sigma * noise),
            ),
            Mistake(
                "the numbers are right, and so are the scores. But the action that the environment gets still carries "
                "a gradient. Detach the action as soon as it is drawn, as `sample()` does.",
                _action_with_gradient,
            ),
            Mistake(
                "the numbers are right, but the sampled action still carries a gradient: only one of mu and sigma is "
                "detached in it. Detach mu + sigma * noise as a whole.",
                _acts(drawn=lambda mu, sigma, noise: mu.detach() + sigma * noise),
                _acts(drawn=lambda mu, sigma, noise: mu + sigma.detach() * noise),
            ),
            Mistake(
                "the numbers are right, but no gradient reaches the two heads. Detach the sampled action alone.",
                _without_gradient,
            ),
            Mistake(
                "the log-density is that of the clipped action, which was never drawn.", _acts(learned=Tensor.clamp)
            ),
            Mistake(
                "the sum runs over the states too. Each state's action has a log-density of its own.",
                _acts(total=Tensor.sum),
            ),
            Mistake("the joints are not summed: each state has one log-density.", _acts(total=lambda each: each)),
            Mistake("the sum runs over the states. The joints are on the last axis.", _acts(total=lambda e: e.sum(0))),
            Mistake(
                "nothing is clipped. The environment must get an action within its bounds.",
                _acts(seen=lambda sampled, low, high: sampled),
            ),
            Mistake(
                "you clip to -1 and 1, whatever the bounds are. They are given: low and high.",
                _acts(seen=lambda sampled, low, high: sampled.clamp(-1, 1)),
            ),
            Mistake(
                "the noise is not multiplied by sigma, so every state tries equally widely.",
                _acts(drawn=lambda mu, sigma, noise: (mu + noise).detach()),
            ),
            Mistake(
                "the noise is multiplied by log sigma. Exponentiate it first.",
                _acts(drawn=lambda mu, sigma, noise: (mu + sigma.log() * noise).detach()),
            ),
            Mistake("the action is mu: nothing is sampled.", _acts(drawn=lambda mu, sigma, noise: mu.detach())),
            Mistake(
                "sigma is the same in all states. The second head gives one for each: no mean over the states.",
                _acts(spread=lambda log_sigma: log_sigma.mean(0, keepdim=True).expand_as(log_sigma).exp()),
            ),
            Mistake(
                "the two heads are exchanged: mu comes from w_mu, log sigma from w_log_sigma.",
                lambda x, w_mu, w_log_sigma, *rest: _acts()(x, w_log_sigma, w_mu, *rest),
            ),
            Mistake(
                "the two are in the wrong order: first what the environment gets.",
                lambda *arguments: _acts()(*arguments)[::-1],
            ),
            Mistake(
                "these are the actions alone. Return the log-densities too, after a comma.",
                lambda *arguments: _acts()(*arguments)[0],
            ),
            Mistake(
                "these are the log-densities alone. The environment needs its actions: return them first.",
                lambda *arguments: _acts()(*arguments)[1],
            ),
            Mistake(
                "the environment's action carries no gradient now, but in the log-density nothing holds the action "
                "fixed: of its distance from mu only the noise is left, and the score of mu is 0. Detach the action "
                "as soon as it is drawn, and take its distance from mu.",
                _acts(
                    drawn=lambda mu, sigma, noise: mu + sigma * noise,
                    seen=lambda sampled, low, high: sampled.clamp(low, high).detach(),
                ),
            ),
            Mistake(
                "you took the mean over the joints. The log-density of the whole action is their sum.",
                _acts(total=lambda each: each.mean(-1)),
            ),
            Mistake(
                "sigma comes out wrong: it is the exponential of the second head's output, not of twice that.",
                _acts(spread=lambda log_sigma: (2 * log_sigma).exp()),
            ),
            Mistake(
                "sigma comes out wrong: it is the exponential of the second head's output, not of half of it.",
                _acts(spread=lambda log_sigma: (log_sigma / 2).exp()),
            ),
            Mistake(
                "sigma is the second head's output as it is. That is log sigma: exponentiate it.", _not_exponentiated
            ),
            Mistake(
                "sigma is the absolute value of the second head's output. That is log sigma: exponentiate it.",
                _acts(spread=torch.abs),
            ),
            Mistake(
                "you made sigma by softplus. Here the head gives log sigma: exponentiate it.",
                _acts(spread=torch.nn.functional.softplus),
            ),
            Mistake(
                "log sigma is cut off. Some code does so for safety, but it is not asked for here, and where it is "
                "cut nothing is learned.",
                _acts(spread=lambda log_sigma: log_sigma.clamp(-1, 1).exp()),
            ),
            Mistake(
                "the sign of the log-densities is wrong. The loss gets its minus later.",
                _acts(total=lambda each: -each.sum(-1)),
            ),
            Mistake(
                "the noise itself is the action. The action is mu + sigma * noise.",
                _acts(drawn=lambda mu, sigma, noise: noise),
            ),
            Mistake(
                "mu is squashed by tanh. It is features @ w_mu as it is; the bounds come with the clipping.",
                _squashed(torch.tanh),
            ),
            Mistake(
                "mu is clipped, so that its gradient stops where it is out of bounds. Clip the action alone.",
                _squashed(lambda mu: mu.clamp(-1, 1)),
            ),
            Mistake(
                "the log-density is that of the noise, which does not know the two heads. That of the sampled action "
                "is asked for.",
                lambda x, w_mu, w_log_sigma, noise, low, high: (
                    _acts()(x, w_mu, w_log_sigma, noise, low, high)[0],
                    _each(torch.zeros_like(noise), torch.zeros_like(noise), noise).sum(-1),
                ),
            ),
            Mistake(
                "you give the noise to log_prob. The density of the sampled action is asked for: mu + sigma * noise.",
                lambda x, w_mu, w_log_sigma, noise, low, high: (
                    _acts()(x, w_mu, w_log_sigma, noise, low, high)[0],
                    _each(x @ w_mu, x @ w_log_sigma, noise).sum(-1),
                ),
            ),
            Mistake(
                "the sum kept its axis. There is one log-density for each state, (n,): leave keepdim out.",
                _acts(total=lambda each: each.sum(-1, keepdim=True)),
            ),
        ],
        gradients=(1, 2),
    ),
)

EXERCISES = (PUSHES, WIDTH, LOG_DENSITY, BOUNDED, TWO_HEADS)
