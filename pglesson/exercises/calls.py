"""Calls of a learner's function: what it gives for a case, as numbers, or why there are none."""

from __future__ import annotations

import copy
import functools
import inspect
import math
import re
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.optim.optimizer import register_optimizer_step_pre_hook

PACKAGE = str(Path(__file__).parents[1])
RAISED, NOTHING, UNWRITTEN, UNFIT = "raised", "nothing", "unwritten", "unfit"  # why a call gave no numbers
CHANGES = (
    "your function gives another result each time, for the same arguments: it draws random numbers, or keeps something "
    "from one call to the next. Here the result depends on the arguments alone."
)
# words of an error, and what often raises it: the first that fits is said
OFTEN = {
    r"could not be broadcast together with shapes \(\d+,\) \(\d+,\)": " Is each entry of one meant to meet each of the "
    "other? Then one of them needs a second axis: x[:, None].",
    "must match the size of tensor|could not be broadcast together": " Is one of the two a sum, a mean or a maximum "
    "over an axis? Then this axis is gone: keepdim=True (in NumPy, keepdims=True) keeps it, with a single entry.",
    "used as indices must be": " A mask of 0.0 and 1.0 becomes an index by a comparison: mask > 0.",
    "Expected parameter probs": " Categorical takes probabilities first. Logits are given by their name: "
    "Categorical(logits=...).",
    "cannot be multiplied|size mismatch, got input|not aligned|mismatch in its core dimension": " In A @ B, the last "
    "axis of A must be as long as the first axis of B.",
    "parameter scale .* constraint GreaterThan": " A standard deviation is positive, its logarithm need not be. Is log "
    "sigma given for sigma?",
    "only (one element tensors|0-dimensional arrays|length-1 arrays) can be converted": " A function of math, or "
    "float(), takes one number. torch.exp and its like (in NumPy, np.exp) take all at once.",
    "Boolean value of Tensor with|truth value of an array with": " `if`, `and` and max() ask one yes or no of a whole "
    "array. torch.where and torch.maximum (in NumPy, np.where and np.maximum) ask each entry.",
    "numpy.. on Tensor that requires grad": " Stay within torch: NumPy keeps no derivatives.",
    "Cannot cast ufunc|can't be cast to the desired output type": " An array of whole numbers takes no fraction in "
    "place. np.zeros_like and its like take over the type: give dtype=float.",
    "weight tensor should be defined": " weight= has a number for each class, not for each step. Take "
    "reduction='none', multiply, and add up.",
    "through the graph a second time": " Was something computed before the loop that depends on what is learned? "
    "Compute it anew in each step.",
    "does not require grad and does not have a grad_fn": " Nothing that is learned is in the loss. What is learned "
    "needs requires_grad_(True), and no detach() or item() on the way.",
    "can't optimize a non-leaf": " What is learned must be a beginning: .clone().requires_grad_(True), in this order.",
    "implicitly created only for scalar": " backward() begins at one number: take the mean.",
    "unexpected keyword argument '(dim|keepdim)'": " That is PyTorch's word. In NumPy it is axis=, and keepdims=.",
}
NOT_WRITTEN_YET = "your function says itself that it is not written yet."
# what a text may forbid, and what is said to whoever does it and gives the right values
AUTOGRAD = (
    "the values are right, but autograd took the derivatives. Write them as formulas: then you know what they do."
)
OPTIMIZER = (
    "the values are right, but an optimizer made the step. Write the step yourself: new = old - alpha * gradient."
)
MARKED = (
    "the values are right, but your function marks its argument itself with requires_grad_(), and leaves a gradient "
    "there: another call would add to it. Mark a copy: .clone().requires_grad_(True)."
)


@dataclass(frozen=True)
class Case:
    """One call. what: its name in messages, such as "an episode of one step"; arguments: of the call."""

    what: str
    arguments: tuple[Any, ...]

    @property
    def size(self) -> int:
        """How many numbers it holds: a small case is the one to show."""
        return sum(x.numel() if isinstance(x, Tensor) else int(np.size(x)) for x in self.arguments if np.ndim(x))


