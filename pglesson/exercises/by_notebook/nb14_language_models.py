"""Exercises of notebook 13."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, judge_function, judge_number

DIVIDING = "show what dividing by a standard deviation or by a length does to hard prompts and long answers"


def _draw(n: int, length: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(10, (n, length), generator=generator), torch.randint(10, (n, length), generator=generator)


def _states(prompts: Tensor, answers: Tensor, ahead: int = 0, equals: int = 10, empty: int = 11) -> Tensor:
    """ahead: how many tokens more than there are at that time are seen."""
    n, length = prompts.shape
    rows = torch.full((n, length, 2 * length), empty)
    rows[:, :, :length], rows[:, :, length] = prompts[:, None], equals
    for t in range(length):
        seen = max(0, min(t + ahead, length - 1))
        rows[:, t, length + 1 : length + 1 + seen] = answers[:, :seen]
    return rows


def _rearranged(prompts: Tensor, answers: Tensor, kind: str) -> Tensor:
    """States in which the written tokens stand otherwise: only the "newest" one, or "backward" or at the "end"."""
    rows, length = _states(prompts, answers), prompts.shape[1]
    for t in range(1, length):
        rows[:, t, length + 1 :] = 11
        if kind == "newest":
            rows[:, t, length + t] = answers[:, t - 1]
        elif kind == "backward":
            rows[:, t, length + 1 : length + 1 + t] = answers[:, :t].flip(1)
        else:
            rows[:, t, 2 * length - t :] = answers[:, :t]
    return rows


def _without_equals(prompts: Tensor, answers: Tensor) -> Tensor:
    n, length = prompts.shape
    rows = torch.full((n, length, 2 * length), 11)
    rows[:, :, :length] = prompts[:, None]
    for t in range(length):
        rows[:, t, length : length + t] = answers[:, :t]
    return rows


def _wider(rows: Tensor) -> Tensor:
    return torch.cat([rows, torch.full_like(rows[..., :1], 11)], -1)


def _with_end(prompts: Tensor, answers: Tensor) -> Tensor:
    end = torch.cat([prompts, torch.full_like(prompts[:, :1], 10), answers], 1)
    return torch.cat([_wider(_states(prompts, answers)), end[:, None]], 1)


STATES = Exercise(
    name="states",
    objective="map prompt, token, completion and reward to state, action, episode and return",
    starter='''def states(prompts, answers):
    """Prompts and answers, both (n, length) -> the states of these episodes, (n, length, 2 * length)."""
    ...


answer = states''',
    solution='''def states(prompts, answers):
    """Prompts and answers, both (n, length) -> the states of these episodes, (n, length, 2 * length)."""
    n, length = prompts.shape
    rows = torch.full((n, length, 2 * length), 11)  # not written yet
    rows[:, :, :length], rows[:, :, length] = prompts[:, None], 10  # the equals sign
    for t in range(1, length):
        rows[:, t, length + 1 : length + 1 + t] = answers[:, :t]
    return rows


answer = states''',
    hints=(
        "What has been written when the first token is chosen, and what when the last one is?",
        "All states of an episode begin with its prompt and the equals sign. Fill everything with 11 first, and then "
        "put in what is known.",
        "State t holds the first t tokens of the answer, in the places from length + 1 on: answers[:, :t].",
    ),
    why="So a text that somebody has written becomes a batch of states and actions, and every method of this lesson "
    "can work on it. The last token stands in no state: it is only ever an action, and after it the episode is over.",
    judge=judge_function(
        _states,
        [
            Case("four answers of three tokens", _draw(4, 3, 0)),
            Case("a single answer", _draw(1, 4, 1)),
            Case("answers of two tokens", _draw(3, 2, 2)),
            Case("as many answers as tokens", _draw(3, 3, 3)),
            Case("answers of six tokens", _draw(2, 6, 4)),
            Case("the prompt 7 2 5 with the answer 2 5 7", (torch.tensor([[7, 2, 5]]), torch.tensor([[2, 5, 7]]))),
            Case("a wrong answer, 0 0 0", (torch.tensor([[7, 2, 5]]), torch.tensor([[0, 0, 0]]))),
        ],
        [
            Mistake(
                "each state holds the token that is chosen in it. It is not written yet: it is the action. State t "
                "holds the first t tokens.",
                lambda prompts, answers: _states(prompts, answers, ahead=1),
            ),
            Mistake(
                "each state lacks the token that was written last. State t holds the first t tokens.",
                lambda prompts, answers: _states(prompts, answers, ahead=-1),
            ),
            Mistake(
                "each state shows the answer from its beginning to its end. An agent cannot see what it has yet to "
                "write: put 11 there.",
                lambda prompts, answers: _states(prompts, answers, ahead=100),
            ),
            Mistake(
                "nothing is ever written here: all are the first state. State t holds the first t tokens.",
                lambda prompts, answers: _states(prompts, answers, ahead=-100),
            ),
            Mistake(
                "where nothing is written you have 0, which is a digit like any other. Put 11 there.",
                lambda prompts, answers: _states(prompts, answers, empty=0),
            ),
            Mistake(
                "10 and 11 are exchanged. 10 is the equals sign.",
                lambda prompts, answers: _states(prompts, answers, equals=11, empty=10),
            ),
            Mistake(
                "where nothing is written you have the equals sign. Put 11 there.",
                lambda prompts, answers: _states(prompts, answers, empty=10),
            ),
            Mistake(
                "the equals sign is missing. It stands between the prompt and the answer, in every state.",
                _without_equals,
            ),
            Mistake(
                "only the newest token is there. A state is the prompt and everything that is written so far: without "
                "it, the process would not be Markov.",
                lambda prompts, answers: _rearranged(prompts, answers, "newest"),
            ),
            Mistake(
                "what is written stands in reversed order. The first token comes first.",
                lambda prompts, answers: _rearranged(prompts, answers, "backward"),
            ),
            Mistake(
                "what is written stands at the end of the row. It begins directly after the equals sign.",
                lambda prompts, answers: _rearranged(prompts, answers, "end"),
            ),
            Mistake(
                "this is what a perfect agent would have written. Take the answers that are given, right or wrong.",
                lambda prompts, answers: _states(prompts, prompts.sort(1).values),
            ),
            Mistake("prompts and answers are exchanged.", lambda prompts, answers: _states(answers, prompts)),
            Mistake(
                "the first two axes are exchanged: (n, length, 2 * length) is asked for, so the answers come first.",
                lambda prompts, answers: _states(prompts, answers).transpose(0, 1),
            ),
            Mistake(
                "there is a row too many: that of the whole answer. There the episode is over, and no action is taken.",
                _with_end,
            ),
            Mistake(
                "there is a row too many: that of the whole answer. There the episode is over, and no action is taken.",
                lambda prompts, answers: _with_end(prompts, answers)[..., :-1],
            ),
            Mistake(
                "the rows are one place too long. The last token stands in no state, so 2 * length places are enough.",
                lambda prompts, answers: _wider(_states(prompts, answers)),
            ),
            Mistake(
                "all states are in one list. Keep those of each answer together: (n, length, 2 * length).",
                lambda prompts, answers: _states(prompts, answers).flatten(0, 1),
            ),
        ],
    ),
)


def _pass(n: int, length: int, seed: int, far: float = 1.0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = far * torch.randn(n, 2 * length, 10, generator=generator)
    return logits, torch.randint(10, (n, length), generator=generator)


def _taken(values: Tensor, tokens: Tensor) -> Tensor:
    """The entries of the tokens that were chosen: (n, length)."""
    return values.gather(-1, tokens[..., None])[..., 0]


def _at(logits: Tensor, answers: Tensor, shift: int = 0) -> Tensor:
    """log pi of each token, (n, length), read `shift` positions too late."""
    length = answers.shape[1]
    places = logits[:, length + shift : 2 * length + shift]
    return _taken(places.log_softmax(-1), answers[:, : places.shape[1]])


def _states_logits(logits: Tensor) -> Tensor:
    return logits[:, logits.shape[1] // 2 :]


ROUNDED = "a probability was rounded to zero before its logarithm was taken. Use log_softmax."

LOG_PROB = Exercise(
    name="log_prob",
    objective="train a small transformer to sort by reward alone",
    starter='''def log_prob(logits, answers):
    """Logits everywhere (n, 2 * length, 10), answers (n, length) -> log pi of each whole answer, (n,)."""
    ...


answer = log_prob''',
    solution='''def log_prob(logits, answers):
    """Logits everywhere (n, 2 * length, 10), answers (n, length) -> log pi of each whole answer, (n,)."""
    length = answers.shape[1]
    of_states = logits[:, length:].log_softmax(-1)  # from the equals sign on: what follows it is the first token
    return of_states.gather(-1, answers.unsqueeze(-1)).squeeze(-1).sum(-1)


answer = log_prob''',
    hints=(
        "The logits at a position say what comes after it. After which position comes the first token of the answer?",
        "After the equals sign, which stands in position `length`. The last token but one stands in position "
        "2 * length - 1, and its logits belong to the last token: so logits[:, length:] are those of all states.",
        "log_softmax over the last axis, gather the tokens that were written, and add up those of each answer.",
    ),
    why="Times an advantage, and with a minus, this is the loss that a sorter learns from: nothing else of the "
    "transformer is needed. To be one position off is the most frequent bug in this trade, and it raises no error.",
    judge=judge_function(
        lambda logits, answers: _at(logits, answers).sum(-1),
        [
            Case("four answers of three tokens", _pass(4, 3, 0)),
            Case("a single answer", _pass(1, 4, 1)),
            Case("answers of two tokens", _pass(5, 2, 2)),
            Case("as many answers as tokens", _pass(3, 3, 3)),
            Case("ten answers of five tokens", _pass(10, 5, 4)),
            Case("an agent that knows nothing", (torch.zeros(2, 6, 10), _pass(2, 3, 5)[1])),
            Case("logits that lie hundreds apart", _pass(3, 3, 6, far=300.0)),
        ],
        [
            Mistake(
                "you read the logits one position too early. Those at the equals sign belong to the first token: a "
                "position says what comes after it.",
                lambda logits, answers: _at(logits, answers, -1).sum(-1),
            ),
            Mistake(
                "you read the logits at the place of the token itself, where it can already be seen. They stand one "
                "position earlier: a position says what comes after it.",
                lambda logits, answers: _at(logits, answers, 1).sum(-1),
            ),
            Mistake(
                "you read the logits at the prompt's positions. The answer's begin with the equals sign.",
                lambda logits, answers: _taken(logits[:, : answers.shape[1]].log_softmax(-1), answers).sum(-1),
            ),
            Mistake(
                "all tokens are asked at one position, the last. Each token has a state of its own.",
                lambda logits, answers: logits[:, -1].log_softmax(-1).gather(-1, answers).sum(-1),
            ),
            Mistake(
                "all tokens are asked at one position, the equals sign. Each token has a state of its own.",
                lambda logits, answers: logits[:, answers.shape[1]].log_softmax(-1).gather(-1, answers).sum(-1),
            ),
            Mistake(
                "a token is missing, the last one of each answer. Its logits are those of the last position.",
                lambda logits, answers: _at(logits, answers)[:, :-1].sum(-1),
            ),
            Mistake(
                "a mean is taken over the tokens, which divides by the length. The sum is the answer's log pi.",
                lambda logits, answers: _at(logits, answers).mean(-1),
            ),
            Mistake(
                "each token still has a number of its own. Add up those of each answer.",
                lambda logits, answers: _at(logits, answers),
            ),
            Mistake(
                "the sum runs over the answers. Each answer has a log pi of its own: add up along its tokens.",
                lambda logits, answers: _at(logits, answers).sum(0),
            ),
            Mistake(
                "everything is added up. Each answer has a log pi of its own.",
                lambda logits, answers: _at(logits, answers).sum(),
            ),
            Mistake(
                "the logits are added as they are. Turn them into log-probabilities first.",
                lambda logits, answers: _taken(_states_logits(logits), answers).sum(-1),
            ),
            Mistake(
                "probabilities are added. Those of the tokens multiply; their logarithms are what you add.",
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).sum(-1),
            ),
            Mistake(
                "the logarithm is taken of a sum of probabilities. Those of the tokens multiply.",
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).sum(-1).log(),
            ),
            Mistake(
                "this is the probability of the answer. Its logarithm is asked for.",
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).prod(-1),
            ),
            Mistake(
                ROUNDED, lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).prod(-1).log()
            ),
            Mistake(ROUNDED, lambda logits, answers: _taken(_states_logits(logits).softmax(-1).log(), answers).sum(-1)),
            Mistake(ROUNDED, lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).log().sum(-1)),
            Mistake(
                "the softmax runs over the positions. At each of them it runs over the ten digits, the last axis.",
                lambda logits, answers: _taken(_states_logits(logits).log_softmax(1), answers).sum(-1),
            ),
            Mistake(
                "the softmax runs over the positions. At each of them it runs over the ten digits, the last axis.",
                lambda logits, answers: _taken(_states_logits(logits.log_softmax(1)), answers).sum(-1),
            ),
            Mistake(
                "the softmax runs over the answers. At each position it runs over the ten digits, the last axis.",
                lambda logits, answers: _taken(_states_logits(logits).log_softmax(0), answers).sum(-1),
            ),
            Mistake(
                "the likeliest tokens are taken. Those that were written are given.",
                lambda logits, answers: _states_logits(logits).log_softmax(-1).amax(-1).sum(-1),
            ),
            Mistake(
                "the sign is turned: a log-probability is never above zero. The minus belongs to the loss.",
                lambda logits, answers: -_at(logits, answers).sum(-1),
            ),
        ],
        gradients=(0,),
    ),
)

GROUP = Exercise(
    name="group",
    objective="say when the mean of a group is the better baseline",
    starter="""# the variance of the reward: 0.09 within prompts, 0.02 between prompts.
