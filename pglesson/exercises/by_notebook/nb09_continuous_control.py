"""Exercises of notebook 09."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from pglesson.exercises.agents import judge_gaussian_agent
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function

Array = NDArray[np.float64]
READ = "read what it does from its torque, its sigma and its map of the states"
TOO_LONG = "say when a list of discretized actions grows too long"


def _batch(n: int, size: int, seed: int, far: float = 1.0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """mu (n, size), log_sigma (size,), sampled actions (n, size) and advantages (n,)."""
    generator = torch.Generator().manual_seed(seed)
    mu, noise = far * torch.randn(2, n, size, generator=generator)
    log_sigma = 0.5 * torch.randn(size, generator=generator)
    return mu, log_sigma, mu + log_sigma.exp() * noise / far, torch.randn(n, generator=generator) + 0.3


def _density(mu: Tensor, log_sigma: Tensor, sampled: Tensor) -> Tensor:
    """log pi of each action dimension: (n, size)."""
    return -0.5 * ((sampled - mu) / log_sigma.exp()) ** 2 - log_sigma - 0.5 * math.log(2 * math.pi)


def _loss(log_pi: Tensor, advantages: Tensor) -> Tensor:
    return -(log_pi * advantages).mean()


def _wide(n: int, actions: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    mu, log_sigma, sampled, advantages = _batch(n, actions, seed)
    return mu, log_sigma.abs() + 0.1, sampled, advantages


def _typed(mu: Tensor, log_sigma: Tensor, sampled: Tensor, half: float = 0.5, power: float = 2.0) -> Tensor:
    square = (sampled - mu).square() / (power * log_sigma).exp()
    return (-half * square - log_sigma - 0.5 * math.log(2 * math.pi)).sum(-1)


GAUSSIAN_LOSS = Exercise(
    name="gaussian_loss",
    objective="train a Gaussian policy on a task with real-valued actions",
    starter='''def gaussian_loss(mu, log_sigma, sampled, advantages):
    """mu and sampled (n, actions), log_sigma (actions,), advantages (n,) -> the loss, one number."""
    ...


answer = gaussian_loss''',
    solution='''def gaussian_loss(mu, log_sigma, sampled, advantages):
    """mu and sampled (n, actions), log_sigma (actions,), advantages (n,) -> the loss, one number."""
    log_pi = torch.distributions.Normal(mu, log_sigma.exp()).log_prob(sampled).sum(-1)
    return -(log_pi * advantages).mean()


answer = gaussian_loss''',
    hints=(
        "First one log pi for each time step, (n,), then the mean over the steps. Which axis does the first sum use?",
        "torch.distributions.Normal(mu, log_sigma.exp()).log_prob(sampled) gives one number for each action dimension.",
        "Sum those over the last axis, multiply by the advantages, take the mean, and turn the sign.",
    ),
    why="This is all that changes from a softmax policy to a Gaussian one: where log pi comes from. The loop of "
    "notebook 05 stays as it is, whether the policy moves one motor or seven.",
    judge=judge_function(
        lambda mu, log_sigma, sampled, advantages: _loss(_density(mu, log_sigma, sampled).sum(-1), advantages),
        [
            Case("five time steps, two action dimensions", _batch(5, 2, 0)),
            Case("a single time step, three action dimensions", _batch(1, 3, 1)),
            Case("a single action dimension", _batch(6, 1, 2)),
            Case("as many time steps as action dimensions", _batch(4, 4, 3)),
            Case("seven action dimensions", _batch(3, 7, 4)),
            Case("actions far outside of -1 and 1", _batch(4, 2, 5, far=6.0)),
            Case("sigmas above 1", _wide(3, 2, 6)),
            Case("a single action dimension, sigma above 1", _wide(1, 1, 7)),
        ],
        [
            Mistake(
                "the sign is wrong. An optimizer makes a loss smaller, so it is *minus* the mean of log pi times A.",
                lambda m, s, a, A: -_loss(_density(m, s, a).sum(-1), A),
            ),
            Mistake(
                "the mean runs over the action dimensions too. The log-probabilities of one action are added.",
                lambda m, s, a, A: _loss(_density(m, s, a).mean(-1), A),
            ),
            Mistake(
                "the time steps are added up. Their mean is asked for.",
                lambda m, s, a, A: -(_density(m, s, a).sum(-1) * A).sum(),
            ),
            Mistake(
                "the sum runs over the batch too. Each time step keeps its own log pi, for its own advantage: sum over "
                "the action axis alone.",
                lambda m, s, a, A: _loss(_density(m, s, a).sum(), A),
            ),
            Mistake(
                "every log pi meets every advantage: as in a product of two means, or where the shapes (n, 1) and (n,) "
                "give (n, n). Multiply step by step, and sum without keepdim.",
                lambda m, s, a, A: _loss(_density(m, s, a).sum(-1, keepdim=True), A),
            ),
            Mistake(
                "the actions were clipped before their log-probability was taken. It belongs to the sampled ones.",
                lambda m, s, a, A: _loss(_density(m, s, a.clamp(-1, 1)).sum(-1), A),
            ),
            Mistake(
                "mu was clipped. Only the environment clips, and what it clips is the action.",
                lambda m, s, a, A: _loss(_density(m.clamp(-1, 1), s, a).sum(-1), A),
            ),
            Mistake(
                "sigma is squared. Normal wants the standard deviation, log_sigma.exp(), and not the variance.",
                lambda m, s, a, A: _loss(_density(m, 2 * s, a).sum(-1), A),
            ),
            Mistake(
                "the probability density itself is weighted. Take its logarithm.",
                lambda m, s, a, A: _loss(_density(m, s, a).exp().prod(-1), A),
            ),
            Mistake(
                "- log sigma is missing in the log-density. Without it every action with a positive advantage widens "
                "sigma, however near to mu it lies.",
                lambda m, s, a, A: _loss((_density(m, s, a) + s).sum(-1), A),
            ),
            Mistake(
                "the constant log(2 pi) / 2 of each dimension is missing. Its gradient is zero, so such a loss trains "
                "just as well, but it is not the one that is asked for.",
                lambda m, s, a, A: _loss((_density(m, s, a) + 0.5 * math.log(2 * math.pi)).sum(-1), A),
            ),
            Mistake("the advantages are missing.", lambda m, s, a, A: -_density(m, s, a).sum(-1).mean()),
            Mistake(
                "the value is right, but no gradient reaches the weights. Leave out detach, no_grad and .item().",
                lambda m, s, a, A: _loss(_density(m, s, a).sum(-1), A).detach(),
            ),
            Mistake(
                "log_sigma stands where sigma belongs, and it may be below zero. Take its exponential.",
                lambda m, s, a, A: _loss(Normal(m, s).log_prob(a).sum(-1), A),
                lambda m, s, a, A: _loss(Normal(m, s, validate_args=False).log_prob(a).sum(-1), A),
                lambda m, s, a, A: _loss(Normal(m, s.abs()).log_prob(a).sum(-1), A),
            ),
            Mistake(
                "log pi still has a number for each action dimension where it meets the advantages. Sum over the "
                "action axis first.",
                lambda m, s, a, A: -(_density(m, s, a) * A).mean(),
                lambda m, s, a, A: -(_density(m, s, a) * A).sum(-1).mean(),
            ),
            Mistake(
                "the sum runs over the time steps, axis 0. It runs over the action dimensions, the last axis.",
                lambda m, s, a, A: _loss(_density(m, s, a).sum(0), A),
            ),
            Mistake(
                "sigma is not squared under (a - mu)**2. The density divides by the variance.",
                lambda m, s, a, A: _loss(_typed(m, s, a, power=1.0), A),
            ),
            Mistake(
                "the half in front of the square is missing: it is (a - mu)**2 / (2 sigma**2).",
                lambda m, s, a, A: _loss(_typed(m, s, a, half=1.0), A),
            ),
            Mistake(
                "the square is added, and it must be subtracted: an action far from mu is less likely.",
                lambda m, s, a, A: _loss(_typed(m, s, a, half=-0.5), A),
            ),
            Mistake(
                "each time step has a loss of its own. Their mean is asked for.",
                lambda m, s, a, A: -(_density(m, s, a).sum(-1) * A),
            ),
            Mistake(
                "the actions were clipped before their log-probability was taken. It belongs to the sampled ones.",
                lambda m, s, a, A: _loss(_density(m, s, a.clamp(-2, 2)).sum(-1), A),
            ),
            Mistake(
                "only the squared distance is left of the log-density: - log sigma and the constant are missing. "
                "Without - log sigma every good action widens the bell.",
                lambda m, s, a, A: _loss((-((a - m) ** 2) / (2 * (2 * s).exp())).sum(-1), A),
            ),
            Mistake(
                "the advantages are normalized first. Take them as they are given.",
                lambda m, s, a, A: _loss(_density(m, s, a).sum(-1), (A - A.mean()) / (A.std() + 1e-8)),
                lambda m, s, a, A: _loss(_density(m, s, a).sum(-1), (A - A.mean()) / (A.std(correction=0) + 1e-8)),
            ),
        ],
        gradients=(0, 1),
    ),
)

SIGMA = Exercise(
    name="sigma",
    objective=READ,
    starter="""# the entropy of the pendulum's policy has fallen to 0.40 nats.
