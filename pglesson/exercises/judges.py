"""How answers are judged: functions by their results on given cases, numbers and choices by their values.

A wrong function is compared, on every case, with models of the mistakes that learners make. A model that agrees on all
of them names the mistake: the narrowest comes first in the list. One that explains at least half of the wrong results,
and two thirds of all, is offered as what fits best; learners make two mistakes at a time, and some that nobody thought
of. Below it, or if no model fits, the smallest case that went wrong is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pglesson.exercises.calls import (
    CHANGES,
    NOTHING,
    RAISED,
    UNFIT,
    UNWRITTEN,
    Case,
    Played,
    Watched,
    agree,
    difference,
    not_a_function,
    play,
    same_shapes,
    short,
    unpacked,
)
from pglesson.exercises.framework import NOT_ATTEMPTED, Outcome, wrong
from pglesson.exercises.time_limit import TooLong, time_limit

__all__ = ["Case", "ChoiceJudge", "Mistake", "NumberJudge", "judge_function", "normal"]

SECONDS = 5.0  # of computing, for all cases together
SAME_NUMBER = 0.002  # relative: how near to a known wrong number one must lie to be recognised


def normal(*shape: int, seed: int) -> Tensor:
    """Standard normal numbers for a case, the same in every run."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Mistake:
    """message: what the learner is told; models: functions that make this mistake, one for each form that it takes."""

    def __init__(self, message: str, *models: Callable[..., Any]) -> None:
        self.message, self.models = message, models


def judge_function(
    reference: Callable[..., Any],
    cases: Sequence[Case],
    mistakes: Sequence[Mistake],
    *,
    gradients: Sequence[int] = (),
    tensor: bool = False,
    tolerance: float = 1e-4,
    forbidden: Sequence[str] = (),
) -> Callable[[Any], Outcome | None]:
    """A judge for a function that should return what `reference` returns, to a relative and absolute `tolerance`.

    gradients: positions of the arguments with respect to which the gradient of the sum of the results must be right
    too; the results must then be torch tensors, as with tensor=True. forbidden: which of AUTOGRAD, OPTIMIZER and
    MARKED the text rules out, of pglesson.exercises.calls.
    """

    def judge(answer: Any) -> Outcome | None:
        if not callable(answer):
            return wrong(not_a_function(answer))
        answer = Watched(answer)
        want = [play(reference, case, gradients) for case in cases]
        number = len(want[0].outputs)

        def play_all(chosen: Sequence[Case]) -> list[Played]:
            with time_limit(SECONDS):
                return [play(answer, case, gradients, tensor=tensor, number=number) for case in chosen]

        try:
            got = play_all(cases)
            failing = [i for i in range(len(cases)) if not agree(got[i], want[i], tolerance)]
            again = play_all([cases[i] for i in failing])
        except TooLong:
            return wrong(
                f"your function had not come back after {SECONDS:g} seconds of computing. Look for a loop whose "
                "condition never turns false."
            )
        unusable = _unusable(got)
        if unusable is not None:
            return unusable
        if not failing:
            said = [message for message in forbidden if message in answer.done]
            return wrong(said[0]) if said else None
        if not all(agree(one, got[i], tolerance) for one, i in zip(again, failing)):
            return wrong(CHANGES)
        named, certain = _named(got, failing, cases, mistakes, gradients, tolerance)
        if certain:
            return wrong(named)
        failed = [i for i in failing if got[i].failure]
        if failed and not named:
            return wrong(got[min(failed, key=lambda i: cases[i].size)].message + _right_ones(cases, failing))
        # the smallest case is the easiest to follow, but of a shape it shows least
        computed = [i for i in failing if not got[i].failure]
        shapes = [i for i in computed if not same_shapes(got[i], want[i])]
        i = max(shapes, key=lambda i: cases[i].size) if shapes else min(computed, key=lambda i: cases[i].size)
        seen = difference(answer, cases[i], got[i], want[i], gradients, tolerance)
        if named:
            return wrong(f"{named} What was seen: {seen}")
        return wrong(seen + (_always(got, want, tolerance) or _right_ones(cases, failing)))

    return judge