# what is the size of the smallest group whose mean (of the others) is the better baseline?
answer = ...""",
    solution="""answer = next(n for n in range(2, 100) if 0.09 / (n - 1) < 0.02)""",
    hints=(
        "A group's mean takes away the variance between prompts, and adds a share of that within prompts. Which share?",
        "It is better if 0.09 / (n - 1) is below 0.02. Solve that for n.",
        "n - 1 must be above 4.5, and n is a whole number.",
    ),
    why="The more alike the prompts, the larger a group must be, and the fewer prompts fit into a batch. By rewards "
    "alone, 8 was too small a group for our untrained agent, whose prompts were all alike.",
    judge=judge_number(
        6.0,
        {
            5.0: "that is the number of the *others*: 0.09 / 5 is below 0.02, and 0.09 / 4 is not. The answer that is "
            "judged belongs to the group, too.",
            5.5: "that is where both are equally good. Take the next whole number.",
            4.5: "that is how many *others* make both equally good. Solve for n, and take the next whole number.",
            4.0: "with three others the group adds 0.09 / 3 = 0.03, and takes away 0.02. (Did you round down, or "
            "compare standard deviations? It is variances that add up.)",
            3.0: "with two others the group adds 0.09 / 2 = 0.045, and takes away 0.02 only.",
            2.0: "with a single other answer the group adds all of 0.09, and takes away 0.02 only. (Is your inequality "
            "the right way round?)",
            0.3 / math.sqrt(0.02) + 1: "you compare standard deviations. It is variances that add up.",
            0.02 / 0.09 + 1: "your fraction is the wrong way round: it is 0.09 that the others share.",
            0.02 / 0.09: "your fraction is the wrong way round: it is 0.09 that the others share.",
            7.0: "that is large enough, but not the smallest. It is n - 1 that must be above 4.5.",
            8.0: "that is the group of this notebook. It is large enough, but not the smallest.",
            0.09 / 7: "that is what a group of 8 adds. The smallest group is asked for.",
            1.0: "a group of one has no others, so there is no mean to take.",
        },
        tolerance=1e-3,
        otherwise="this is not it. The group is better if 0.09 / (n - 1) is below 0.02.",
    ),
)

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
    judge=judge_number(
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
            8.0: "that is where the slider stands at first. Smaller groups are tilted, too: compare the titles at "
            "p = 0.05 and 0.50.",
            16.0: _ROUGH,
            64.0: "that is the largest group, where the line is bent most. The smallest that is bent at all is asked "
            "for.",
            math.sqrt(2): "that is w for groups of 3. The size of a group is asked for.",
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
                "the sign is turned: descending this loss makes good answers rarer.",
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
    "of 6 to 1. Without a price nothing speaks against 9 9 9 alone, at a reward of 1.00. Only a measurement that is "
    "not trained on, like this one, can tell the two apart.",
    judge=judge_number(
        0.6 * math.exp(2) / (0.7 * math.exp(2) + 0.3),
        {
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
            "it: a low price lets the reward speak louder.",
            0.6 * math.exp(1) / (0.7 * math.exp(1) + 0.3): "beta is missing: exp(R / beta), and beta is 0.5.",
            0.6 * math.exp(-2) / (0.7 * math.exp(-2) + 0.3): "the sign is turned: what is paid becomes likelier.",
            math.exp(2) / (2 * math.exp(2) + 1): "the reference is missing: each exp(R / beta) is multiplied by it.",
            0.6 * math.exp(2): "that is 0.6 exp(R / beta). Divide by the sum over all three answers.",
            0.6 * 2**2 / (0.7 * 2**2 + 0.3): "you took 2 to the power of R / beta. It is e.",
            2.6 / 5.0: "you added R / beta to the reference. Its exponential is multiplied.",
            math.exp(2.6) / (math.exp(2.6) + math.exp(2.1) + math.exp(0.3)): "the reference stands in the exponent "
            "as it is. In there it would have to be its logarithm.",
            1.0: "9 9 9 pays just as much, and the reference writes it at times: it keeps its part.",
            0.0: "that is the worst that could happen *without* a price.",
        },
        otherwise="this is not it. Multiply each probability of the reference by exp(R / 0.5), and divide by the sum.",
    ),
)

EXERCISES = (STATES, LOG_PROB, GROUP, LEVEL, LOSS, PRICE)
