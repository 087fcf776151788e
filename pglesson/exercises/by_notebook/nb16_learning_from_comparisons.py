"""Exercises of notebook 16."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from pglesson.exercises.agents import NEVER_CLEARED
from pglesson.exercises.calls import NOT_WRITTEN_YET, about, located, not_a_function, short
from pglesson.exercises.framework import NOT_ATTEMPTED, Exercise, Outcome, wrong
from pglesson.exercises.judges import Case, Mistake, judge_function
from pglesson.exercises.time_limit import TooLong, time_limit
from pglesson.exercises.traces import Trace, watching

FITTING = "fit a reward model to comparisons of answers"
CLIMBING = "say what becomes of the true reward when a learned one is climbed"
DIRECT = "derive DPO from the best policy under a price and train with it"


def _pair(n: int, seed: int, far: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return far * torch.randn(n, generator=generator), far * torch.randn(n, generator=generator)


def _mean_of(f: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A loss that is the mean of f of the differences."""
    return lambda better, worse: f(better - worse).mean()


BRADLEY_TERRY = Exercise(
    name="bradley_terry",
    objective=FITTING,
    starter='''def bradley_terry_loss(better, worse):
    """Rewards of the answers that were called better, and of the others, both (n,) -> the loss, a number."""
    ...


answer = bradley_terry_loss''',
    solution='''def bradley_terry_loss(better, worse):
    """Rewards of the answers that were called better, and of the others, both (n,) -> the loss, a number."""
    return -torch.nn.functional.logsigmoid(better - worse).mean()


answer = bradley_terry_loss''',
    hints=(
        "The model says with which probability each comparison comes out as it did. The loss is minus the mean of the "
        "logarithms.",
        "The probability is the sigmoid of the difference of the two rewards.",
        "torch.nn.functional.logsigmoid(x) is log(sigmoid(x)), and it stays finite for x = -300.",
    ),
    why="It is the loss of logistic regression, with a difference of two outputs of one network as the logit. Only the "
    "difference counts, so nothing fixes the zero of the rewards, for no prompt.",
    judge=judge_function(
        _mean_of(lambda x: -logsigmoid(x)),
        [
            Case("six comparisons", _pair(6, 0)),
            Case("a single comparison", _pair(1, 1)),
            Case("answers that earn the same", (torch.ones(3), torch.ones(3))),
            Case("rewards that lie hundreds apart", (torch.tensor([-200.0, 150.0]), torch.tensor([150.0, -200.0]))),
            Case("ten comparisons", _pair(10, 2, 3.0)),
            Case("the better answer earns 1, the other 0", (torch.ones(2), torch.zeros(2))),
            Case("the better answer earns 0, the other 1", (torch.zeros(1), torch.ones(1))),
        ],
        [
            Mistake(
                "better and worse are exchanged: this loss is small where the worse answer earns more.",
                _mean_of(lambda x: -logsigmoid(-x)),
            ),
            Mistake(
                "the minus is missing. An optimizer makes the loss smaller, and the log-probability is to grow.",
                _mean_of(logsigmoid),
            ),
            Mistake(
                "the comparisons are added up. Take their mean, so that a step does not depend on their number.",
                lambda better, worse: -logsigmoid(better - worse).sum(),
            ),
            Mistake(
                "each comparison still has a loss of its own. Take the mean.",
                lambda better, worse: -logsigmoid(better - worse),
            ),
            Mistake(
                "the logarithm is missing: this is minus the mean probability. Comparisons that are clearly wrong "
                "would push hardly at all.",
                _mean_of(lambda x: -x.sigmoid()),
            ),
            Mistake(
                "a probability was rounded to zero before its logarithm was taken. Use logsigmoid.",
                _mean_of(lambda x: -x.sigmoid().log()),
            ),
            Mistake(
                "a probability was rounded to zero before its logarithm was taken. Use logsigmoid.",
                lambda better, worse: -(better.exp() / (better.exp() + worse.exp())).log().mean(),
            ),
            Mistake(
                "the mean is taken before the logarithm. Each comparison has a probability of its own.",
                lambda better, worse: -logsigmoid((better - worse).mean()),
            ),
            Mistake(
                "this is the mean difference itself, without the sigmoid: it has no lower end, so the rewards would "
                "grow for ever.",
                _mean_of(lambda x: -x),
            ),
            Mistake(
                "this is the hinge, max(0, 1 - difference). The model's loss is the logarithm of a sigmoid.",
                _mean_of(lambda x: (1 - x).clamp_min(0)),
            ),
            Mistake(
                "this is a share of comparisons. It has no slope, so nothing could be learned from it.",
                _mean_of(lambda x: (x <= 0).float()),
            ),
            Mistake(
                "this is logistic regression for each answer alone. Only the difference of the two is compared.",
                lambda better, worse: -(logsigmoid(better) + logsigmoid(-worse)).mean(),
                lambda better, worse: -(logsigmoid(better) - logsigmoid(worse)).mean(),
            ),
            Mistake(
                "this is the logarithm of the mean probability. Take the logarithm of each, and then the mean.",
                lambda better, worse: -(better - worse).sigmoid().mean().log(),
            ),
            Mistake(
                "every better answer is compared with every worse one. Compare the two of each comparison.",
                lambda better, worse: -logsigmoid(better[:, None] - worse).mean(),
            ),
            Mistake(
                "a small number under the logarithm keeps it finite, and takes the slope from comparisons that are "
                "very wrong. Use logsigmoid.",
                _mean_of(lambda x: -(x.sigmoid() + 1e-8).log()),
                _mean_of(lambda x: -(x.sigmoid() + 1e-10).log()),
            ),
            Mistake(
                "the rewards are divided as they are. Bradley and Terry compare their exponentials: a sigmoid of the "
                "difference.",
                lambda better, worse: -(better / (better + worse)).log().mean(),
            ),
            Mistake(
                "each comparison counts from both sides. Only the answer that was called better has a probability to "
                "raise.",
                _mean_of(lambda x: -logsigmoid(x) - logsigmoid(-x)),
            ),
            Mistake(
                "this is the logarithm of base 2. Use the natural one.",
                _mean_of(lambda x: -logsigmoid(x) / math.log(2)),
            ),
        ],
        gradients=(0, 1),
    ),
)