@dataclass(frozen=True)
class Played:
    """What a function gave for a case. outputs, slopes: its values, and the derivatives of their sum, in float64.

    failure: why there are no numbers, one of RAISED, NOTHING, UNWRITTEN, UNFIT, or empty; message: in words.
    """

    outputs: list[Tensor] = field(default_factory=list)
    slopes: list[Tensor] = field(default_factory=list)
    failure: str = ""
    message: str = ""


def play(
    function: Callable[..., Any], case: Case, gradients: Sequence[int] = (), *, tensor: bool = False, number: int = 1
) -> Played:
    """Calls a function with copies of a case's arguments; it raises nothing that an Exception or an exit is.

    gradients: positions of the arguments for which the derivative of the sum of the outputs is taken. tensor: whether
    the function must give a torch tensor, as with gradients. number: how many outputs are asked for; of several, those
    that carry no derivative, such as an action for an environment, may be arrays.
    """
    arguments = list(copy.deepcopy(case.arguments))
    leaves = [arguments[place].clone().requires_grad_(True) for place in gradients]
    for place, leaf in zip(gradients, leaves):
        arguments[place] = leaf * 1  # as a network's output: a leaf would raise an error where it is changed in place
    before = copy.deepcopy([x.detach() if isinstance(x, Tensor) else x for x in arguments])
    try:
        with warnings.catch_warnings(action="ignore"):  # such as torch's about the standard deviation of one number
            given = function(*arguments)
    except NotImplementedError:
        return Played(failure=UNWRITTEN, message=NOT_WRITTEN_YET)
    except (Exception, SystemExit) as error:
        words = f"{located(error)} {type(error).__name__}: {str(error).partition(chr(10))[0]}".rstrip(" :.")
        where = f"It happened for {case.what}, with {_listed(function, case)}."
        return Played(failure=RAISED, message=f"{words}. {where}{about(error, case)}")
    if given is None or given is ...:
        return Played(
            failure=NOTHING,
            message=f"for {case.what} your function gives None. One way through it ends without a return, or returns "
            "None itself.",
        )
    for place, (after, once) in enumerate(zip(arguments, before)):
        if not _same(after, once):
            return Played(
                failure=UNFIT,
                message=f"your function changes its argument {parameter(function, place)} in place, so whoever calls "
                "it loses their data. Compute something new instead of using +=, an assignment to a slice, or a method "
                "that ends in _.",
            )
    if any(not arguments[place].requires_grad for place in gradients):
        cut = next(place for place in gradients if not arguments[place].requires_grad)
        return Played(
            failure=UNFIT,
            message=f"your function cuts its argument {parameter(function, cut)} itself out of the graph, for whoever "
            "calls it too. Use .detach(), which leaves it as it is and gives another tensor.",
        )
    # not _parts: `reinforce` takes no list for a single tensor either
    several = isinstance(given, tuple) or (isinstance(given, list) and len(given) == number > 1)
    parts = list(given) if several else [given]
    if any(isinstance(part, Distribution) for part in parts):
        return Played(
            failure=UNFIT, message="your function gives a distribution. What is asked for are the numbers themselves."
        )
    if (gradients or tensor) and not any(isinstance(part, Tensor) for part in parts):
        return Played(
            failure=UNFIT,
            message=f"your function gives {_kind(parts[0] if parts else given)}, but it must give a torch tensor, so "
            "that a derivative can be taken. Stay within torch: no .item(), float(), .numpy() or .detach().",
        )
    try:
        return _read(given, leaves)
    except Exception:
        what = "a text and no number" if isinstance(given, str) else "which cannot be read as numbers"
        return Played(failure=UNFIT, message=f"for {case.what} your function gives {short(given)}, {what}.")