# what is its sigma, in N m?
answer = ...""",
    solution="""answer = np.exp(0.40 - 0.5 * np.log(2 * np.pi * np.e))""",
    hints=(
        "The formula stands before the training: H = log sigma + a constant. Which constant?",
        "The constant is half of log(2 pi e), 1.4189. So log sigma = 0.40 - 1.4189.",
    ),
    why="So you can follow sigma in any curve of an entropy. And an entropy of 0 is nothing special here: it belongs "
    "to a sigma of 0.24, and a narrower Gaussian has an entropy below zero.",
    judge=NumberJudge(
        math.exp(0.4) / math.sqrt(2 * math.pi * math.e),
        {
            2
            * math.exp(0.4)
            / math.sqrt(2 * math.pi * math.e): "you multiplied by the bound of the motor. This entropy is that "
            "of the torque, in N m already.",
            0.5
            * math.exp(0.4)
            / math.sqrt(2 * math.pi * math.e): "you divided by the bound of the motor. This entropy is that "
            "of the torque, in N m already.",
            math.exp(0.4) / 2: "the constant is half of log(2 pi e), in the exponent. It is not a factor of a half.",
            0.5
            * math.log(
                2 * math.pi * math.e
            ): "that is the constant. Take it away from the entropy, and then the exponential.",
            2 ** (0.4 - 0.5 * math.log(2 * math.pi * math.e)): "you took 2 to the power of log sigma. In nats it is e.",
            math.exp(
                -0.4
            ): "the sign of the entropy is wrong, and the constant is missing: log sigma = H - log(2 pi e) / 2.",
            0.4: "that is the entropy itself.",
            math.exp(0.4): "the constant is missing: log sigma = H - log(2 pi e) / 2.",
            0.4 - 0.5 * math.log(2 * math.pi * math.e): "that is log sigma. Take the exponential; a sigma is above 0.",
            0.5 * math.log(2 * math.pi * math.e) - 0.4: "that is log sigma without its sign. Keep it, and take the "
            "exponential.",
            10
            ** (0.4 - 0.5 * math.log10(2 * math.pi * math.e)): "you took logarithms and powers of 10. In nats it is e.",
            2 * 0.4 / 2.112: "you changed sigma in proportion to the entropy. It is log sigma that goes with it.",
            0.4 + 0.5 * math.log(2 * math.pi * math.e): "you added the constant, and forgot the exponential. Solve the "
            "formula for log sigma.",
            math.exp(0.4) * math.sqrt(2 * math.pi * math.e): "you added the constant. Solve the formula for log sigma: "
            "it goes to the other side.",
            math.exp(0.8) / (2 * math.pi * math.e): "that is the variance, sigma squared.",
            math.exp(0.4) / math.sqrt(2 * math.pi): "the e in the constant is missing: log(2 pi e) / 2.",
            math.exp(0.4) / (2 * math.pi * math.e): "the constant is *half* of log(2 pi e).",
            2**0.4 / math.sqrt(2 * math.pi * math.e): "you took 2 to the power of the entropy. In nats it is e.",
            2.0: "that is the sigma of the untrained agent, whose entropy was 2.11.",
            10 ** (0.4 - 0.5 * math.log(2 * math.pi * math.e)): "you took 10 to the power of log sigma. It is e.",
        },
        otherwise="this is not it. Solve H = log sigma + log(2 pi e) / 2 for sigma.",
    ),
)


def _curves(episodes: int, steps: int, seed: int, spread: float = 2.0) -> tuple[Array, Array, float]:
    generator = np.random.default_rng(seed)
    speed = generator.normal(1.0, 3.0, (episodes, steps))
    return speed, 0.4 * speed + generator.normal(0, spread, (episodes, steps)), 2.0


POWER = Exercise(
    name="power",
    objective=READ,
    starter='''def mean_power(speed, sampled, strongest):
    """Speeds and sampled torques, each (episodes, steps) -> the motor's mean power, (episodes,)."""
    ...