def _answers(number: int, seed: int, beta: float) -> tuple[Tensor, Tensor, Tensor, float]:
    """What `gamed` gets: log pi_ref, the learned reward, the true one, and the price."""
    generator = torch.Generator().manual_seed(seed)
    log_ref = (1.5 * torch.randn(number, generator=generator)).log_softmax(0)
    right = torch.randint(4, (number,), generator=generator).float()
    return log_ref, right + torch.randn(number, generator=generator), right, beta


def _best(log_ref: Tensor, rewards: Tensor, beta: float) -> Tensor:
    """The best policy's probabilities."""
    return (log_ref + rewards / beta).softmax(0)


def _share(weights: Tensor) -> Tensor:
    return weights / weights.sum()


def _gamed(log_ref: Tensor, learned: Tensor, right: Tensor, beta: float) -> Tensor:
    return _best(log_ref, learned, beta) @ right


GAMED = Exercise(
    name="gamed",
    objective=CLIMBING,
    starter='''def gamed(log_ref, learned, right, beta):
    """Of each answer: log pi_ref, learned and true reward, all (answers,); the price -> a mean true reward."""
    ...


answer = gamed''',
    solution='''def gamed(log_ref, learned, right, beta):
    """Of each answer: log pi_ref, learned and true reward, all (answers,); the price -> a mean true reward."""
    best = (log_ref + learned / beta).softmax(0)
    return (best * right).sum()


answer = gamed''',
    hints=(
        "Two steps: first the policy that is best for the *learned* reward, then what it earns of the true one.",
        "The best policy is proportional to pi_ref times exp(learned / beta): a softmax of the sum of two logarithms.",
        "The mean of the true reward is the sum of probability times `right`.",
    ),
    why="With the policy gradient you follow this number along a training, with noise. Here it is exact: a curve over "
    "beta that rises first and then falls wherever the learned reward is wrong about answers that the reference "
    "seldom writes.",
    judge=judge_function(
        _gamed,
        [
            Case("eight answers, price 0.5", _answers(8, 0, 0.5)),
            Case("eight answers, price 2", _answers(8, 1, 2.0)),
            Case("thirty answers, price 0.1", _answers(30, 2, 0.1)),
            Case("two answers", _answers(2, 3, 0.7)),
            Case("a very low price", _answers(12, 4, 0.001)),
            Case("a very high price", _answers(12, 5, 1000.0)),
            Case("a price of 1", _answers(10, 6, 1.0)),
        ],
        [
            Mistake(
                "this is the mean of the *learned* reward under the best policy: what a training shows you. What is "
                "wanted is the true one.",
                lambda log_ref, learned, right, beta: _best(log_ref, learned, beta) @ learned,
            ),
            Mistake(
                "this policy is best for the *true* reward, which nobody is told. It climbs the learned one.",
                lambda log_ref, learned, right, beta: _best(log_ref, right, beta) @ right,
            ),
            Mistake(
                "the learned reward is multiplied by beta. It is divided by it: a low price gives it more weight.",
                lambda log_ref, learned, right, beta: _best(log_ref, learned * beta, 1.0) @ right,
            ),
            Mistake(
                "beta is missing: the exponent is learned / beta.",
                lambda log_ref, learned, right, beta: _best(log_ref, learned, 1.0) @ right,
            ),
            Mistake(
                "the reference is missing: each exp(learned / beta) is multiplied by it.",
                lambda log_ref, learned, right, beta: (learned / beta).softmax(0) @ right,
            ),
            Mistake(
                "log pi_ref is multiplied as it is. It is a logarithm: add it in the exponent.",
                lambda log_ref, learned, right, beta: _share(log_ref * (learned / beta).exp()) @ right,
                lambda log_ref, learned, right, beta: (log_ref * (learned / beta).exp()).softmax(0) @ right,
            ),
            Mistake(
                "pi_ref itself stands in the exponent. Its logarithm belongs there: log_ref is one already.",
                lambda log_ref, learned, right, beta: (log_ref.exp() + learned / beta).softmax(0) @ right,
            ),
            Mistake(
                "the sign is wrong: what the learned reward pays becomes rarer.",
                lambda log_ref, learned, right, beta: _best(log_ref, -learned, beta) @ right,
            ),
            Mistake(
                "this is what the reference itself earns. The learned reward plays no part yet.",
                lambda log_ref, learned, right, beta: log_ref.exp() @ right,
            ),
            Mistake(
                "the weights pi_ref exp(learned / beta) are not divided by their sum, so they are no probabilities.",
                lambda log_ref, learned, right, beta: (log_ref + learned / beta).exp() @ right,
            ),
            Mistake(
                "an exponential became infinite before it was divided by the sum. Let softmax do both, of a sum of "
                "logarithms.",
                lambda log_ref, learned, right, beta: _share(log_ref.exp() * (learned / beta).exp()) @ right,
            ),
            Mistake(
                "this takes the answer with the highest learned reward alone, as if there were no price.",
                lambda log_ref, learned, right, beta: right[learned.argmax()],
            ),
            Mistake(
                "this takes the likeliest answer of the best policy alone. The mean runs over all of them.",
                lambda log_ref, learned, right, beta: right[(log_ref + learned / beta).argmax()],
            ),
            Mistake(
                "each answer still has a number of its own. Add them up.",
                lambda log_ref, learned, right, beta: _best(log_ref, learned, beta) * right,
            ),
            Mistake(
                "the logarithm of the reference is divided by beta, too. Only the reward is.",
                lambda log_ref, learned, right, beta: ((log_ref + learned) / beta).softmax(0) @ right,
            ),
            Mistake(
                "this is how much more than the reference it earns. Its mean true reward itself is asked for.",
                lambda log_ref, learned, right, beta: (_best(log_ref, learned, beta) - log_ref.exp()) @ right,
            ),
            Mistake(
                "the price is subtracted once more. The policy has paid it; asked for is what it earns of the true "
                "reward.",
                lambda log_ref, learned, right, beta: (
                    (p := _best(log_ref, learned, beta)) @ right - beta * (p.xlogy(p) - p * log_ref).sum()
                ),
            ),
            Mistake(
                "the mean is taken over the answers, as if all were equally likely after the weighting. Add up "
                "probability times reward.",
                lambda log_ref, learned, right, beta: (_best(log_ref, learned, beta) * right).mean(),
            ),
        ],
    ),
)


