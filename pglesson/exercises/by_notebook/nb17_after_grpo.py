"""Exercises of notebook 17."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, ChoiceJudge, Mistake, NumberJudge, judge_function


def _batch(lengths: list[int], width: int, seed: int, far: float = 0.3) -> tuple[Any, ...]:
    """What GRPO's loss gets: log pi now, when it was written, of the reference; advantages, written, epsilon, beta."""
    generator, n = torch.Generator().manual_seed(seed), len(lengths)
    log_old = -2 * torch.rand(n, width, generator=generator) - 0.1
    log_pi = log_old + far * torch.randn(n, width, generator=generator)
    log_ref = log_old + far * torch.randn(n, width, generator=generator)
    advantages = torch.randn(n, generator=generator)
    written = (torch.arange(width) < torch.tensor(lengths)[:, None]).float()
    return log_pi, log_old, log_ref, advantages, written, 0.1 + 0.1 * (seed % 3), 0.05 * (seed % 4)


def _gain(log_pi: Tensor, log_old: Tensor, A: Tensor, epsilon: float, kind: str = "") -> Tensor:
    """The clipped gain of each token."""
    ratio = log_pi - log_old if kind == "logarithm" else (log_pi - log_old).exp()
    clipped = ratio.clamp(1 - epsilon, 1 + epsilon)
    if kind == "unclipped":
        return ratio * A[:, None]
    if kind == "clipped":
        return clipped * A[:, None]
    if kind == "maximum":
        return torch.maximum(ratio * A[:, None], clipped * A[:, None])
    if kind == "ratio":
        return torch.minimum(ratio, clipped) * A[:, None]
    return torch.minimum(ratio * A[:, None], clipped * A[:, None])


def _kl(log_pi: Tensor, log_ref: Tensor) -> Tensor:
    return (log_ref - log_pi).exp() - 1 - (log_ref - log_pi)


def _average(each: Tensor, written: Tensor) -> Tensor:
    return ((each * written).sum(1) / written.sum(1)).mean()


def _loss(kind: str = "", kl: Callable[[Tensor, Tensor], Tensor] = _kl, sign: float = 1.0) -> Callable[..., Tensor]:
    """GRPO's loss with another gain, another KL term, or the KL term with the wrong sign."""

    def loss(
        log_pi: Tensor, log_old: Tensor, log_ref: Tensor, A: Tensor, written: Tensor, epsilon: float, beta: float
    ) -> Tensor:
        each = _gain(log_pi, log_old, A, epsilon, kind) - sign * beta * kl(log_pi, log_ref)
        return -_average(each, written)

    return loss


