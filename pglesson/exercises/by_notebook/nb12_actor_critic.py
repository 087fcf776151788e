"""Exercises of notebook 12."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pglesson.advantages import next_values
from pglesson.exercises.critics import judge_actor_critic
from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function

TILT = Exercise(
    name="tilt",
    objective="say when a bootstrapped critic biases the gradient and when its mistakes are free",
    starter="""# the critic says 2 too much of the hall and 1 too little of the study; gamma is 0.9.
# in the study: (mean TD error of search) - (mean TD error of go back).
# by how much has that difference changed, against the exact critic's?
answer = ...""",
    solution="""answer = 0.9 * (0.5 * -1) - 0.9 * 2""",
    hints=(
        "Where does each of the two actions land, and how likely? What does this critic say too much or too little of "
        "that place?",
        "Going back leads to the hall for sure. Searching leads to the study every other time, and else to the end, "
        "of which the critic knows that it is worth 0.",
        "Search: 0.9 * 0.5 * (-1). Go back: 0.9 * 2. The mistake about the study itself, where both stand, is in both "
        "and drops out.",
    ),
    why="With the exact critic, search is ahead by 1.65; with this one it is behind by 0.60, and the push turns "
    "around, however many episodes you play. What the critic said of the room in which both actions start was free.",
    judge=NumberJudge(
        -2.25,
        {
            -0.6: "that is the difference with this critic. By how much has it changed?",
            3.9: "that is the other way round: what is added to 1.65, and not taken away from it, is the change.",
            -2.8: "that is how the mean TD error of going back changes, with the wrong sign. Searching changes too.",
            3.35: "the changes of both are added up. Search *minus* go back is asked for.",
            0.0: "only the mistake about the room where both actions start is free. They land in different places.",
            2.25: "the sign is wrong: the mistakes speak for going back, and the question is search minus go back.",
            -2.5: "gamma is missing: a mistake about what comes next is discounted by one step.",
            -2.7: "you let every search land in the study. Every other one ends the episode, and the critic knows that "
            "nothing comes after.",
            -2.9: "gamma is missing for the hall, and every other search ends the episode. For both actions it is "
            "gamma times the mean mistake about where they land.",
            -3.0: "two things are missing: gamma, and that every other search ends the episode.",
            -0.45: "that is what search is promised too little. Going back is promised too much as well.",
            1.8: "that is what going back is promised too much. Searching lands somewhere too, and the question is "
            "search minus go back. (Or did you swap the rooms?)",
            -1.8: "that is the part of going back. Every other search lands in the study, of which the critic says too "
            "little.",
            0.55: "that is how the mean TD error of search changes by itself. Subtract the change of going back.",
            2.8: "that is how the mean TD error of going back changes by itself. Search minus go back is asked for.",
            -1.25: "the mistake about the study, where both stand, is in one of your two only. It is in both.",
            -3.25: "the mistake about the study, where both stand, is in one of your two only. It is in both.",
            -1.35: "the study is judged too *low*: its mistake is -1.",
            1.35: "the changes of both are added up. Search *minus* go back is asked for.",
            1.6462: "that is the difference with the exact critic. By how much does it change?",
            -0.6038: "that is the difference with this critic. By how much has it changed?",
        },
        otherwise="this is not it. For each action: gamma times the mean mistake about where it lands. Then subtract.",
    ),
)


@dataclass(eq=False)
class Played:
    """Of a batch of episodes, what an advantages function needs: (runs, episodes, steps); terminated has no steps."""

    rewards: Tensor
    mask: Tensor
    terminated: Tensor

    def __eq__(self, other: object) -> bool:  # so that a judge sees whether they were changed in place
        return isinstance(other, Played) and all(
            torch.equal(a, b) for a, b in zip(vars(self).values(), vars(other).values())
        )


def _played(
    *lengths: int, ended: list[bool], seed: int, gamma: float = 0.9, runs: int = 1
) -> tuple[Played, Tensor, Tensor, float]:
    """Episodes of these lengths, a critic that says something after the end too, v_next and gamma."""
    generator = torch.Generator().manual_seed(seed)
    shape = runs, len(lengths), max(lengths)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).float().expand(shape).clone()
    rewards, v = torch.randn(2, *shape, generator=generator) + 1
    terminated = torch.tensor(ended).expand(shape[:2]).clone()
    last = torch.where(terminated, 0.0, 2 + torch.randn(shape[:2], generator=generator))
    return Played(rewards * mask, mask, terminated), v, next_values(v, mask, last), gamma


def _later(x: Tensor, axis: int = -1) -> Tensor:
    """What x says one step later, 0 after its last."""
    return torch.cat([x.narrow(axis, 1, x.shape[axis] - 1), torch.zeros_like(x.narrow(axis, 0, 1))], axis)


def _delta(e: Played, v: Tensor, ahead: Tensor, gamma: float) -> Tensor:
    return (e.rewards + gamma * ahead - v) * e.mask


def _two_steps(e: Played, v: Tensor, ahead: Tensor, gamma: float) -> Tensor:
    delta = _delta(e, v, ahead, gamma)
    return delta + gamma * _later(delta)


def _typed(e: Played, v: Tensor, ahead: Tensor, gamma: float, power: int = 2) -> Tensor:
    """The formula as it stands, which finds nothing two steps ahead of an episode's last step."""
    return e.rewards + gamma * _later(e.rewards) + gamma**power * _later(ahead) - v


