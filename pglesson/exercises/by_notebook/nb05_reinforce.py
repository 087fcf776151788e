"""Exercises of notebook 05."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pglesson.exercises.agents import judge_first_agent
from pglesson.exercises.calls import MARKED, OPTIMIZER
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal


def _whole(*shape: int, below: int, seed: int) -> Tensor:
    return torch.randint(below, shape, generator=torch.Generator().manual_seed(seed))


def _taken(log_probs: Tensor, actions: Tensor) -> Tensor:
    return log_probs.gather(1, actions[:, None])[:, 0]


def _loss(logits: Tensor, actions: Tensor, weights: Tensor) -> Tensor:
    return -(_taken(logits.log_softmax(-1), actions) * weights).sum()


LOSS = Exercise(
    name="loss",
    objective="say what each line is for",
    starter='''def episode_loss(logits, actions, weights):
    """Logits (T, actions), the actions taken (T,), weights G_t (T,) -> the loss of the episode, one number."""
    log_probs = logits.log_softmax(-1)
    return -(log_probs[:, actions] * weights).sum()


# find the bug, fix it above, and then write answer = episode_loss
answer = ...''',
    solution='''def episode_loss(logits, actions, weights):
    """Logits (T, actions), the actions taken (T,), weights G_t (T,) -> the loss of the episode, one number."""
    log_probs = logits.log_softmax(-1)
    return -(log_probs[torch.arange(len(actions)), actions] * weights).sum()


answer = episode_loss''',
    hints=(
        "It runs without a complaint. Print the shape of log_probs[:, actions] for an episode of five steps.",
        "It is (5, 5): every step is paired with the actions of all the steps. You want one number a step.",
        "Index the rows, too, by 0, 1, 2, ..., or use gather along the last axis.",
    ),
    why="The wrong line pushes each action in every state of the episode, and raises no error. A look at a shape "
    "finds what a learning curve barely shows.",
    judge=judge_function(
        _loss,
        [
            Case(
                "five steps with two actions",
                (normal(5, 2, seed=0), _whole(5, below=2, seed=1), torch.arange(5.0, 0, -1)),
            ),
            Case(
                "four steps with three actions", (normal(4, 3, seed=2), _whole(4, below=3, seed=3), normal(4, seed=4))
            ),
            Case("an episode of one step", (normal(1, 2, seed=5), torch.tensor([1]), torch.tensor([1.0]))),
            Case("equal, negative weights", (normal(3, 2, seed=6), torch.tensor([0, 1, 1]), torch.full((3,), -2.0))),
            Case("logits 200 apart", (torch.tensor([[0.0, 200.0], [200.0, 0.0]]), torch.tensor([0, 0]), torch.ones(2))),
            Case(
                "as many steps as actions", (normal(3, 3, seed=7), torch.tensor([2, 0, 1]), torch.tensor([3.0, 1, 2]))
            ),
        ],
        [
            Mistake(
                "log_probs[:, actions] still has the shape (T, T): it pairs every step with the actions of all steps. "
                "Pick one log-probability in each row.",
                lambda z, a, w: -(z.log_softmax(-1)[:, a] * w).sum(),
            ),
            Mistake(
                "this still pairs every step with the actions of all steps, now with the weights along the other axis. "
                "Pick one log-probability in each row.",
                lambda z, a, w: -(z.log_softmax(-1)[:, a] * w[:, None]).sum(),
            ),
            Mistake(
                "you take the mean over the steps. The formula has a sum, and a mean would make long episodes count "
                "less.",
                lambda z, a, w: _loss(z, a, w) / len(w),
            ),
            Mistake(
                "the minus sign is gone. An optimizer makes a loss smaller; this one would make good actions rarer.",
                lambda z, a, w: -_loss(z, a, w),
            ),
            Mistake(
                "these are probabilities. The theorem has their logarithm.",
                lambda z, a, w: -(_taken(z.softmax(-1), a) * w).sum(),
            ),
            Mistake(
                "the softmax runs over the steps. It belongs on the last axis, that of the actions.",
                lambda z, a, w: -(_taken(z.log_softmax(0), a) * w).sum(),
            ),
            Mistake(
                "these are logits. Without log_softmax the other actions' logits get no gradient.",
                lambda z, a, w: -(_taken(z, a) * w).sum(),
            ),
            Mistake(
                "you take the most likely action of each step. The loss belongs to the actions that were taken.",
                lambda z, a, w: _loss(z, z.argmax(-1), w),
            ),
            Mistake(
                "you add up the log-probabilities of all actions. Only the one that was taken earned the return.",
                lambda z, a, w: -(z.log_softmax(-1) * w[:, None]).sum(),
            ),
            Mistake(
                "the weights are gone: this makes every action that was taken likelier, good or bad.",
                lambda z, a, w: _loss(z, a, torch.ones_like(w)),
            ),
            Mistake(
                "you subtract the mean of the episode's weights. Nobody asked for it, and it makes good and bad "
                "episodes look alike.",
                lambda z, a, w: _loss(z, a, w - w.mean()),
            ),
            Mistake(
                "each log-probability is multiplied by every weight, and not by its own alone. Multiply before you "
                "add up, and see that both have the shape (T,): (T, 1) times (T,) makes (T, T).",
                lambda z, a, w: -_taken(z.log_softmax(-1), a).sum() * w.sum(),
            ),
            Mistake(
                "the value is right, but no derivative can flow through it. Keep .detach(), .item() and no_grad out of "
                "the log-probabilities.",
                lambda z, a, w: _loss(z, a, w).detach(),
            ),
            Mistake(
                "a loss may be negative: where the weights are, it is. Take the minus, and no absolute value.",
                lambda z, a, w: _loss(z, a, w).abs(),
            ),
            Mistake(
                "one_hot takes its number of columns from the actions that were taken. Say how many there are: "
                "logits.shape[1].",
                lambda z, a, w: -((z.log_softmax(-1) * torch.nn.functional.one_hot(a)).sum(-1) * w).sum(),
            ),
            Mistake(
                "this is one number a step. The loss is their sum.", lambda z, a, w: -_taken(z.log_softmax(-1), a) * w
            ),
            Mistake(
                "log_probs[:, actions] still has the shape (T, T), and now a mean runs over it. Pick one "
                "log-probability in each row, and sum.",
                lambda z, a, w: -(z.log_softmax(-1)[:, a] * w).mean(),
            ),
            Mistake(
                "log_probs[:, actions] still has the shape (T, T), and a division by T does not repair it. Pick one "
                "log-probability in each row.",
                lambda z, a, w: -(z.log_softmax(-1)[:, a] * w).sum() / len(w),
            ),
            Mistake(
                "a mean over the steps comes before the weights, as cross_entropy takes it by default. Each "
                "log-probability has a weight of its own.",
                lambda z, a, w: -_taken(z.log_softmax(-1), a).mean() * w.sum(),
            ),
            Mistake(
                "a probability was rounded to zero before the logarithm was taken. Use log_softmax, not the logarithm "
                "of a softmax.",
                lambda z, a, w: -(_taken(z.softmax(-1).log(), a) * w).sum(),
            ),
            Mistake(
                "the weights are added to the log-probabilities. They multiply them, or no weight has a derivative.",
                lambda z, a, w: -(_taken(z.log_softmax(-1), a) + w).sum(),
            ),
            Mistake(
                "it is divided by the sum of the weights. The formula has a plain sum.",
                lambda z, a, w: _loss(z, a, w) / w.sum(),
            ),
            Mistake(
                "the weights are normalized first. Take them as they are given.",
                lambda z, a, w: _loss(z, a, (w - w.mean()) / (w.std() + 1e-8)),
                lambda z, a, w: _loss(z, a, (w - w.mean()) / (w.std(correction=0) + 1e-8)),
            ),
            Mistake(
                "the weights stand in the wrong order: the last one first.", lambda z, a, w: _loss(z, a, w.flip(0))
            ),
            Mistake(
                "the weights are added up once more. They are returns already.",
                lambda z, a, w: _loss(z, a, w.flip(0).cumsum(0).flip(0)),
            ),
        ],
        gradients=(0,),
    ),
)


def _returns(rewards: Tensor, gamma: float) -> Tensor:
    G, backward = 0.0, []
    for reward in reversed(rewards.tolist()):
        G = reward + gamma * G
        backward.append(G)
    return torch.tensor(backward[::-1])


def _scores(theta: Tensor, x: Tensor, a: Tensor) -> Tensor:
    return torch.eye(theta.shape[1])[a] - (x @ theta).softmax(-1)


def _moved(
    weigh: Callable[[Tensor, float], Tensor] = _returns,
    score: Callable[[Tensor, Tensor, Tensor], Tensor] = _scores,
    step: Callable[[Tensor, Tensor, float], Tensor] = lambda theta, gradient, alpha: theta + alpha * gradient,
) -> Callable[[Tensor, Tensor, Tensor, Tensor, float, float], Tensor]:
    """One update, of which a mistake replaces a part."""

    def update(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
        return step(theta, x.T @ (weigh(r, gamma)[:, None] * score(theta, x, a)), alpha)

    return update


def _powers(r: Tensor, gamma: float) -> Tensor:
    return gamma ** torch.arange(len(r))


def _inside(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
    for t, G in enumerate(_returns(r, gamma)):
        theta = theta + alpha * G * torch.outer(x[t], _scores(theta, x[t : t + 1], a[t : t + 1])[0])
    return theta


def _across_steps(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
    z = (x @ theta).requires_grad_(True)
    (slope,) = torch.autograd.grad((_taken(z.log_softmax(0), a) * _returns(r, gamma)).sum(), z)
    return theta + alpha * x.T @ slope


def _per_step(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
    return theta + (_moved()(theta, x, a, r, gamma, alpha) - theta) / len(r)


def _episode(steps: int, actions: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return (
        normal(3, actions, seed=seed),
        normal(steps, 3, seed=seed + 1),
        _whole(steps, below=actions, seed=seed + 2),
        _whole(steps, below=5, seed=seed + 3) + 1.0,
    )


def _crossed(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
    """Every step with the actions of all steps, and their weights."""
    G, onehot = _returns(r, gamma), torch.eye(theta.shape[1])[a]
    return theta + alpha * x.T @ (G @ onehot - G.sum() * (x @ theta).softmax(-1))


def _sums_multiplied(theta: Tensor, x: Tensor, a: Tensor, r: Tensor, gamma: float, alpha: float) -> Tensor:
    return theta + alpha * _returns(r, gamma).sum() * x.T @ _scores(theta, x, a)


UPDATE = Exercise(
    name="update",
    objective="write REINFORCE from an empty cell",
    starter='''def one_update(theta, observations, actions, rewards, gamma, alpha):
    """theta after one episode. The logits of all steps are observations @ theta.

    theta (features, actions), observations (T, features), actions (T,), rewards (T,); gamma and alpha are numbers.
    """
    ...


answer = one_update''',
    solution='''def one_update(theta, observations, actions, rewards, gamma, alpha):
    """theta after one episode. The logits of all steps are observations @ theta.

    theta (features, actions), observations (T, features), actions (T,), rewards (T,); gamma and alpha are numbers.
    """
    returns, G = [], 0.0
    for reward in reversed(rewards.tolist()):
        G = reward + gamma * G
        returns.append(G)
    returns = torch.tensor(returns[::-1])

    theta = theta.clone().requires_grad_(True)
    log_probs = (observations @ theta).log_softmax(-1)[torch.arange(len(actions)), actions]
    loss = -(log_probs * returns).sum()
    loss.backward()
    return (theta - alpha * theta.grad).detach()


answer = one_update''',
    hints=(
        "Three parts, each of which stands above: the returns from the back, the loss, one step along its gradient.",
        "theta = theta.clone().requires_grad_(True) makes a copy that you may differentiate by; loss.backward() fills "
        "its .grad.",
        "Then give theta - alpha * theta.grad. No optimizer: this is plain gradient descent on the loss.",
    ),
    why="That is all of REINFORCE. What comes after it in this lesson, baselines, normalization, an entropy bonus, "
    "changes the weights of this sum or adds a term to it.",
    judge=judge_function(
        _moved(),
        [
            Case("four steps with two actions", (*_episode(4, 2, 10), 0.9, 0.1)),
            Case("six steps with three actions", (*_episode(6, 3, 20), 0.5, 0.2)),
            Case("an episode of one step", (*_episode(1, 2, 30), 0.9, 0.5)),
            Case("gamma = 1", (*_episode(5, 2, 40), 1.0, 0.05)),
            Case("gamma = 0", (*_episode(4, 2, 50), 0.0, 0.1)),
            Case(
                "an episode without the last action",
                (*_episode(4, 3, 90)[:2], torch.tensor([0, 1, 1, 0]), _episode(4, 3, 90)[3], 0.9, 0.1),
            ),
            Case("logits far apart", (100 * _episode(4, 2, 80)[0], *_episode(4, 2, 80)[1:], 0.9, 0.1)),
            Case("rewards that are all 1", (*_episode(5, 2, 60)[:3], torch.ones(5), 0.9, 0.1)),
            Case("rewards that are all 0", (*_episode(3, 2, 70)[:3], torch.zeros(3), 0.9, 0.1)),
        ],
        [
            Mistake(
                "this is gradient descent on J: actions with high returns become rarer. Check the sign between loss "
                "and step.",
                _moved(step=lambda theta, g, alpha: theta - alpha * g),
            ),
            Mistake(
                "every step is weighted by the return of the whole episode. An action cannot change the past: use G_t.",
                _moved(lambda r, gamma: _returns(r, gamma)[0].expand(len(r))),
            ),
            Mistake(
                "each action is weighted by its own reward alone. What it leads to later is missing: use G_t.",
                _moved(lambda r, gamma: r),
            ),
            Mistake(
                "the weights add up the past rewards. G_t is what comes after the action.",
                _moved(lambda r, gamma: (r * _powers(r, gamma)).cumsum(0)),
            ),
            Mistake(
                "the returns are in reversed order: the loop runs from the back, so what it appends must be reversed.",
                _moved(lambda r, gamma: _returns(r, gamma).flip(0)),
            ),
            Mistake(
                "the recursion runs from the front: without reversed, G adds up the past.",
                _moved(lambda r, gamma: _returns(r.flip(0), gamma).flip(0)),
            ),
            Mistake(
                "the discount is off by one: R_(t+1) belongs to G_t in full, and only what follows is discounted.",
                _moved(lambda r, gamma: gamma * _returns(r, gamma)),
            ),
            Mistake(
                "the action's own reward is missing: G_t begins with R_(t+1).",
                _moved(lambda r, gamma: _returns(r, gamma) - r),
            ),
            Mistake(
                "you keep the factor gamma^t. The theorem has it, but from this notebook on the lesson leaves it out.",
                _moved(lambda r, gamma: _powers(r, gamma) * _returns(r, gamma)),
            ),
            Mistake(
                "nothing is discounted: gamma belongs in front of G_(t+1).", _moved(lambda r, gamma: _returns(r, 1.0))
            ),
            Mistake("you take a mean over the steps. The pseudocode has a sum over t.", _per_step),
            Mistake(
                "theta moves in the middle of the episode, so that later steps are judged under another policy. Add up "
                "all steps first, and move once.",
                _inside,
            ),
            Mistake(
                "alpha is missing: the step has the full length of the gradient.", _moved(step=lambda th, g, _: th + g)
            ),
            Mistake("this is the step alone. Add it to theta.", _moved(step=lambda theta, g, alpha: alpha * g)),
            Mistake(
                "theta has not moved. Give the new one, after the step.", _moved(step=lambda theta, g, alpha: theta)
            ),
            Mistake(
                "this is the gradient of the probabilities. Take that of their logarithms: log_softmax, not softmax.",
                _moved(score=lambda th, x, a: _taken((x @ th).softmax(-1), a)[:, None] * _scores(th, x, a)),
            ),
            Mistake(
                "only the logit of the action that was taken moves, as if logits were log-probabilities. Take "
                "log_softmax first.",
                _moved(score=lambda th, x, a: torch.eye(th.shape[1])[a]),
            ),
            Mistake(
                "the softmax runs over the steps. It belongs on the last axis, that of the actions.",
                _across_steps,
                _moved(score=lambda th, x, a: torch.eye(th.shape[1])[a] - (x @ th).softmax(0)),
            ),
            Mistake(
                "one_hot takes its number of columns from the actions that were taken. Say how many there are: "
                "theta.shape[1].",
                _moved(score=lambda th, x, a: torch.nn.functional.one_hot(a) - (x @ th).softmax(-1)),
            ),
            Mistake(
                "the log-probabilities are those of the most likely actions. The rewards followed the episode's own "
                "actions.",
                _moved(score=lambda th, x, a: _scores(th, x, (x @ th).argmax(-1))),
            ),
            Mistake(
                "you normalize the returns within the episode. That is the next section's suspect; plain REINFORCE "
                "takes G_t as it is.",
                _moved(
                    lambda r, gamma: (
                        (_returns(r, gamma) - _returns(r, gamma).mean()) / (_returns(r, gamma).std() + 1e-8)
                    )
                ),
            ),
            Mistake(
                "you subtract the episode's mean return. Plain REINFORCE takes G_t as it is.",
                _moved(lambda r, gamma: _returns(r, gamma) - _returns(r, gamma).mean()),
            ),
            Mistake(
                "log_probs[:, actions] pairs every step with the actions of all steps. Pick one log-probability in "
                "each row.",
                _crossed,
            ),
            Mistake(
                "each log-probability is multiplied by every return, and not by its own alone. Multiply before you "
                "add up, and see that both have the shape (T,).",
                _sums_multiplied,
            ),
            Mistake(
                "every weight has moved by alpha, whatever its gradient: that is Adam's first step. Here it is alpha "
                "times the gradient.",
                _moved(step=lambda theta, g, alpha: theta + alpha * g.sign()),
            ),
            Mistake(
                "this is the gradient alone. Multiply it by alpha, and add it to theta.",
                _moved(step=lambda theta, g, alpha: g),
            ),
            Mistake(
                "only the first step of the episode counts. Add up the pushes of all.",
                _moved(lambda r, gamma: _returns(r, gamma) * (torch.arange(len(r)) == 0)),
            ),
            Mistake(
                "only the last step of the episode counts. Add up the pushes of all.",
                _moved(lambda r, gamma: _returns(r, gamma) * (torch.arange(len(r)) == len(r) - 1)),
            ),
            Mistake(
                "this is gradient descent on J, and by a mean over the steps. Check the sign, and sum.",
                lambda theta, x, a, r, gamma, alpha: 2 * theta - _per_step(theta, x, a, r, gamma, alpha),
            ),
            Mistake(
                "you take a mean over the steps, and keep the factor gamma^t. The pseudocode has a sum, without that "
                "factor.",
                _moved(lambda r, gamma: _powers(r, gamma) * _returns(r, gamma) / len(r)),
            ),
        ],
        forbidden=(OPTIMIZER, MARKED),
    ),
)

ADAM = Exercise(
    name="adam",
    objective="find out by measurement why a common version of it fails",
    starter="""# 128 activations of 1, each with a weight to one logit; all gradients are 0.0003; alpha is 0.01.
