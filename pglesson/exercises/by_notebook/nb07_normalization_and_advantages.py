"""Exercises of notebook 07."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity
from torch.optim.optimizer import register_optimizer_step_pre_hook

from pglesson.exercises.agents import EARLY, LAST, SIGNALS, AgentTask, agent_judge
from pglesson.exercises.by_notebook.nb06_variance_and_baselines import AGENT as VALUE_AGENT
from pglesson.exercises.framework import Exercise, Outcome, wrong
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function
from pglesson.exercises.traces import Trace
from pglesson.exercises.values import value_mistake
from pglesson.exercises.weights import unnormalized


def _random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _episodes(*lengths: int, seed: int, scale: float = 1.0) -> tuple[Tensor, Tensor]:
    """Returns and mask (episodes, steps), for episodes of these lengths."""
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).double()
    return scale * (8 + 4 * _random(*mask.shape, seed=seed)) * mask, mask


def _normalized(
    returns: Tensor, mask: Tensor, dims: tuple[int, ...] = (0, 1), correction: int = 0, epsilon: float = 1e-8
) -> Tensor:
    steps = mask.sum(dims, keepdim=True)
    centred = (returns - (returns * mask).sum(dims, keepdim=True) / steps) * mask
    return centred / (((centred**2).sum(dims, keepdim=True) / (steps - correction)).sqrt() + epsilon)


def _centred(returns: Tensor, mask: Tensor) -> Tensor:
    return returns - returns.sum() / mask.sum()


def _spread(returns: Tensor, mask: Tensor) -> Tensor:
    return returns[mask > 0].std(correction=0) + 1e-8


_PADDING = (
    "the places after an episode's end count as returns of 0. Nobody played there: take the mean and the standard "
    "deviation over the steps where mask is 1."
)
_PADDING_AND_DEFAULT = (
    "two things. The places after an episode's end count as returns of 0; leave them out. And torch's std divides by "
    "n - 1 unless told otherwise, which makes a single step NaN."
)
_PADDING_IN_DEVIATION = (
    "the mean is right, but the standard deviation counts the places after an episode's end. Leave them out there, too."
)

_TWO_LONG = [[1.0, 1, 1, 1], [1, 1, 0, 0]]  # the mask of episodes of 4 and 2 steps

PER_BATCH = Exercise(
    name="per_batch",
    objective="say what normalization does to the size and to the direction of a step",
    starter='''def per_batch(returns, mask):
    """Normalize over all played steps of all episodes: (episodes, steps) both -> weights (episodes, steps)."""
    ...


answer = per_batch''',
    solution='''def per_batch(returns, mask):
    """Normalize over all played steps of all episodes: (episodes, steps) both -> weights (episodes, steps)."""
    steps = mask.sum()
    centred = (returns - (returns * mask).sum() / steps) * mask
    deviation = ((centred**2).sum() / steps).sqrt()
    return centred / (deviation + 1e-8)


answer = per_batch''',
    hints=(
        "How many steps were played? That number, not the number of places, belongs under both sums.",
        "The mean is the sum of the returns divided by mask.sum(). After you have subtracted it, multiply by mask: "
        "what comes after an end is 0 again.",
        "The variance is the sum of the squared, masked differences divided by mask.sum(). Divide the differences by "
        "its root plus 1e-8.",
    ),
    why="The weights now have mean 0 and standard deviation 1, whatever the unit of the rewards. The mask matters: "
    "with the padding counted, the zeros after short episodes would count as returns.",
    judge=judge_function(
        _normalized,
        [
            Case("two episodes of three steps each", (torch.tensor([[3.0, 2, 1], [30, 20, 10]]), torch.ones(2, 3))),
            Case("three episodes of 5, 2 and 4 steps", _episodes(5, 2, 4, seed=0)),
            Case("a single episode", _episodes(6, seed=1)),
            Case("a single time step", (torch.tensor([[7.0]]), torch.ones(1, 1))),
            Case("episodes of one step each", _episodes(1, 1, 1, 1, 1, seed=2)),
            Case(
                "equal returns in episodes of 4 and 2 steps",
                (torch.tensor([[7.0, 7, 7, 7], [7, 7, 0, 0]]), torch.tensor(_TWO_LONG)),
            ),
            Case("returns in the thousands", _episodes(3, 6, 1, seed=3, scale=1000.0)),
            Case("returns of 0 among others", (torch.tensor([[2.0, 1, 0, -1], [3, 0, 0, 0]]), torch.tensor(_TWO_LONG))),
        ],
        [
            Mistake(
                "each episode is normalized on its own. Per batch there is one mean and one standard deviation for "
                "all episodes together: a good episode stays better than a poor one.",
                lambda returns, mask: _normalized(returns, mask, (1,)),
            ),
            Mistake(
                "each time step is normalized on its own, over the episodes. Per batch there is one mean and one "
                "standard deviation for all steps together.",
                lambda returns, mask: _normalized(returns, mask, (0,)),
            ),
            Mistake(
                "the standard deviation is divided by n - 1, as torch does unless told otherwise: a single step gives "
                "0 / 0. Divide by n, the number of steps.",
                lambda returns, mask: _normalized(returns, mask, correction=1),
            ),
            *(
                Mistake(
                    "equal returns give 0 / 0, which is NaN, and so does a single step. Add the 1e-8 to the standard "
                    "deviation.",
                    lambda returns, mask, masked=masked: torch.where(
                        masked * (mask == 0) > 0, 0.0, _normalized(returns, mask, epsilon=0.0)
                    ),
                )
                for masked in (True, False)
            ),
            Mistake(
                "after an episode's end the weights are not 0. What was not played must not be learned from.",
                lambda returns, mask: _centred(returns, mask) / _spread(returns, mask),
            ),
            Mistake(_PADDING, lambda returns, mask: _normalized(returns, torch.ones_like(mask)) * mask),
            Mistake(_PADDING, lambda returns, mask: _normalized(returns, torch.ones_like(mask))),
            Mistake(
                _PADDING_AND_DEFAULT, lambda returns, mask: (returns - returns.mean()) / (returns.std() + 1e-8) * mask
            ),
            Mistake(_PADDING_AND_DEFAULT, lambda returns, mask: (returns - returns.mean()) / (returns.std() + 1e-8)),
            Mistake(
                _PADDING_IN_DEVIATION,
                lambda returns, mask: (
                    _centred(returns, mask) * mask / (_centred(returns, mask).std(correction=0) + 1e-8)
                ),
            ),
            Mistake(
                _PADDING_IN_DEVIATION,
                lambda returns, mask: (
                    _centred(returns, mask) * mask / ((_centred(returns, mask) * mask).std(correction=0) + 1e-8)
                ),
            ),
            Mistake(
                "the mean is taken away, and the division is missing: the weights still have the unit of the rewards.",
                lambda returns, mask: _centred(returns, mask) * mask,
            ),
            Mistake(
                "the returns are divided, but their mean is still in them. Subtract it first.",
                lambda returns, mask: returns / _spread(returns, mask) * mask,
            ),
            Mistake(
                "you divide by the variance. Take its root: only the standard deviation has the unit of the returns.",
                lambda returns, mask: _centred(returns, mask) * mask / (_spread(returns, mask) ** 2 + 1e-8),
            ),
            Mistake(
                "the sign is wrong: a return above the mean must get a positive weight.",
                lambda returns, mask: -_normalized(returns, mask),
            ),
            Mistake(
                "you divide by the root of the mean square of the returns. The standard deviation is that of their "
                "differences from the mean.",
                lambda returns, mask: _centred(returns, mask) * mask / ((returns**2).sum() / mask.sum()).sqrt(),
            ),
            Mistake(
                "the standard deviation is divided by n - 1, and a single step is an exception. Divide by n, the "
                "number of steps: then it needs none.",
                lambda returns, mask: (
                    _normalized(returns, mask, correction=1) if mask.sum() > 1 else torch.zeros_like(returns)
                ),
            ),
            Mistake(
                "the standard deviation is divided by n - 1, and a single step is an exception. Divide by n, the "
                "number of steps: then it needs none.",
                lambda returns, mask: _normalized(returns, mask, correction=1).nan_to_num(),
            ),
            Mistake(
                _PADDING_IN_DEVIATION,
                lambda returns, mask: (
                    _centred(returns, mask)
                    * mask
                    / ((_centred(returns, mask).square().sum() / mask.sum()).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "the deviation is right, but the mean counts the places after an episode's end. Leave them out there, "
                "too.",
                lambda returns, mask: (returns - returns.mean()) * mask / _spread(returns, mask),
            ),
            Mistake(
                "the sum of the returns is taken for their mean. Divide it by the number of steps played.",
                lambda returns, mask: (
                    (returns - returns.sum())
                    * mask
                    / ((((returns - returns.sum()) * mask).square().sum() / mask.sum()).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "the sums are divided by the number of episodes. Divide by the number of steps played.",
                lambda returns, mask: (
                    (d := (returns - returns.sum() / len(mask)) * mask) / ((d.square().sum() / len(mask)).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "only the steps played are left, in one row. Give the weights the shape of the returns, with 0 "
                "elsewhere.",
                lambda returns, mask: _normalized(returns, mask)[mask > 0],
            ),
            Mistake(
                "the mean of the episodes' means is subtracted, in which a short episode counts as much as a long one.",
                lambda returns, mask: (
                    (d := (returns - (returns.sum(1) / mask.sum(1)).mean()) * mask)
                    / ((d.square().sum() / mask.sum()).sqrt() + 1e-8)
                ),
            ),
            Mistake(
                "you take a return of 0 for the end of an episode. A return may be 0: mask says where an episode has "
                "ended.",
                lambda returns, mask: _normalized(returns, (returns != 0).double()),
            ),
        ],
    ),
)

_ASKED = "    pi = Categorical(logits=policy(observations))\n"
_NORMALIZED = "    A = (A - A.mean(dtype=torch.float64)) / (A.std(correction=0) + 1e-8)\n"


LARGE, SMALL = (replace(SIGNALS, episodes=200, reward_scale=scale, time_outs=True) for scale in (1000.0, 0.001))
_ON_THE_UNIT = (
    "its steps depend on the unit of the rewards. Subtract the mean of the batch's advantages, and divide by their "
    "standard deviation."
)


def _in_a_small_unit(trace: Trace) -> str | None:
    late = trace.returns[-LAST:].mean()
    if trace.steps and late < SIGNALS.enough:
        return (
            "with rewards a thousand times larger it learns. With rewards a thousand times smaller it does not: the "
            f"mean of the last {LAST} returns is {late:.1f} thousandths, of 10. So {_ON_THE_UNIT}"
        )
    return None


def _early(task: AgentTask) -> Callable[[Trace], str | None]:
    return lambda trace: value_mistake(trace, EARLY, task.reward_scale) or unnormalized(trace, EARLY)


def _judge_in_two_units(answer: Any) -> Outcome | None:
    """Judges train(env_id, episodes, seed), by plain ascent, on rewards a million times apart."""
    optimizers: set[str] = set()
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: optimizers.add(type(optimizer).__name__))
    try:
        said = agent_judge(LARGE, early=_early(LARGE))(answer)
        # steps that are far too long make the policy certain of whatever came first, and the returns may fall
        falls = bool(said and "*fall*" in said.message)
        if falls and (in_small := agent_judge(SMALL)(answer)) and "*fall*" in in_small.message:
            return said
        if said and (falls or said.message.startswith("it runs, but learns too little")):
            return wrong(f"with rewards a thousand times larger it learns too little: {_ON_THE_UNIT}")
        said = said or agent_judge(SMALL, _in_a_small_unit, _early(SMALL))(answer)
    finally:
        hook.remove()
    if said is None and optimizers and "SGD" not in optimizers:
        return wrong(
            f"it learns in both units, by {' and '.join(sorted(optimizers))}, which rescales the steps itself. Give "
            "the policy torch.optim.SGD: then only the normalization can."
        )
    return said


AGENT = Exercise(
    name="agent",
    objective="say what normalization does to the size and to the direction of a step",
    starter='''def train(env_id, episodes, seed):
    """The agent of notebook 06, normalized per batch, by SGD -> the returns of all episodes, plain sums of rewards."""
    ...


answer = train''',
    solution=VALUE_AGENT.solution.replace(_ASKED, _NORMALIZED + _ASKED)
    .replace("torch.optim.Adam(policy", "torch.optim.SGD(policy")
    .replace("alpha=0.02, value", "alpha=0.3, value"),
    hints=(
        'Begin with your agent of notebook 06, or with Exercises("06_variance_and_baselines").agent.solution().',
        "Two changes: the line of the diff, before the loss; and torch.optim.SGD for the policy, with a learning rate "
        "of 0.3. The value keeps Adam.",
        "A = (A - A.mean(dtype=torch.float64)) / (A.std(correction=0) + 1e-8), over all time steps of the batch.",
    ),
    why="One learning rate is right for rewards a million times apart, without Adam. Take the line away, and with the "
    "small rewards the agent stays as it is.",
    judge=_judge_in_two_units,
)

_ROUNDS_UP = torch.randn(4, generator=torch.Generator().manual_seed(17)).double()  # its cosine with itself is above 1

DEGREES_APART = Exercise(
    name="degrees_apart",
    objective="choose between *per batch* and *per episode* and defend the choice with a measurement",
    starter='''def degrees_apart(gradients, exact):
    """Estimates (n, weights), one a row, and the exact gradient (weights,) -> the angle of their mean to it."""
    ...


answer = degrees_apart''',
    solution='''def degrees_apart(gradients, exact):
    """Estimates (n, weights), one a row, and the exact gradient (weights,) -> the angle of their mean to it."""
    mean = gradients.mean(0)
    cosine = mean @ exact / (mean.norm() * exact.norm())
    return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))


answer = degrees_apart''',
    hints=(
        "First the mean of the rows, one gradient. Then the angle between two vectors, which does not ask how long "
        "they are.",
        "The cosine of the angle is the dot product divided by both lengths.",
        "Rounding may leave a cosine slightly above 1, and arccos is then NaN: .clamp(-1, 1). Then go from radians to "
        "degrees.",
    ),
    why="This measurement is the argument for per batch: an angle near 0 says that the steps, on average, have the "
    "right direction, however long they are and however noisy a single step is.",
    judge=judge_function(
        lambda gradients, exact: torch.rad2deg(
            torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-1, 1))
        ),
        [
            Case("twenty noisy estimates", (_random(20, 4, seed=4) + torch.ones(4), torch.ones(4).double())),
            Case("a single estimate", (_random(1, 3, seed=5), _random(3, seed=6))),
            Case("estimates that are right on average only", (2 * torch.eye(2).double(), torch.ones(2).double())),
            Case("the right direction at half the length", (0.5 * torch.ones(3, 2).double(), torch.ones(2).double())),
            Case(
                "an estimate that is exact, where rounding makes the cosine 1.0000000000000002",
                (_ROUNDS_UP[None], _ROUNDS_UP),
            ),
            Case("the opposite direction", (torch.tensor([[-2.0, 0.0]]), torch.tensor([1.0, 0.0]))),
            Case("a right angle", (torch.tensor([[0.0, 3.0], [0.0, 1.0]]), torch.tensor([4.0, 0.0]))),
            Case("five estimates, more than ninety degrees off", (_random(5, 3, seed=8) - 1, torch.ones(3).double())),
            Case("gradients of length 0.0003 or so", (2e-4 * _random(6, 3, seed=15), 2e-4 * _random(3, seed=16))),
            Case(
                "an estimate that is exactly opposite, where rounding makes the cosine -1.0000000000000002",
                (-_ROUNDS_UP[None], _ROUNDS_UP),
            ),
        ],
        [
            Mistake(
                "the angles of the single estimates are averaged. Each of them is noisy and misses, even where their "
                "mean is right: average the gradients, then take one angle.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients, exact[None], dim=1).clamp(-1, 1))
                ).mean(),
            ),
            Mistake(
                "the cosines of the single estimates are averaged. Average the gradients, then take one cosine.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients, exact[None], dim=1).mean().clamp(-1, 1))
                ),
            ),
            Mistake(
                "each estimate gets an angle of its own. Take the mean of the rows first: one angle is asked for.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients, exact[None], dim=1).clamp(-1, 1))
                ),
            ),
            Mistake(
                "the angle is in radians. Degrees are asked for: pi is 180 of them.",
                lambda gradients, exact: torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-1, 1)),
            ),
            Mistake(
                "that is the cosine of the angle. Take the arc cosine, and turn it into degrees.",
                lambda gradients, exact: cosine_similarity(gradients.mean(0), exact, dim=0),
                lambda gradients, exact: torch.rad2deg(cosine_similarity(gradients.mean(0), exact, dim=0)),
            ),
            Mistake(
                "where both point the same way, rounding leaves a cosine slightly above 1, and its arc cosine is NaN. "
                "Keep the cosine between -1 and 1.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0))
                ),
            ),
            Mistake(
                "a small number is added to the lengths under the fraction: where both gradients are short, the cosine "
                "gets too small. The lengths must not matter.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(
                        (gradients.mean(0) @ exact / (gradients.mean(0).norm() * exact.norm() + 1e-8)).clamp(-1, 1)
                    )
                ),
            ),
            Mistake(
                "the mean runs over the weights. The estimates are the rows: take the mean over axis 0.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos((gradients.mean(1) @ exact / (gradients.mean(1).norm() * exact.norm())).clamp(-1, 1))
                ),
            ),
            Mistake(
                "the sign of the cosine is lost: a step in the opposite direction would count as right. An "
                "absolute value, a square and an arc sine lose it.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).abs().clamp(-1, 1))
                ),
            ),
            Mistake(
                "the dot product is not divided by both lengths, so it is no cosine.",
                lambda gradients, exact: torch.rad2deg(torch.arccos(gradients.mean(0) @ exact)),
            ),
            Mistake(
                "the dot product is not divided by both lengths, so it is no cosine, and clamping it does not make "
                "it one.",
                lambda gradients, exact: torch.rad2deg(torch.arccos((gradients.mean(0) @ exact).clamp(-1, 1))),
            ),
            Mistake(
                "that is the distance between the two. It grows with the length, which normalization changes anyway; "
                "the angle does not.",
                lambda gradients, exact: (gradients.mean(0) - exact).norm(),
            ),
            Mistake(
                "this looks at the first estimate only. Take the mean of all rows.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients[0], exact, dim=0).clamp(-1, 1))
                ),
            ),
            Mistake(
                "radians become degrees by 180 / pi, not by pi / 180.",
                lambda gradients, exact: torch.deg2rad(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-1, 1))
                ),
            ),
            Mistake(
                "NaN is made 0 at the end, which is right where both point the same way, and wrong where they point "
                "in opposite ones. Keep the cosine between -1 and 1.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0))
                ).nan_to_num(),
            ),
            Mistake(
                "the cosine is kept between 0 and 1, so no angle is above 90 degrees. The lowest cosine is -1.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(0, 1))
                ),
            ),
            Mistake(
                "the cosine is kept below 1 only. Rounding may also make it slightly smaller than -1.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(max=1))
                ),
            ),
            Mistake(
                "the bounds of the cosine are so narrow that 0 and 180 degrees are out of reach. They are -1 and 1.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-0.999, 0.999))
                ),
            ),
            Mistake(
                "the dot product is divided by the squares of the lengths. Take each length once.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(
                        (gradients.mean(0) @ exact / (gradients.mean(0).square().sum() * exact.square().sum())).clamp(
                            -1, 1
                        )
                    )
                ),
            ),
            Mistake(
                "the dot product is divided by one of the two lengths only. The other must not matter either.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos((gradients.mean(0) @ exact / exact.norm()).clamp(-1, 1))
                ),
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos((gradients.mean(0) @ exact / gradients.mean(0).norm()).clamp(-1, 1))
                ),
            ),
            Mistake(
                "that is the arc sine, the angle to what lies at right angles. Take the arc cosine.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arcsin(cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-1, 1))
                ),
            ),
            Mistake(
                "each estimate is brought to length 1 before the mean is taken. A long one counts more in the mean: "
                "take the mean first.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(
                        cosine_similarity(
                            (gradients / gradients.norm(dim=1, keepdim=True)).mean(0), exact, dim=0
                        ).clamp(-1, 1)
                    )
                ),
            ),
            Mistake(
                "the mean runs over the estimates and the weights, so one number is left. Take the mean of the rows: "
                "axis 0.",
                lambda gradients, exact: torch.rad2deg(
                    torch.arccos(
                        (gradients.mean() * exact.sum() / (gradients.mean().abs() * exact.norm())).clamp(-1, 1)
                    )
                ),
            ),
            Mistake(
                "that is what is missing to half a turn. Opposite directions are 180 degrees apart, equal ones 0.",
                lambda gradients, exact: (
                    180
                    - torch.rad2deg(torch.arccos(torch.cosine_similarity(gradients.mean(0), exact, dim=0).clamp(-1, 1)))
                ),
            ),
        ],
        tolerance=0.03,  # in float32 an angle of 0 may be 0.02 degrees
    ),
)

ONE_BETTER = Exercise(
    name="one_better",
    objective="name three situations in which it hurts",
    starter="""# ten episodes of one step: nine returns of 48 and one of 50.