def _last(e: Played, ahead: Tensor, gamma: float) -> Tensor:
    """By how much a last step falls short, if the critic's word after it counts gamma squared and not gamma."""
    return (gamma - gamma**2) * ahead * (e.mask - _later(e.mask))


def _spelled_out(
    e: Played,
    v: Tensor,
    ahead: Tensor,
    gamma: float,
    *,
    first: float = 1.0,
    second: float | None = None,
    critic: float | None = None,
    word: Tensor | None = None,
) -> Tensor:
    """The forecast with factors of one's own, and the TD error at an episode's last step."""
    second, critic = gamma if second is None else second, gamma**2 if critic is None else critic
    two = first * e.rewards + second * _later(e.rewards) + critic * (_later(ahead) if word is None else word) - v
    return torch.where(_later(e.mask) > 0, two, e.rewards + gamma * ahead - v) * e.mask


def _until_the_last_column(e: Played, v: Tensor, ahead: Tensor, gamma: float) -> Tensor:
    """The TD error in the array's last column only, where the longest episodes end."""
    return torch.cat([_typed(e, v, ahead, gamma)[..., :-1], (e.rewards + gamma * ahead - v)[..., -1:]], -1) * e.mask


_AFTER_END = (
    "an episode's last step has no TD error after it, but yours takes one in: after the end the critic still says "
    "something, and no reward corrects it. Multiply the TD errors by episodes.mask before you shift them."
)
_TIME_OUT = (
    "at the last step before a *time-out* the critic's word for what comes after is lost: nothing lies two steps ahead "
    "there, but something lies one step ahead. The weight of a last step is its TD error."
)
_NO_MASK = "after an episode's end the weights are not 0. Multiply by episodes.mask."