def _log_probs(n: int, seed: int, beta: float) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    """What a DPO loss gets: log pi of the better and the worse answers, the same of the reference, and the price."""
    generator = torch.Generator().manual_seed(seed)
    better, worse, ref_better, ref_worse = -3 * torch.rand(4, n, generator=generator)
    return better, worse, ref_better, ref_worse, beta


def _same(n: int, seed: int) -> tuple[Tensor, Tensor, Tensor, Tensor, float]:
    better, worse, *_ = _log_probs(n, seed, 1.0)
    return better, worse, better, worse, 0.3


def _dpo(better: Tensor, worse: Tensor, ref_better: Tensor, ref_worse: Tensor, beta: float) -> Tensor:
    """The implicit rewards' difference."""
    return beta * ((better - ref_better) - (worse - ref_worse))


def _dpo_loss(*arguments: Any) -> Tensor:
    return -logsigmoid(_dpo(*arguments)).mean()


DPO_MISTAKES = [
    Mistake(
        "better and worse are exchanged, or policy and reference, which gives the same numbers: this makes the "
        "worse answers likelier.",
        lambda *a: -logsigmoid(-_dpo(*a)).mean(),
    ),
    Mistake(
        "the minus is missing. An optimizer makes the loss smaller, and the log-probability of the comparisons "
        "is to grow.",
        lambda *a: logsigmoid(_dpo(*a)).mean(),
    ),
    Mistake(
        "the reference is missing. The implied reward is beta times log pi *minus log pi_ref*.",
        lambda better, worse, ref_better, ref_worse, beta: -logsigmoid(beta * (better - worse)).mean(),
    ),
    Mistake(
        "the reference has the wrong sign: that of an answer is subtracted from its own log pi, since "
        "log(pi / pi_ref) is a difference.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better + ref_better - worse - ref_worse)).mean()
        ),
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better - ref_better - worse - ref_worse)).mean()
        ),
    ),
    Mistake(
        "beta is missing: the implied reward is beta times the logarithm.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(_dpo(better, worse, ref_better, ref_worse, 1.0)).mean()
        ),
    ),
    Mistake(
        "the difference is divided by beta. Solved for the reward, the formula of the best policy *multiplies* "
        "the logarithm by beta.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(_dpo(better, worse, ref_better, ref_worse, 1 / beta)).mean()
        ),
    ),
    Mistake(
        "beta stands outside of the sigmoid, where it makes every step longer or shorter and nothing else.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -beta * logsigmoid(_dpo(better, worse, ref_better, ref_worse, 1.0)).mean()
        ),
    ),
    Mistake(
        "a probability was rounded to zero, or an exponential became infinite, before the logarithm was taken. "
        "Use logsigmoid.",
        lambda *a: -_dpo(*a).sigmoid().log().mean(),
    ),
    Mistake(
        "this is minus the mean difference, without the sigmoid: it has no lower end.", lambda *a: -_dpo(*a).mean()
    ),
    Mistake(
        "the log-probabilities are divided. The logarithm of a ratio is their difference.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better / ref_better - worse / ref_worse)).mean()
        ),
    ),
    Mistake(
        "the implied reward is beta times the *logarithm* of pi / pi_ref, and you take the ratio itself.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * ((better - ref_better).exp() - (worse - ref_worse).exp())).mean()
        ),
    ),
    Mistake(
        "beta multiplies a part of the difference alone. It is a factor of both implied rewards.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better - worse) - (ref_better - ref_worse)).mean()
        ),
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better - ref_better) - (worse - ref_worse)).mean()
        ),
    ),
    Mistake("the logarithm is missing: this is minus the mean probability.", lambda *a: -_dpo(*a).sigmoid().mean()),
    Mistake("the comparisons are added up. Take their mean.", lambda *a: -logsigmoid(_dpo(*a)).sum()),
    Mistake("each comparison still has a loss of its own. Take the mean.", lambda *a: -logsigmoid(_dpo(*a))),
    Mistake(
        "the mean is taken before the sigmoid. Each comparison has a probability of its own.",
        lambda *a: -logsigmoid(_dpo(*a).mean()),
    ),
    Mistake(
        "the log-probabilities are turned into probabilities first. The implied reward is a difference of "
        "*logarithms*.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(_dpo(better.exp(), worse.exp(), ref_better.exp(), ref_worse.exp(), beta)).mean()
        ),
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(_dpo(better.exp(), worse.exp(), ref_better, ref_worse, beta)).mean()
        ),
    ),
    Mistake(
        "the implied rewards of the two answers are added. Their difference says which one is preferred.",
        lambda better, worse, ref_better, ref_worse, beta: (
            -logsigmoid(beta * (better - ref_better + worse - ref_worse)).mean()
        ),
    ),
]

