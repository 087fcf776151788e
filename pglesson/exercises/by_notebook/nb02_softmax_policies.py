"""Exercises of notebook 02."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pglesson import distributions
from pglesson.exercises.calls import NOT_WRITTEN_YET, located, short
from pglesson.exercises.framework import NOT_ATTEMPTED, WRONG, Exercise, Outcome, wrong
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function, normal
from pglesson.exercises.time_limit import TooLong, time_limit


def _logits(*shape: int, seed: int) -> Tensor:
    return 2 * normal(*shape, seed=seed)


PREDICT = Exercise(
    name="predict",
    objective="turn a network's outputs into a policy over discrete actions",
    starter="""# the logits are 0, 0 and log(3). What is the probability of the third action?
answer = ...""",
    solution="""answer = 3 / (1 + 1 + 3)""",
    hints=(
        "What is e to the power of 0, and of log(3)?",
        "The exponentials are 1, 1 and 3.",
        "Divide the third by the sum of all.",
    ),
    why="Exponentials turn differences of logits into ratios of probabilities: log(3) more is three times as likely.",
    judge=NumberJudge(
        0.6,
        {
            3.0: "that is the exponential. Divide it by the sum of all three, so that the probabilities add up to 1.",
            1.0: "so it would be if the first two counted nothing. Their logits are 0, but e^0 is 1: exponentiate "
            "first, and divide then.",
            0.75: "that would be right for two actions. There are three, and each counts in the sum.",
            0.2: "that is the probability of each of the other two.",
            1 / 3: "equal probabilities come from equal logits; the third is larger.",
            0.5: "you took e^log(3) for 2. It is 3: the exponential undoes the logarithm.",
            -0.5108: "that is its logarithm; the probability is asked for.",
            60.0: "as a percentage that is right. A probability lies between 0 and 1.",
            1.0986: "that is the logit itself. Exponentiate all three, and take the third one's part of the sum.",
            0.4: "that is the probability of the other two together.",
            0.3546: "you took each exponential for 1 but the third for log(3). It is e^log(3).",
            5 / 3: "numerator and denominator are swapped: a probability is at most 1.",
            0.4462: "that is with the logarithm of base 10. Here log is the natural one, and e^log(3) is 3.",
            0.9094: "you took the third exponential for e^3. It is e^log(3): the exponential undoes the logarithm.",
        },
        otherwise="this is not it. Write down the three exponentials, and their sum.",
    ),
)


def _policy(logits: Tensor, temperature: float) -> Tensor:
    return torch.softmax(logits / temperature, -1)


def _typed(scaled: Tensor, axis: int = -1) -> Tensor:
    """The formula as it stands, which overflows for large logits."""
    return scaled.exp() / scaled.exp().sum(axis, keepdim=True)


TEMPERATURE = Exercise(
    name="temperature",
    objective="turn a network's outputs into a policy over discrete actions",
    starter='''def policy_at(logits, temperature):
    """A network's outputs (states, actions) and a temperature -> the policy in each state, (states, actions)."""
    powers = torch.exp(logits * temperature)
    return powers / powers.sum(0)