answer = mean_power''',
    solution='''def mean_power(speed, sampled, strongest):
    """Speeds and sampled torques, each (episodes, steps) -> the motor's mean power, (episodes,)."""
    torque = np.clip(sampled, -strongest, strongest)
    return (torque * speed).mean(1)


answer = mean_power''',
    hints=(
        "Which torque does the motor get, when 7 N m are sampled?",
        "Clip first, then multiply step by step, and take the mean along one axis. Which one is left?",
    ),
    why="Above zero the agent gathers energy: it pushes with the motion, as on its way up. Below zero it brakes, as "
    "when it catches the rod at the top. One number tells you what stage of the swing you look at.",
    judge=judge_function(
        lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).mean(1),
        [
            Case("three episodes of five steps", _curves(3, 5, 0)),
            Case("a single episode", _curves(1, 6, 1)),
            Case("a single step", _curves(4, 1, 2)),
            Case("as many episodes as steps", _curves(4, 4, 3)),
            Case("a motor of 1 N m", (*_curves(3, 6, 4)[:2], 1.0)),
            Case("torques that the motor all has", (*_curves(2, 5, 5)[:2], 100.0)),
            Case("a rod at rest", (np.zeros((2, 3)), np.ones((2, 3)), 2.0)),
            Case("an agent that brakes", (np.array([[3.0, -2.0, 1.0]]), np.array([[-5.0, 1.0, -0.5]]), 2.0)),
        ],
        [
            Mistake(
                "the motor never gives more than it has. What was sampled must be clipped before it is multiplied.",
                lambda speed, sampled, strongest: (sampled * speed).mean(1),
            ),
            Mistake(
                "the product is clipped. Clip the torque alone: the speed has no bound of 2.",
                lambda speed, sampled, strongest: np.clip(sampled * speed, -strongest, strongest).mean(1),
            ),
            Mistake(
                "you clip to -2 and 2, whatever the motor has. Take `strongest`.",
                lambda speed, sampled, strongest: (np.clip(sampled, -2, 2) * speed).mean(1),
            ),
            Mistake(
                "you clip at the upper end only. The motor pushes both ways.",
                lambda speed, sampled, strongest: (np.minimum(sampled, strongest) * speed).mean(1),
            ),
            Mistake(
                "the steps are added up. The mean is asked for.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).sum(1),
            ),
            Mistake(
                "the mean runs over the episodes. Each episode keeps its own: axis 1 holds the steps.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).mean(0),
            ),
            Mistake(
                "the mean runs over all episodes too. Each keeps its own.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).mean(),
            ),
            Mistake(
                "without its sign you cannot tell gathering energy from braking. Leave abs out.",
                lambda speed, sampled, strongest: np.abs(np.clip(sampled, -strongest, strongest) * speed).mean(1),
            ),
            Mistake(
                "this is the product of two means. Multiply step by step first: pushing with the motion shows only "
                "there.",
                lambda speed, sampled, strongest: np.clip(sampled, -strongest, strongest).mean(1) * speed.mean(1),
            ),
            Mistake(
                "the sign is wrong: pushing with the motion gives power above zero.",
                lambda speed, sampled, strongest: -(np.clip(sampled, -strongest, strongest) * speed).mean(1),
            ),
            Mistake(
                "this counts how often it pushes with the motion. Torque times speed says how strongly, too.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed > 0).mean(1),
            ),
            Mistake(
                "only the directions are multiplied. Torque times speed says how strongly, too.",
                lambda speed, sampled, strongest: (np.sign(sampled) * np.sign(speed)).mean(1),
            ),
            Mistake(
                "this is the mean torque. Power is torque times speed.",
                lambda speed, sampled, strongest: np.clip(sampled, -strongest, strongest).mean(1),
            ),
            Mistake(
                "this is the energy of the whole episode, in joules. Power is its mean over the steps.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).sum(1) * 0.05,
            ),
            Mistake(
                "you clip at zero, so no torque pushes back. The motor pushes both ways: clip at -strongest.",
                lambda speed, sampled, strongest: (np.clip(sampled, 0, strongest) * speed).mean(1),
            ),
            Mistake(
                "you clip at the lower end only. The motor pushes both ways.",
                lambda speed, sampled, strongest: (np.maximum(sampled, -strongest) * speed).mean(1),
            ),
            Mistake(
                "below -strongest the torque becomes +strongest: the size is clipped, and the sign is lost.",
                lambda speed, sampled, strongest: (np.where(abs(sampled) > strongest, strongest, sampled) * speed).mean(
                    1
                ),
            ),
            Mistake(
                "the mean power is clipped. Clip the torque of each step, before it is multiplied.",
                lambda speed, sampled, strongest: np.clip((sampled * speed).mean(1), -strongest, strongest),
            ),
            Mistake(
                "the speed is clipped too. Clip the torque alone.",
                lambda speed, sampled, strongest: (
                    np.clip(sampled, -strongest, strongest) * np.clip(speed, -strongest, strongest)
                ).mean(1),
            ),
            Mistake(
                "you clip to -1 and 1, whatever the motor has. Take `strongest`.",
                lambda speed, sampled, strongest: (np.clip(sampled, -1, 1) * speed).mean(1),
            ),
            Mistake(
                "every torque is as strong as the motor can be. Only those beyond its bounds are cut off; the others "
                "stay.",
                lambda speed, sampled, strongest: (np.sign(sampled) * strongest * speed).mean(1),
            ),
            Mistake(
                "only the direction of the motion counts here. Torque times speed says how strongly, too.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * np.sign(speed)).mean(1),
            ),
            Mistake(
                "where it brakes you count 0. That is power too, below zero, and belongs to the mean.",
                lambda speed, sampled, strongest: np.maximum(np.clip(sampled, -strongest, strongest) * speed, 0).mean(
                    1
                ),
            ),
            Mistake(
                "steps whose torque is beyond the bounds are left out. The motor pushes there as hard as it can: clip.",
                lambda speed, sampled, strongest: np.array(
                    [(s * a)[abs(a) <= strongest].mean() for s, a in zip(speed, sampled)]
                ),
            ),
            Mistake(
                "steps whose torque is beyond the bounds count 0. The motor pushes there as hard as it can: clip.",
                lambda speed, sampled, strongest: (sampled * speed * (abs(sampled) <= strongest)).mean(1),
            ),
            Mistake(
                "every step has a number of its own. Take the mean over the steps, axis 1.",
                lambda speed, sampled, strongest: np.clip(sampled, -strongest, strongest) * speed,
            ),
            Mistake(
                "you multiplied by the time of a step, which gives an energy. Power is torque times speed.",
                lambda speed, sampled, strongest: (np.clip(sampled, -strongest, strongest) * speed).mean(1) * 0.05,
            ),
        ],
    ),
)


def _joints(n: int, joints: int, levels: int, seed: int, far: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = far * torch.randn(n, joints, levels, generator=generator)
    return logits, torch.randint(levels, (n, joints), generator=generator)


def _taken(values: Tensor, choices: Tensor) -> Tensor:
    """The entries of the levels that were chosen: (n, joints)."""
    return values.gather(-1, choices[..., None])[..., 0]


def _whole(logits: Tensor) -> Tensor:
    return logits.flatten(1).log_softmax(-1).view_as(logits)


JOINTS = Exercise(
    name="joints",
    objective=TOO_LONG,
    starter='''def log_pi(logits, choices):
    """Logits (n, joints, levels), levels chosen (n, joints) -> log pi of each whole action, (n,)."""
    log_probs = logits.flatten(1).log_softmax(-1).view_as(logits)
    return log_probs.gather(-1, choices.unsqueeze(-1)).mean((1, 2))


