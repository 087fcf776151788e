"""Exported runs: the code repeats the run bit for bit, and the files hold the updates' numbers."""

import csv
import datetime
import enum
import io
import json
from fractions import Fraction

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the tiny environments
from torch import nn

from pglesson import Baseline, Settings, reinforce
from pglesson.analysis.export import first_settings, moves, to_code, to_csv, to_json
from pglesson.analysis.plots import run_series
from pglesson.baselines import OwnBaseline

SMALL = {"episodes": 4, "updates": 6}


def train(settings, moved=None, policy=None, baseline=None):
    """All updates; before update k the settings moved[k] are changed, as by a dashboard's sliders."""
    made, training = [], reinforce(settings, policy, baseline=baseline)
    for number in range(1, settings.updates + 1):
        for name, value in (moved or {}).get(number, {}).items():
            setattr(settings, name, value)
        made.append(next(training))
    return made


def by_hand(code):
    names = {}
    exec(code, names)
    return names["updates"]


MOVES = {
    2: {"learning_rate": 0.2},
    4: {"baseline": "none", "max_grad_norm": 0.5},
    5: {"max_grad_norm": float("inf"), "learning_rate": 0.03},
}


@pytest.mark.parametrize("moved", [{}, MOVES], ids=["still", "moved"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"runs": 3, "seed": 7, "hidden": (8, 8), "activation": "relu", "optimizer": "sgd", "max_steps": 30},
        {"env": "pglesson/PlanarArm-v0", "env_options": {"joints": 3}, "runs": 2, "max_steps": 5},
        {"env": "pglesson/TwoHills-v0", "hidden": (), "gamma": np.float32(0.9), "max_grad_norm": 0.1},
        {"env": "pglesson/RockPaperScissors-v0", "env_options": {"opponent": "rock"}, "hidden": (5,), "seed": 3},
        {"env": "tiny/Bandit-v0", "baseline": "value", "value_steps": 2, "entropy_weight": 0.1},
    ],
    ids=["defaults", "structure", "continuous", "bandit", "options", "registered"],
)
def test_code_repeats_the_run_bit_for_bit(settings, moved):
    settings = Settings(**(SMALL | settings))
    updates = train(settings, moved)
    again = by_hand(to_code(settings, updates))
    assert len(again) == len(updates)
    for one, other in zip(updates, again):
        assert np.array_equal(one.returns, other.returns) and np.array_equal(one.loss, other.loss)
        assert one.live == other.live


def test_code_names_only_changed_settings():
    settings = Settings(runs=2, updates=3)
    assert to_code(settings, []).count("=") == 5  # settings, runs, updates, policy and the list
    assert "settings = Settings(runs=2, updates=3)\n" in to_code(settings, [])
    assert "settings = Settings()\n" in to_code(Settings(), []) and "moves" not in to_code(Settings(), [])


def test_code_of_a_stopped_run_has_its_number_of_updates():
    settings = Settings(**SMALL)
    training = reinforce(settings)
    updates = [next(training), next(training)]
    settings.gamma = 0.5  # changed, but not yet read by an update
    again = by_hand(to_code(settings, updates))
    assert len(again) == 2 and again[0].live["gamma"] == 0.99
    assert all(np.array_equal(one.returns, other.returns) for one, other in zip(updates, again))


def test_changes_before_the_first_update_are_settings():
    settings = Settings(**SMALL)
    updates = train(settings, {1: {"gamma": 0.5}, 3: {"gamma": 0.9}})
    assert first_settings(settings, updates)["gamma"] == 0.5 and moves(updates) == {3: {"gamma": 0.9}}


def test_code_has_short_lines():
    settings = Settings(**SMALL, hidden=(64, 64), env_options={}, baseline="value", normalization="none", gamma=0.5)
    settings.value_learning_rate, settings.env = 0.1, "pglesson/CoinOrPrize-v0"
    code = to_code(settings, train(settings, {k: {"learning_rate": k / 100, "gamma": 0.9} for k in range(2, 7)}))
    assert max(map(len, code.splitlines())) <= 110 and "    hidden=(64, 64),\n" in code


class Two(nn.Linear):
    def __init__(self):
        super().__init__(4, 2)


def test_code_of_an_own_policy_warns_about_its_weights():
    code = to_code(Settings(), [], policy=Two())
    assert "policy = Two()  # your own" in code and "own starting weights" in code and "make_policy" not in code
    assert "policy = ...  # put your own module here, a Sequential" in to_code(Settings(), [], policy=nn.Sequential())


def test_code_of_an_own_policy_runs_if_its_class_is_defined():
    import torch

    torch.manual_seed(0)
    settings, policy = Settings(**SMALL), Two()
    names, updates = {"Two": Two}, train(settings, policy=policy)
    torch.manual_seed(0)
    exec(to_code(settings, updates, policy=policy), names)
    assert np.array_equal(updates[-1].returns, names["updates"][-1].returns)


class Half(Baseline):
    def predict(self, episodes, returns):
        return returns.new_full((), 0.5)


