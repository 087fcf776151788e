"""Exercises of notebook 15."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function

DIVIDING = "show what dividing by a standard deviation or by a length does to hard prompts and long answers"
_ROUGH = "here w(p) is not level, but that is so for a smaller group already. Compare the titles at p = 0.05 and 0.50."

LEVEL = Exercise(
    name="level",
    objective=DIVIDING,
    starter="""# move group_size up from 2, and read w in the title for several p.
# what is the smallest group size for which w depends on p?
answer = ...""",
    solution="""answer = 4""",
    hints=(
        "Set group_size to 2 and move p from one end to the other. What does the title say?",
        "Then the same with 3, and with 4. The line alone is too coarse; read two digits in the title.",
        "With groups of 3 it is 1.41 for every p.",
    ),
    why="In a group of two or three, the rewards are either all equal and give nothing, or they have one certain "
    "standard deviation: the division only makes every step longer by one factor. From four on, a group that is split "
    "in halves is divided by more than one with a single right or wrong answer, and the prompts' shares begin to move.",
    judge=NumberJudge(
        4.0,
        {
            2.0: "with groups of 2 w is 1.00 for every p, so the division does nothing at all there: to a right and a "
            "wrong answer RLOO gives 1 and -1, and GRPO does too.",
            3.0: "with groups of 3 w is 1.41 for every p. Steps are longer than without the division, but all by "
            "one factor.",
            1.0: "a group of one has nothing to be compared with: its advantage is 0.",
            0.0: "there is such a group. Read w in the title for p = 0.05 and 0.50, then choose the next group size.",
            5.0: _ROUGH,
            6.0: _ROUGH,
            7.0: _ROUGH,
            8.0: "that is where the slider stands at first. For smaller groups w depends on p, too: compare the titles "
            "at p = 0.05 and 0.50.",
            16.0: _ROUGH,
            64.0: "that is the largest group, where w depends on p most. The smallest where it depends on p at all is "
            "asked for.",
            math.sqrt(2): "that is w for groups of 3. The size of a group is asked for.",
            1.616: "that is w for groups of 4 and p = 0.5. The size of a group is asked for.",
            math.sqrt(3): "that is w for groups of 4 and a very small p. The size of a group is asked for.",
            0.5: "that is a p. The size of a group is asked for.",
        },
        tolerance=1e-3,
        otherwise="this is not it. Set the group size to 2, read w at p = 0.05 and p = 0.50, and go on to the next.",
    ),
)


def _tokens(lengths: list[int], width: int, seed: int, advantages: list[float] | None = None) -> tuple[Tensor, ...]:
    """What a loss gets: log pi of each token, advantages, and which tokens were written."""
    generator, n = torch.Generator().manual_seed(seed), len(lengths)
    log_probs = torch.randn(n, width, 10, generator=generator).log_softmax(-1)[..., 0]
    rewards = torch.randn(n, generator=generator)
    given = rewards - rewards.mean() + 0.3 if advantages is None else torch.tensor(advantages)
    return log_probs, given, (torch.arange(width) < torch.tensor(lengths)[:, None]).float()


def _sums(log_probs: Tensor, advantages: Tensor, written: Tensor) -> Tensor:
    """A log pi of each answer, (n,)."""
    return (log_probs * written).sum(1) * advantages


LOSS = Exercise(
    name="loss",
    objective=DIVIDING,
    starter='''def answer_loss(log_probs, advantages, written):
    """log pi of tokens (n, tokens), advantages (n,), 1 where written (n, tokens) -> the loss, a number."""
    each = -(log_probs * advantages * written).sum(1)
    return (each / written.sum(1)).mean()


answer = ...  # fix the function above; then write answer_loss here''',
    solution='''def answer_loss(log_probs, advantages, written):
    """log pi of tokens (n, tokens), advantages (n,), 1 where written (n, tokens) -> the loss, a number."""
    each = -(log_probs * advantages[:, None] * written).sum(1)
    return each.mean()


answer = answer_loss''',
    hints=(
        "One bug is the idea of this section. For the other, call the function with 3 answers of up to 5 tokens.",
        "(n, tokens) * (n,) lines up the last axes: as if there were an advantage for each place in an answer. It must "
        "be one for each answer.",
        "advantages[:, None] is (n, 1). And the policy gradient has a sum over an answer's tokens, and a mean over "
        "answers.",
    ),
    why="Each token now weighs the same, in a long answer as in a short one, and a long wrong answer is punished for "
    "all of its tokens. The other bug is the worse one: with as many answers as tokens it raises no error, and gives "
    "each advantage to a place instead of an answer.",
    judge=judge_function(
        lambda log_probs, advantages, written: -_sums(log_probs, advantages, written).mean(),
        [
            Case("four answers of up to four tokens", _tokens([4, 1, 3, 2], 4, 0)),
            Case("three answers of up to five tokens", _tokens([5, 2, 4], 5, 1)),
            Case("five answers of up to two tokens", _tokens([1, 2, 2, 1, 2], 2, 2)),
            Case("a single answer", _tokens([3], 4, 3)),
            Case("answers of one token", _tokens([1, 1, 1], 1, 4)),
            Case("answers of the same length", _tokens([3, 3, 3, 3], 3, 5)),
            Case("a short right and a long wrong answer", _tokens([2, 9], 9, 6, [0.5, -0.5])),
            Case("a group without a signal", _tokens([2, 6, 4], 6, 7, [0.0, 0.0, 0.0])),
            Case("answers that leave most places empty", _tokens([2, 1, 3], 12, 8)),
        ],
        [
            Mistake(
                "this is the function as it was. It divides each answer by its length, and an advantage (n,) meets "
                "the tokens as if there were one for each place.",
                lambda log_probs, advantages, written: (
                    -((log_probs * advantages * written).sum(1) / written.sum(1)).mean()
                ),
            ),
            Mistake(
                "one is fixed. An advantage (n,) still meets the tokens, the last axis, as if there were one for each "
                "place in an answer.",
                lambda log_probs, advantages, written: -(log_probs * advantages * written).sum(1).mean(),
            ),
            Mistake(
                "one is fixed. Each answer is still divided by its length, so a long wrong answer is punished less "
                "for each of its tokens.",
                lambda log_probs, advantages, written: -(_sums(log_probs, advantages, written) / written.sum(1)).mean(),
            ),
            Mistake(
                "you divide by the number of all tokens in the batch. Within it all tokens weigh the same then, but a "
                "batch of long answers still takes smaller steps. Take the mean over answers.",
                lambda log_probs, advantages, written: -_sums(log_probs, advantages, written).sum() / written.sum(),
            ),
            Mistake(
                "you divide by the length of the longest answer, so one long answer makes the steps of all shorter. "
                "Take the sum over the tokens, and the mean over answers only.",
                lambda log_probs, advantages, written: (
                    -_sums(log_probs, advantages, written).mean() / written.sum(1).max()
                ),
            ),
            Mistake(
                "a mean is taken over all places, so the loss depends on how wide the table is. Take the sum over the "
                "tokens, and the mean over answers only.",
                lambda log_probs, advantages, written: -(log_probs * advantages[:, None] * written).mean(),
            ),
            Mistake(
                "you multiply by the length. An answer's sum is long enough by itself: leave the length out.",
                lambda log_probs, advantages, written: -(_sums(log_probs, advantages, written) * written.sum(1)).mean(),
            ),
            Mistake(
                "the answers are added up. The mean over them is asked for.",
                lambda log_probs, advantages, written: -_sums(log_probs, advantages, written).sum(),
            ),
            Mistake(
                "places where nothing was written count, too. Multiply by `written`.",
                lambda log_probs, advantages, written: -(log_probs.sum(1) * advantages).mean(),
            ),
            Mistake(
                "the sign is wrong: descending this loss makes good answers rarer.",
                lambda log_probs, advantages, written: _sums(log_probs, advantages, written).mean(),
            ),
            Mistake(
                "each answer still has a loss of its own. Take their mean.",
                lambda log_probs, advantages, written: -_sums(log_probs, advantages, written),
            ),
            Mistake(
                "these are probabilities. The gradient needs their logarithms, as they are given.",
                lambda log_probs, advantages, written: -_sums(log_probs.exp(), advantages, written).mean(),
            ),
            Mistake(
                "two means are multiplied. Each answer's log pi meets its own advantage first.",
                lambda log_probs, advantages, written: -(log_probs * written).sum(1).mean() * advantages.mean(),
            ),
            Mistake(
                "only the last token of each answer counts. All of its tokens have earned its advantage.",
                lambda log_probs, advantages, written: (
                    -(log_probs.gather(1, written.sum(1).long()[:, None] - 1)[:, 0] * advantages).mean()
                ),
            ),
            Mistake(
                "without its sign an advantage makes wrong answers likelier, too. Leave abs out.",
                lambda log_probs, advantages, written: -_sums(log_probs, advantages.abs(), written).mean(),
            ),
            Mistake(
                "the advantages are divided by their standard deviation once more. Take them as they are given.",
                lambda log_probs, advantages, written: (
                    -_sums(log_probs, advantages / (advantages.std(correction=0) + 1e-8), written).mean()
                ),
            ),
            Mistake(
                "the sum runs over the answers and the mean over the places. It is the other way round: axis 1 holds "
                "the tokens.",
                lambda log_probs, advantages, written: -(log_probs * advantages[:, None] * written).sum(0).mean(),
            ),
            Mistake(
                "the advantages are missing.",
                lambda log_probs, advantages, written: -(log_probs * written).sum(1).mean(),
            ),
            Mistake(
                "the mean of the advantages is subtracted once more. Take them as they are given.",
                lambda log_probs, advantages, written: (
                    -_sums(log_probs, advantages - advantages.mean(), written).mean()
                ),
            ),
            Mistake(
                "the advantages are normalized once more, and a single answer makes that NaN. Take them as they are "
                "given.",
                lambda log_probs, advantages, written: (
                    -_sums(log_probs, (advantages - advantages.mean()) / (advantages.std() + 1e-8), written).mean()
                ),
            ),
            Mistake(
                "the advantages are normalized once more. Take them as they are given.",
                lambda log_probs, advantages, written: (
                    -_sums(
                        log_probs, (advantages - advantages.mean()) / (advantages.std(correction=0) + 1e-8), written
                    ).mean()
                ),
            ),
            Mistake(
                "every answer meets every advantage, as in a product of two means. Each log pi meets its own "
                "advantage first.",
                lambda log_probs, advantages, written: (
                    -((log_probs * written).sum(1, keepdim=True) * advantages).mean()
                ),
            ),
            Mistake(
                "the advantages are divided by their standard deviation. Take them as they are given.",
                lambda log_probs, advantages, written: -_sums(log_probs, advantages / advantages.std(), written).mean(),
                lambda log_probs, advantages, written: (
                    -_sums(log_probs, advantages / (advantages.std() + 1e-8), written).mean()
                ),
            ),
        ],
        gradients=(0,),
    ),
)

PRICE = Exercise(
    name="price",
    objective="catch an agent that games its reward and hold it with a KL penalty",
    starter="""# the reference: the right answer with probability 0.6, 9 9 9 with 0.1, falling digits with 0.3.