# Normalized per batch, which weight does the one get?
answer = ...""",
    solution="""answer = (50 - 48.2) / 0.6  # the same as ((10 - 1) / 1) ** 0.5""",
    hints=(
        "Neither the unit nor the zero of the returns matters. Which simpler returns would give the same weights?",
        "Nine of 0 and one of 1: one success in ten. Or compute the mean and the standard deviation of the ten.",
        "The mean is 48.2 and the standard deviation 0.6. How many of them lies 50 above the mean?",
    ),
    why="Two points more than 48, or 2,000 more than nothing: if it happens once in ten, it weighs 3. So a small "
    "difference counts as much as a large one, and a rare one more than a frequent one.",
    judge=NumberJudge(
        3.0,
        {
            1.8: "the mean is taken away. Now divide by the standard deviation.",
            2.846: "you divided by the standard deviation with n - 1, torch's default. The lesson divides by n.",
            3.3333: "you took the difference from the nine others, or left the mean in. Subtract the mean of all ten, "
            "to which the one belongs, and then divide.",
            5.0: "you divided by 0.36. That is the variance, and happens to be the mean distance from the mean, too. "
            "The standard deviation is the root of the variance.",
            10**0.5: "that is the root of N / k. By the formula it is that of (N - k) / k.",
            0.3333: "that is the size of the weight of one of the nine. Which weight does the other one get?",
            -0.3333: "that is the weight of one of the nine. Which weight does the other one get?",
            -3.0: "the sign is wrong: a return above the mean gets a positive weight.",
            0.6: "that is the standard deviation. How many of them is 50 above the mean?",
            48.2: "that is the mean of the ten returns. Subtract it from 50, and divide by the standard deviation.",
            83.333: "you divided the return itself. Subtract the mean of all ten first.",
            2.0: "that is the difference from the nine others. Compare with the mean of all ten, and divide.",
            9.0: "you are nearly there: take the root of (N - k) / k.",
            0.9: "that would be a success among ten with the mean taken away. Now divide by the standard deviation.",
        },
        otherwise="this is not it. First the mean of the ten returns, then their standard deviation.",
    ),
)