answer = ...  # once it is repaired: policy_at''',
    solution='''def policy_at(logits, temperature):
    """A network's outputs (states, actions) and a temperature -> the policy in each state, (states, actions)."""
    scaled = logits / temperature
    powers = torch.exp(scaled - scaled.max(-1, keepdim=True).values)
    return powers / powers.sum(-1, keepdim=True)


answer = policy_at''',
    hints=(
        "Call it with two states and three actions, and add up each row. Then try temperature 5, and then logits of "
        "1000.",
        "A high temperature must flatten the policy; each *row* must add up to 1; no exponent may be large.",
        "Divide by the temperature, subtract each row's largest, and sum over the last axis with keepdim=True.",
    ),
    why="None of the three raised an error. A policy that is quietly wrong still samples actions and still learns "
    "something, so check that the rows sum to 1.",
    judge=judge_function(
        _policy,
        [
            Case("two states, three actions and temperature 1", (_logits(2, 3, seed=6), 1.0)),
            Case("two states, three actions and temperature 5", (_logits(2, 3, seed=7), 5.0)),
            Case("three states, three actions and temperature 0.5", (_logits(3, 3, seed=8), 0.5)),
            Case("four states, two actions and temperature 2", (_logits(4, 2, seed=9), 2.0)),
            Case("a single state and temperature 2", (_logits(1, 4, seed=10), 2.0)),
            Case("a single action", (_logits(3, 1, seed=11), 0.7)),
            Case("equal logits", (torch.full((2, 3), -4.0), 3.0)),
            Case("logits as large as 1000", (torch.tensor([[1000.0, 999.0, 998.5], [0.0, 1000.0, 1000.0]]), 1.0)),
            Case("rows 1000 apart", (torch.tensor([[1000.0, 999.0, 998.5], [0.0, 1.0, -1.0]]), 2.0)),
            Case("logits as large as 1000 and temperature 2", (torch.tensor([[1000.0, 999.0, 998.5]] * 2), 2.0)),
        ],
        [
            Mistake(
                "two are repaired. Large logits still overflow: subtract each row's largest before you exponentiate.",
                lambda logits, temperature: _typed(logits / temperature),
            ),
            Mistake(
                "none of the three mistakes is repaired: the temperature, the axis and the large logits.",
                lambda logits, temperature: _typed(logits * temperature, 0),
            ),
            Mistake(
                "the rows sum to 1 now. The temperature still works the wrong way round, and large logits still "
                "overflow.",
                lambda logits, temperature: _typed(logits * temperature),
            ),
            Mistake(
                "the temperature is right now. The sum still runs over the states, and large logits still overflow.",
                lambda logits, temperature: _typed(logits / temperature, 0),
            ),
            Mistake(
                "two are repaired. The temperature still works the wrong way round: a high one must flatten the "
                "policy.",
                lambda logits, temperature: torch.softmax(logits * temperature, -1),
            ),
            Mistake(
                "two are repaired. The sum still runs over the states; each state has a policy of its own.",
                lambda logits, temperature: torch.softmax(logits / temperature, 0),
            ),
            Mistake(
                "large logits are safe now. The temperature still works the wrong way round, and the sum still runs "
                "over the states.",
                lambda logits, temperature: torch.softmax(logits * temperature, 0),
            ),
            Mistake(
                "you divided the probabilities by the temperature, so that they no longer sum to 1. It divides the "
                "logits.",
                lambda logits, temperature: torch.softmax(logits, -1) / temperature,
            ),
            Mistake(
                "the temperature makes no difference. It must divide the logits: left out, or added to all of them, it "
                "changes nothing.",
                lambda logits, temperature: torch.softmax(logits, -1),
            ),
            Mistake(
                "the sum runs over the whole batch. Each row sums to 1 by itself.",
                lambda logits, temperature: (logits / temperature).flatten().softmax(0).view(logits.shape),
            ),
            Mistake(
                "these are the logarithms. The probabilities are asked for.",
                lambda logits, temperature: torch.log_softmax(logits / temperature, -1),
            ),
            Mistake(
                "large logits are safe now, and the temperature is right. The sum still runs over the states; each "
                "state has a policy of its own.",
                lambda logits, temperature: (
                    (z := (logits / temperature - (logits / temperature).amax(-1, keepdim=True)).exp()) / z.sum(0)
                ),
            ),
            Mistake(
                "large logits are safe now. The temperature still works the wrong way round, and the sum still runs "
                "over the states.",
                lambda logits, temperature: (
                    (z := (logits * temperature - (logits * temperature).amax(-1, keepdim=True)).exp()) / z.sum(0)
                ),
            ),
            Mistake(
                "you subtract the largest logit of all states. A row that lies far below it becomes 0 / 0: subtract "
                "each row's own largest.",
                lambda logits, temperature: _typed(logits / temperature - (logits / temperature).max()),
            ),
            Mistake(
                "you subtract the largest logit as it is from logits that are divided by the temperature. Divide "
                "first: what you exponentiate is then 0 at most.",
                lambda logits, temperature: _typed(logits / temperature - logits.amax(-1, keepdim=True)),
            ),
            Mistake(
                "you subtract the largest of each column. Over the states nothing cancels: subtract each row's own "
                "largest, with the last axis and keepdim=True.",
                lambda logits, temperature: _typed((logits - logits.amax(0)) / temperature),
            ),
            Mistake(
                "large logits are safe now, and the temperature is right. The sum runs over the whole array: each row "
                "sums to 1 by itself.",
                lambda logits, temperature: (
                    (z := (logits / temperature - (logits / temperature).amax(-1, keepdim=True)).exp()) / z.sum()
                ),
            ),
            Mistake(
                "these do not sum to 1: each row's largest is subtracted, and the division by the row's sum is "
                "missing.",
                lambda logits, temperature: (
                    logits / temperature - (logits / temperature).amax(-1, keepdim=True)
                ).exp(),
            ),
            Mistake(
                "you divide by the largest logit. Subtract it: only a shift leaves the policy as it is.",
                lambda logits, temperature: _typed(logits / logits.amax(-1, keepdim=True) / temperature),
            ),
            Mistake(
                "you cut large logits off, which makes different ones equal. Subtract each row's largest instead.",
                lambda logits, temperature: _typed((logits / temperature).clamp(max=80)),
            ),
            Mistake(
                "this is the greedy policy. A temperature near 0 comes close to it, others do not.",
                lambda logits, temperature: torch.eye(logits.shape[1])[logits.argmax(-1)],
            ),
            Mistake(
                "NaN is replaced by 0, and the overflow is still there. Subtract each row's largest before you "
                "exponentiate.",
                lambda logits, temperature: torch.nan_to_num(_typed(logits / temperature)),
            ),
            Mistake(
                "the sign of the logits is wrong: the largest one gets the smallest probability.",
                lambda logits, temperature: torch.softmax(-logits / temperature, -1),
            ),
            Mistake(
                "what you subtract from a row is not its largest logit, but less, such as the mean or the first: a "
                "logit far above it still overflows.",
                lambda logits, temperature: _typed((z := logits / temperature) - z.mean(-1, keepdim=True)),
            ),
            Mistake(
                "the logits are divided by the temperature twice.",
                lambda logits, temperature: torch.softmax(logits / temperature**2, -1),
            ),
            Mistake(
                "these are powers of 10. The softmax takes powers of e.",
                lambda logits, temperature: torch.softmax(logits / temperature * np.log(10.0), -1),
            ),
            Mistake(
                "these are the greedy actions, one number for each state. The whole policy is asked for.",
                lambda logits, temperature: logits.argmax(-1),
            ),
        ],
    ),
)


