"""Every field refuses invalid values with a helpful message, and keeps its value."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pglesson import Settings

NAN, ARRAY = math.nan, np.array(["none", "value"])  # for an array, `in` raises an error
# for each field: values it must refuse, values it must accept, and words that the message must contain
CASES: dict[str, tuple[list[Any], list[Any], str]] = {
    "env": (["", None, 3], ["Pendulum-v1"], "id of a Gymnasium environment"),
    "env_options": ([None, [("joints", 3)], "joints", {1: 2}], [{"joints": 3}], "a dict"),
    "runs": ([0, -1, 1.0, True, "1", NAN], [1, 32], "a whole number from 1 up"),
    "episodes": ([0, -1, 1.5, True], [1, 64], "a whole number from 1 up"),
    "updates": ([0, -1, 2.0, False, None], [1], "a whole number from 1 up"),
    "max_steps": ([0, -3, 2.5, True], [1], "a whole number from 1 up"),
    "seed": ([-1, 0.0, True, None, 2**64], [0, 12345], "a whole number from 0 to"),
    "hidden": ([32, [32], (0,), (-1,), (1.5,), ("a",), (True,), None], [(), (64, 64)], "a tuple of layer widths"),
    "activation": (["sigmoid", None, ""], ["relu", "tanh"], "one of 'tanh', 'relu'"),
    "optimizer": (["rmsprop", None, "Adam"], ["sgd"], "one of 'adam', 'sgd'"),
    "learning_rate": ([0, -0.1, NAN, math.inf, "0.1", None, True, 10**400], [1e-9, 10, np.float32(0.5)], "above 0"),
    "gamma": ([-0.01, 1.01, NAN, math.inf, "1", True], [0, 1, 0.5], "a number from 0 to 1"),
    "baseline": (
        ["mean", None, ARRAY],
        ["none", "value", "group_mean", "own"],
        "one of 'none', 'constant', 'running_mean'",
    ),
    "baseline_constant": ([NAN, math.inf, -math.inf, None, False], [-5, 0.5], "a finite number"),
    "normalization": (["yes", None, True], ["none", "episode", "group"], "one of 'none', 'batch', 'episode'"),
    "entropy_weight": ([-0.1, NAN, math.inf, None], [0, 0.5], "0 or more"),
    "gae_lambda": ([-0.1, 1.1, NAN, None, True], [0, 0.95, 1], "a number from 0 to 1"),
    "kl_weight": ([-0.1, NAN, math.inf, None], [0, 0.5], "0 or more"),
    "policy_epochs": ([0, 1.5, True], [1, 10], "a whole number from 1 up"),
    "clip_ratio": ([0, -0.2, NAN, "off", True], [0.2, math.inf], "math.inf for no limit"),
    "max_grad_norm": ([0, -1.0, NAN, "inf", True, ARRAY], [0.5, math.inf], "math.inf for no clipping"),
    "value_learning_rate": ([0.0, -1, NAN, math.inf], [0.1], "above 0"),
    "value_steps": ([0, 1.5, True], [1], "a whole number from 1 up"),
    "measure_variance": ([1, 0, None, "yes"], [True, False], "True or False"),
    "measure_change": ([1, 0, None, "yes"], [True, False], "True or False"),
    "device": (["", None, 0], ["cuda", "cpu"], "the name of a GPU"),
}
FIELDS = [field.name for field in dataclasses.fields(Settings)]
REFUSED = [(name, value) for name in FIELDS for value in CASES.get(name, ([], [], ""))[0]]
LIVE = {
    "learning_rate",
    "gamma",
    "baseline",
    "baseline_constant",
    "normalization",
    "gae_lambda",
    "entropy_weight",
    "kl_weight",
    "policy_epochs",
    "clip_ratio",
    "max_grad_norm",
    "value_learning_rate",
    "value_steps",
    "measure_variance",
    "measure_change",
}


def test_every_field_has_its_cases() -> None:
    assert set(CASES) == set(FIELDS), "a field without cases, or cases without a field"


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_invalid_value_raises_and_changes_nothing(name: str, value: Any) -> None:
    settings = Settings()
    before = getattr(settings, name)
    with pytest.raises(ValueError, match=f"^{name} was set to") as error:
        setattr(settings, name, value)
    assert repr(value) in str(error.value) and CASES[name][2] in str(error.value)
    assert getattr(settings, name) is before
    with pytest.raises(ValueError, match=f"^{name} was set to"):
        Settings(**{name: value})


@pytest.mark.parametrize("name", FIELDS)
def test_valid_values_are_accepted(name: str) -> None:
    for value in CASES[name][1]:
        assert getattr(Settings(**{name: value}), name) == value


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("entropy_weight", np.float64(0.5), 0.5),
        ("kl_weight", np.float32(0.5), 0.5),
        ("gamma", Fraction(1, 2), 0.5),
        ("max_grad_norm", np.float64(np.inf), math.inf),
        ("seed", np.uint8(3), 3),
        ("runs", np.int64(2), 2),
    ],
)
def test_numbers_of_every_kind_are_kept_as_pythons(name: str, value: Any, kept: Any) -> None:
    """torch takes neither a fraction nor NumPy's true, and NumPy's print as calls of NumPy."""
    found = getattr(Settings(**{name: value}), name)
    assert found == kept and type(found) is type(kept)


def test_misspelt_field_suggests_the_closest() -> None:
    with pytest.raises(AttributeError, match="no field 'lerning_rate': did you mean 'learning_rate'"):
        Settings().lerning_rate = 0.1


def test_unknown_field_lists_the_fields() -> None:
    with pytest.raises(AttributeError, match="gamma") as error:
        Settings().xyzzy = 1
    assert all(name in str(error.value) for name in FIELDS)


def test_live_and_fixed_fields() -> None:
    """The live ones as listed here; every field is one or the other."""
    settings = Settings(gamma=0.5, runs=3)
    assert set(settings.live()) == LIVE and set(settings.fixed()) == set(FIELDS) - LIVE
    assert settings.live()["gamma"] == 0.5 and settings.fixed()["runs"] == 3


def test_live_returns_a_copy() -> None:
    settings = Settings()
    settings.live()["gamma"] = 0.0
    assert settings.gamma == 0.99


def test_the_docstring_names_every_field() -> None:
    for field in dataclasses.fields(Settings):
        line = f"    {field.name}{' (live)' if field.name in LIVE else ''}: {field.metadata['effect']}; "
        assert line + f"{field.metadata['allowed']}." in (Settings.__doc__ or "")
