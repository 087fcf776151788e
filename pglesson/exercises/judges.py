"""How answers are judged: functions by their results on given cases, numbers and choices by their values.

A wrong function is compared with models of the mistakes that learners make, on the cases where it is wrong. The model
that agrees with it on most of them, and on at least half, names the mistake; not on all, since a learner may have made
two. Of models that agree equally often, the first in the list is taken, so narrow mistakes come before broad ones. If
none agrees often enough, the first wrong case is shown.
"""

from __future__ import annotations

import copy
import math
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pglesson.exercises.framework import NOT_ATTEMPTED, WRONG, Outcome
from pglesson.exercises.time_limit import TooLong, time_limit

SECONDS = 5.0  # of computing, for all cases together
PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Case:
    """One call. what: its name in messages, such as "an episode of one step"; arguments: of the call."""

    what: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """model: a function that makes this mistake; message: what the learner is told."""

    message: str
    model: Callable[..., Any]


Results = list[list[Tensor] | None]


def judge_function(
    reference: Callable[..., Any],
    cases: Sequence[Case],
    mistakes: Sequence[Mistake],
    *,
    gradients: Sequence[int] = (),
    tensor: bool = False,
    tolerance: float = 1e-4,
    rounds: int = 1,
) -> Callable[[Any], Outcome | None]:
    """A judge for a function that should return what `reference` returns, to a relative and absolute `tolerance`.

    gradients: positions of the arguments with respect to which the gradient of the sum of the results must be right
    too; the results must then be torch tensors, as with tensor=True. rounds: how often each case is called, for a
    function that must not depend on earlier calls.
    """

    def judge(answer: Any) -> Outcome | None:
        if not callable(answer):
            return _wrong(f"answer is {_short(answer)}, but must be a function. Give its name, without brackets.")
        results: Results = []
        try:
            with time_limit(SECONDS):
                for case in [case for case in cases for _ in range(rounds)]:
                    said, values = _call(answer, case, gradients, tensor)
                    if said is not None:
                        return said
                    results.append(values)
        except TooLong:
            return _wrong(
                f"your function had not come back after {SECONDS:g} seconds of computing. Look for a loop whose "
                "condition never turns false."
            )
        played = [case for case in cases for _ in range(rounds)]
        expected = [_run(reference, case, gradients) for case in played]
        wrong = [i for i, (got, want) in enumerate(zip(results, expected)) if not _close(got, want, tolerance)]
        if not wrong:
            return None
        alike = [
            sum(_close(results[i], _model(mistake, played[i], gradients), tolerance) for i in wrong)
            for mistake in mistakes
        ]
        if alike and max(alike) * 2 >= len(wrong):
            return _wrong(mistakes[alike.index(max(alike))].message)
        first = wrong[0]
        return _wrong(_difference(played[first].what, results[first], expected[first], tolerance))

    return judge


def _model(mistake: Mistake, case: Case, gradients: Sequence[int]) -> list[Tensor] | None:
    try:
        return _run(mistake.model, case, gradients)
    except Exception:
        return None  # the model fails on this case and the answer did not: they do not agree


def _prepared(case: Case, gradients: Sequence[int]) -> list[Any]:
    arguments = list(copy.deepcopy(case.arguments))
    for place in gradients:
        arguments[place] = arguments[place].clone().requires_grad_(True)
    return arguments


def _run(function: Callable[..., Any], case: Case, gradients: Sequence[int]) -> list[Tensor]:
    """The results of a function and its gradients, as float64 tensors."""
    arguments = _prepared(case, gradients)
    with warnings.catch_warnings(action="ignore"):
        return _values(function(*arguments), arguments, gradients)


def _parts(given: Any) -> list[Any]:
    """The entries of a tuple, or of a list of arrays, which may differ in shape; anything else is one part."""
    arrays = isinstance(given, list) and any(isinstance(part, (Tensor, np.ndarray)) and part.ndim for part in given)
    return list(given) if isinstance(given, tuple) or arrays else [given]


def _values(given: Any, arguments: list[Any], gradients: Sequence[int]) -> list[Tensor]:
    # copied: torch refuses arrays with negative strides, such as x[::-1], and warns about read-only ones
    parts = [part.copy() if isinstance(part, np.ndarray) else part for part in _parts(given)]
    values = [torch.as_tensor(part).detach().double() for part in parts]
    if gradients:
        leaves = [arguments[place] for place in gradients]
        total = sum(part.sum() for part in parts)
        tracked = isinstance(total, Tensor) and total.requires_grad
        slopes = torch.autograd.grad(total, leaves, allow_unused=True) if tracked else [None] * len(leaves)
        values += [torch.zeros_like(leaf) if s is None else s for s, leaf in zip(slopes, leaves)]
    return [value.detach().double() for value in values]