answer = ...  # fix the function above; then write log_pi here''',
    solution='''def log_pi(logits, choices):
    """Logits (n, joints, levels), levels chosen (n, joints) -> log pi of each whole action, (n,)."""
    log_probs = logits.log_softmax(-1)
    return log_probs.gather(-1, choices.unsqueeze(-1)).sum((1, 2))


answer = log_pi''',
    hints=(
        "For one action, add up the probabilities of a joint's levels. What should come out for each joint?",
        "Each joint is a policy of its own, over its levels, on the last axis.",
        "Independent choices: the probabilities are multiplied, so their logarithms are added.",
    ),
    why="This is how a softmax can move seven joints: 35 outputs instead of 78,125, at the price of choosing "
    "each joint's level independently of the others, given the state.",
    judge=judge_function(
        lambda logits, choices: _taken(logits.log_softmax(-1), choices).sum(-1),
        [
            Case("four actions of three joints with five levels", _joints(4, 3, 5, 0)),
            Case("a single action", _joints(1, 4, 3, 1)),
            Case("a single joint", _joints(5, 1, 3, 2)),
            Case("as many actions as joints and levels", _joints(3, 3, 3, 3)),
            Case("seven joints with two levels", _joints(2, 7, 2, 4)),
            Case("logits that lie hundreds apart", _joints(3, 2, 4, 5, far=300.0)),
        ],
        [
            Mistake(
                "this is the function as it was: one softmax over all joints together, and a mean over the joints.",
                lambda logits, choices: _taken(_whole(logits), choices).mean(-1),
            ),
            Mistake(
                "one is fixed. The mean over the joints is left: independent choices multiply their probabilities, so "
                "the logarithms are added.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices).mean(-1),
            ),
            Mistake(
                "one is fixed. The softmax still runs over the levels of all joints together, as if only one of them "
                "could move.",
                lambda logits, choices: _taken(_whole(logits), choices).sum(-1),
            ),
            Mistake(
                "the softmax runs over the joints. Each joint chooses among its levels, on the last axis.",
                lambda logits, choices: _taken(logits.log_softmax(1), choices).sum(-1),
            ),
            Mistake(
                "the softmax runs over the batch. Each joint chooses among its levels, on the last axis.",
                lambda logits, choices: _taken(logits.log_softmax(0), choices).sum(-1),
            ),
            Mistake(
                "probabilities are added. Those of independent choices multiply; their logarithms are what you add.",
                lambda logits, choices: _taken(logits.softmax(-1), choices).sum(-1),
            ),
            Mistake(
                "the logarithm is taken of a sum of probabilities. Those of independent choices multiply.",
                lambda logits, choices: _taken(logits.softmax(-1), choices).sum(-1).log(),
            ),
            Mistake(
                "this is the probability of the action. Its logarithm is asked for.",
                lambda logits, choices: _taken(logits.softmax(-1), choices).prod(-1),
            ),
            Mistake(
                "a probability was rounded to zero before its logarithm was taken. Use log_softmax.",
                lambda logits, choices: _taken(logits.softmax(-1), choices).prod(-1).log(),
                lambda logits, choices: _taken(logits.softmax(-1).log(), choices).sum(-1),
                lambda logits, choices: _taken(logits.softmax(-1), choices).log().sum(-1),
            ),
            Mistake(
                "each joint still has a number of its own. Add them up: one action, one log pi.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices),
            ),
            Mistake(
                "the sum runs over the batch. Each action has a log pi of its own.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices).sum(0),
            ),
            Mistake(
                "everything is added up. Each action has a log pi of its own.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices).sum(),
            ),
            Mistake(
                "the logits are added as they are. Turn them into log-probabilities first.",
                lambda logits, choices: _taken(logits, choices).sum(-1),
            ),
            Mistake(
                "the most likely levels are taken. Those that were chosen are given.",
                lambda logits, choices: logits.log_softmax(-1).amax(-1).sum(-1),
            ),
            Mistake(
                "the sign is wrong: a log-probability is never above zero.",
                lambda logits, choices: -_taken(logits.log_softmax(-1), choices).sum(-1),
            ),
            Mistake(
                "the logarithms are multiplied. Probabilities of independent choices multiply, so their logarithms "
                "are added.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices).prod(-1),
            ),
            Mistake(
                "the log-probabilities of all levels are added up. Take those of the levels that were chosen.",
                lambda logits, choices: logits.log_softmax(-1).sum((1, 2)),
            ),
            Mistake(
                "the softmax runs over the whole batch, joints and levels. Each joint chooses among its levels, on "
                "the last axis.",
                lambda logits, choices: _taken(logits.flatten().log_softmax(-1).view_as(logits), choices).sum(-1),
            ),
            Mistake(
                "the levels are looked up among all joints' entries in one row, so every joint finds the first one's. "
                "Gather along the levels, the last axis.",
                lambda logits, choices: logits.flatten(1).log_softmax(-1).gather(1, choices).sum(-1),
            ),
            Mistake(
                "one joint alone is taken, the least likely one. All of them choose: add up their logarithms.",
                lambda logits, choices: _taken(logits.log_softmax(-1), choices).amin(-1),
            ),
        ],
        gradients=(0,),
    ),
)