# the cheap reward pays 1, 1 and 0; the price is beta = 0.5. What share of right answers has the best policy?
answer = ...""",
    solution="""weights = np.array([0.6, 0.1, 0.3]) * np.exp(np.array([1, 1, 0]) / 0.5)
answer = weights[0] / weights.sum()""",
    hints=(
        "The formula for the best policy stands above. What does it make of each of the three, before it is divided by "
        "the sum?",
        "The reference times exp(R / beta): 0.6 * exp(2), 0.1 * exp(2), and 0.3 * exp(0), which is 0.3.",
        "Divide the first by the sum of the three.",
    ),
    why="Paid is 0.95 of the answers, and 0.81 are right, more than before: the two that pay the same keep their ratio "
    "of 6 to 1. Without a price, 9 9 9 alone would do as well, at a reward of 1.00. Only a measurement that is "
    "not trained on, like this one, can tell the two apart.",
    judge=NumberJudge(
        0.6 * math.exp(2) / (0.7 * math.exp(2) + 0.3),
        {
            0.7: "that is the share of both answers in order under the reference. The reward makes them likelier, "
            "and the right ones alone are asked for.",
            0.6
            * math.exp(2)
            / (0.6 * math.exp(2) + 0.4): "9 9 9 is paid as well. Multiply its share by exp(R / beta), too.",
            0.6 * 2 / (0.7 * 2 + 0.3): "the reference is multiplied by R / beta. It is multiplied by its exponential.",
            0.6 * math.exp(2) / (0.7 * math.exp(2) + 0.3 * math.exp(-2)): "falling digits pay 0, not -1: exp(0) is 1.",
            0.6: "that is the reference itself. The reward makes both answers in order likelier.",
            6 / 7: "falling digits have vanished here. With a reward of 0, exp(0 / beta) is 1, not 0: they keep their "
            "0.3 before all is divided by the sum. (They vanish as beta goes to zero.)",
            0.5: "that would be so if only the reward counted and both were equally likely. With a price on the KL, "
            "the reference breaks the tie.",
            0.7 * math.exp(2) / (0.7 * math.exp(2) + 0.3): "that is what is paid, the share of both answers in order. "
            "What is wanted are the right ones.",
            0.1 * math.exp(2) / (0.7 * math.exp(2) + 0.3): "that is the share of 9 9 9.",
            0.3 / (0.7 * math.exp(2) + 0.3): "that is the share of falling digits.",
            0.6 * math.exp(0.5) / (0.7 * math.exp(0.5) + 0.3): "you multiplied the reward by beta. It is divided by "
            "it: a low price gives the reward more weight.",
            0.6 * math.exp(1) / (0.7 * math.exp(1) + 0.3): "beta is missing: exp(R / beta), and beta is 0.5.",
            0.6 * math.exp(-2) / (0.7 * math.exp(-2) + 0.3): "the sign is wrong: what is paid becomes likelier.",
            math.exp(2) / (2 * math.exp(2) + 1): "the reference is missing: each exp(R / beta) is multiplied by it.",
            0.6 * math.exp(2): "that is 0.6 exp(R / beta). Divide by the sum over all three answers.",
            0.6 * 2**2 / (0.7 * 2**2 + 0.3): "you took 2 to the power of R / beta. It is e.",
            0.36 * math.exp(2) / (0.37 * math.exp(2) + 0.09): "the reference is raised to the power of 1 / beta, too. "
            "Only the reward is divided by beta.",
            2.6 / 5.0: "you added R / beta to the reference. Its exponential is multiplied.",
            math.exp(2.6) / (math.exp(2.6) + math.exp(2.1) + math.exp(0.3)): "the reference stands in the exponent "
            "as it is. In there it would have to be its logarithm.",
            1.0: "9 9 9 pays just as much, and the reference writes it at times: it keeps its part.",
            0.0: "that is the worst that could happen *without* a price.",
        },
        otherwise="this is not it. Multiply each probability of the reference by exp(R / 0.5), and divide by the sum.",
    ),
)

EXERCISES = (LEVEL, LOSS, PRICE)