def test_an_own_baseline_is_named_where_it_was_used_and_the_code_runs():
    settings, own = Settings(**SMALL, baseline="own"), Half()
    updates = train(settings, {3: {"baseline": "none"}, 5: {"baseline": "own"}}, baseline=own)
    code = to_code(settings, updates, baseline=own)
    assert "baseline = Half()  # your own" in code
    names = {"Half": Half}
    exec(code, names)
    assert np.array_equal([u.loss for u in updates], [u.loss for u in names["updates"]])
    settings = Settings(**SMALL, baseline="none")  # chosen only later
    updates = train(settings, {3: {"baseline": "own"}}, baseline=OwnBaseline(own))
    exec(to_code(settings, updates, baseline=own), names)
    assert np.array_equal([u.loss for u in updates], [u.loss for u in names["updates"]])
    other = Settings(**SMALL)
    assert to_code(other, train(other), baseline=own) == to_code(other, train(other))


def no_constant(name):
    raise AssertionError(f"{name} is not JSON")


def test_json_has_settings_changes_and_curve():
    settings = Settings(**SMALL, runs=2, hidden=(8, 8), env_options={"sutton_barto_reward": False})
    updates = train(settings, MOVES)
    document = json.loads(to_json(settings, updates), parse_constant=no_constant)
    first = document["settings"]
    assert set(first) == set(settings.fixed()) | set(settings.live())
    assert first["max_grad_norm"] == "inf" and float(first["max_grad_norm"]) == float("inf")
    assert first["learning_rate"] == 0.03 and first["hidden"] == [8, 8]
    assert first["env_options"] == {"sutton_barto_reward": False}
    assert [move["update"] for move in document["moves"]] == [2, 4, 5]
    assert document["moves"][2]["knobs"] == {"max_grad_norm": "inf", "learning_rate": 0.03}
    for name, quantity in NAMES.items():
        episodes, values = run_series(updates, quantity)
        assert document["curve"][name] == values.tolist() and document["curve"]["episodes"] == episodes.tolist()


def test_json_of_values_that_json_cannot_hold():
    settings = Settings(
        env_options={"low": np.array([0.0, np.inf]), "name": int, "far": (np.float32(0.5), float("nan"))}
    )
    options = json.loads(to_json(settings, []), parse_constant=no_constant)["settings"]["env_options"]
    assert options == {"low": [0.0, "inf"], "name": "<class 'int'>", "far": [0.5, "nan"]}


NAMES = {
    "mean_return": "returns",
    "mean_length": "lengths",
    "loss": "loss",
    "gradient_norm": "gradient_norm",
    "entropy": "entropy",
}


def test_csv_equals_the_figures_data():
    settings = Settings(**SMALL, runs=3)
    updates = train(settings, MOVES)
    rows = list(csv.DictReader(io.StringIO(to_csv(updates))))
    assert len(rows) == 6 * 3 and list(rows[0]) == ["update", "run", "episodes", *NAMES, *settings.live()]
    for name, quantity in NAMES.items():
        episodes, values = run_series(updates, quantity)
        assert np.array_equal(np.array([float(row[name]) for row in rows]).reshape(6, 3), values)
        assert [float(row["episodes"]) for row in rows[::3]] == episodes.tolist()
    assert [(row["update"], row["run"]) for row in rows[:4]] == [("1", "0"), ("1", "1"), ("1", "2"), ("2", "0")]
    for row in rows:
        knobs = updates[int(row["update"]) - 1].live
        assert {name: row[name] for name in knobs} == {name: str(value) for name, value in knobs.items()}


def test_csv_without_updates_is_a_header():
    assert to_csv([]).splitlines() == [",".join(["update", "run", "episodes", *NAMES, *Settings().live()])]


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("option", "kind"),
    [
        (lambda x: x, "function"),
        (Colour.RED, "Colour"),
        (object(), "object"),
        (nn.Linear(1, 1), "Linear"),
        (np.random.default_rng(0), "Generator"),
        (datetime.date(2026, 1, 2), "date"),
        (Fraction(1, 3), "Fraction"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_code_with_an_option_that_no_literal_gives_back_compiles_and_says_what_to_fill_in(option, kind, inside):
    settings = Settings(env_options={"level": 3, "own": [1, {"deep": option}] if inside else option})
    code = to_code(settings, [])
    compile(code, "cell", "exec")
    place = "env_options['own'][1]['deep']" if inside else "env_options['own']"
    assert f"# put your own values in the place of each ...: {place}, of type {kind}\n" in code and '"level": 3' in code


def test_code_with_options_of_every_plain_kind_gives_them_back():
    """Oracle: equality after the code has run."""
    options = {
        "a": {3, 1},
        "b": frozenset("xy"),
        "c": b"\x00",
        "d": None,
        "e": 1 + 2j,
        "f": (),
        "g": (1,),
        "h": np.arange(3),
        "i": float("-inf"),
        "j": 'quoted "text"\n',
        "k": {1: [True]},
        "l": np.str_("word"),
        "m": np.bool_(True),
    }
    code = to_code(Settings(env_options=options), [])
    assert "..." not in code
    names = {}
    exec(code.partition("policy =")[0], names)
    found = dict(names["settings"].env_options)
    assert found.pop("h") == [0, 1, 2] and found == {name: value for name, value in options.items() if name != "h"}