# how far does the first step of Adam move that logit? (a distance, without a sign)
answer = ...""",
    solution="""answer = 128 * 0.01  # Adam moves each weight by alpha, whatever the size of its gradient""",
    hints=(
        "How far does Adam move one weight in its first step? The text above the last figure says it.",
        "By alpha: it divides each gradient by its own size.",
        "All 128 weights move the same way, each by 0.01, and each is multiplied by an activation of 1.",
    ),
    why="1.28 of a logit takes probability 1/2 to about 0.78, after one episode, with tiny gradients, by the last "
    "layer alone. The wider the network, the further one step of Adam moves the policy.",
    judge=NumberJudge(
        1.28,
        {
            0.01: "that is how far one weight moves. The logit is a sum over 128 of them.",
            0.000384: "that would be plain gradient descent, alpha times the gradient. Adam divides the gradient by "
            "its own size first.",
            3e-6: "that is one weight under plain gradient descent. Adam divides the gradient by its own size, and "
            "there are 128 weights.",
            0.0384: "that is the sum of the gradients. A step of Adam does not depend on their size, but on alpha.",
            0.1131: "that is alpha times the root of 128, as if the moves were independent, or as if the whole "
            "gradient were divided by its length. Adam divides each entry by its own size, and all go the same way.",
            2.56: "you counted both logits. How far does this one move?",
            0.64: "half of it is lost somewhere. All 128 activations are 1, none is switched off.",
            0.128: "a factor of ten is lost. alpha is 0.01, and Adam's correction of the first step undoes the "
            "factor 1 - beta1.",
            128.0: "that is the sum of the activations. Each weight moves by alpha, not by 1.",
            -1.28: "the distance is right. Give it without the sign.",
            0.0003: "that is one gradient. In its first step Adam moves a weight by alpha, whatever the gradient's "
            "size.",
            4.0477: "that is without the correction of the first steps: Adam divides its two averages by 1 - beta "
            "first, so that each weight moves by alpha.",
            12.8: "a factor of ten is too much: alpha is 0.01 here.",
            0.02217: "you divided by the root of the gradient. Adam divides by the root of its square, which is its "
            "size.",
            0.04: "the last layer has 128 activations, not the four numbers of an observation.",
            1.0: "that is an activation, or what all moves would be if they added up to 1. How far does each weight "
            "move?",
        },
        otherwise="this is not it. How far does one weight move, and how do 128 such moves add up in the logit?",
    ),
)