BETTER_BY = Exercise(
    name="better_by",
    objective="say what an advantage is",
    starter="""# three actions: pi = 0.5, 0.25, 0.25 and q = 2, 10, 4. What is the advantage of the second?
answer = ...""",
    solution="""answer = 10 - (0.5 * 2 + 0.25 * 10 + 0.25 * 4)""",
    hints=(
        "An advantage compares an action with what the policy does on average, itself included.",
        "v is the mean of q under the policy: each q counts with the probability of its action.",
        "v = 0.5 * 2 + 0.25 * 10 + 0.25 * 4 = 4.5.",
    ),
    why="In Q-learning you asked which action is best. An advantage asks how much better an action is than the current "
    "policy: it depends on the policy, and its mean under the policy is zero.",
    judge=NumberJudge(
        5.5,
        {
            2.5: "that is the part of the second action in v. Add up those of all three.",
            4.667: "you subtracted the plain mean of the three. The policy does not take them equally often: weight "
            "each q by its probability.",
            0.0: "you compared with the best action, as in Q-learning. Compare with what the policy does on average.",
            8.0: "you subtracted 2. That is q of the likeliest action, or what the other two bring to v. Subtract v, "
            "the mean over all three, each with its probability.",
            -0.5: "that is the advantage of the third action. The second is asked for.",
            6.0: "you compared with the second-best action. Compare with what the policy does on average.",
            -5.5: "the sign is wrong: the second action is better than the average, so its advantage is positive.",
            10.0: "that is q itself. Subtract what the policy gets on average.",
            4.5: "that is v, the mean under the policy. How much better is the second action?",
            1.375: "you multiplied the advantage by the probability of its action. It does not depend on how often "
            "that is taken.",
            7.3333: "you left the second action out of the average. The policy takes it too, a quarter of the time.",
            7.0: "you compared with the plain mean of the other two. v is a mean over all actions, each with its "
            "probability.",
            -2.0: "you multiplied q(s, a) by its probability. The probabilities belong in v only.",
        },
        otherwise="this is not it. First compute v, the mean of q under the policy.",
    ),
)