def _always(got: Sequence[Played], want: Sequence[Played], tolerance: float) -> str:
    """By which factor, or by how much, the first wrong output differs from the right one, if alike in all cases."""
    if any(played.failure for played in got) or not all(map(same_shapes, got, want)):
        return ""
    given = [unpacked(one.outputs, other.outputs) for one, other in zip(got, want)]
    for parts, right in zip(zip(*given), zip(*(played.outputs for played in want))):
        x, y = (torch.cat([part.flatten() for part in of]) for of in (parts, right))
        if torch.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True):
            continue
        factors, more, distinct = x[y != 0] / y[y != 0], x - y, len(y.unique())
        if distinct > 2 and not x.any():
            return " It is 0 in all cases."
        if distinct > 2 and not x[y == 0].any() and torch.allclose(factors, factors[0], rtol=tolerance):
            return f" It is {factors[0]:.4g} times what is right, in all cases."
        if distinct > 2 and torch.allclose(more, more[0], rtol=tolerance):
            return f" It is {abs(more[0]):.4g} too {'much' if more[0] > 0 else 'little'}, in all cases."
        return ""
    return ""


def _right_ones(cases: Sequence[Case], failing: Sequence[int]) -> str:
    """For which cases the results are right, so that a learner sees what is special about the others."""
    right = [case.what for i, case in enumerate(cases) if i not in failing]
    if len(failing) == 1 < len(cases):
        return " In all other cases that were tried it is right."
    return f" It is right for {', and for '.join(right[:2])}." if right else ""


def _unusable(got: list[Played]) -> Outcome | None:
    """What is said of a function that is not written, or of results that no case could judge."""
    if all(played.failure in (NOTHING, UNWRITTEN) for played in got):
        nothing = "your function gives nothing yet. Does it end with return?"
        return Outcome(NOT_ATTEMPTED, got[0].message if got[0].failure == UNWRITTEN else nothing)
    unfit = [played for played in got if played.failure == UNFIT]
    if unfit:
        return wrong(unfit[0].message)
    raised = [played for played in got if played.failure == RAISED]
    return wrong(raised[0].message) if len(raised) == len(got) else None


def _named(
    got: list[Played],
    failing: list[int],
    cases: Sequence[Case],
    mistakes: Sequence[Mistake],
    gradients: Sequence[int],
    tolerance: float,
) -> tuple[str, bool]:
    """The message of the mistake whose model does as the answer does, and whether it does so on all cases."""
    best, message = 0, ""
    for told, model in ((mistake.message, model) for mistake in mistakes for model in mistake.models):
        fits = [agree(got[i], play(model, case, gradients), tolerance) for i, case in enumerate(cases)]
        if all(fits):
            return told, True
        explained = sum(fits[i] for i in failing if not got[i].failure)  # an exception can have any cause
        if 2 * explained >= len(failing) and 3 * sum(fits) >= 2 * len(fits) and explained > best:
            best = explained
            message = f"this may be it, for it fits {sum(fits)} of the {len(cases)} cases that were tried: {told}"
    return message, False