class Watched:
    """A function whose calls are watched. done: which of AUTOGRAD, OPTIMIZER and MARKED happened in them."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function, self.done = function, set[str]()
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *arguments: Any) -> Any:
        hook = register_optimizer_step_pre_hook(lambda *_: self.done.add(OPTIMIZER))
        grad, backward = (self._noting(f) for f in (torch.autograd.grad, torch.autograd.backward))
        before = [isinstance(x, Tensor) and x.requires_grad for x in arguments]
        try:
            with patch.object(torch.autograd, "grad", grad), patch.object(torch.autograd, "backward", backward):
                return self._function(*arguments)
        finally:
            hook.remove()
            after = [isinstance(x, Tensor) and x.requires_grad for x in arguments]
            if before != after:
                self.done.add(MARKED)

    def _noting(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any, **options: Any) -> Any:
            self.done.add(AUTOGRAD)
            return original(*arguments, **options)

        return noting


def agree(one: Played, other: Played, tolerance: float) -> bool:
    """Whether two functions did the same: gave the same numbers, to a relative and absolute tolerance, or failed."""
    if one.failure or other.failure:
        return one.failure == other.failure
    return _close(unpacked(one.outputs, other.outputs), other.outputs, tolerance) and _close(
        one.slopes, other.slopes, tolerance
    )


def same_shapes(one: Played, other: Played) -> bool:
    """Whether both have as many outputs, of the same shapes."""
    return [x.shape for x in unpacked(one.outputs, other.outputs)] == [x.shape for x in other.outputs]


def difference(
    function: Callable[..., Any], case: Case, got: Played, want: Played, gradients: Sequence[int], tolerance: float
) -> str:
    """In which way the numbers for a case are wrong, in a sentence with the given value and the right one."""
    outputs = unpacked(got.outputs, want.outputs)
    if len(outputs) != len(want.outputs):
        given = "one value" if len(outputs) == 1 else f"{len(outputs)} values"
        asked = "one is" if len(want.outputs) == 1 else f"{len(want.outputs)} are"
        return f"for {case.what} your function gives {given}, but {asked} asked for."
    for place, (x, y) in enumerate(zip(outputs, want.outputs)):
        if x.shape != y.shape:
            return (
                f"for {case.what} your function gives the shape {tuple(x.shape)}, but {tuple(y.shape)} is right."
                f"{_about_shapes(x, y)}"
            )
        if not _close([x], [y], tolerance):
            which = f", as value {place + 1}," if len(outputs) > 1 else ""
            return f"for {case.what} your function gives{which} {short(x)}, but {short(y)} is right.{_about_nan(x, y)}"
    for place, x, y in zip(gradients, got.slopes, want.slopes):
        if not _close([x], [y], tolerance):
            name = parameter(function, place)
            if not x.any():
                return (
                    f"for {case.what} the values are right, but no derivative reaches {name}. Look for .detach(), "
                    ".item(), torch.no_grad() or torch.tensor() of a tensor."
                )
            return (
                f"for {case.what} the values are right, but their derivative with respect to {name} is {short(x)}, "
                f"and {short(y)} is right.{_about_nan(x, y)}"
            )
    return f"for {case.what} your function does not give what is right."


def not_a_function(answer: Any) -> str:
    """What is said of an answer that cannot be called."""
    return f"answer is {short(answer)}, but must be a function. Give its name, without brackets."


def parameter(function: Callable[..., Any], place: int) -> str:
    """The name that a function has for its argument, or the argument's number."""
    try:
        names = [p.name for p in inspect.signature(function).parameters.values() if p.kind < p.VAR_POSITIONAL]
        return f"`{names[place]}`"
    except (TypeError, ValueError, IndexError):
        return f"number {place + 1}"


def short(value: Any) -> str:
    """A value as a learner may read it: four decimals, and not too long."""
    if isinstance(value, Tensor):
        value = (value.double().round(decimals=4) + 0.0 if value.is_floating_point() else value).tolist()
    text = repr(value)
    return text if len(text) <= 90 else text[:87] + "..."


def unpacked(got: list[Tensor], want: list[Tensor]) -> list[Tensor]:
    """A list or an array instead of a tuple, as its parts: `low, high = f()` works with either. And an array of one
    number instead of the number."""
    whole = len(got) == 1 and len(want) > 1 and got[0].ndim > 0 and len(got[0]) == len(want)
    parts = [*got[0]] if whole else got
    return [x[0] if x.shape == (1,) and y.ndim == 0 else x for x, y in zip(parts, want)] + parts[len(want) :]