def _following(values: Tensor) -> Tensor:
    return torch.cat([values[1:], torch.zeros_like(values[:1])])


def _last_zero(values: Tensor) -> Tensor:
    return torch.cat([values[:-1], torch.zeros_like(values[:1])])


def _returns(rewards: Tensor, gamma: float) -> Tensor:
    total, found = torch.zeros_like(rewards[0]), []
    for reward in rewards.flip(0):
        total = reward + gamma * total
        found.append(total)
    return torch.stack(found[::-1])


TD_ERRORS = Exercise(
    name="td_errors",
    objective="say what an advantage is",
    starter='''def td_errors(rewards, values, gamma):
    """An episode to its end: R_1 ... R_T and v(S_0) ... v(S_(T-1)), both (T,) -> delta_0 ... delta_(T-1), (T,)."""
    following = torch.roll(values, -1)
    return rewards + gamma * following - values


answer = ...  # td_errors, once you have repaired it''',
    solution='''def td_errors(rewards, values, gamma):
    """An episode to its end: R_1 ... R_T and v(S_0) ... v(S_(T-1)), both (T,) -> delta_0 ... delta_(T-1), (T,)."""
    following = torch.cat([values[1:], torch.zeros(1)])  # what is worth nothing any more: the end
    return rewards + gamma * following - values


answer = td_errors''',
    hints=(
        "Call it by hand, with values 1, 2 and 3. What is `following` at each step?",
        "All errors but the last are right. What is still to come after the last step?",
        "An end is worth 0. Append that to values[1:], instead of letting the first value come around.",
    ),
    why="No return follows an end, so its value is 0, and it must be a 0 that you put there. In the loop of an actor-"
    "critic a wrong last step is easy to miss: nothing crashes, and the bias goes into every update.",
    judge=judge_function(
        lambda rewards, values, gamma: rewards + gamma * _following(values) - values,
        [
            Case("three steps", (torch.tensor([1.0, 0.0, 2.0]), torch.tensor([3.0, 1.0, 5.0]), 0.9)),
            Case("six steps", (_random(6, seed=9).float(), _random(6, seed=10).float(), 0.5)),
            Case("an episode of one step", (torch.tensor([1.5]), torch.tensor([2.0]), 0.9)),
            Case("gamma 0", (_random(4, seed=11).float(), _random(4, seed=12).float(), 0.0)),
            Case("gamma 1", (_random(5, seed=13).float(), _random(5, seed=14).float(), 1.0)),
            Case("a value of 0 everywhere", (torch.tensor([1.0, 2.0, 4.0]), torch.zeros(3), 0.9)),
            Case("equal values", (torch.tensor([1.0, 0.0, 2.0, 1.0]), torch.tensor([2.0, 3.0, 2.0, 2.0]), 0.9)),
        ],
        [
            Mistake(
                "it is the function as it was: roll brings the first value around to the end. What is an end worth?",
                lambda rewards, values, gamma: rewards + gamma * values.roll(-1) - values,
            ),
            Mistake(
                "the last value stands in twice, as if the last state followed itself. What is an end worth?",
                lambda rewards, values, gamma: rewards + gamma * torch.cat([values[1:], values[-1:]]) - values,
            ),
            Mistake(
                "the last error is missing. The last step has one, too: its reward minus what was expected.",
                lambda rewards, values, gamma: (rewards + gamma * _following(values) - values)[:-1],
            ),
            Mistake(
                "the last error is set to 0. The last step has an error, too: its reward minus what was expected.",
                lambda rewards, values, gamma: torch.cat(
                    [(rewards + gamma * _following(values) - values)[:-1], torch.zeros(1)]
                ),
            ),
            Mistake(
                "the last step's error is its reward alone. What was expected there, v(S), must be subtracted too.",
                lambda rewards, values, gamma: torch.cat(
                    [(rewards + gamma * _following(values) - values)[:-1], rewards[-1:]]
                ),
            ),
            Mistake(
                "the value of the state before is used. delta_t needs that of the state that follows, one further on.",
                lambda rewards, values, gamma: rewards + gamma * torch.cat([torch.zeros(1), values[:-1]]) - values,
            ),
            Mistake(
                "the value of the state *before* is used. delta_t needs that of the state that follows.",
                lambda rewards, values, gamma: rewards + gamma * values.roll(1) - values,
            ),
            Mistake(
                "gamma is missing: what comes one step later counts gamma times as much.",
                lambda rewards, values, gamma: rewards + _following(values) - values,
            ),
            Mistake(
                "gamma stands at the reward, too. R_(t+1) is not discounted; the value after it is.",
                lambda rewards, values, gamma: gamma * (rewards + _following(values)) - values,
            ),
            Mistake(
                "gamma is raised to the power of t. An error looks one step ahead from where it stands: gamma, once.",
                lambda rewards, values, gamma: (
                    rewards + gamma ** torch.arange(1, len(values) + 1) * _following(values) - values
                ),
            ),
            Mistake(
                "the sign is wrong: more than was expected must give a positive error.",
                lambda rewards, values, gamma: values - rewards - gamma * _following(values),
            ),
            Mistake(
                "v(S_t) is not subtracted: this is what the error compares with it.",
                lambda rewards, values, gamma: rewards + gamma * _following(values),
            ),
            Mistake(
                "the next value is missing: this is the error of an agent that cannot wait.",
                lambda rewards, values, gamma: rewards - values,
            ),
            Mistake(
                "that is G - v, with the whole return. It estimates the advantage too, but a TD error takes one "
                "reward, and the value of the next state for the rest.",
                lambda rewards, values, gamma: _returns(rewards, gamma) - values,
            ),
            Mistake(
                "the first of the values that follow is set to 0, and the last one still is the first value, brought "
                "around by roll. Which of them comes after the end?",
                lambda rewards, values, gamma: (
                    rewards + gamma * torch.cat([torch.zeros_like(values[:1]), values.roll(-1)[1:]]) - values
                ),
            ),
            Mistake(
                "each value follows itself here, but for the first. delta_t needs the value of the state one step on.",
                lambda rewards, values, gamma: (
                    rewards + gamma * torch.cat([torch.zeros_like(values[:1]), values[1:]]) - values
                ),
            ),
            Mistake(
                "the last reward stands in for a value, so it counts twice. What is an end worth?",
                lambda rewards, values, gamma: rewards + gamma * torch.cat([values[1:], rewards[-1:]]) - values,
            ),
            Mistake(
                "one number is left. Each step has an error of its own.",
                lambda rewards, values, gamma: (
                    rewards + gamma * torch.cat([values[1:], torch.zeros_like(values[:1])]) - values
                ).mean(),
                lambda rewards, values, gamma: (
                    rewards + gamma * torch.cat([values[1:], torch.zeros_like(values[:1])]) - values
                ).sum(),
            ),
            Mistake(
                "the first value is set to 0 before it is brought around, so it is missing at the first step as well.",
                lambda rewards, values, gamma: (
                    rewards + gamma * _following(values) - values * (torch.arange(len(values)) > 0)
                ),
            ),
            Mistake(
                "whatever equals the first value is set to 0. Only what follows the last step is worth nothing: go by "
                "its place.",
                lambda rewards, values, gamma: (
                    rewards + gamma * torch.where(values.roll(-1) == values[0], 0.0, values.roll(-1)) - values
                ),
            ),
            Mistake(
                "the last value is set to 0. It is that of the state in which the last step begins; the end comes "
                "after it.",
                lambda rewards, values, gamma: rewards + gamma * (w := _last_zero(values)).roll(-1) - w,
                lambda rewards, values, gamma: rewards + gamma * _following(w := _last_zero(values)) - w,
            ),
            Mistake(
                "the state's own value is added. It is what was expected: subtract it.",
                lambda rewards, values, gamma: rewards + gamma * _following(values) + values,
            ),
        ],
    ),
)

EXERCISES = (PER_BATCH, AGENT, DEGREES_APART, ONE_BETTER, BETTER_BY, TD_ERRORS)