def _call(
    function: Callable[..., Any], case: Case, gradients: Sequence[int], tensor: bool
) -> tuple[Outcome | None, list[Tensor] | None]:
    """Calls a learner's function: the outcome if it is known at once, else None, and the results."""
    arguments = _prepared(case, gradients)
    before = copy.deepcopy([a.detach() if isinstance(a, Tensor) else a for a in arguments])
    try:
        with warnings.catch_warnings(action="ignore"):  # such as torch's about the standard deviation of one number
            given = function(*arguments)
    except NotImplementedError:
        return Outcome(NOT_ATTEMPTED, "your function says itself that it is not written yet."), None
    except (Exception, SystemExit) as error:
        return _wrong(f"{_where(error)} {type(error).__name__}: {error}. It happened for {case.what}."), None
    if given is None or given is ...:
        return Outcome(NOT_ATTEMPTED, "your function gives nothing yet. Does it end with return?"), None
    for position, (after, once) in enumerate(zip(arguments, before)):
        if not _same(after, once):
            return _wrong(
                f"your function changes its argument number {position + 1} in place, so whoever calls it loses their "
                "data. Compute something new instead of using +=, an assignment to a slice, or a method that ends in _."
            ), None
    for part in given if isinstance(given, tuple) else (given,):  # not _parts: `reinforce` takes no list either
        if (gradients or tensor) and not isinstance(part, Tensor):
            return _wrong(
                f"your function gives {_kind(part)}, but it must give a torch tensor, so that a derivative can be "
                "taken. Stay within torch: no .item(), float(), .numpy() or .detach()."
            ), None
    try:
        return None, _values(given, arguments, gradients)
    except Exception:
        return _wrong(f"your function gives {_short(given)} for {case.what}, which cannot be read as numbers."), None


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (Tensor, np.ndarray)):
        return bool(np.array_equal(np.asarray(a.detach() if isinstance(a, Tensor) else a), np.asarray(b)))
    return bool(a == b) or (isinstance(a, float) and math.isnan(a))


def _unpacked(got: list[Tensor], want: list[Tensor]) -> list[Tensor]:
    """A list or an array instead of a tuple, as its parts: `low, high = f()` works with either."""
    parts = 1 + len(want) - len(got)
    whole = parts > 1 and len(got) > 0 and got[0].ndim > 0 and len(got[0]) == parts
    return [*got[0], *got[1:]] if whole else got


def _close(a: list[Tensor] | None, b: list[Tensor] | None, tolerance: float) -> bool:
    if a is None or b is None:
        return False
    a = _unpacked(a, b)
    if len(a) != len(b):
        return False
    return all(
        x.shape == y.shape and torch.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
        for x, y in zip(a, b)
    )


def _difference(what: str, got: list[Tensor] | None, want: list[Tensor], tolerance: float) -> str:
    got = _unpacked(got or [], want)
    if len(got) != len(want):
        given = "one value" if len(got) == 1 else f"{len(got)} values"
        asked = "one is" if len(want) == 1 else f"{len(want)} are"
        return f"for {what} your function gives {given}, but {asked} asked for."
    place = next(i for i, (x, y) in enumerate(zip(got, want)) if not _close([x], [y], tolerance))
    x, y = got[place], want[place]
    if x.shape != y.shape:
        return f"for {what} your function gives the shape {tuple(x.shape)}, but {tuple(y.shape)} is right."
    if x.isnan().any() and not y.isnan().any():
        return f"for {what} your function gives NaN. Look for 0 / 0, log(0) or a standard deviation of one number."
    return f"for {what} your function gives {_short(x)}, but {_short(y)} is right."


def judge_number(
    right: float, mistakes: Mapping[float, str], *, tolerance: float = 0.01, otherwise: str
) -> Callable[[Any], Outcome | None]:
    """A judge for one number. mistakes: messages for known wrong numbers; otherwise: for all others."""

    def judge(answer: Any) -> Outcome | None:
        try:
            number = float(answer)
        except OverflowError:  # an int too large for a float
            number = math.inf
        except (TypeError, ValueError, RuntimeError):
            return _wrong(f"answer is {_short(answer)}, but must be one number.")
        if math.isclose(number, right, rel_tol=tolerance, abs_tol=1e-7):
            return None
        for value, message in mistakes.items():
            if math.isclose(number, value, rel_tol=tolerance, abs_tol=1e-7):
                return _wrong(message)
        return _wrong(otherwise)

    return judge


def judge_choice(right: str, reasons: Mapping[str, str]) -> Callable[[Any], Outcome | None]:
    """A judge for one of several words. reasons: why each wrong one is wrong."""

    def judge(answer: Any) -> Outcome | None:
        given = answer.strip().lower() if isinstance(answer, str) else ""  # not a word
        if given == right:
            return None
        if given in reasons:
            return _wrong(reasons[given])
        choices = ", ".join(repr(choice) for choice in sorted([right, *reasons]))
        return _wrong(f"answer is {_short(answer)}, but must be one of {choices}.")

    return judge


def _wrong(message: str) -> Outcome:
    return Outcome(WRONG, message)


def _kind(value: Any) -> str:
    return "a NumPy array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _short(value: Any) -> str:
    if isinstance(value, Tensor):
        value = (value.double().round(decimals=4) if value.is_floating_point() else value).tolist()
    text = repr(value)
    return text if len(text) <= 90 else text[:87] + "..."


def _where(error: BaseException) -> str:
    """The learner's line that raised: the innermost frame that is neither this package's nor a library's."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "site-packages" not in frame.filename and not frame.filename.startswith(PACKAGE) and frame.line:
            return f"your line `{frame.line}` raised a"
    return "your function raised a"