def _averaged(average: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """GRPO's loss with another average."""

    def loss(
        log_pi: Tensor, log_old: Tensor, log_ref: Tensor, A: Tensor, written: Tensor, epsilon: float, beta: float
    ) -> Tensor:
        return -average(_gain(log_pi, log_old, A, epsilon) - beta * _kl(log_pi, log_ref), written)

    return loss


FULL = Exercise(
    name="full_loss",
    objective="write GRPO's loss in full",
    starter='''def full_loss(log_pi, log_old, log_ref, A, written, epsilon, beta):
    """log pi now, when written, of pi_ref (n, tokens); A (n,); 1.0 where written (n, tokens) -> the loss, a number."""
    ...


answer = full_loss''',
    solution='''def full_loss(log_pi, log_old, log_ref, A, written, epsilon, beta):
    """log pi now, when written, of pi_ref (n, tokens); A (n,); 1.0 where written (n, tokens) -> the loss, a number."""
    ratio = (log_pi - log_old).exp()
    gain = torch.minimum(ratio * A[:, None], ratio.clamp(1 - epsilon, 1 + epsilon) * A[:, None])
    kl = (log_ref - log_pi).exp() - 1 - (log_ref - log_pi)
    each = ((gain - beta * kl) * written).sum(1) / written.sum(1)
    return -each.mean()


answer = full_loss''',
    hints=(
        "Write the bracket of the formula for every token at once, (n, tokens), and then the two averages.",
        "A[:, None] is (n, 1): one advantage for all tokens of an answer. The estimate of the KL divergence is "
        "x - 1 - log x of x = pi_ref / pi.",
        "Multiply the bracket by written, add up over the tokens, divide by written.sum(1), and take minus the mean.",
    ),
    why="These five lines are what a reasoning model was trained with. All that has been proposed since changes one "
    "of them at a time.",
    judge=judge_function(
        _loss(),
        [
            Case("four answers of up to five tokens", _batch([5, 2, 4, 1], 5, 1)),
            Case("three answers of up to nine tokens", _batch([3, 9, 4], 9, 2)),
            Case("as many answers as tokens", _batch([4, 1, 3, 2], 4, 3)),
            Case("a single answer", _batch([3], 6, 5)),
            Case("answers of the same length", _batch([3, 3, 3], 3, 6)),
            Case("without a KL term", _batch([2, 5, 3], 5, 4)),
            Case("ratios far from 1", _batch([6, 2, 4, 5], 6, 7, 1.5)),
            Case("before the first step, when every ratio is 1", _batch([2, 4], 4, 9, 0.0)),
        ],
        [
            Mistake(
                "the minus is missing. An optimizer makes the loss smaller, and the gain is to grow.",
                lambda *a: -_loss()(*a),
            ),
            Mistake(
                "nothing is clipped. Take the smaller of two gains: with the ratio, and with the clipped ratio.",
                _loss("unclipped"),
            ),
            Mistake(
                "the clipped gain counts even where it is the larger one. Take the smaller of the two, for each token: "
                "otherwise a step that made a good token rarer would get no slope back.",
                _loss("clipped"),
            ),
            Mistake("you take the larger of the two gains. It is the smaller one.", _loss("maximum")),
            Mistake(
                "the smaller *ratio* is taken before it meets the advantage. Where A is negative that is the larger "
                "gain: compare the two products.",
                _loss("ratio"),
            ),
            Mistake("the KL term is missing.", _loss(kl=lambda log_pi, log_ref: torch.zeros_like(log_pi))),
            Mistake(
                "the KL term has the wrong sign: going away from the reference would be paid. It is a price.",
                _loss(sign=-1.0),
            ),
            Mistake(
                "the ratio in the KL term is the wrong way round. The estimate is x - 1 - log x of x = pi_ref / pi.",
                _loss(kl=lambda log_pi, log_ref: _kl(log_ref, log_pi)),
            ),
            Mistake(
                "the KL term is the plain log ratio, log pi - log pi_ref. The estimate has two terms more, which make "
                "it positive for every token.",
                _loss(kl=lambda log_pi, log_ref: log_pi - log_ref),
            ),
            Mistake(
                "the logarithm in the KL term has the wrong sign: x - 1 - log x of x = pi_ref / pi.",
                _loss(kl=lambda log_pi, log_ref: (log_ref - log_pi).exp() - 1 + (log_ref - log_pi)),
            ),
            Mistake(
                "the KL term lacks the minus 1, without which it is never 0: x - 1 - log x.",
                _loss(kl=lambda log_pi, log_ref: _kl(log_pi, log_ref) + 1),
            ),
            Mistake(
                "the KL term is that to the policy which wrote the answers. The price is on the way from pi_ref.",
                lambda log_pi, log_old, log_ref, *rest: _loss()(log_pi, log_old, log_old, *rest),
            ),
            Mistake(
                "the KL term enters as a constant: its value is right, and its derivative is lost. No detach there.",
                _loss(kl=lambda log_pi, log_ref: _kl(log_pi.detach(), log_ref)),
            ),
            Mistake(
                "A (n,) meets the tokens, the last axis, as if there were an advantage for each place in an answer. "
                "Each answer has one for all of its tokens: A[:, None].",
                lambda log_pi, log_old, log_ref, A, written, epsilon, beta: (
                    -_average(_gain(log_pi.T, log_old.T, A, epsilon).T - beta * _kl(log_pi, log_ref), written)
                ),
            ),
            Mistake(
                "the KL term counts tokens that were never written. Multiply it by written, too.",
                lambda log_pi, log_old, log_ref, A, written, epsilon, beta: (
                    _loss()(log_pi, log_old, log_ref, A, written, epsilon, 0.0)
                    + beta * (_kl(log_pi, log_ref).sum(1) / written.sum(1)).mean()
                ),
            ),
            Mistake(
                "beta multiplies the gain, too. It is the weight of the KL term alone.",
                lambda *a: a[-1] * _loss()(*a[:-1], 1.0),
            ),
            Mistake(
                "the ratio is that to pi_ref. It belongs to the policy which wrote the answers: log_old.",
                lambda log_pi, log_old, log_ref, *rest: _loss()(log_pi, log_ref, log_ref, *rest),
            ),
            Mistake(
                "the ratio is the wrong way round: pi stands above the policy which wrote the answers.",
                lambda log_pi, log_old, log_ref, A, written, epsilon, beta: (
                    -_average(_gain(log_old, log_pi, A, epsilon) - beta * _kl(log_pi, log_ref), written)
                ),
            ),
            Mistake("the exponential is missing: this is the logarithm of the ratio.", _loss("logarithm")),
            Mistake(
                "epsilon is the argument of that name. You took 0.2, whatever it is.",
                lambda *a: _loss()(*a[:-2], 0.2, a[-1]),
            ),
            Mistake(
                "there is one ratio for a whole answer, as in GSPO. In this formula each token has its own.",
                lambda log_pi, log_old, log_ref, A, written, epsilon, beta: _loss()(
                    (((log_pi - log_old) * written).sum(1) / written.sum(1))[:, None].expand_as(log_pi),
                    torch.zeros_like(log_pi),
                    (((log_pi - log_old) * written).sum(1) / written.sum(1))[:, None] + log_ref - log_pi,
                    *(A, written, epsilon, beta),
                ),
            ),
            Mistake(
                "tokens count alike here, whatever answer they are in. GRPO takes the mean within each answer first.",
                _averaged(lambda each, written: (each * written).sum() / written.sum()),
            ),
            Mistake(
                "an answer is not divided by its length. GRPO's formula has 1 / |o|.",
                _averaged(lambda each, written: (each * written).sum(1).mean()),
            ),
            Mistake(
                "you divide by how wide the table is. An answer has as many tokens as were written.",
                _averaged(lambda each, written: (each * written).mean()),
            ),
            Mistake(
                "tokens count that were never written. Multiply by written.",
                _averaged(lambda each, written: each.mean()),
            ),
            Mistake(
                "the answers are added up. Take their mean.",
                _averaged(lambda each, written: ((each * written).sum(1) / written.sum(1)).sum()),
            ),
            Mistake(
                "each answer still has a loss of its own. Take the mean over answers.",
                _averaged(lambda each, written: (each * written).sum(1) / written.sum(1)),
            ),
        ],
        gradients=(0,),
    ),
)

SILENT = Exercise(
    name="silent",
    objective="name what each of its successors changes",
    starter="""# a prompt is solved with probability 0.9; a group has 8 answers.
# which share of the groups is all right or all wrong, and dropped by DAPO?
answer = ...""",
    solution="""answer = 0.9**8 + 0.1**8""",
    hints=(
        "Two cases that exclude each other: all eight are right, or all eight are wrong.",
        "Independent answers: the probabilities are multiplied.",
        "0.9 ** 8 + 0.1 ** 8.",
    ),
    why="Nearly half of the answers to such a prompt teach nothing, and the share grows as the model gets better. To "
    "fill a batch with mixed groups, nearly twice as many answers have to be written.",
    judge=NumberJudge(
        0.9**8 + 0.1**8,
        {
            1 - 0.9**8 - 0.1**8: "that is the share of *mixed* groups, which are kept.",
            0.9: "that is how often a single answer is right. All eight have to agree.",
            0.1: "that is how often a single answer is wrong. All eight have to agree.",
            0.9**7 + 0.1**7: "that is a group of 7. (Did you leave the first one out?)",
            0.9**7: "that is seven right ones. There are eight.",
            0.1**8: "that is: all eight wrong. All eight right is the other case, and much more frequent.",
            8 * 0.9 * 0.1: "that is the variance of the number of right answers.",
            0.5**8 * 2: "that is for a prompt that is solved half of the time.",
            1 / (1 - 0.9**8 - 0.1**8): "that is how many groups are drawn for each mixed one. The share of those that "
            "are dropped is asked for.",
            0.9**8 * 0.1**8: "the two cases exclude each other: add their probabilities.",
            8 * 0.9**7 * 0.1: "that is exactly one wrong answer of eight: a mixed group.",
            2 * 0.9**8: "all wrong is not as likely as all right. A single answer is wrong with probability 0.1.",
            0.8: "did you add 0.1 eight times? Probabilities of answers that must all agree are multiplied.",
            7.2: "that is the mean number of right answers.",
        },
        tolerance=0.02,
        otherwise="this is not it. All eight answers are right with probability 0.9 ** 8; what is the other case?",
    ),
)

WHICH = Exercise(
    name="which_change",
    objective="say which of them to expect something from",
    starter="""# of your model's groups, 90 % are all wrong. Answers differ little in length.
# every batch is used for one gradient step. Which single change alters the most?
# "token-level average", "clip higher", "mixed groups only", "answer ratios"
answer = ...""",
    solution="""answer = "mixed groups only\"""",
    hints=(
        "What does a change do that concerns the ratios, where each batch is used once?",
        "With one step every ratio is 1: nothing is clipped, and an answer's ratio is 1, too. Two changes are left.",
        "Averages over tokens differ from averages over answers only where lengths differ.",
    ),
    why="The other batches have one group in ten that pushes at all. Before you take a change from a paper, look "
    "whether your runs have what it repairs: many silent groups, clipped tokens, or very different lengths.",
    judge=ChoiceJudge(
        "mixed groups only",
        {
            "token-level average": "answers of nearly the same length have nearly the same weights in both averages.",
            "clip higher": "with one step for each batch every ratio is 1, so nothing is clipped.",
            "answer ratios": "with one step for each batch every ratio is 1, of tokens and of answers.",
            "GSPO": "that is the method with answer ratios, and with one step for each batch every ratio is 1.",
            "DAPO": "that is several changes at once. Which one of them?",
            "Dr. GRPO": "that removes two divisions; it is not on the list.",
        },
    ),
)

EXERCISES = (FULL, SILENT, WHICH)