@dataclass(frozen=True)
class NumberJudge:
    """A judge for one number. mistakes: messages for known wrong numbers; otherwise: for all others.

    A right number may be off by the relative `tolerance`, or be rounded to two digits or more. A known wrong one is
    recognised if it is off by no more than the relative `near`, or rounded likewise: what merely lies in its
    neighbourhood has another cause.
    """

    right: float
    mistakes: Mapping[float, str]
    _: KW_ONLY
    tolerance: float = 0.01
    near: float = SAME_NUMBER
    otherwise: str

    def __call__(self, answer: Any) -> Outcome | None:
        """What is wrong with an answer, or None."""
        try:
            number = _number(answer)
        except OverflowError:  # an int too large for a float
            number = math.inf
        except (TypeError, ValueError, RuntimeError, ZeroDivisionError):
            comma = isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(x, int) for x in answer)
            point = f" A decimal point is meant: {answer[0]}.{answer[1]}" if comma else ""
            return wrong(f"answer is {short(answer)}, but must be one number.{point}")
        if math.isclose(number, self.right, rel_tol=self.tolerance, abs_tol=1e-7):
            return None
        close = [x for x in self.mistakes if math.isclose(number, x, rel_tol=self.near, abs_tol=1e-7)]
        if _rounded(self.right, number) and not close:
            return None
        known = close + [x for x in self.mistakes if _rounded(x, number)]
        if known:
            return wrong(self.mistakes[min(known, key=lambda x: abs(x - number))])
        if 0 < abs(self.right) < 1 and math.isclose(number, 100 * self.right, rel_tol=self.tolerance):
            return wrong("this is the number in percent. Give the fraction: a hundredth of it.")
        if self.right and math.isclose(number, self.right, rel_tol=min(5 * self.tolerance, 0.1)):
            return wrong(
                f"this is near, but the answer has to be right to {100 * self.tolerance:g} %. Compute it again, or "
                "give more digits."
            )
        return wrong(self.otherwise)


def _number(answer: Any) -> float:
    """The number that is given, or that a text begins with, such as "15 updates", "about 60", "3/5" and "60 %"; of a
    list or an array, its only entry."""
    if not isinstance(answer, str):
        return float(answer if isinstance(answer, (int, float)) else np.asarray(answer).reshape(()))
    found = re.fullmatch(r"(?:about|=|≈|~)? *([-+.\de]+(?: */ *[.\d]+)?) *(%?)[a-z ]*", answer.strip().lower())
    if not found:
        raise ValueError("no number")
    return float(Fraction(found[1].replace(" ", ""))) / (100 if found[2] else 1)


def _rounded(value: float, number: float) -> bool:
    """Whether `number` is `value`, rounded to the digits that `number` has: to two or more."""
    digits = len(f"{number:.15g}".partition("e")[0].replace(".", "").lstrip("-0"))
    return digits >= 2 and f"{value:.{digits - 1}e}" == f"{number:.{digits - 1}e}"


@dataclass(frozen=True)
class ChoiceJudge:
    """A judge for one of several words, or for the beginning of one. reasons: why each wrong one is wrong."""

    right: str
    reasons: Mapping[str, str]

    def __call__(self, answer: Any) -> Outcome | None:
        """What is wrong with an answer, or None."""
        given = _plain(answer)
        meant = [choice for choice in (self.right, *self.reasons) if _plain(choice) == given]
        if not meant and len(given) > 3:
            meant = [choice for choice in (self.right, *self.reasons) if _plain(choice).startswith(given)]
        if len(meant) == 1:
            return wrong(self.reasons[meant[0]]) if meant[0] in self.reasons else None
        choices = ", ".join(repr(choice) for choice in sorted([self.right, *self.reasons]))
        return wrong(f"answer is {short(answer)}, but must be one of {choices}.")


def _plain(answer: Any) -> str:
    """A word without what does not matter: capitals, quotation marks, brackets, underscores; a number as it is.

    "c)", "**c**" and "c: a game" are "c", "zero_grad()" is "zero grad", "3/5" and 0.6 are "0.6".
    """
    if isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return f"{answer:g}"
    if not isinstance(answer, str):
        return ""
    text = " ".join(answer.strip().lower().strip("'\"`.()*").replace("_", " ").replace("-", " ").split())
    text = re.sub(r"^([a-z])[:).] .*", r"\1", text)
    try:
        return f"{float(Fraction(text)):g}"
    except (ValueError, ZeroDivisionError):
        return text