def _read(given: Any, leaves: Sequence[Tensor]) -> Played:
    # copied: torch refuses arrays with negative strides, such as x[::-1], and warns about read-only ones
    parts = [part.copy() if isinstance(part, np.ndarray) else part for part in _parts(given)]
    outputs = [torch.as_tensor(part).detach().double() for part in parts]
    if not leaves:
        return Played(outputs)
    total: Any = sum(part.sum() for part in parts if isinstance(part, Tensor))
    tracked = isinstance(total, Tensor) and total.requires_grad
    slopes = torch.autograd.grad(total, leaves, allow_unused=True) if tracked else [None] * len(leaves)
    return Played(outputs, [(torch.zeros_like(x) if s is None else s).double() for s, x in zip(slopes, leaves)])


def _parts(given: Any) -> list[Any]:
    """The entries of a tuple, or of a list of arrays, which may differ in shape; anything else is one part."""
    arrays = isinstance(given, list) and any(isinstance(part, (Tensor, np.ndarray)) and part.ndim for part in given)
    return list(given) if isinstance(given, tuple) or arrays else [given]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (Tensor, np.ndarray)):
        return bool(np.array_equal(np.asarray(a.detach() if isinstance(a, Tensor) else a), np.asarray(b)))
    return bool(a == b) or (isinstance(a, float) and math.isnan(a))


def _close(a: list[Tensor], b: list[Tensor], tolerance: float) -> bool:
    return len(a) == len(b) and all(
        x.shape == y.shape and torch.allclose(x, y, rtol=tolerance, atol=tolerance, equal_nan=True)
        for x, y in zip(a, b)
    )


def _about_shapes(x: Tensor, y: Tensor) -> str:
    """What often makes such a shape."""
    if x.ndim == y.ndim + 1 and x.shape[:-1] == y.shape and x.shape[-1] == 1:
        return " The last axis has a single entry and is not needed: take it away with squeeze(-1) or [..., 0]."
    if y.ndim and x.shape == (*y.shape, y.shape[-1]):
        n = y.shape[-1]
        return (
            f" An array ({n}, 1) and one ({n},) make ({n}, {n}) together: look for a last axis that should be gone, or "
            "a missing sum."
        )
    if x.ndim == y.ndim and x.shape == y.shape[::-1]:
        return " The axes are swapped."
    if x.ndim > y.ndim:
        return " An axis too many is left: is a sum, a mean or an index over it missing?"
    if x.ndim < y.ndim:
        return " An axis is missing: is it gone by a sum, a mean, an index or squeeze?"
    return ""


def about(error: BaseException, case: Case) -> str:
    """What often raises such an error, for a call of a learner's function."""
    lengths = {str(length) for x in case.arguments for length in np.shape(x)}
    for size in re.findall(r"size of tensor [ab] \((\d+)\)", str(error)):
        if size not in lengths:
            return (
                f" No argument has an axis of length {size}: does it come from a number in your function, or from a "
                "slice that is shorter?"
            )
    return next((said for words, said in OFTEN.items() if re.search(words, str(error))), "")


def _about_nan(x: Tensor, y: Tensor) -> str:
    if x.isnan().any() and not y.isnan().any():
        return " NaN comes from 0 / 0, log(0), inf - inf or the standard deviation of a single number."
    if x.isinf().any() and not y.isinf().any():
        return " inf comes from log(0), a division by 0, or exp of a large number."
    return ""


def _listed(function: Callable[..., Any], case: Case) -> str:
    """A case's arguments: the shapes of arrays, the values of what is short."""
    words = []
    for place, x in enumerate(case.arguments):
        text = f"the shape {tuple(np.shape(x))}" if isinstance(x, (Tensor, np.ndarray)) and np.ndim(x) else short(x)
        words.append(f"{parameter(function, place)} {text if len(text) < 40 else _kind(x)}")
    return ", ".join(words) or "no arguments"


def _kind(value: Any) -> str:
    return "a NumPy array" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def located(error: BaseException) -> str:
    """The learner's line that raised: the innermost frame that is neither this package's nor a library's."""
    article = "an" if type(error).__name__[0] in "AEIOU" else "a"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "site-packages" not in frame.filename and not frame.filename.startswith(PACKAGE) and frame.line:
            return f"your line `{frame.line}` raised {article}"
    return f"your function raised {article}"