TWO_STEPS = Exercise(
    name="two_steps",
    objective="turn REINFORCE into an actor-critic by changing one function",
    starter='''def two_steps(episodes, v, v_next, gamma):
    """Advantages that trust the critic after two steps: (runs, episodes, steps) all -> the same shape."""
    ...


answer = two_steps''',
    solution='''def two_steps(episodes, v, v_next, gamma):
    """Advantages that trust the critic after two steps: (runs, episodes, steps) all -> the same shape."""
    delta = (episodes.rewards + gamma * v_next - v) * episodes.mask
    weights = delta.clone()
    weights[..., :-1] += gamma * delta[..., 1:]
    return weights


answer = two_steps''',
    hints=(
        "Write the weight as a sum of two TD errors first. What is the factor of the second?",
        "delta_t + gamma * delta_{t+1}. Where no step t+1 was played, the second must be 0.",
        "Multiply delta by episodes.mask. Then add gamma * delta[..., 1:] to all steps but the last of the array, in "
        "a copy.",
    ),
    why="This is an actor-critic that is one step nearer to REINFORCE: the noise of two steps, and a critic that "
    "counts gamma squared. reinforce(settings, advantages=lambda e, v, ahead: two_steps(e, v, ahead, 0.99)) trains "
    "with it, and nothing else has to change.",
    judge=judge_function(
        _two_steps,
        [
            Case("three episodes, one of them cut off", _played(5, 3, 4, ended=[True, True, False], seed=0)),
            Case("two runs", _played(3, 4, ended=[True, False], seed=1, runs=2)),
            Case("a single episode that ends", _played(4, ended=[True], seed=2)),
            Case("a single episode that is cut off", _played(4, ended=[False], seed=3)),
            Case("a single step that ends the episode", _played(1, ended=[True], seed=4)),
            Case("a single step, and then a time-out", _played(1, ended=[False], seed=5)),
            Case("episodes of one step beside a longer one", _played(1, 1, 3, ended=[True, False, True], seed=6)),
            Case("gamma 0", _played(4, 2, ended=[True, True], seed=7, gamma=0.0)),
            Case("gamma 1", _played(3, 5, ended=[False, True], seed=8, gamma=1.0)),
        ],
        [
            Mistake(
                _AFTER_END,
                lambda e, v, ahead, gamma: (
                    (e.rewards + gamma * ahead - v + gamma * _later(e.rewards + gamma * ahead - v)) * e.mask
                ),
                lambda e, v, ahead, gamma: (
                    e.rewards + gamma * ahead - v + gamma * _later(e.rewards + gamma * ahead - v)
                ),
            ),
            Mistake(_TIME_OUT, lambda e, v, ahead, gamma: _typed(e, v, ahead, gamma) * e.mask, _typed),
            Mistake(
                _NO_MASK,
                lambda e, v, ahead, gamma: e.rewards + gamma * ahead - v + gamma * _later(_delta(e, v, ahead, gamma)),
            ),
            Mistake(
                "the state after a step is looked up in `v`, and that ends with the episode: at a time-out the last "
                "observation's value is lost. It is in v_next.",
                lambda e, v, ahead, gamma: _two_steps(e, v, _later(v * e.mask), gamma),
            ),
            Mistake(
                "roll goes round: the last place gets the first step's TD error. Nothing comes after the last.",
                lambda e, v, ahead, gamma: _delta(e, v, ahead, gamma) + gamma * _delta(e, v, ahead, gamma).roll(-1, -1),
            ),
            Mistake(
                "you add the TD error of the step *before*. An action has no share in that.",
                lambda e, v, ahead, gamma: (
                    _delta(e, v, ahead, gamma) + gamma * _later(_delta(e, v, ahead, gamma).flip(-1)).flip(-1)
                ),
            ),
            Mistake(
                "you add the TD error of the next *episode*. Time is the last axis.",
                lambda e, v, ahead, gamma: _delta(e, v, ahead, gamma) + gamma * _later(_delta(e, v, ahead, gamma), 1),
            ),
            Mistake(
                "the second TD error is not discounted: it comes one step later.",
                lambda e, v, ahead, gamma: _delta(e, v, ahead, gamma) + _later(_delta(e, v, ahead, gamma)),
            ),
            Mistake(
                "the second TD error is discounted twice. It comes *one* step later.",
                lambda e, v, ahead, gamma: _delta(e, v, ahead, gamma) + gamma**2 * _later(_delta(e, v, ahead, gamma)),
            ),
            Mistake(
                "this is the TD error, which trusts the critic after one step. Take the reward of the next one in.",
                _delta,
            ),
            Mistake(
                "this adds up the TD errors of all steps to come, which is the return minus the value. Stop after two.",
                lambda e, v, ahead, gamma: _discounted(_delta(e, v, ahead, gamma), gamma),
            ),
            Mistake(
                "this is the forecast itself. Subtract v of the state in which the action was taken.",
                lambda e, v, ahead, gamma: _two_steps(e, v, ahead, gamma) + v * e.mask,
            ),
            Mistake(
                "two TD errors are averaged. Add them up.",
                lambda e, v, ahead, gamma: _two_steps(e, v, ahead, gamma) / 2,
            ),
            Mistake(
                "the state in between counts once too often: the second TD error subtracts its value again, and yours "
                "does not.",
                lambda e, v, ahead, gamma: (
                    _delta(e, v, ahead, gamma) + gamma * _later((e.rewards + gamma * ahead) * e.mask)
                ),
            ),
            Mistake(
                "the critic's word comes two steps later, so its factor is gamma squared.",
                lambda e, v, ahead, gamma: _typed(e, v, ahead, gamma, 1) * e.mask,
            ),
            Mistake(
                "the sign is wrong: what went better than expected has a positive weight.",
                lambda e, v, ahead, gamma: -_two_steps(e, v, ahead, gamma),
            ),
            Mistake(
                "one step is missing at the end. The last step has a weight too: its TD error.",
                lambda e, v, ahead, gamma: _two_steps(e, v, ahead, gamma)[..., :-1],
            ),
            Mistake(
                "at the last step of an episode there is no TD error any more. It has one, too: nothing lies two steps "
                "ahead there, but something lies one step ahead.",
                lambda e, v, ahead, gamma: _two_steps(e, v, ahead, gamma) * _later(e.mask),
            ),
            Mistake(_TIME_OUT, _until_the_last_column),
            Mistake(
                "the critic's word comes two steps later, so its factor is gamma squared.",
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, critic=gamma),
            ),
            Mistake(
                "the critic is asked after one step, and counted as after two: v_next of the step itself is "
                "v(S_(t+1)). Take that of the next step.",
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, word=ahead),
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, word=ahead) - _last(e, ahead, gamma),
            ),
            Mistake(
                "the second step's reward is missing. It comes between the first reward and the critic's word.",
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, second=0.0),
            ),
            Mistake(
                "the second step's reward is not discounted: it comes one step later.",
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, second=1.0),
            ),
            Mistake(
                "each term has one gamma too many. The first reward counts in full.",
                lambda e, v, ahead, gamma: _spelled_out(
                    e, v, ahead, gamma, first=gamma, second=gamma**2, critic=gamma**3
                ),
            ),
            Mistake(
                "v of the state is not subtracted in either of the two TD errors. Each has one of its own.",
                lambda e, v, ahead, gamma: (
                    (e.rewards + gamma * ahead) * e.mask + gamma * _later((e.rewards + gamma * ahead) * e.mask)
                ),
            ),
            Mistake(
                "roll without an axis goes through the whole batch, from one episode to the next. Shift along the "
                "last axis.",
                lambda e, v, ahead, gamma: _delta(e, v, ahead, gamma) + gamma * _delta(e, v, ahead, gamma).roll(-1),
            ),
            Mistake(
                "roll goes round and takes values of the beginning to the end, and `v` says nothing of what comes "
                "after a time-out. v_next is right at both; shift it by one.",
                lambda e, v, ahead, gamma: (
                    (e.rewards + gamma * e.rewards.roll(-1, -1) + gamma**2 * v.roll(-2, -1) - v) * e.mask
                ),
            ),
            Mistake(
                "one step is missing at the end. The last step has a weight too: its TD error.",
                lambda e, v, ahead, gamma: _typed(e, v, ahead, gamma)[..., :-1],
            ),
            Mistake(
                "the state two steps on is looked up in `v`. There is none where the episode is over, and at a "
                "time-out its value is lost: take v_next of the next step.",
                lambda e, v, ahead, gamma: (
                    (e.rewards + gamma * _later(e.rewards) + gamma**2 * _later(_later(v)) - v) * e.mask
                ),
                lambda e, v, ahead, gamma: _spelled_out(e, v, ahead, gamma, word=_later(_later(v))),
            ),
            Mistake(
                "roll goes round: the last place gets the first step's TD error. Nothing comes after the last.",
                lambda e, v, ahead, gamma: (
                    (_delta(e, v, ahead, gamma) + gamma * _delta(e, v, ahead, gamma).roll(-1, -1)) * e.mask
                ),
            ),
            Mistake(
                "this is the return minus the value: the critic is never trusted. Stop after two rewards, and ask it.",
                lambda e, v, ahead, gamma: (_discounted(e.rewards * e.mask, gamma) - v) * e.mask,
            ),
            Mistake(
                "three TD errors are added up, one too many.",
                lambda e, v, ahead, gamma: (
                    _two_steps(e, v, ahead, gamma) + gamma**2 * _later(_later(_delta(e, v, ahead, gamma)))
                ),
            ),
        ],
    ),
)