def _sample(probabilities: Tensor, u: float) -> int:
    total, last = 0.0, len(probabilities) - 1
    for action, probability in enumerate(probabilities.double().tolist()):
        total += probability
        if total > u:
            return action
    return last


def _without_last(instead: Callable[[int], int | None]) -> Callable[[Tensor, float], int | None]:
    """Draws another action for the last one, or none, from its number."""

    def model(probabilities: Tensor, u: float) -> int | None:
        action, last = _sample(probabilities, u), len(probabilities) - 1
        return instead(last) if action == last else action

    return model


def _backward(probabilities: Tensor, u: float) -> int:
    return len(probabilities) - 1 - _sample(probabilities.flip(0), u)


def _at_least(probabilities: Tensor, u: float) -> int:
    return int((probabilities.double().cumsum(0) < u).sum())


_JUDGE = judge_function(
    _sample,
    [
        Case("0.5, 0.3, 0.2 and u = 0.1", (torch.tensor([0.5, 0.3, 0.2]), 0.1)),
        Case("0.5, 0.3, 0.2 and u = 0.6", (torch.tensor([0.5, 0.3, 0.2]), 0.6)),
        Case("0.5, 0.3, 0.2 and u = 0.95", (torch.tensor([0.5, 0.3, 0.2]), 0.95)),
        Case("0.25, 0.25, 0.5 and u = 0.25", (torch.tensor([0.25, 0.25, 0.5]), 0.25)),
        Case("0.1, 0.2, 0.3, 0.4 and u = 0.35", (torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.35)),
        Case("0.1, 0.2, 0.3, 0.4 and u = 0.55", (torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.55)),
        Case("0.1, 0.2, 0.3, 0.4 and u = 0.05", (torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.05)),
        Case("0.1, 0.2, 0.3, 0.4 and u = 0.95", (torch.tensor([0.1, 0.2, 0.3, 0.4]), 0.95)),
        Case("0.98, 0.01, 0.01 and u = 0.7", (torch.tensor([0.98, 0.01, 0.01]), 0.7)),
        Case("0.91, 0.03, 0.03, 0.03 and u = 0.6", (torch.tensor([0.91, 0.03, 0.03, 0.03]), 0.6)),
        Case("a first action of probability zero, and u = 0", (torch.tensor([0.0, 0.5, 0.5]), 0.0)),
        Case("a last action of probability zero, and u = 0.99", (torch.tensor([0.5, 0.5, 0.0]), 0.99)),
        Case("a single action", (torch.tensor([1.0]), 0.7)),
    ],
    [
        Mistake(
            "where u falls on the edge between two actions you take the one before. It belongs to the one after; "
            "otherwise u = 0 draws an action of probability zero.",
            _at_least,
        ),
        Mistake(
            "this is the greedy action, whatever u is. A policy samples.",
            lambda probabilities, u: probabilities.argmax(),
        ),
        Mistake(
            "you compare u with each probability on its own. Compare it with their running total.",
            lambda probabilities, u: next((a for a, p in enumerate(probabilities.tolist()) if p > u), -1),
        ),
        Mistake(
            "you compare u with each probability on its own, and count. Compare it with their running total.",
            lambda probabilities, u: (probabilities <= u).sum(),
        ),
        Mistake(
            "your actions are one too high: the first action is number 0.",
            lambda probabilities, u: _sample(probabilities, u) + 1,
        ),
        Mistake(
            "this is the action whose running total is nearest to u. It is the first whose total is larger.",
            lambda probabilities, u: (probabilities.cumsum(0) - u).abs().argmin(),
        ),
        Mistake(
            "your actions are one too low. You take the last action whose total lies below u; the one after it is "
            "meant.",
            lambda probabilities, u: _sample(probabilities, u) - 1,
            lambda probabilities, u: max(0, _sample(probabilities, u) - 1),
        ),
        Mistake(
            "the last action is never drawn. Its piece goes from the total of all others to 1.",
            _without_last(lambda last: last - 1),
            _without_last(lambda last: max(0, last - 1)),
            _without_last(lambda last: 0),
            _without_last(lambda last: -1),
            _without_last(lambda last: None),
        ),
        Mistake(
            "every action is equally likely in your function. Its piece must be as long as its probability.",
            lambda probabilities, u: int(u * len(probabilities)),
        ),
        Mistake("you lay the pieces out from the last action to the first. Then u = 0 gives the last.", _backward),
        Mistake(
            "you took the probabilities for logits: there is a softmax too many.",
            lambda probabilities, u: _sample(probabilities.softmax(0), u),
        ),
        Mistake(
            "this is the action whose probability is nearest to u. How likely an action is says how *long* its "
            "piece is, not where it lies.",
            lambda probabilities, u: (probabilities - u).abs().argmin(),
        ),
        Mistake(
            "this is the probability of the action. Its number is asked for.",
            lambda probabilities, u: probabilities[_sample(probabilities, u)],
        ),
        Mistake(
            "this is a row with a 1 at the action. Its number is asked for.",
            lambda probabilities, u: torch.eye(len(probabilities))[_sample(probabilities, u)],
        ),
        Mistake(
            "you compare u with each probability on its own. Compare it with their running total.",
            lambda probabilities, u: (probabilities > u).int().argmax(),
        ),
        Mistake(
            "you sort the actions by their probabilities first. The pieces lie in the order of the actions, action 0 "
            "the first.",
            lambda probabilities, u: (order := (-probabilities).argsort(stable=True))[_sample(probabilities[order], u)],
            lambda probabilities, u: _sample(probabilities.sort(descending=True).values, u),
            lambda probabilities, u: _sample(probabilities.sort().values, u),
        ),
        Mistake(
            "you compare before you add the probability of the action itself, so you always go one action too far.",
            lambda probabilities, u: min(_sample(probabilities, u) + 1, len(probabilities) - 1),
        ),
        Mistake(
            "this is the last action, whatever u is. Either the loop goes on after it has found the action, or the "
            "running total never gets larger than u.",
            lambda probabilities, u: len(probabilities) - 1,
        ),
        Mistake(
            "every action is equally likely in your function. Its piece must be as long as its probability.",
            lambda probabilities, u: int(np.ceil(u * len(probabilities))) - 1,
        ),
        Mistake(
            "this says of each action whether its running total is larger than u. The number of the first such action "
            "is asked for.",
            lambda probabilities, u: probabilities.double().cumsum(0) > u,
        ),
        Mistake(
            "you compare u with each probability on its own. Compare it with their running total.",
            lambda probabilities, u: next((a for a, p in enumerate(probabilities) if u < p), len(probabilities) - 1),
        ),
        Mistake(
            "you count the actions whose running total is larger than u. Those whose total is not larger come before "
            "it.",
            lambda probabilities, u: (probabilities.double().cumsum(0) > u).sum(),
        ),
    ],
)


