"""Every knob of the training loop, documented, and validated the moment it is set."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np

MAX = 1e30  # beyond it no setting makes sense, and float32 soon ends
BASELINES = ("none", "constant", "running_mean", "time_mean", "value")
NORMALIZATIONS = ("none", "batch", "episode")
GROUPED = ("group_mean", "group")  # one more of each, for environments that start several episodes alike


def _knob(default: Any, accepts: Callable[[Any], bool], allowed: str, effect: str, *, live: bool = False) -> Any:
    metadata = {"accepts": accepts, "allowed": allowed, "effect": effect, "live": live}
    return field(default=default, metadata=metadata)


def _is_a(kind: type, x: Any) -> bool:
    return isinstance(x, kind) and not isinstance(x, bool)  # Python counts True as 1


def _whole(low: int, high: float = math.inf) -> tuple[Callable[[Any], bool], str]:
    allowed = f"a whole number from {low} up" if high == math.inf else f"a whole number from {low} to {high}"
    return lambda x: _is_a(Integral, x) and low <= x <= high, allowed


def _number(low: float, high: float = math.inf, *, above: bool = False) -> tuple[Callable[[Any], bool], str]:
    def accepts(x: Any) -> bool:
        return _is_a(Real, x) and -MAX <= x <= MAX and (low < x if above else low <= x) and x <= high

    if math.isfinite(high):
        return accepts, f"a number from {low:g} to {high:g}"
    return accepts, f"a finite number above {low:g}" if above else f"a finite number, {low:g} or more"


def _one_of(*names: str) -> tuple[Callable[[Any], bool], str]:
    return lambda x: isinstance(x, str) and x in names, "one of " + ", ".join(map(repr, names))


def same(a: Any, b: Any) -> bool:
    """Whether two settings are equal, where they are or hold arrays, or objects that only equal themselves, too."""
    if a is b:
        return True
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype != object and np.array_equal(a, b):  # at every update: one by one only where it matters
            return True
        return a.shape == b.shape and all(map(same, a.ravel().tolist(), b.ravel().tolist()))
    try:
        return bool(a == b) or bool(a != a and b != b)  # NaN
    except Exception:  # an object, such as a tensor, for which == has not one answer
        return False


def _kept(x: Any) -> Any:
    """A copy of a setting to compare with later; objects that may equal only themselves are kept as they are."""
    if isinstance(x, Mapping):
        return {name: _kept(value) for name, value in x.items()}
    if type(x) in (list, tuple):
        return type(x)(map(_kept, x))
    return x.copy() if isinstance(x, np.ndarray) else x


_is_finite = _number(-math.inf)[0]


def _is_limit(x: Any) -> bool:
    return (isinstance(x, Real) and x == math.inf) or _number(0, above=True)[0](x)


def _is_sizes(x: Any) -> bool:
    return isinstance(x, tuple) and all(_whole(1)[0](n) for n in x)


@dataclass
class Settings:
    """What `reinforce` needs to know. Setting a field to something it cannot be raises a ValueError at once and
    leaves the old value in place. Fields marked (live) may be changed while training runs: they are read once an
    update. The others shape the run and need a new `reinforce(settings)`.
    """

    env: str = _knob(
        "CartPole-v1",
        lambda x: isinstance(x, str) and x != "",
        "the id of a Gymnasium environment, such as 'CartPole-v1'",
        "the task, any Gymnasium id with Discrete or Box observations and actions",
    )
    env_options: Mapping[str, Any] = field(
        default_factory=dict,
        metadata={
            "accepts": lambda x: isinstance(x, Mapping),
            "allowed": "a dict of keyword arguments for the environment, such as {'joints': 3}",
            "effect": "keyword arguments for the environment",
            "live": False,
        },
    )
    runs: int = _knob(1, *_whole(1), "independent learners, each with its own weights, trained side by side")
    episodes: int = _knob(16, *_whole(1), "whole episodes a run plays for one update")
    updates: int = _knob(100, *_whole(1), "gradient steps before training ends")
    max_steps: int = _knob(1000, *_whole(1), "time steps after which an unfinished episode is cut off")
    seed: int = _knob(0, *_whole(0, 2**32 - 1), "the start of every random number of the training")
    hidden: tuple[int, ...] = _knob(
        (32,),
        _is_sizes,
        "a tuple of layer widths, such as (32,) or (64, 64), or () for a linear policy",
        "widths of the hidden layers; () is linear, and a table for Discrete observations",
    )
    activation: str = _knob("tanh", *_one_of("tanh", "relu"), "the nonlinearity between layers")
    optimizer: str = _knob(
        "adam",
        *_one_of("adam", "sgd"),
        "'sgd' is the plain theta + alpha * gradient; 'adam' rescales each weight's step",
    )
    learning_rate: float = _knob(
        0.03, *_number(0, above=True), "alpha, the step size of the policy: higher is faster and less stable", live=True
    )
    gamma: float = _knob(0.99, *_number(0, 1), "discount of a reward one time step later", live=True)
    baseline: str = _knob(
        "time_mean", *_one_of(*BASELINES, GROUPED[0]), "what is subtracted from each return G_t", live=True
    )
    constant: float = _knob(
        0.0, _is_finite, "a finite number", "the value of the 'constant' baseline, in units of return", live=True
    )
    normalization: str = _knob(
        "batch",
        *_one_of(*NORMALIZATIONS, GROUPED[1]),
        "over what advantages are shifted to mean 0 and scaled to std 1",
        live=True,
    )
    gae_lambda: float = _knob(
        1.0,
        *_number(0, 1),
        "lambda: at 1 the whole return counts; below, the 'value' baseline speaks for what is to come, at 0 from the "
        "next step on",
        live=True,
    )
    entropy_weight: float = _knob(
        0.0, *_number(0), "beta, the reward for a spread-out policy, per nat and time step", live=True
    )
    kl_weight: float = _knob(
        0.0,
        *_number(0),
        "the penalty for leaving the policy that training began with, per nat and time step",
        live=True,
    )
    policy_steps: int = _knob(1, *_whole(1), "gradient steps of the policy on the same episodes", live=True)
    clip_ratio: float = _knob(
        math.inf,
        _is_limit,
        "a number above 0, such as 0.2, or math.inf for no limit",
        "PPO's epsilon: beyond 1 +- it, a changed probability of an action earns nothing more (policy_steps above 1)",
        live=True,
    )
    max_gradient_norm: float = _knob(
        math.inf,
        _is_limit,
        "a number above 0, or math.inf for no clipping",
        "longest gradient (Euclidean norm, per run) that is applied; a longer one is shortened to it",
        live=True,
    )
    value_learning_rate: float = _knob(
        0.02, *_number(0, above=True), "step size of the network behind the 'value' baseline", live=True
    )
    value_steps: int = _knob(5, *_whole(1), "gradient steps an update on the 'value' baseline", live=True)
    measure_variance: bool = _knob(
        False,
        lambda x: isinstance(x, bool),
        "True or False",
        "measure the gradient's variance at each update",
        live=True,
    )
    measure_change: bool = _knob(
        False, lambda x: isinstance(x, bool), "True or False", "measure how far each update moves the policy", live=True
    )
    device: str = _knob(
        "cpu",
        lambda x: isinstance(x, str) and x != "",
        "'cpu', or the name of a GPU that torch sees, such as 'cuda'",
        "where the networks compute; the environments stay on the CPU",
    )

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dataclass_fields__
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}."
            raise AttributeError(f"Settings has no field {name!r}: {hint}")
        rules = known[name].metadata
        if not rules["accepts"](value):
            raise ValueError(f"{name} was set to {value!r}, but must be {rules['allowed']}. It is: {rules['effect']}.")
        object.__setattr__(self, name, value)

    def knobs(self) -> dict[str, Any]:
        """The live fields and their values, as each `Update` records them."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.metadata["live"]}

    def structure(self) -> dict[str, Any]:
        """The fields that shape a run and may not change while it goes on."""
        fields = [f.name for f in dataclasses.fields(self) if not f.metadata["live"]]
        return {name: _kept(getattr(self, name)) for name in fields}


Settings.__doc__ = f"{Settings.__doc__}\n" + "\n".join(
    f"    {f.name}{' (live)' * f.metadata['live']}: {f.metadata['effect']}; {f.metadata['allowed']}."
    for f in dataclasses.fields(Settings)
)