LEFTOVER = Exercise(
    name="leftover",
    objective="clip actions without spoiling the gradient",
    starter="""# mu = 1.5, sigma = 1. With a baseline of 0, the clipped action's score gives a slope of -0.40.
# its mean is -0.70. What slope does it give with a baseline of 3?
answer = ...""",
    solution="""answer = -0.40 - 3 * -0.70""",
    hints=(
        "The estimate is the mean of score * (reward - b). Multiply it out.",
        "It is the mean of score * reward, minus b times the mean of the score.",
        "-0.40 - 3 * (-0.70).",
    ),
    why="The true slope is 0.30, whatever the baseline is. So is the mean of the sampled action's estimate, since its "
    "score averages zero. The clipped action's estimate grows by 0.70 for each unit of baseline: here it pushes mu "
    "outwards, more than five times too strongly.",
    judge=NumberJudge(
        1.7,
        {
            -1.7: "the sign is wrong. Minus 3 times -0.70 is above zero, and -0.40 is added to it.",
            -1.8: "you began at the true slope, and one sign is lost. With a baseline of 0 the wrong estimate is "
            "-0.40.",
            0.0: "the mean score of the *sampled* action is zero; that of the clipped one is -0.70. Multiply that by "
            "the baseline.",
            0.3: "that is the true slope, which the *sampled* action's score gives with any baseline. The clipped "
            "action's does depend on it.",
            -2.5: "one sign is lost: the baseline is subtracted, and the mean of the score is negative too.",
            -0.4: "a baseline changes nothing only where the score averages zero. Here its mean is -0.70.",
            2.1: "that is what the baseline adds. It comes on top of the -0.40.",
            -2.1: "that is the baseline's part, with the wrong sign. And the -0.40 must be added to it.",
            1.0: "with a baseline of 2 it would be that.",
            2.4: "you began at the true slope. With a baseline of 0 the wrong estimate is -0.40.",
            0.84: "you multiplied all three. Multiply score * (reward - b) out: it is a difference.",
            -1.2: "you multiplied the estimate by the baseline. It stands in a difference: reward - b.",
            -3.4: "the baseline was subtracted as it is. It is multiplied by the score first, whose mean is -0.70.",
            2.6: "the baseline was added as it is. It is multiplied by the score first, whose mean is -0.70.",
            0.9: "you multiplied both numbers by 3. Only the mean of the score is multiplied by the baseline.",
            -1.1: "that is for a baseline of -1: one sign is lost, and two of its units are missing.",
        },
        tolerance=0.012,
        otherwise="this is not it. It is the mean of score * reward, minus the baseline times the mean of the score.",
    ),
)