def _judge_sample(answer: Any) -> Outcome | None:
    """A function that draws for itself is like another model at every call, so it is told apart from them first."""
    outcome = _JUDGE(answer)
    if outcome is None or outcome.kind != WRONG or not callable(answer):
        return outcome
    try:
        with time_limit(0.5):
            drawn = {repr(answer(torch.tensor([0.25, 0.25, 0.25, 0.25]), 0.5)) for _ in range(30)}
    except (Exception, TooLong):
        return outcome
    if len(drawn) == 1:
        return outcome
    return Outcome(
        WRONG,
        "your function draws a random number of its own, and gives another action at every call. The random number is "
        "`u`: with the same `u`, the action is the same.",
    )


SAMPLE = Exercise(
    name="sample",
    objective="sample from it",
    starter='''def sample(probabilities, u):
    """Probabilities (actions,) and a number u from 0 to 1, without 1 -> an action, a whole number."""
    ...


answer = sample''',
    solution='''def sample(probabilities, u):
    """Probabilities (actions,) and a number u from 0 to 1, without 1 -> an action, a whole number."""
    total = 0.0
    for action, probability in enumerate(probabilities.tolist()):
        total += probability
        if u < total:
            return action
    return action  # rounding may leave the total slightly below 1


answer = sample''',
    hints=(
        "Lay the probabilities end to end, from 0 to 1. On whose piece does u fall?",
        "Add the probabilities up, one action after the other, until the total is larger than u.",
        "With torch: how many entries of probabilities.cumsum(0) are not larger than u?",
    ),
    why="One uniform random number and a running total sample from any list of probabilities, and one of "
    "zero is never drawn. torch.multinomial does the same for you.",
    judge=_judge_sample,
)