DPO_LOSS = Exercise(
    name="dpo_loss",
    objective=DIRECT,
    starter='''def dpo_loss(better, worse, ref_better, ref_worse, beta):
    """log pi of the better and the worse answers, the same under pi_ref, all (n,); the price -> a number."""
    ...


answer = dpo_loss''',
    solution='''def dpo_loss(better, worse, ref_better, ref_worse, beta):
    """log pi of the better and the worse answers, the same under pi_ref, all (n,); the price -> a number."""
    implied_better, implied_worse = beta * (better - ref_better), beta * (worse - ref_worse)
    return -torch.nn.functional.logsigmoid(implied_better - implied_worse).mean()


answer = dpo_loss''',
    hints=(
        "It is the loss of Bradley and Terry. Only the rewards are other ones: those that the policy implies.",
        "The implied reward of an answer is beta * (log pi - log pi_ref).",
        "Minus the mean logsigmoid of the implied reward of the better answer, minus that of the worse.",
    ),
    why="There is no reward model, no sampling and no baseline in it: the log-probabilities of two written answers "
    "under two models are all that it needs. That is why it spread so fast.",
    judge=judge_function(
        _dpo_loss,
        [
            Case("six comparisons, price 0.1", _log_probs(6, 0, 0.1)),
            Case("six comparisons, price 2", _log_probs(6, 1, 2.0)),
            Case("a single comparison", _log_probs(1, 2, 0.5)),
            Case("ten comparisons", _log_probs(10, 3, 0.3)),
            Case("before the first step, when pi is pi_ref", _same(4, 4)),
            Case("a price of 1", _log_probs(5, 5, 1.0)),
            Case("long answers", tuple(x * 300 if isinstance(x, Tensor) else x for x in _log_probs(4, 6, 0.7))),
        ],
        DPO_MISTAKES,
        gradients=(0, 1),
    ),
)