def _discounted(delta: Tensor, factor: float) -> Tensor:
    total, steps = torch.zeros_like(delta[..., 0]), []
    for k in range(delta.shape[-1] - 1, -1, -1):
        total = delta[..., k] + factor * total
        steps.append(total)
    return torch.stack(steps[::-1], -1)


def _clouds(
    lams: int, n: int, weights: int, seed: int, *, episodes: int, bias: float = 1.0
) -> tuple[Tensor, Tensor, int]:
    """Single episodes' gradients for some lambdas, each with a bias and a spread of its own; the exact one; N."""
    generator = torch.Generator().manual_seed(seed)
    exact, off = torch.randn(2, weights, generator=generator, dtype=torch.float64)
    dial = torch.linspace(0, 1, lams, dtype=torch.float64)[:, None, None]
    noise = torch.randn(lams, n, weights, generator=generator, dtype=torch.float64)
    return exact + bias * (1 - dial) * off + (0.5 + 2 * dial) * noise, exact, episodes


def _bias2(g: Tensor, exact: Tensor) -> Tensor:
    return (g.mean(1) - exact).square().sum(-1)


def _spread(g: Tensor) -> Tensor:
    return g.var(1).sum(-1)


ERROR = Exercise(
    name="error",
    objective="choose lambda between bias and variance by measuring both",
    starter='''def squared_error(gradients, exact, episodes):
    """Gradients (lambdas, n, weights), exact gradient (weights,), N -> error of each lambda, (lambdas,)."""
    ...


answer = squared_error''',
    solution='''def squared_error(gradients, exact, episodes):
    """Gradients (lambdas, n, weights), exact gradient (weights,), N -> error of each lambda, (lambdas,)."""
    bias = (gradients.mean(1) - exact).norm(dim=-1)
    variance = gradients.var(1).sum(-1)
    return bias**2 + variance / episodes


answer = squared_error''',
    hints=(
        "Two terms. Which of them gets smaller when a batch has more episodes?",
        "The bias is the length of a vector: the mean over the n estimates, minus the exact gradient. The variance "
        "adds up over the weights.",
        "(gradients.mean(1) - exact) squared and summed over the last axis, plus gradients.var(1).sum(-1) / episodes.",
    ),
    why="The lambda with the smallest of these is the one to choose, and N decides with it: lams[error.argmin()]. "
    "Episodes divide the second term and leave the first as it is, so larger batches want a higher lambda.",
    judge=judge_function(
        lambda g, exact, n: _bias2(g, exact) + _spread(g) / n,
        [
            Case("four lambdas, thirty estimates, three weights", _clouds(4, 30, 3, 0, episodes=8)),
            Case("a single lambda", _clouds(1, 20, 4, 1, episodes=4)),
            Case("a single weight", _clouds(3, 15, 1, 2, episodes=16)),
            Case("batches of one episode", _clouds(3, 10, 2, 3, episodes=1)),
            Case("two estimates of each", _clouds(3, 2, 5, 4, episodes=32)),
            Case("as many lambdas as estimates and weights", _clouds(4, 4, 4, 5, episodes=5)),
            Case("a large bias and many episodes", _clouds(5, 12, 3, 6, episodes=1000, bias=4.0)),
            Case(
                "estimates without noise",
                (torch.tensor([[[1.0, 2.0]] * 3, [[1.0, 1.0]] * 3]), torch.tensor([1.0, 1.0]), 10),
            ),
        ],
        [
            Mistake("this is the squared bias alone. The variance, over N, is missing.", lambda g, e, n: _bias2(g, e)),
            Mistake(
                "this is the variance of a batch alone. The squared bias is missing.", lambda g, e, n: _spread(g) / n
            ),
            Mistake(
                "the variance is that of a single episode. A batch of N has 1/N of it.",
                lambda g, e, n: _bias2(g, e) + _spread(g),
            ),
            Mistake(
                "the bias is divided by N too. Episodes average the noise away, and nothing of the bias.",
                lambda g, e, n: (_bias2(g, e) + _spread(g)) / n,
            ),
            Mistake(
                "the bias is not squared, and the variance is a square. Only squares add up.",
                lambda g, e, n: _bias2(g, e).sqrt() + _spread(g) / n,
            ),
            Mistake(
                "standard deviations are added up. Variances do add up: take .var.",
                lambda g, e, n: _bias2(g, e) + g.std(1).sum(-1) / n,
            ),
            Mistake(
                "the variance is divided by the root of N. That is for the standard deviation.",
                lambda g, e, n: _bias2(g, e) + _spread(g) / n**0.5,
            ),
            Mistake(
                "the spread over *all* estimates of all lambdas is taken. Each lambda has its own.",
                lambda g, e, n: _bias2(g, e) + g.flatten(0, 1).var(0).sum() / n,
            ),
            Mistake(
                "this is the mean over the weights. A squared length is the sum over them.",
                lambda g, e, n: (_bias2(g, e) + _spread(g) / n) / g.shape[-1],
            ),
            Mistake(
                "the variance is the mean over the weights. Sum it, as the squared bias.",
                lambda g, e, n: _bias2(g, e) + g.var(1).mean(-1) / n,
            ),
            Mistake(
                "the squared bias is the mean over the weights. Sum it, as the variance.",
                lambda g, e, n: _bias2(g, e) / g.shape[-1] + _spread(g) / n,
            ),
            Mistake(
                "the weights' differences are added up before they are squared, so that they cancel. Square first.",
                lambda g, e, n: (g.mean(1) - e).sum(-1) ** 2 + _spread(g) / n,
            ),
            Mistake(
                "the variance divides by n here. Divide by n - 1, as torch's var does unless told otherwise (NumPy: "
                "ddof=1).",
                lambda g, e, n: _bias2(g, e) + g.var(1, correction=0).sum(-1) / n,
            ),
            Mistake(
                "the squared distance of every single estimate is averaged: that holds the variance already, and of "
                "one episode. Take the mean of the estimates first, and then its distance.",
                lambda g, e, n: (g - e).square().sum(-1).mean(1) + _spread(g) / n,
            ),
            Mistake(
                "the squared distance of every single estimate is averaged: there the bias gets divided by N too.",
                lambda g, e, n: (g - e).square().sum(-1).mean(1) / n,
            ),
            Mistake(
                "this is the root of it. The squared error is asked for.",
                lambda g, e, n: (_bias2(g, e) + _spread(g) / n).sqrt(),
            ),
            Mistake(
                "every weight has a number of its own. Sum over the weights, the last axis.",
                lambda g, e, n: (g.mean(1) - e).square() + g.var(1) / n,
            ),
            Mistake(
                "the mean runs over the lambdas. The estimates lie on axis 1.",
                lambda g, e, n: (g.mean(0) - e).square().sum(-1) + g.var(0).sum(-1) / n,
            ),
            Mistake(
                "this is relative to the exact gradient's squared length, as in the figure. Leave the division out.",
                lambda g, e, n: (_bias2(g, e) + _spread(g) / n) / e.square().sum(),
            ),
            Mistake(
                "you divide by n, the number of estimates in the table. N is how many episodes a batch has.",
                lambda g, e, n: _bias2(g, e) + _spread(g) / g.shape[1],
                lambda g, e, n: (g - e).square().sum(-1).mean(1),
            ),
            Mistake(
                "the lengths are subtracted, and two vectors of one length can point apart. Subtract the vectors "
                "first, then take the length.",
                lambda g, e, n: (g.mean(1).norm(dim=-1) - e.norm()).square() + _spread(g) / n,
                lambda g, e, n: (g.mean(1).norm(dim=-1) ** 2 - e.norm() ** 2) + _spread(g) / n,
            ),
            Mistake(
                "the distances of the single estimates are averaged: they hold the noise of one episode already. "
                "Take the "
                "mean of the estimates first, and then its distance.",
                lambda g, e, n: (g - e).norm(dim=-1).mean(1).square() + _spread(g) / n,
            ),
            Mistake(
                "the variance is divided by N twice. A mean over N episodes has 1/N of it.",
                lambda g, e, n: _bias2(g, e) + _spread(g) / n**2,
            ),
            Mistake(
                "the estimates are added up. Their mean is compared with the exact gradient.",
                lambda g, e, n: (g.sum(1) - e).square().sum(-1) + _spread(g) / n,
            ),
            Mistake(
                "everything is added up, or averaged. Each lambda has an error of its own.",
                lambda g, e, n: (_bias2(g, e) + _spread(g) / n).sum(),
                lambda g, e, n: (_bias2(g, e) + _spread(g) / n).mean(),
            ),
            Mistake(
                "the bias is one length over all lambdas. Each lambda has its own: norm(dim=-1).",
                lambda g, e, n: _bias2(g, e).sum() + _spread(g) / n,
            ),
            Mistake(
                "the variance runs over the weights. It is over the n estimates, axis 1, and then summed over the "
                "weights.",
                lambda g, e, n: _bias2(g, e) + g.var(2).sum(-1) / n,
            ),
            Mistake(
                "the variance is taken over estimates and weights at once, so the weights' differences count as "
                "noise. Take it for each weight, and add up.",
                lambda g, e, n: _bias2(g, e) + g.flatten(1).var(1) / n,
            ),
            Mistake(
                "the variance is taken around the exact gradient, so it holds the bias already. Take it around the "
                "mean of the estimates.",
                lambda g, e, n: _bias2(g, e) + (g - e).square().sum((1, 2)) / (g.shape[1] - 1) / n,
                lambda g, e, n: _bias2(g, e) + (g - e).square().sum(-1).mean(1) / n,
            ),
        ],
    ),
)