LOG_POLICY = Exercise(
    name="log_policy",
    objective="compute log-probabilities that never overflow",
    starter='''def log_policy(logits):
    """Logits (n, actions), one row a state -> log pi(a|s), of the same shape."""
    ...


answer = log_policy''',
    solution='''def log_policy(logits):
    """Logits (n, actions), one row a state -> log pi(a|s), of the same shape."""
    shifted = logits - logits.max(-1, keepdim=True).values
    return shifted - shifted.exp().sum(-1, keepdim=True).log()


answer = log_policy''',
    hints=(
        "Take the logarithm of the formula on paper first: the logarithm of a fraction is a difference.",
        "log pi(a) = h_a - log of the sum of e^h over all actions, of that state alone.",
        "Subtract each row's largest logit before you exponentiate, or use torch.log_softmax with the right axis.",
    ),
    why="The logarithm is taken inside, so no probability ever rounds to zero, and every loss in this lesson can be "
    "built on it.",
    judge=judge_function(
        lambda logits: torch.log_softmax(logits, -1),
        [
            Case("three states with two actions each", (_logits(3, 2, seed=0),)),
            Case("three states with three actions each", (_logits(3, 3, seed=1),)),
            Case("a single state", (_logits(1, 4, seed=2),)),
            Case("a single action", (_logits(3, 1, seed=3),)),
            Case("logits as far apart as 0 and 1000", (torch.tensor([[0.0, 1000.0], [1.0, -1000.0]]),)),
            Case("logits as large as 1000", (torch.tensor([[1000.0, 999.0, 998.5]]),)),
        ],
        [
            Mistake(
                "these are the probabilities; their logarithm is asked for.", lambda logits: torch.softmax(logits, -1)
            ),
            Mistake(
                "the sum runs over the states. It belongs on the last axis, that of the actions: every state has a "
                "policy of its own.",
                lambda logits: torch.log_softmax(logits, 0),
            ),
            Mistake(
                "the sum runs over the whole batch. Each row is a policy of its own: sum over the last axis, with "
                "keepdim=True.",
                lambda logits: logits - logits.flatten().logsumexp(0),
            ),
            Mistake(
                "a probability was rounded to zero, or an exponential overflowed, before the logarithm was taken. "
                "Work with differences of logits, never with the logarithm of a softmax.",
                lambda logits: torch.softmax(logits, -1).log(),
            ),
            Mistake(
                "an exponential overflows for large logits. Subtract each row's largest logit first; the policy stays "
                "the same.",
                lambda logits: logits - logits.exp().sum(-1, keepdim=True).log(),
            ),
            Mistake(
                "an exponential overflows for large logits, and its logarithm is lost. Subtract each row's largest "
                "logit first; the policy stays the same.",
                lambda logits: (logits.exp() / logits.exp().sum(-1, keepdim=True)).log(),
            ),
            Mistake(
                "the sign is wrong: log-probabilities are 0 or negative, since probabilities are 1 or less.",
                lambda logits: -torch.log_softmax(logits, -1),
            ),
            Mistake(
                "this is the logarithm of base 10. Use the natural one, which belongs to e.",
                lambda logits: torch.log_softmax(logits, -1) / np.log(10.0),
            ),
            Mistake(
                "the largest logit is subtracted, but not the logarithm of the sum: these do not belong to "
                "probabilities that add up to 1.",
                lambda logits: logits - logits.max(-1, keepdim=True).values,
            ),
            Mistake(
                "the logarithm of each exponential was summed, instead of the logarithm of their sum.",
                lambda logits: logits - logits.sum(-1, keepdim=True),
            ),
            Mistake(
                "you divide by the mean of the exponentials. Probabilities that add up to 1 need the sum.",
                lambda logits: torch.log_softmax(logits, -1) + np.log(logits.shape[-1]),
            ),
            Mistake(
                "a small number, added or as a floor, keeps the logarithm finite, and wrong: log pi may be -300. Work "
                "with differences of logits, and it never overflows.",
                lambda logits: (torch.softmax(logits, -1) + 1e-8).log(),
                lambda logits: (torch.softmax(logits, -1) + 1e-10).log(),
            ),
            Mistake(
                "you subtract the largest logit of all states. A row that lies far below it underflows: subtract each "
                "row's own largest.",
                lambda logits: (z := logits - logits.max()) - z.exp().sum(-1, keepdim=True).log(),
            ),
            Mistake(
                "you subtract the largest of each column. It belongs to the row: the last axis, with keepdim=True.",
                lambda logits: (z := logits - logits.amax(0)) - z.exp().sum(-1, keepdim=True).log(),
            ),
            Mistake(
                "the values are right, but the logarithm of the sum carries no derivative. It depends on the logits, "
                "too: detach nothing but a largest logit that cancels.",
                lambda logits: logits - logits.logsumexp(-1, keepdim=True).detach(),
                lambda logits: (z := logits - logits.amax(-1, keepdim=True)) - z.logsumexp(-1, keepdim=True).detach(),
            ),
            Mistake(
                "the largest logit is subtracted in the sum alone. Take it away from the logits in front, too.",
                lambda logits: logits - (logits - logits.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True).log(),
            ),
            Mistake(
                "the sum of the exponentials is subtracted as it is. Its logarithm belongs there.",
                lambda logits: (z := logits - logits.amax(-1, keepdim=True)) - z.exp().sum(-1, keepdim=True),
            ),
            Mistake(
                "this is the logarithm of base 2. Use the natural one, which belongs to e.",
                lambda logits: torch.log_softmax(logits, -1) / np.log(2.0),
            ),
            Mistake(
                "these are the logarithms of the logits. Logits become probabilities by a softmax first.",
                lambda logits: logits.log(),
            ),
            Mistake(
                "this is the log of the sum alone, one number a row. Subtract it from every logit of the row.",
                lambda logits: logits.logsumexp(-1),
            ),
            Mistake(
                "this is one log-probability a row, the largest. Each action has its own.",
                lambda logits: torch.log_softmax(logits, -1).amax(-1),
            ),
        ],
        gradients=(0,),
    ),
)