ANSWERS, COMPARISONS, SECONDS = 8, 2000, 20.0
NEAR = 0.03  # nats: the KL divergence from the loss's minimum within which a training has arrived
PRICES = (0.5, 2.0, 1.0)  # one for each seed
NOT_FINITE = "some log-probabilities are not finite. Start from log_ref, and try a lower learning rate."


def _problem(seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """log pi_ref of ANSWERS answers, and COMPARISONS by Bradley and Terry: the numbers of the better and the worse."""
    generator = torch.Generator().manual_seed(seed)
    log_ref = torch.randn(ANSWERS, generator=generator).log_softmax(0)
    rewards = 1.5 * torch.randn(ANSWERS, generator=generator)
    one = torch.randint(ANSWERS, (COMPARISONS,), generator=generator)
    other = (one + torch.randint(1, ANSWERS, (COMPARISONS,), generator=generator)) % ANSWERS
    first = torch.rand(COMPARISONS, generator=generator) < torch.sigmoid(rewards[one] - rewards[other])
    return log_ref, torch.where(first, one, other), torch.where(first, other, one)


def _fitted(better: Tensor, worse: Tensor) -> Tensor:
    """The rewards that make these comparisons most probable, by LBFGS: what every right training implies."""
    wins = torch.zeros(ANSWERS, ANSWERS, dtype=torch.float64)
    wins.index_put_((better, worse), torch.ones(len(better), dtype=torch.float64), accumulate=True)
    rewards = torch.zeros(ANSWERS, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([rewards], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = -(wins * logsigmoid(rewards[:, None] - rewards)).sum() / len(better)
        value.backward()
        return value

    optimizer.step(loss)
    return rewards.detach() - rewards.detach().mean()


def _kl(log_p: Tensor, log_q: Tensor) -> float:
    return float((log_p.exp() * (log_p - log_q)).sum())


def _unusable(given: Any, arguments: tuple[Tensor, ...], problem: tuple[Tensor, ...], beta: float) -> Outcome | None:
    """What is wrong with what one training gives, before it is compared with anything."""
    if given is None or given is ...:
        return Outcome(NOT_ATTEMPTED, "your function gives nothing yet. Does it end with return?")
    if not all(torch.equal(now.detach(), before) for now, before in zip(arguments, problem)):
        return wrong(
            "your function changes log_ref, which the loss compares with to the end. Train a copy: "
            ".clone().requires_grad_(True)."
        )
    try:
        log_pi = torch.as_tensor(given).detach().double()
    except Exception:
        return wrong(f"it gives {short(given)}, but must give a tensor with log pi of each answer.")
    if log_pi.shape != (ANSWERS,):
        return wrong(
            f"it gives the shape {tuple(log_pi.shape)}, but log pi of each of the {ANSWERS} answers is asked for."
        )
    if not log_pi.isfinite().all():
        return wrong(NOT_FINITE)
    if (log_pi >= 0).all() and abs(log_pi.sum() - 1) < 0.01:
        return wrong("these are probabilities, which add up to 1. Give their logarithms.")
    if abs(log_pi.logsumexp(0)) > 0.01:
        log_ref, *pairs = problem
        implies = [(log_ref + rewards / beta).log_softmax(0) for rewards in (log_pi, _fitted(*pairs))]
        if _kl(*implies) < NEAR:
            return wrong("these are the implied rewards, beta * (log pi - log_ref). Give log pi.")
        return wrong("the probabilities do not add up to 1. If these are logits, give their log_softmax.")
    return None


# where trainings with a mistake end: logits, from log pi_ref, the rewards that fit, beta, and the comparisons
ENDS: dict[str, Callable[[Tensor, Tensor, float, tuple[Tensor, Tensor]], Tensor]] = {
    "the sign is wrong: the answers that were called worse have become likelier. An optimizer makes the loss "
    "smaller.": lambda log_ref, rewards, beta, pairs: log_ref - rewards / beta,
    "the reference has no effect on what is learned. In the loss, each log pi is compared with log_ref of the same "
    "answer.": lambda log_ref, rewards, beta, pairs: rewards / beta,
    "beta has no effect on what is learned. It multiplies the difference inside the sigmoid.": (
        lambda log_ref, rewards, beta, pairs: log_ref + rewards
    ),
    "beta works the wrong way round: the difference inside the sigmoid is *multiplied* by it.": (
        lambda log_ref, rewards, beta, pairs: log_ref + rewards * beta
    ),
    "neither the reference nor beta has an effect on what is learned.": lambda log_ref, rewards, beta, pairs: rewards,
    "each answer is as likely as it was called better: only the better ones are in the loss. It compares their log pi "
    "with that of the worse ones.": lambda log_ref, rewards, beta, pairs: (
        pairs[0].bincount(minlength=ANSWERS).clamp_min(0.01).log()
    ),
    "each pair of answers counts once, however often it was compared. Add up the loss of all comparisons.": (
        lambda log_ref, rewards, beta, pairs: log_ref + _fitted(*torch.stack(pairs).unique(dim=1)) / beta
    ),
}


def _is_loss(model: Callable[..., Tensor], traces: list[Trace]) -> bool:
    """Whether the losses that were seen are those of a model, at the logits as they were."""
    if any(len(trace.losses) < 2 for trace in traces):
        return False
    for seed, trace in enumerate(traces):
        log_ref, *pairs = _problem(seed)
        for loss, logits in trace.losses:
            if not math.isfinite(loss):
                continue
            if logits.shape != (ANSWERS,):
                return False
            better, worse, ref_better, ref_worse = (x[of] for x in (logits.log_softmax(0), log_ref) for of in pairs)
            expected = model(better, worse, ref_better, ref_worse, PRICES[seed])
            if expected.ndim or not math.isclose(loss, expected.item(), rel_tol=1e-4, abs_tol=1e-6):
                return False
    return True


def _has_the_same_minimum(model: Callable[..., Tensor]) -> bool:
    """Whether a loss is the right one, or the sum for the mean."""
    six = _log_probs(6, 0, 0.5)
    return any(torch.allclose(model(*six), factor * _dpo_loss(*six)) for factor in (1, 6))


def _known_loss(traces: list[Trace]) -> tuple[bool, str]:
    """Whether the loss that was seen is right, and the message of a mistake that it has; neither where both fit."""
    is_right = any(_is_loss(model, traces) for model in (_dpo_loss, lambda *a: COMPARISONS * _dpo_loss(*a)))
    wrong_models = [(m.message, f) for m in DPO_MISTAKES for f in m.models if not _has_the_same_minimum(f)]
    said = [message for message, model in wrong_models if _is_loss(model, traces)]
    return (is_right, said[0] if said else "") if is_right != bool(said) else (False, "")


def _compared(trained: list[Tensor], traces: list[Trace]) -> str | None:
    """What is wrong with where the trainings have ended, over all seeds and prices."""
    problems = [_problem(seed) for seed in range(len(PRICES))]
    refs, fitted = ([log_ref.double() for log_ref, *_ in problems], [_fitted(*pairs) for _, *pairs in problems])
    aims = [(ref + rewards / beta).log_softmax(0) for ref, rewards, beta in zip(refs, fitted, PRICES)]
    away = [_kl(aim, log_pi) for aim, log_pi in zip(aims, trained)]
    if max(away) < NEAR:
        return None
    if max(_kl(ref, log_pi) for ref, log_pi in zip(refs, trained)) < 1e-4:
        return (
            "it gives the reference as it was: nothing has been learned, in "
            f"{sum(trace.backwards for trace in traces)} calls of backward() and "
            f"{sum(trace.steps for trace in traces)} of step(). Does the optimizer hold the tensor that the loss "
            "depends on, and are zero_grad(), backward() and step() called in the loop, in this order?"
        )
    is_right, said = _known_loss(traces)
    if said:
        return said
    for message, end in ENDS.items():
        ends = [end(ref, rewards, beta, p[1:]) for ref, rewards, beta, p in zip(refs, fitted, PRICES, problems)]
        to_end = [_kl(model.log_softmax(0), log_pi) for model, log_pi in zip(ends, trained)]
        if max(to_end) < NEAR and all(end < _kl(ref, x) / 10 for end, ref, x in zip(to_end, refs, trained)):
            return message
    implied = [beta * (log_pi - ref) for log_pi, ref, beta in zip(trained, refs, PRICES)]
    ways = [float((x - x.mean()) @ rewards / rewards.square().sum()) for x, rewards in zip(implied, fitted)]
    i = max(range(len(away)), key=lambda i: away[i])
    _, better, worse = problems[i]
    agree, best = (float((x[better] > x[worse]).double().mean()) for x in (implied[i], fitted[i]))
    way = "a higher" if ways[i] < 1 else "a lower"
    return (
        f"{'the loss is right, but ' * is_right}with beta = {PRICES[i]:g} it ends {away[i]:.2f} nats away from the "
        f"policy at which {'it' if is_right else 'the loss'} is smallest. "
        f"Its implied rewards agree with {100 * agree:.0f} % of the comparisons; {100 * best:.0f} % can be reached. "
        f"They are {', '.join(f'{x:.2f}' for x in ways)} times as far apart as those that fit, for beta = "
        f"{', '.join(f'{beta:g}' for beta in PRICES)}. {'T' if is_right else 'If the loss is right, t'}ake more steps, "
        f"or {way} learning rate."
    )


def _judge_training(answer: Any) -> Outcome | None:
    """Judges train_dpo(log_ref, better, worse, beta) by the policy that it gives, over three seeds and prices."""
    if not callable(answer):
        return wrong(not_a_function(answer))
    before, trained, traces, unusable = torch.random.get_rng_state(), list[Tensor](), list[Trace](), None
    try:
        with time_limit(SECONDS):
            for seed, beta in enumerate(PRICES):
                torch.manual_seed(seed)
                arguments = tuple(x.clone() for x in _problem(seed))
                with watching() as trace:
                    given = answer(*arguments, beta)
                traces.append(trace)
                unusable = unusable or _unusable(given, arguments, _problem(seed), beta)
                if unusable is None:
                    trained.append(torch.as_tensor(given).detach().double())
    except TooLong:
        return wrong(
            f"three trainings had not ended after {SECONDS:g} seconds of computing. A few hundred steps are enough, "
            "on all comparisons at once: better and worse are indices."
        )
    except NotImplementedError:
        return Outcome(NOT_ATTEMPTED, NOT_WRITTEN_YET)
    except (Exception, SystemExit) as error:
        words = f"{located(error)} {type(error).__name__}: {error}".rstrip(" :.")
        return wrong(f"{words}.{about(error, Case('', _problem(0)))}")
    finally:
        torch.random.set_rng_state(before)
    if unusable is not None:
        named = _known_loss(traces)[1] if unusable.message == NOT_FINITE else ""
        return wrong(named) if named else unusable
    said = NEVER_CLEARED if any(trace.never_cleared for trace in traces) else _compared(trained, traces)
    return wrong(said) if said else None


TRAIN_DPO = Exercise(
    name="train_dpo",
    objective=DIRECT,
    starter='''def train_dpo(log_ref, better, worse, beta):
    """log pi_ref (answers,); the better and the worse answer of each comparison, (n,) -> log pi (answers,)."""
    ...


answer = train_dpo''',
    solution='''def train_dpo(log_ref, better, worse, beta):
    """log pi_ref (answers,); the better and the worse answer of each comparison, (n,) -> log pi (answers,)."""
    logits = log_ref.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([logits], 0.1)
    for _ in range(300):
        implied = beta * (logits.log_softmax(0) - log_ref)
        loss = -torch.nn.functional.logsigmoid(implied[better] - implied[worse]).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return logits.log_softmax(0).detach()


answer = train_dpo''',
    hints=(
        "The policy is one tensor of logits, one for each answer, that begins as log_ref and requires a gradient.",
        "Five lines in a loop: log_softmax, the loss on all comparisons, zero_grad, backward, step.",
        "implied = beta * (log pi - log_ref) is (answers,), and implied[better] is (n,). Adam with 0.1 and 300 steps "
        "is enough.",
    ),
    why="You have trained a policy from comparisons alone. With a table of logits, the loss has one minimum, and it is "
    "the best policy under the price for the rewards that Bradley and Terry would have fitted.",
    judge=_judge_training,
)

EXERCISES = (BRADLEY_TERRY, GAMED, DPO_LOSS, TRAIN_DPO)