GAUSSIAN_AGENT = Exercise(
    name="gaussian_agent",
    objective="train a Gaussian policy on a task with real-valued actions",
    starter='''class GaussianPolicy(torch.nn.Module):
    """Observations (n, numbers) -> a normal distribution for each, over actions of several dimensions."""


def train(env_id, episodes, seed):
    """Trains a GaussianPolicy by REINFORCE -> the returns of all episodes, each a plain sum of rewards."""
    ...


answer = train''',
    solution='''from collections import namedtuple

import gymnasium as gym
import torch
from torch import nn
from torch.distributions import Independent, Normal

Episode = namedtuple("Episode", "observations actions rewards terminated")  # T + 1 observations of T steps


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


class GaussianPolicy(nn.Module):
    """Observations (..., numbers) -> a normal distribution over actions (..., actions)."""

    def __init__(self, numbers, actions):
        super().__init__()
        self.mean = network(numbers, actions)
        self.log_std = nn.Parameter(torch.zeros(actions))

    def forward(self, observations):
        return Independent(Normal(self.mean(observations), self.log_std.exp()), 1)


def play(env, policy):
    """One episode, with the observation after its last step."""
    observations, actions, rewards, over = [torch.as_tensor(env.reset()[0])], [], [], False
    while not over:
        with torch.no_grad():
            actions.append(policy(observations[-1]).sample())
        observation, reward, terminated, truncated, _ = env.step(actions[-1].numpy())
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
    pi = policy(observations)
    loss = -(pi.log_prob(actions) * A).sum() / len(batch)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    for _ in range(value_steps):
        value_loss = (targets - value(observations)[:, 0]).square().mean() / 2
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def train(env_id, episodes, seed, batch_size=8, gamma=0.95, alpha=0.01, value_alpha=0.05, value_steps=20):
    """REINFORCE with a value as its baseline -> the returns of all episodes, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.wrappers.ClipAction(gym.make(env_id))  # log pi stays that of the sampled action
    env.reset(seed=seed)
    numbers, actions = env.observation_space.shape[0], env.action_space.shape[0]
    policy, value = GaussianPolicy(numbers, actions), network(numbers, 1)
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
        'Begin with your agent of notebook 06, or with Exercises("06_variance_and_baselines").agent.solution(). Three '
        "places know the kind of action: the policy, the call of step(), and the number of outputs.",
        "GaussianPolicy holds a network for the mean, with env.action_space.shape[0] outputs, and log_std = "
        "nn.Parameter(torch.zeros(actions)). Its forward() returns Independent(Normal(mean, log_std.exp()), 1), which "
        "has sample() and log_prob().",
        "gym.wrappers.ClipAction(gym.make(env_id)) clips what step() gets, and nothing else sees it. For Pendulum-v1, "
        "gamma = 0.95, alpha = 0.01, eight episodes a batch and twenty steps of the value each time work.",
    ),
    why="That is the whole agent. The loop does not know whether its actions come from a list or from a scale: the "
    "distribution is an object that can sample and give log-probabilities.",
    judge=judge_gaussian_agent,
)

EXERCISES = (GAUSSIAN_LOSS, SIGMA, POWER, JOINTS, LEFTOVER, GAUSSIAN_AGENT)