SCORE = Exercise(
    name="score",
    objective="say in which direction one action pushes the weights",
    starter='''def score(logits, action):
    """The gradient of log pi(action) by the logits: (actions,) and a whole number -> (actions,)."""
    ...


answer = score''',
    solution='''def score(logits, action):
    """The gradient of log pi(action) by the logits: (actions,) and a whole number -> (actions,)."""
    onehot = torch.zeros_like(logits)
    onehot[action] = 1.0
    return onehot - torch.softmax(logits, -1)


answer = score''',
    hints=(
        "The formula is in this notebook, and it needs no autograd.",
        "It has one term for the action that was taken, and one for every action.",
        "onehot(a) - pi: one 1 in a row of zeros, minus the probabilities.",
    ),
    why="It pushes the chosen action up and all others down, in proportion to their probabilities, and it fades as the "
    "policy becomes certain. Everything from notebook 04 on uses it.",
    judge=judge_function(
        lambda logits, action: torch.eye(len(logits))[action] - torch.softmax(logits, -1),
        [
            Case("three actions, the first chosen", (_logits(3, seed=4), 0)),
            Case("four actions, the third chosen", (_logits(4, seed=5), 2)),
            Case("equal logits", (torch.zeros(3), 1)),
            Case("a single action", (torch.zeros(1), 0)),
            Case("a policy that is certain", (torch.tensor([300.0, 0.0]), 0)),
        ],
        [
            Mistake(
                "the sign is wrong. Along the gradient the chosen action must become likelier, so its entry is "
                "positive.",
                lambda logits, action: torch.softmax(logits, -1) - torch.eye(len(logits))[action],
            ),
            Mistake(
                "only the chosen action has an entry. The others share its sum: theirs are -pi(a).",
                lambda logits, action: torch.eye(len(logits))[action] * (1 - torch.softmax(logits, -1)),
            ),
            Mistake(
                "that is the gradient of the probability, pi(a) (onehot - pi). The score is that of its logarithm: "
                "without pi(a) in front.",
                lambda logits, action: (
                    torch.softmax(logits, -1)[action] * (torch.eye(len(logits))[action] - torch.softmax(logits, -1))
                ),
            ),
            Mistake(
                "the logits were subtracted as they are. Turn them into probabilities first.",
                lambda logits, action: torch.eye(len(logits))[action] - logits,
            ),
            Mistake(
                "log-probabilities were subtracted. The derivative of log of the sum is the probabilities themselves.",
                lambda logits, action: torch.eye(len(logits))[action] - torch.log_softmax(logits, -1),
            ),
            Mistake(
                "the 1 stands at every action. Only the chosen one has it.",
                lambda logits, action: 1 - torch.softmax(logits, -1),
            ),
            Mistake(
                "the term of the chosen action is missing: this is -pi alone.",
                lambda logits, action: -torch.softmax(logits, -1),
            ),
            Mistake(
                "this is 1 / pi, the derivative of log pi by pi. Go on with the chain rule, to the logits.",
                lambda logits, action: torch.eye(len(logits))[action] / torch.softmax(logits, -1),
            ),
            Mistake(
                "the greedy action has the 1, whatever was chosen. The score belongs to the action that was taken.",
                lambda logits, action: torch.eye(len(logits))[logits.argmax()] - torch.softmax(logits, -1),
            ),
            Mistake(
                "the chosen action's entry is 1. Its own probability is subtracted there, too: 1 - pi(a).",
                lambda logits, action: torch.where(torch.eye(len(logits))[action] > 0, 1.0, -torch.softmax(logits, -1)),
            ),
            Mistake(
                "the same number, pi of the chosen action, is subtracted everywhere. Each action has its own "
                "probability.",
                lambda logits, action: torch.eye(len(logits))[action] - torch.softmax(logits, -1)[action],
            ),
            Mistake(
                "each entry is multiplied by its own probability. The score is onehot - pi, without a factor.",
                lambda logits, action: (
                    torch.softmax(logits, -1) * (torch.eye(len(logits))[action] - torch.softmax(logits, -1))
                ),
            ),
            Mistake(
                "the other actions are pushed up, too. Only the chosen one's entry is positive.",
                lambda logits, action: (torch.eye(len(logits))[action] - torch.softmax(logits, -1)).abs(),
            ),
            Mistake(
                "the exponentials are not divided by their sum. Subtract probabilities.",
                lambda logits, action: torch.eye(len(logits))[action] - logits.exp(),
            ),
            Mistake(
                "the exponential overflows for a large logit. Use torch.softmax, or subtract the largest logit first.",
                lambda logits, action: torch.eye(len(logits))[action] - logits.exp() / logits.exp().sum(),
            ),
            Mistake(
                "one_hot makes a row as long as the largest number it is given needs. Say how many actions there are: "
                "len(logits).",
                lambda logits, action: torch.nn.functional.one_hot(torch.tensor(action)) - torch.softmax(logits, -1),
            ),
            Mistake(
                "this is a row for every action. The one of the chosen action is asked for.",
                lambda logits, action: torch.eye(len(logits)) - torch.softmax(logits, -1),
            ),
            Mistake(
                "this is log pi itself. Its gradient by the logits is asked for.",
                lambda logits, action: torch.log_softmax(logits, -1),
            ),
            Mistake(
                "this is log pi of the action. Its gradient by the logits is asked for.",
                lambda logits, action: torch.log_softmax(logits, -1)[action],
            ),
            Mistake(
                "the 1 stands one place too far: the first action is number 0.",
                lambda logits, action: torch.eye(len(logits))[(action + 1) % len(logits)] - torch.softmax(logits, -1),
            ),
            Mistake(
                "the 1 stands one place too early: the first action is number 0.",
                lambda logits, action: torch.eye(len(logits))[action - 1] - torch.softmax(logits, -1),
            ),
            Mistake(
                "you divided by the probabilities. That is the derivative by the probabilities, not by the logits.",
                lambda logits, action: (
                    (torch.eye(len(logits))[action] - torch.softmax(logits, -1)) / torch.softmax(logits, -1)
                ),
            ),
            Mistake(
                "you add up the log-probabilities of all actions before you differentiate. Take that of the chosen "
                "action alone.",
                lambda logits, action: 1 - len(logits) * torch.softmax(logits, -1),
            ),
            Mistake(
                "only the 1 of the chosen action is left. The probabilities are subtracted from it.",
                lambda logits, action: torch.eye(len(logits))[action],
            ),
            Mistake(
                "this is the chosen action's entry alone. The others have one, too: -pi(a).",
                lambda logits, action: 1 - torch.softmax(logits, -1)[action],
            ),
            Mistake(
                "it is divided by pi of the chosen action. The score is onehot - pi, without a factor.",
                lambda logits, action: (
                    (torch.eye(len(logits))[action] - torch.softmax(logits, -1)) / torch.softmax(logits, -1)[action]
                ),
            ),
            Mistake(
                "every action is subtracted with the same probability, 1 / n. Subtract the policy's own.",
                lambda logits, action: torch.eye(len(logits))[action] - 1 / len(logits),
            ),
        ],
    ),
)


