"""Every setting of the training loop, documented, and validated the moment it is set."""

from __future__ import annotations

import copy
import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NamedTuple

MAX = 1e30  # beyond it no setting makes sense, and float32 soon ends
BASELINES = ("none", "constant", "running_mean", "time_mean", "value")
NORMALIZATIONS = ("none", "batch", "episode")
GROUPED = ("group_mean", "group")  # one more of each, for environments that start several episodes alike
OWN = "own"  # one more baseline, for an object of the learner's


class Rule(NamedTuple):
    """What a setting may be: as a test, and in words."""

    accepts: Callable[[Any], bool]
    allowed: str


def _is_a(kind: type, x: Any) -> bool:
    return isinstance(x, kind) and not isinstance(x, bool)  # Python counts True as 1


def _whole(low: int, high: float = math.inf) -> Rule:
    allowed = f"a whole number from {low} up" if high == math.inf else f"a whole number from {low} to {high}"
    return Rule(lambda x: _is_a(Integral, x) and low <= x <= high, allowed)


def _number(low: float = -math.inf, high: float = MAX) -> Rule:
    """From low to high, both included."""
    words = f"a number from {low:g} to {high:g}" if high < MAX else f"a finite number, {low:g} or more"
    words = words if low > -math.inf else "a finite number"
    return Rule(lambda x: _is_a(Real, x) and max(low, -MAX) <= x <= high, words)


def _positive() -> Rule:
    return Rule(lambda x: _is_a(Real, x) and 0 < x <= MAX, "a finite number above 0")


def _limit(words: str) -> Rule:
    return Rule(lambda x: _is_a(Real, x) and (x == math.inf or 0 < x <= MAX), words)


def _name(*names: str) -> Rule:
    return Rule(lambda x: isinstance(x, str) and x in names, "one of " + ", ".join(map(repr, names)))


def _text(words: str) -> Rule:
    return Rule(lambda x: isinstance(x, str) and x != "", words)


def _switch() -> Rule:
    return Rule(lambda x: isinstance(x, bool), "True or False")


def _options() -> Rule:
    words = "a dict of keyword arguments for the environment, such as {'joints': 3}"
    return Rule(lambda x: isinstance(x, Mapping) and all(isinstance(name, str) for name in x), words)


def _sizes() -> Rule:
    words = "a tuple of layer widths, such as (32,) or (64, 64), or () for a linear policy"
    return Rule(lambda x: isinstance(x, tuple) and all(map(_whole(1).accepts, x)), words)


def _setting(default: Any, rule: Rule, effect: str, *, live: bool = False) -> Any:
    metadata = {"accepts": rule.accepts, "allowed": rule.allowed, "effect": effect, "live": live}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass
class Settings:
    """What `reinforce` needs to know. Setting a field to something it cannot be raises a ValueError at once and
    leaves the old value in place. Fields marked (live) may be changed while training runs: they are read once an
    update. The others shape the run and need a new `reinforce(settings)`.
    """

    env: str = _setting(
        "CartPole-v1",
        _text("the id of a Gymnasium environment, such as 'CartPole-v1'"),
        "the task, any Gymnasium id with observations that make a vector and with discrete or Box actions",
    )
    env_options: Mapping[str, Any] = _setting({}, _options(), "keyword arguments for the environment")
    runs: int = _setting(1, _whole(1), "independent learners, each with its own weights, trained side by side")
    episodes: int = _setting(16, _whole(1), "whole episodes a run plays for one update")
    updates: int = _setting(100, _whole(1), "updates of the policy before training ends")
    max_steps: int = _setting(1000, _whole(1), "time steps after which an unfinished episode is cut off")
    seed: int = _setting(0, _whole(0, 2**32 - 1), "the start of every random number of the training")
    hidden: tuple[int, ...] = _setting(
        (32,), _sizes(), "widths of the hidden layers; () is linear, and a table for Discrete observations"
    )
    activation: str = _setting("tanh", _name("tanh", "relu"), "the nonlinearity between layers")
    optimizer: str = _setting(
        "adam", _name("adam", "sgd"), "'sgd' is the plain theta + alpha * gradient; 'adam' rescales each weight's step"
    )
    learning_rate: float = _setting(
        0.03, _positive(), "alpha, the step size of the policy: higher is faster and less stable", live=True
    )
    gamma: float = _setting(0.99, _number(0, 1), "discount of a reward one time step later", live=True)
    baseline: str = _setting(
        "time_mean",
        _name(*BASELINES, GROUPED[0], OWN),
        "what is subtracted from each return G_t; 'own' is the object given to reinforce",
        live=True,
    )
    baseline_constant: float = _setting(
        0.0, _number(), "the value of the 'constant' baseline, in units of return", live=True
    )
    normalization: str = _setting(
        "batch",
        _name(*NORMALIZATIONS, GROUPED[1]),
        "over what advantages are shifted to mean 0 and scaled to std 1",
        live=True,
    )
    gae_lambda: float = _setting(
        1.0,
        _number(0, 1),
        "lambda: at 1 the whole return counts; below, the 'value' baseline speaks for what is to come, at 0 from the "
        "next step on",
        live=True,
    )
    entropy_weight: float = _setting(
        0.0, _number(0), "beta, the reward for a spread-out policy, per nat and time step", live=True
    )
    kl_weight: float = _setting(
        0.0, _number(0), "the penalty for leaving the policy that training began with, per nat and time step", live=True
    )
    policy_epochs: int = _setting(1, _whole(1), "gradient steps of the policy on the same episodes", live=True)
    clip_ratio: float = _setting(
        math.inf,
        _limit("a number above 0, such as 0.2, or math.inf for no limit"),
        "PPO's epsilon: beyond 1 +- it, a changed probability of an action earns nothing more (policy_epochs above 1)",
        live=True,
    )
    max_grad_norm: float = _setting(
        math.inf,
        _limit("a number above 0, or math.inf for no clipping"),
        "longest gradient (Euclidean norm, per run) that is applied; a longer one is shortened to it",
        live=True,
    )
    value_learning_rate: float = _setting(
        0.02, _positive(), "step size of the network behind the 'value' baseline", live=True
    )
    value_steps: int = _setting(5, _whole(1), "gradient steps an update on the 'value' baseline", live=True)
    measure_variance: bool = _setting(False, _switch(), "measure the gradient's variance at each update", live=True)
    measure_change: bool = _setting(False, _switch(), "measure how far each update moves the policy", live=True)
    device: str = _setting(
        "cpu",
        _text("'cpu', or the name of a GPU that torch sees, such as 'cuda'"),
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
        if isinstance(value, Real) and not isinstance(value, bool):  # torch may not take those of NumPy
            value = int(value) if isinstance(value, Integral) else float(value)
        object.__setattr__(self, name, value)

    def live(self) -> dict[str, Any]:
        """The fields that may change while training runs, and their values, as each `Update` records them."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.metadata["live"]}

    def fixed(self) -> dict[str, Any]:
        """The fields that shape a run and may not change while it goes on, and their values."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if not f.metadata["live"]}

    def snapshot(self) -> Settings:
        """The settings as they are now, unmoved by what is set later."""
        return copy.copy(self)

    def fixed_changes(self, other: Settings) -> list[str]:
        """The names of the fixed fields in which the two differ. env_options differ where they may: see `_equal`."""
        mine, others = self.fixed(), other.fixed()
        return [name for name in mine if not _equal(mine[name], others[name])]


def _equal(a: Any, b: Any) -> bool:
    try:
        return a is b or bool(a == b)
    except (ValueError, TypeError, RuntimeError):  # an option such as an array, for which == has not one answer
        return False


Settings.__doc__ = f"{Settings.__doc__}\n" + "\n".join(
    f"    {f.name}{' (live)' * f.metadata['live']}: {f.metadata['effect']}; {f.metadata['allowed']}."
    for f in dataclasses.fields(Settings)
)
