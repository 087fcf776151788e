"""Exercises of notebook 14."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from pglesson.exercises.framework import Exercise
from pglesson.exercises.judges import Case, Mistake, NumberJudge, judge_function


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
        elif kind == "equals last":
            rows[:, t, length : length + t], rows[:, t, length + t] = answers[:, :t], 10
        else:
            rows[:, t, 2 * length - t :] = answers[:, :t]
    return rows


def _of_three(prompts: Tensor, answers: Tensor) -> Tensor:
    rows = torch.full((len(prompts), 3, prompts.shape[1] + 3), 11)
    rows[:, :, : prompts.shape[1]], rows[:, :, prompts.shape[1]] = prompts[:, None], 10
    for t in range(3):
        seen = answers[:, :t]
        rows[:, t, prompts.shape[1] + 1 : prompts.shape[1] + 1 + seen.shape[1]] = seen
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
                "each state shows the answer from its beginning to its end. What is yet to be written cannot be seen: "
                "put 11 there, and give each state a tensor of its own.",
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
            Mistake(
                "states of different answers stand in one block: reshape keeps the order of the numbers. Stack along "
                "axis 1, or move the axes.",
                lambda prompts, answers: _states(prompts, answers).transpose(0, 1).reshape(*prompts.shape, -1),
            ),
            Mistake(
                "every answer has the first prompt before it. Each has its own.",
                lambda prompts, answers: _states(prompts[:1].expand_as(prompts), answers),
            ),
            Mistake(
                "the equals sign moves with the answer. It stands directly after the prompt, and what is written "
                "comes after it.",
                lambda prompts, answers: _rearranged(prompts, answers, "equals last"),
            ),
            Mistake(
                "every answer's states hold the tokens of the last answer. Fill the row of each answer alone.",
                lambda prompts, answers: _states(prompts, answers[-1:].expand_as(answers)),
            ),
            Mistake(
                "the length is fixed to 3. Take it from the prompts: prompts.shape[1].",
                _of_three,
                lambda prompts, answers: _states(prompts.view(len(prompts), 3), answers),
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
    "transformer is needed. To be one position off is a frequent bug, and it raises no error.",
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
                "all tokens are looked up at one position, the last. Each token has a state of its own.",
                lambda logits, answers: logits[:, -1].log_softmax(-1).gather(-1, answers).sum(-1),
            ),
            Mistake(
                "all tokens are looked up at one position, the equals sign. Each token has a state of its own.",
                lambda logits, answers: logits[:, answers.shape[1]].log_softmax(-1).gather(-1, answers).sum(-1),
            ),
            Mistake(
                "the length is fixed to 3. Take it from the answers: answers.shape[1].",
                lambda logits, answers: _taken(logits[:, [3, 4, 5]].log_softmax(-1), answers[:, [0, 1, 2]]).sum(-1),
                lambda logits, answers: _taken(logits[:, 3:].log_softmax(-1), answers).sum(-1),
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
                ROUNDED,
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).prod(-1).log(),
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1).log(), answers).sum(-1),
                lambda logits, answers: _taken(_states_logits(logits).softmax(-1), answers).log().sum(-1),
            ),
            Mistake(
                "the softmax runs over the positions. At each of them it runs over the ten digits, the last axis.",
                lambda logits, answers: _taken(_states_logits(logits).log_softmax(1), answers).sum(-1),
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
                "the sign is wrong: a log-probability is never above zero. The minus belongs to the loss.",
                lambda logits, answers: -_at(logits, answers).sum(-1),
            ),
            Mistake(
                "you read the logits one position too late, and leave out the first token. The equals sign, in "
                "position `length`, says what comes after it: the first token.",
                lambda logits, answers: _taken(logits[:, answers.shape[1] + 1 :].log_softmax(-1), answers[:, 1:]).sum(
                    -1
                ),
            ),
            Mistake(
                "only the first token of each answer counts. Add up the log pi of all of them.",
                lambda logits, answers: _at(logits, answers)[:, 0],
            ),
            Mistake(
                "only the last token of each answer counts. Add up the log pi of all of them.",
                lambda logits, answers: _at(logits, answers)[:, -1],
            ),
            Mistake(
                "one softmax runs over positions and digits together. At each position it runs over the ten digits.",
                lambda logits, answers: _taken(
                    _states_logits(logits).flatten(1).log_softmax(-1).view_as(_states_logits(logits)), answers
                ).sum(-1),
            ),
            Mistake(
                "the prompt's positions count as well. Those of the answer begin with the equals sign.",
                lambda logits, answers: _taken(logits.log_softmax(-1), answers.repeat(1, 2)).sum(-1),
            ),
            Mistake(
                "the log-probabilities of all ten digits are added up. Take that of the token that was written.",
                lambda logits, answers: _states_logits(logits).log_softmax(-1).sum((1, 2)),
            ),
            Mistake(
                "every token is looked up in every answer: an index [..., answers] does not pair them. gather does, "
                "or an index for each axis.",
                lambda logits, answers: _states_logits(logits).log_softmax(-1)[..., answers].sum(1),
            ),
            Mistake(
                "the length is fixed to 3. Take it from the answers: answers.shape[1].",
                lambda logits, answers: logits[:, 3:6].log_softmax(-1).gather(-1, answers.unsqueeze(-1)).sum((1, 2)),
            ),
            Mistake(
                "you read the logits one position too late. A position says what comes after it: the first token's "
                "are at the equals sign.",
                lambda logits, answers: _at(torch.cat([logits, logits[:, -1:]], 1), answers, 1).sum(-1),
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
    judge=NumberJudge(
        6.0,
        {
            0.09
            / 0.11: "that is a share of the total variance. Compare what the group adds, 0.09 / (n - 1), with what "
            "it takes away.",
            (0.09 / 0.02) ** 2 + 1: "you compare squares of variances. Variances add up as they are.",
            0.11: "that is the variance around a large batch's mean. Which n makes the group's smaller?",
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

EXERCISES = (STATES, LOG_PROB, GROUP)