def _judge_module(answer: Any) -> Outcome | None:
    """A class of modules (numbers, actions), whose instances map states (n, numbers) to n distributions."""
    if isinstance(answer, torch.nn.Module):
        return wrong("answer is a module that is made already. Give the class, without brackets: answer = Policy.")
    if not (isinstance(answer, type) and issubclass(answer, torch.nn.Module)):
        return wrong(f"answer is {short(answer)}, but must be a class that extends torch.nn.Module.")
    before, numbers, actions = torch.random.get_rng_state(), 0, 0
    try:
        with time_limit(5.0), warnings.catch_warnings(action="ignore"):
            for numbers, actions in ((3, 4), (2, 3)):
                torch.manual_seed(0)
                policy = answer(numbers, actions)
                given = policy(_logits(5, numbers, seed=1))
                if given is None or given is ...:
                    return Outcome(NOT_ATTEMPTED, "forward gives nothing yet. Does it end with return?")
                said = _not_a_distribution(given, actions) or _wrong_module(policy, given, numbers, actions)
                if said:
                    return wrong(f"{said} (Your class was asked for {numbers} numbers and {actions} actions.)")
    except NotImplementedError:
        return Outcome(NOT_ATTEMPTED, NOT_WRITTEN_YET)
    except TooLong:
        return wrong("your module had not come back after some seconds of computing.")
    except (Exception, SystemExit) as error:
        if "Simplex()" in str(error):
            return wrong(
                f"{located(error)} ValueError: probabilities are not negative, and Categorical takes numbers for "
                "probabilities if they have the name probs= or none. Write logits=."
            )
        if "before Module.__init__() call" in str(error):
            return wrong("__init__ has to begin with super().__init__(), which makes the lists of what is learned.")
        return wrong(
            f"{located(error)} {type(error).__name__}: {error}. It was for {numbers} numbers, {actions} actions."
        )
    finally:
        torch.random.set_rng_state(before)
    return None


def _not_a_distribution(given: Any, actions: int) -> str | None:
    if isinstance(given, Tensor) and given.shape == (5, actions):
        logits = bool((given < 0).any()) or not torch.allclose(given.sum(-1), torch.ones(5), atol=1e-4)
        kind = "numbers for each action, such as logits," if logits else "probabilities"
        return f"forward gives {kind} and not yet a distribution: wrap them in torch.distributions.Categorical."
    if isinstance(given, Tensor):
        return f"forward gives a tensor of shape {tuple(given.shape)}. It must give a distribution, which can do more."
    if isinstance(given, distributions.Categorical):
        return "forward gives this package's Categorical. PyTorch's is asked for: torch.distributions.Categorical."
    if not isinstance(given, torch.distributions.Categorical):
        return f"forward gives {short(given)}, but must give a torch.distributions.Categorical."
    if given.logits.shape != (5, actions):
        return f"for five states the logits have the shape {tuple(given.logits.shape)}: (5, {actions}) is right."
    return None


UNITS = 32
HIDDEN: dict[str, Callable[[Tensor], Tensor]] = {  # what may come after the first layer
    "tanh": torch.tanh,
    "nothing": lambda x: x,
    "a sigmoid": torch.sigmoid,
    "a ReLU": torch.relu,
    "a leaky ReLU": torch.nn.functional.leaky_relu,
    "an ELU": torch.nn.functional.elu,
    "a GELU": torch.nn.functional.gelu,
    "a SiLU": torch.nn.functional.silu,
    "a softplus": torch.nn.functional.softplus,
    "a softmax": lambda x: x.softmax(-1),
}
LAST: dict[str, Callable[[Tensor], Tensor]] = {  # what may come after the second, and the logits that it makes
    "nothing": lambda x: x,
    "a tanh": torch.tanh,
    "a ReLU": torch.relu,
    "a sigmoid": torch.sigmoid,
    "a softmax, whose probabilities are given as logits": lambda x: x.softmax(-1),
    "a sigmoid, given as probabilities": lambda x: x.sigmoid().log(),
    "a log-softmax, given as probabilities": lambda x: (-x.log_softmax(-1)).log(),
}


