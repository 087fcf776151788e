"""Exercises of notebook 03."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, judge_function, judge_number

HALF_LOG = 0.5 * math.log(2 * math.pi)


def _drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _bell(*shape: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """mu, log sigma, and actions drawn with them."""
    mu, log_sigma = _drawn(*shape, seed=seed), 0.7 * _drawn(*shape, seed=seed + 100) - 0.3
    return mu, log_sigma, mu + log_sigma.exp() * _drawn(*shape, seed=seed + 200)


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
    why="Together with a way to sample, this is the whole of a Gaussian policy. Everything that learns from here on "
    "differentiates this number by mu and log sigma.",
    judge=judge_function(
        lambda mu, log_sigma, actions: _each(mu, log_sigma, actions).sum(-1),
        [
            Case("five states and three joints", _bell(5, 3, seed=0)),
            Case("three states and three joints", _bell(3, 3, seed=1)),
            Case("a single joint", _bell(4, 1, seed=2)),
            Case("a single state", _bell(1, 2, seed=3)),
            Case("actions at the centre", (_drawn(2, 2, seed=4), _drawn(2, 2, seed=5), _drawn(2, 2, seed=4))),
            Case("a narrow bell", (torch.zeros(2, 2), torch.full((2, 2), -4.0), 0.02 * _drawn(2, 2, seed=6))),
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
                "-log sigma is missing. Without it a bell could widen for nothing: its height must fall.",
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
                "the sign is turned: this grows with the distance from mu.",
                lambda mu, log_sigma, actions: -_each(mu, log_sigma, actions).sum(-1),
            ),
            Mistake(
                "the numbers are right, but no gradient reaches mu and log sigma. Work with the tensors themselves, "
                "and without detach or no_grad.",
                lambda mu, log_sigma, actions: _each(mu.detach(), log_sigma.detach(), actions).sum(-1),
            ),
        ],
        gradients=(0, 1),
    ),
)


def _z(mu: Tensor, log_sigma: Tensor, action: Tensor) -> Tensor:
    return (action - mu) / log_sigma.exp()


PUSHES = Exercise(
    name="pushes",
    objective="say in which direction one action pushes its centre and its width",
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
        "Both formulas stand under the heading of this section. Where do you get sigma from?",
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
                "the sign of the score on mu is turned. A rewarded action above mu pulls it *up*.",
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
                "the sign of the score on log sigma is turned. A rewarded action far out makes the bell wider.",
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
        ],
    ),
)

WIDTH = Exercise(
    name="width",
    objective="say in which direction one action pushes its centre and its width",
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
    why="A bad action near the centre *widens* the bell: whatever the agent aims at does not pay, so it looks farther "
    "around. The rule for good actions, with the sign turned.",
    judge=judge_number(
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
            0.75: "that is the score with its sign turned. Multiply z**2 - 1 by alpha and by the return.",
            -0.075: "the return is missing.",
            0.1875: "you did not divide by sigma: the distance counts in sigmas. (1.25 - 1) / 0.5 is half a sigma.",
            0.0: "only an action at a distance of exactly one sigma leaves the width alone.",
            0.5: "0.5 is how far out the action is, in sigmas. Go on to the score, and then to the step.",
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


BOUNDED = Exercise(
    name="bounded",
    objective="handle bounds without spoiling the gradient",
    starter='''def bounded(mu, log_sigma, sampled, low, high):
    """Sampled actions (states, joints) -> what the environment gets, and the log-densities to learn from (states,)."""
    action = sampled.clamp(low, high)
    log_pi = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(action).sum()
    return action, log_pi


answer = ...  # once it is repaired: bounded''',
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
    why="The weights chose the sampled action; the clipping is the world's doing. Only so does the average of score "
    "times reward stay the slope that you want to climb.",
    judge=judge_function(
        _bounded,
        [
            Case("five states and three joints", _limits(5, 3, seed=20, low=-1, high=1)),
            Case("two states, with bounds of -0.5 and 2", _limits(2, 3, seed=21, low=-0.5, high=2)),
            Case("three states and three joints", _limits(3, 3, seed=22, low=-1, high=1)),
            Case("actions that are all inside", _limits(4, 2, seed=23, low=-50, high=50)),
            Case("actions that are all outside", _limits(4, 2, seed=24, low=-0.01, high=0.01, far=3)),
            Case("a single joint", _limits(4, 1, seed=25, low=-0.3, high=0.4)),
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
                "one is repaired. The log-density is still that of the clipped action, which was never drawn: it can "
                "push mu back from the bound.",
                lambda mu, log_sigma, s, low, high: (
                    s.clamp(low, high),
                    _each(mu, log_sigma, s.clamp(low, high)).sum(-1),
                ),
            ),
            Mistake(
                "one is repaired. The sum still runs over the states too, so good and bad actions are pushed alike.",
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
                "the environment gets the centre of the bell. It must get the sampled action, clipped, or nothing new "
                "is ever tried.",
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
        ],
        gradients=(0, 1),
    ),
)

CLIPPED = Exercise(
    name="clipped",
    objective="handle bounds without spoiling the gradient",
    starter="""# mu and log sigma are 0, and the bounds are -1 and 1. What part of the draws is clipped?
answer = ...""",
    solution="""bell = torch.distributions.Normal(0.0, 1.0)
answer = 2 * bell.cdf(torch.tensor(-1.0)).item()""",
    hints=(
        "Set both sliders to 0 and read the title. Then say why it must be that number.",
        "log sigma = 0 means sigma = 1: the bounds lie one sigma to either side.",
        "About 68 % of a bell lies within one sigma. What is left, on both sides together?",
    ),
    why="Even a bell that is centred well has nearly a third of its draws clipped when its sigma is half the range. "
    "They all look alike to the environment, so it can say nothing about what lies beyond the bound.",
    judge=judge_number(
        0.3173,
        {
            0.6827: "that is the part inside. Clipped is what is left.",
            0.1587: "that is one side. Both ends are clipped.",
            0.0455: "that lies outside of two sigmas. The bounds lie one sigma away.",
            0.5: "that would be the case with mu on a bound. Here it lies in the middle.",
            0.242: "that is the density at the bound. A part of the draws is an area.",
            0.3989: "that is the density at the top. A part of the draws is an area.",
            1.0: "with log sigma = 0, sigma is 1 and not 0; most draws lie inside.",
            0.0: "with log sigma = 0, sigma is 1: the bell is wider than a point, and reaches beyond the bounds.",
            31.73: "as a percentage that is right. Write it as a number between 0 and 1.",
            0.0027: "that lies outside of three sigmas. The bounds lie one sigma away.",
        },
        tolerance=0.02,
        otherwise="this is not it. How many sigmas away are the bounds, and what part of a bell lies farther out?",
    ),
)

EXERCISES = (PUSHES, WIDTH, LOG_DENSITY, CLIPPED, BOUNDED)