def _living_mean(x: Tensor, mask: Tensor) -> Tensor:
    return (x * mask).sum() / mask.sum()


def _normalized(x: Tensor, mask: Tensor, lost: int = 0, eps: float = 1e-8) -> Tensor:
    """Over the batch; the number of living steps less `lost` divides the squares."""
    centred = (x - _living_mean(x, mask)) * mask
    return centred / ((centred**2).sum() / (mask.sum() - lost)).sqrt().add(eps)


def _over(x: Tensor, mask: Tensor, axis: int) -> Tensor:
    number = mask.sum(axis, keepdim=True).clamp(min=1)
    centred = (x - (x * mask).sum(axis, keepdim=True) / number) * mask
    return centred / (((centred**2).sum(axis, keepdim=True) / number).sqrt() + 1e-8)


def _dead_in_std(x: Tensor, mask: Tensor) -> Tensor:
    centred = (x - _living_mean(x, mask)) * mask
    return centred / (centred.std(correction=0) + 1e-8)


def _about(mean: Tensor, x: Tensor, mask: Tensor) -> Tensor:
    centred = (x - mean) * mask
    return centred / ((centred.square().sum() / mask.sum()).sqrt() + 1e-8)


_ALIVE = torch.tensor([[1.0, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]])

NORMALIZE = Exercise(
    name="normalize",
    objective="fix it",
    starter='''def batch_normalized(returns, mask):
    """Returns and mask (episodes, steps) -> weights, of the same shape."""
    weights = (returns - returns.mean(1, keepdim=True)) / returns.std(1, keepdim=True)
    return weights * mask


# fix it above, and then write answer = batch_normalized
answer = ...''',
    solution='''def batch_normalized(returns, mask):
    """Returns and mask (episodes, steps) -> weights, of the same shape."""
    mean = (returns * mask).sum() / mask.sum()
    std = (((returns - mean) * mask).square().sum() / mask.sum()).sqrt()
    return (returns - mean) / (std + 1e-8) * mask


answer = batch_normalized''',
    hints=(
        "Three things are wrong: over what the mean is taken, which steps it counts, and what happens where all "
        "returns are equal.",
        "One mean and one standard deviation for the whole batch, of the steps that are mask: divide by mask.sum().",
        "Before you square the differences, multiply them by mask. Add 1e-8 to the standard deviation, not to the "
        "variance.",
    ),
    why="Now a bad episode gets negative weights from its first step to its last, and no batch that is short "
    "or has equal returns turns all weights into NaN.",
    judge=judge_function(
        _normalized,
        [
            Case("three episodes of different lengths", (_whole(3, 4, below=9, seed=80) * _ALIVE, _ALIVE)),
            Case(
                "a good and a bad episode",
                (torch.tensor([[4.0, 3, 2, 1], [1, 0, 0, 0]]), torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0]])),
            ),
            Case("a single episode", (torch.tensor([[3.0, 2.0, 1.0]]), torch.ones(1, 3))),
            Case("episodes of one step", (torch.tensor([[1.0], [5.0], [2.0]]), torch.ones(3, 1))),
            Case("equal returns", (torch.full((3, 4), 2.0) * _ALIVE, _ALIVE)),
            Case("a single step", (torch.tensor([[3.0]]), torch.ones(1, 1))),
            Case("returns that hardly differ", (torch.tensor([[2e-4, 0.0], [0.0, -2e-4]]), torch.ones(2, 2))),
        ],
        [
            Mistake(
                "each episode is still normalized within itself, so that a bad one weighs as much as a good one. Take "
                "one mean and one standard deviation for the batch.",
                lambda x, mask: (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True) * mask,
            ),
            Mistake(
                "each episode is still normalized within itself, although only over its played steps. Take one mean "
                "and one standard deviation for the batch.",
                lambda x, mask: _over(x, mask, 1),
            ),
            Mistake(
                "you normalize every time step for itself. Take one mean and one standard deviation for the whole "
                "batch, over both axes.",
                lambda x, mask: _over(x, mask, 0),
            ),
            Mistake(
                "the zeros after an episode's end are counted as returns. Sum over the played steps, and divide by "
                "their number, mask.sum().",
                lambda x, mask: (x - x.mean()) / (x.std(correction=0) + 1e-8) * mask,
            ),
            Mistake(
                "the zeros after an episode's end are counted as returns, and std() divides by n - 1, which is NaN for "
                "one step.",
                lambda x, mask: (x - x.mean()) / (x.std() + 1e-8) * mask,
            ),
            Mistake(
                "the mean is right, but in the standard deviation the steps after an episode's end count, too.",
                _dead_in_std,
            ),
            Mistake(
                "the standard deviation divides by n - 1, which is torch's default, and gives NaN for a single step. "
                "Divide by the number of played steps.",
                lambda x, mask: _normalized(x, mask, lost=1),
            ),
            Mistake(
                "the mean is subtracted, but nothing is divided by the standard deviation.",
                lambda x, mask: (x - _living_mean(x, mask)) * mask,
            ),
            Mistake(
                "you divide by the standard deviation, but the mean is not subtracted.",
                lambda x, mask: x / (((x - _living_mean(x, mask)) * mask).square().sum() / mask.sum()).sqrt().add(1e-8),
            ),
            Mistake(
                "you divide by the variance. Take its square root.",
                lambda x, mask: (
                    (x - _living_mean(x, mask))
                    * mask
                    / (((x - _living_mean(x, mask)) * mask).square().sum() / mask.sum() + 1e-8)
                ),
            ),
            Mistake(
                "equal returns have a standard deviation of 0, and 0 / 0 is NaN. Add 1e-8 to it.",
                lambda x, mask: _normalized(x, mask, eps=0.0),
            ),
            Mistake(
                "after its end an episode still gets weights. Multiply by mask at the end, too.",
                lambda x, mask: (
                    (x - _living_mean(x, mask))
                    / ((((x - _living_mean(x, mask)) * mask).square().sum() / mask.sum()).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "each episode is still normalized within itself, so that a bad one weighs as much as a good one. Take "
                "one mean and one standard deviation for the batch.",
                lambda x, mask: (x - x.mean(1, keepdim=True)) / (x.std(1, keepdim=True) + 1e-8) * mask,
            ),
            Mistake(
                "1e-8 is added to the variance, inside of the root. Returns that hardly differ feel it: add it to the "
                "standard deviation.",
                lambda x, mask: (
                    (x - _living_mean(x, mask))
                    * mask
                    / (((x - _living_mean(x, mask)) * mask).square().sum() / mask.sum() + 1e-8).sqrt()
                ),
            ),
            Mistake(
                "the number that you add to the standard deviation is larger than 1e-8. Returns that hardly differ "
                "feel it.",
                lambda x, mask: _normalized(x, mask, eps=1e-5),
                lambda x, mask: _normalized(x, mask, eps=1e-6),
            ),
            Mistake(
                "the mean is right. The standard deviation counts the zeros after an episode's end as returns.",
                lambda x, mask: (x - _living_mean(x, mask)) * mask / (x.std(correction=0) + 1e-8),
            ),
            Mistake(
                "the mean is right. The standard deviation counts the zeros after an episode's end as returns, and "
                "divides by n - 1.",
                lambda x, mask: (x - _living_mean(x, mask)) * mask / (x.std() + 1e-8),
            ),
            Mistake(
                "in the standard deviation, the differences after an episode's end are not 0 but minus the mean. "
                "Multiply them by mask before you square.",
                lambda x, mask: (
                    (x - _living_mean(x, mask))
                    * mask
                    / (((x - _living_mean(x, mask)).square().sum() / mask.sum()).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "you take a return of 0 for the end of an episode. A return may be 0: mask says where an episode has "
                "ended.",
                lambda x, mask: _normalized(x, (x != 0).float()) if (x != 0).any() else 0 * x,
            ),
            Mistake(
                "you normalize every time step for itself, and count the zeros after the end. Take one mean and one "
                "standard deviation for the whole batch.",
                lambda x, mask: (x - x.mean(0)) / (x.std(0) + 1e-8) * mask,
            ),
            Mistake(
                "NaN is replaced by 0, but the standard deviation still divides by n - 1. Divide by the number of "
                "living steps, and nothing is NaN.",
                lambda x, mask: torch.nan_to_num(_normalized(x, mask, lost=1)),
                lambda x, mask: torch.nan_to_num(_normalized(x, mask, lost=1, eps=0.0)),
            ),
            Mistake(
                "you average the episodes' means, so that a short episode counts as much as a long one. Take one mean "
                "of all living steps.",
                lambda x, mask: _about((x.sum(1) / mask.sum(1)).mean(), x, mask),
            ),
            Mistake(
                "these are the living steps alone, in a row. The weights have the shape of the returns, with 0 after "
                "the end.",
                lambda x, mask: _normalized(x, mask)[mask > 0],
            ),
            Mistake(
                "you divide by the range, from the smallest return to the largest. Divide by the standard deviation, "
                "around the mean.",
                lambda x, mask: (x - x[mask > 0].min()) / (x[mask > 0].max() - x[mask > 0].min() + 1e-8) * mask,
            ),
            Mistake(
                "the number that you add to the standard deviation is far larger than 1e-8.",
                lambda x, mask: _normalized(x, mask, eps=1.0),
                lambda x, mask: _normalized(x, mask, eps=1e-3),
            ),
            Mistake(
                "the sign is wrong: a return above the mean has a positive weight.",
                lambda x, mask: -_normalized(x, mask),
            ),
        ],
    ),
)

Array = NDArray[np.float64]


def _band(
    returns: Array, middle: Callable[..., Any] = np.mean, low: float = 0.1, axis: int | None = 1
) -> tuple[Any, ...]:
    return np.quantile(returns, low, axis=axis), middle(returns, axis=axis), np.quantile(returns, 1 - low, axis=axis)


def _around(returns: Array, width: Array) -> tuple[Any, ...]:
    return returns.mean(1) - width, returns.mean(1), returns.mean(1) + width


def _curves(updates: int, runs: int, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    return np.round(np.linspace(20, 400, updates)[:, None] * rng.uniform(0.2, 1.2, (updates, runs)), 1)


BAND = Exercise(
    name="band",
    objective="read the learning curves of ten seeds at once",
    starter='''def band(returns):
    """Returns (updates, runs), NumPy -> three lines of the figure, (updates,) each: lower edge, mean, upper edge."""
    ...


answer = band''',
    solution='''def band(returns):
    """Returns (updates, runs), NumPy -> three lines of the figure, (updates,) each: lower edge, mean, upper edge."""
    return np.quantile(returns, 0.1, axis=1), returns.mean(axis=1), np.quantile(returns, 0.9, axis=1)


answer = band''',
    hints=(
        "The legend says what is drawn: the mean of the runs, and the middle 80 % of them. What lies outside, below "
        "and above?",
        "10 % of the runs lie below the lower edge, and 10 % above the upper one. NumPy has quantile.",
        "Every update has its own: work along the axis of the runs, which is axis 1 here.",
    ),
    why="The band shows how much a seed decides. Two of ten runs that collapsed pull its lower edge down to "
    "the floor, where one curve, or a mean alone, would hide them.",
    judge=judge_function(
        _band,
        [
            Case("six updates of ten runs", (_curves(6, 10, 0),)),
            Case("as many updates as runs", (_curves(5, 5, 1),)),
            Case("a single update", (_curves(1, 10, 2),)),
            Case("a single run", (_curves(4, 1, 3),)),
            Case("ten runs, two of which collapsed", (np.where(np.arange(10) < 2, 9.0, _curves(4, 10, 4) + 200),)),
            Case("runs that are all alike", (np.full((3, 10), 500.0),)),
        ],
        [
            Mistake(
                "you work along the updates, so that each run gets three numbers. The band belongs to each update: it "
                "runs over the runs.",
                lambda x: _band(x, axis=0),
            ),
            Mistake(
                "these are three numbers for the whole training. Every update needs its own: give the axis.",
                lambda x: _band(x, axis=None),
            ),
            Mistake(
                "the edges are those of all updates together. Every update has its own: give quantile the axis, too.",
                lambda x: (np.quantile(x, 0.1), x.mean(1), np.quantile(x, 0.9)),
                lambda x: (np.full(len(x), np.quantile(x, 0.1)), x.mean(1), np.full(len(x), np.quantile(x, 0.9))),
            ),
            Mistake(
                "the edges are runs of their own, the second from below and from above. np.quantile interpolates "
                "between runs, and works for any number of them.",
                lambda x: ((z := np.sort(x, 1))[:, 1], x.mean(1), z[:, -2]),
            ),
            Mistake(
                "the line in the middle is the median here. The figure draws the mean.", lambda x: _band(x, np.median)
            ),
            Mistake(
                "the edges are the worst and the best run. The middle 80 % leave a tenth out on each side.",
                lambda x: _band(x, low=0.0),
            ),
            Mistake(
                "these are the quartiles, so the middle 50 %. For 80 %, how much is left on each side?",
                lambda x: _band(x, low=0.25),
            ),
            Mistake(
                "20 % are left out on each side, which leaves the middle 60 %. The two sides share the 20 %.",
                lambda x: _band(x, low=0.2),
            ),
            Mistake(
                "these edges are one standard deviation from the mean. The figure shows quantiles, which assume no "
                "bell curve and stay in the range of the data.",
                lambda x: _around(x, x.std(1)),
            ),
            Mistake(
                "these edges say how sure the mean is: a standard error. The band shows how far the runs lie apart.",
                lambda x: _around(x, x.std(1) / np.sqrt(x.shape[1])),
            ),
            Mistake("the edges have changed places: the lower one comes first.", lambda x: _band(x)[::-1]),
            Mistake(
                "np.percentile counts from 0 to 100, and 0.1 of a hundred is nearly the worst run. Use 10 and 90, or "
                "np.quantile.",
                lambda x: (np.percentile(x, 0.1, axis=1), x.mean(1), np.percentile(x, 0.9, axis=1)),
            ),
            Mistake(
                "you averaged over the runs first, and nothing is left to spread: a band of means has no width.",
                lambda x: (x.mean(1), x.mean(1), x.mean(1)),
            ),
            Mistake(
                "the three are in the wrong order: lower edge, mean, upper edge.",
                lambda x: (x.mean(1), _band(x)[0], _band(x)[2]),
            ),
            Mistake(
                "5 % are left out on each side, which leaves the middle 90 %. The legend says how much the band holds.",
                lambda x: _band(x, low=0.05),
            ),
            Mistake(
                "2.5 % are left out on each side, which leaves the middle 95 %. The legend says how much the band "
                "holds.",
                lambda x: _band(x, low=0.025),
            ),
            Mistake(
                "10 % are left on each side of the middle, so this is the middle 20 %. The legend says how much the "
                "band holds.",
                lambda x: _band(x, low=0.4),
            ),
            Mistake(
                "these are the lowest 80 % of the runs. The middle 80 % leave as many out above as below.",
                lambda x: (np.quantile(x, 0.0, axis=1), x.mean(1), np.quantile(x, 0.8, axis=1)),
            ),
            Mistake(
                "these edges are two standard deviations from the mean. The figure shows quantiles, which assume no "
                "bell curve and stay in the range of the data.",
                lambda x: _around(x, 2 * x.std(1)),
            ),
            Mistake(
                "these edges say how sure the mean is: a confidence interval. The band shows how far the runs lie "
                "apart.",
                lambda x: _around(x, 1.96 * x.std(1, ddof=1) / np.sqrt(x.shape[1])),
            ),
            Mistake(
                "the line in the middle lies halfway between the edges. The figure draws the mean of the runs.",
                lambda x: (_band(x)[0], (_band(x)[0] + _band(x)[2]) / 2, _band(x)[2]),
            ),
            Mistake("these are the two edges. The mean belongs between them.", lambda x: (_band(x)[0], _band(x)[2])),
            Mistake(
                "the three lines stand in columns. Give three arrays, (updates,) each.", lambda x: np.stack(_band(x), 1)
            ),
            Mistake(
                "the sum is divided by ten. Divide by the number of runs, or take the mean.",
                lambda x: (_band(x)[0], x.sum(1) / 10, _band(x)[2]),
            ),
            Mistake(
                "these edges are one standard deviation from the mean. The figure shows quantiles, which assume no "
                "bell curve and stay in the range of the data.",
                lambda x: _around(x, x.std(1, ddof=1)),
            ),
            Mistake(
                "the line in the middle is the mean of the whole training, one number. Every update has its own: give "
                "the axis.",
                lambda x: (_band(x)[0], x.mean(), _band(x)[2]),
            ),
        ],
    ),
)

AGENT = Exercise(
    name="agent",
    objective="write REINFORCE from an empty cell",
    starter='''def train(env_id, episodes, seed):
    """Trains a policy by REINFORCE for so many episodes -> the list of their returns, each a plain sum of rewards."""
    ...


answer = train''',
    solution='''import gymnasium as gym
import torch
from torch import nn
from torch.distributions import Categorical


def network(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, 32), nn.Tanh(), nn.Linear(32, outputs))


def play(env, policy):
    """One episode: observations (T, numbers), actions (T,), rewards (T,)."""
    observation, observations, actions, rewards, over = env.reset()[0], [], [], [], False
    while not over:
        observations.append(torch.as_tensor(observation))
        with torch.no_grad():
            actions.append(Categorical(logits=policy(observations[-1])).sample())
        observation, reward, terminated, truncated, _ = env.step(actions[-1].item())
        rewards.append(reward)
        over = terminated or truncated
    return torch.stack(observations), torch.stack(actions), torch.tensor(rewards)


def sums_to_go(x, gamma):
    G = x.clone()
    for t in reversed(range(len(x) - 1)):
        G[t] += gamma * G[t + 1]
    return G


def update(policy, optimizer, episode, gamma):
    observations, actions, rewards = episode
    G = sums_to_go(rewards, gamma)
    pi = Categorical(logits=policy(observations))
    loss = -(pi.log_prob(actions) * G).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def train(env_id, episodes, seed, gamma=0.99, alpha=0.002):
    """Trains a policy by REINFORCE for so many episodes -> the list of their returns, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    policy = network(env.observation_space.shape[0], int(env.action_space.n))
    optimizer = torch.optim.Adam(policy.parameters(), lr=alpha)
    returns = []
    for _ in range(episodes):
        episode = play(env, policy)
        update(policy, optimizer, episode, gamma)
        returns.append(episode[2].sum().item())
    return returns


answer = train''',
    hints=(
        "Seven parts, each of which stands above: environment, network, optimizer; then for each episode: play it, "
        "the returns from the back, the loss, one step.",
        "torch.distributions.Categorical(logits=...) has sample() and log_prob(action). Keep log_prob with its "
        "gradient for each step, and the reward; stop when terminated or truncated.",
        "After the episode: loss = -(torch.stack(log_probs) * torch.tensor(G)).sum(), zero_grad, backward, step. Add "
        "the plain sum of the rewards to the list that you return.",
    ),
    why="That is an agent, and nothing in it comes from this package. The solution learns CartPole-v1, too, in 500 "
    "episodes, with a learning rate of 0.002. What comes in this lesson changes a line of it at a time.",
    judge=judge_first_agent,
)

EXERCISES = (LOSS, UPDATE, ADAM, NORMALIZE, BAND, AGENT)