def _wrong_module(
    policy: torch.nn.Module, pi: torch.distributions.Categorical, numbers: int, actions: int
) -> str | None:
    weights = list(policy.parameters())
    if not weights:
        return (
            "the module has no parameters, so an optimizer would have nothing to move. Make the layers in __init__ and "
            "keep them in attributes; those in a plain list are not seen (torch.nn.Sequential is)."
        )
    log_prob = pi.log_prob(torch.zeros(5, dtype=torch.long)).sum()
    slopes = torch.autograd.grad(log_prob, weights, allow_unused=True) if log_prob.requires_grad else [None]
    if all(slope is None for slope in slopes):
        return "no gradient reaches the parameters. Look for no_grad, detach, item or torch.tensor of a tensor."
    if not any(weight.ndim == 2 and slope is not None and slope.any() for weight, slope in zip(weights, slopes)):
        return "all weights are 0 at first, and no gradient moves them away. Leave the layers' own random weights."
    states = _logits(5, numbers, seed=1)
    with torch.no_grad():
        for weight in weights:  # those that it was made with may be zeros
            weight.copy_(0.3 * torch.randn(weight.shape))

        def preferences(x: Tensor) -> Tensor:
            logits: Tensor = policy(x).logits
            return (logits - logits.mean(-1, keepdim=True)).float()

        given = preferences(states)
        if not torch.allclose(preferences(states), given, atol=1e-4):
            return "asked twice about the same states, it gives two policies. Nothing random belongs into it."
        if not torch.allclose(preferences(states[:1]), given[:1], atol=1e-4):
            return (
                "the policy in a state depends on which other states are asked about. Each has its own row: a softmax "
                "runs over the last axis, and nothing over the states."
            )
        if torch.allclose(given, given[:1].expand_as(given), atol=1e-6):
            return "the policy is the same in every state: what forward gives does not depend on the states."
        layers = _layers(weights, numbers, actions)
        if not layers and torch.allclose(given + preferences(-states), 2 * preferences(0 * states), atol=1e-5):
            return "it is one linear map. Put a hidden layer with torch.nn.Tanh between two linear ones."
        count, without_biases = sum(weight.numel() for weight in weights), UNITS * (numbers + actions)
        if count not in (without_biases + biases for biases in (0, UNITS, actions, UNITS + actions)):
            return (
                f"it has {count} weights and biases. With one hidden layer of {UNITS} units there are "
                f"{without_biases + UNITS + actions}."
            )
        return _other_functions(given, states, layers) if layers else None


def _layers(weights: Sequence[Tensor], numbers: int, actions: int) -> list[Tensor]:
    """Both layers' matrices, (numbers, 32) and (32, actions), and their biases, 0 where there are none; no tensors for
    a module whose parameters have other shapes."""
    found = []
    for inputs, outputs in ((numbers, UNITS), (UNITS, actions)):
        shapes = (inputs, outputs), (outputs, inputs)
        found += [w if w.shape == shapes[0] else w.T for w in weights if w.shape in shapes]
        found += [w.flatten() for w in weights if w.numel() == outputs] or [torch.zeros(outputs)]
    return [w.float() for w in found] if len(found) == 4 else []


def _other_functions(given: Tensor, states: Tensor, layers: list[Tensor]) -> str | None:
    """Which functions come after the two layers, if not tanh and none: compared with what these would give."""
    first, bias, second, last_bias = layers
    for after_first, hidden in HIDDEN.items():
        for after_second, last in LAST.items():
            logits = last(hidden(states @ first + bias) @ second + last_bias)
            if torch.allclose(given, logits - logits.mean(-1, keepdim=True), atol=1e-3):
                if (after_first, after_second) == ("tanh", "nothing"):
                    return None
                return (
                    f"after the first layer comes {after_first}, and after the second {after_second}. The hidden layer "
                    "needs a tanh, and what the second layer gives are the logits."
                )
    return "with the weights that it has, a hidden layer with tanh and a second layer after it give another policy."


MODULE = Exercise(
    name="module",
    objective="turn a network's outputs into a policy over discrete actions",
    starter='''class Policy(torch.nn.Module):
    """Policy(numbers, actions) maps states (n, numbers) to a torch.distributions.Categorical over actions for each."""

    def __init__(self, numbers, actions):
        super().__init__()
        ...

    def forward(self, states):
        ...


answer = Policy''',
    solution='''class Policy(torch.nn.Module):
    """Policy(numbers, actions) maps states (n, numbers) to a torch.distributions.Categorical over actions for each."""

    def __init__(self, numbers, actions):
        super().__init__()
        self.logits = torch.nn.Sequential(
            torch.nn.Linear(numbers, 32), torch.nn.Tanh(), torch.nn.Linear(32, actions)
        )

    def forward(self, states):
        return torch.distributions.Categorical(logits=self.logits(states))


answer = Policy''',
    hints=(
        "Make the layers in __init__, as an attribute: self.logits = torch.nn.Sequential(...), from numbers to 32, "
        "tanh, and from 32 to actions.",
        "forward asks the network for the logits, and gives torch.distributions.Categorical(logits=...).",
        "return torch.distributions.Categorical(logits=self.logits(states))",
    ),
    why="policy(states).sample() draws an action for each state, and log_prob of it carries the gradient to every "
    "weight. That is all that an agent needs of a policy: notebook 05 is written around one.",
    judge=_judge_module,
)

EXERCISES = (PREDICT, TEMPERATURE, SAMPLE, LOG_POLICY, SCORE, MODULE)