AGENT = Exercise(
    name="agent",
    objective="write an agent whose critic tells an end from a time-out",
    starter='''import gymnasium as gym


def train(env_id, episodes, seed, batch_size=10, gamma=0.99, lam=0.95):
    """An actor-critic with GAE -> the returns of all episodes, each a plain sum of rewards."""
    torch.manual_seed(seed)
    env = gym.make(env_id)
    env.reset(seed=seed)
    policy, value = ..., ...  # two networks, and an optimizer for each
    returns = []
    while len(returns) < episodes:
        # 1. play a batch of episodes, and keep what is seen after the last step of each
        # 2. the advantages, and what the value is to learn; nothing in them has a gradient
        # 3. one step of the policy, and several of the value
        raise NotImplementedError
    return returns


answer = train''',
    solution='''from collections import namedtuple

import gymnasium as gym
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


def judge(value, episode, gamma, lam=0.95):
    """The advantages (T,), and what the value is to learn (T,)."""
    v = value(episode.observations)[:, 0].detach()
    v[-1] *= not episode.terminated  # nothing comes after an end; after a time-out, what the value expects
    A = sums_to_go(episode.rewards + gamma * v[1:] - v[:-1], gamma * lam)
    return A, A + v[:-1]


def update(policy, value, optimizer, value_optimizer, batch, gamma, value_steps):
    A, targets = map(torch.cat, zip(*[judge(value, episode, gamma) for episode in batch]))
    observations = torch.cat([episode.observations[:-1] for episode in batch])
    actions = torch.cat([episode.actions for episode in batch])
    A = (A - A.mean(dtype=torch.float64)) / (A.std(correction=0) + 1e-8)
    pi = Categorical(logits=policy(observations))
    loss = -(pi.log_prob(actions) * A + 0.1 * pi.entropy()).sum() / len(batch)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(policy.parameters(), max_norm=1.0)
    optimizer.step()
    for _ in range(value_steps):
        value_loss = (targets - value(observations)[:, 0]).square().mean() / 2
        value_optimizer.zero_grad()
        value_loss.backward()
        value_optimizer.step()


def train(env_id, episodes, seed, batch_size=10, gamma=0.99, alpha=0.02, value_alpha=0.05, value_steps=10):
    """An actor-critic with GAE -> the returns of all episodes, each a plain sum of rewards."""
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
        "Take your agent of notebook 06 or 10. What has to change is where G - v is computed, and what is kept of an "
        "episode: T + 1 observations, and whether it ended by itself.",
        "v = value(observations)[:, 0].detach() has T + 1 entries. delta = rewards + gamma * v[1:] - v[:-1], and the "
        "advantages are its sums from the back with the factor gamma * lam.",
        "Before you compute delta: v[-1] *= not terminated. The value learns A + v[:-1].",
    ),
    why="That is an actor-critic in plain PyTorch. Its critic speaks for what a time-out cuts off, and is silent about "
    "what lies after an end. With lam = 1 and episodes that end it is your agent of notebook 06.",
    judge=judge_actor_critic,
)

EXERCISES = (TILT, TWO_STEPS, AGENT, ERROR)
