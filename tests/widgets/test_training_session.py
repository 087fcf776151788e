"""A training session by itself: no widget is made, and the oracle is `reinforce`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields
from typing import Any

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
from torch import Tensor, nn

from pglesson import Baseline, Episodes, Settings, Update, reinforce
from pglesson.settings import OWN
from pglesson.widgets.presets import PRESETS
from pglesson.widgets.training_session import TrainingSession

SMALL: dict[str, Any] = {"runs": 2, "episodes": 4, "updates": 4}


class CountingBaseline(Baseline):
    """A running mean that also counts what it was asked."""

    def __init__(self) -> None:
        self.mean, self.learned = 0.0, 0

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return torch.tensor(self.mean)

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        self.learned += 1
        self.mean = float(targets.mean())


class LeaveOneOut:
    """Not finite for a batch of one episode, and no `learn`."""

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return (returns.sum(1, keepdim=True) - returns) / (returns.shape[1] - 1)


def train(session: TrainingSession, number: int) -> list[Update]:
    updates = [session.step() for _ in range(number)]
    return [update for update in updates if update is not None]


def assert_same(updates: list[Update], expected: list[Update]) -> None:
    """Bit for bit, apart from the time that they took."""
    assert len(updates) == len(expected) > 0
    for one, other in zip(updates, expected):
        for field in fields(Update):
            if field.name != "seconds":
                mine, theirs = getattr(one, field.name), getattr(other, field.name)
                assert np.array_equal(mine, theirs), (one.number, field.name)


def test_no_widget_is_imported() -> None:
    """The package's other modules, which are imported beside it, do need ipywidgets: they are left out here."""
    code = (
        "import sys, types, importlib.util, pglesson\n"
        "folder = pglesson.__path__[0] + '/widgets'\n"
        "package = sys.modules['pglesson.widgets'] = types.ModuleType('pglesson.widgets')\n"
        "package.__path__ = [folder]\n"
        "import pglesson.widgets.training_session\n"
        "print(sorted({'ipywidgets', 'matplotlib', 'IPython'} & set(sys.modules)))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


@pytest.mark.parametrize(
    "settings", [{}, {"env": "pglesson/PlanarArm-v0", "max_steps": 20, "baseline": "value"}], ids=["CartPole", "arm"]
)
def test_the_updates_are_those_of_reinforce(settings: dict[str, Any]) -> None:
    session = TrainingSession(Settings(**SMALL | settings))
    expected = list(reinforce(Settings(**SMALL | settings)))
    assert_same(train(session, 9), expected)
    assert session.step() is None and len(session.updates) == 4
    session.begin()
    assert session.updates == []
    assert_same(train(session, 4), expected)


def test_a_setting_counts_from_the_next_update_on_as_in_a_loop() -> None:
    session, settings = TrainingSession(Settings(**SMALL)), Settings(**SMALL)
    expected = []
    train(session, 2)
    session.set("gamma", 0.5)
    train(session, 2)
    for update in reinforce(settings):
        expected.append(update)
        if update.number == 2:
            settings.gamma = 0.5
    assert_same(session.updates, expected)
    with pytest.raises(ValueError, match="gamma was set to 2, but must be a number from 0 to 1"):
        session.set("gamma", 2)
    assert session.settings.gamma == 0.5


def test_a_session_changes_its_own_settings_alone() -> None:
    given = Settings(**SMALL)
    session = TrainingSession(given)
    session.set("gamma", 0.5)
    assert given == Settings(**SMALL) and session.first_settings == given
    with pytest.raises(ValueError, match="settings is 'CartPole-v1', but must be Settings"):
        TrainingSession("CartPole-v1")  # type: ignore[arg-type]


def test_an_error_keeps_the_updates_until_the_next_step_begins_anew() -> None:
    session = TrainingSession(Settings(**SMALL))
    begun = []
    session.on_begin.append(lambda: begun.append(len(session.updates)))
    first = train(session, 2)
    session.set("episodes", 5)  # fixed while training runs
    with pytest.raises(ValueError, match="episodes changed while training was running"):
        session.step()
    assert session.updates == first and not session.begun and begun == [0]
    update = session.step()
    assert update is not None and update.number == 1 and update.returns.shape == (2, 5)
    assert session.updates == [update] and begun == [0, 0]


def test_an_ended_training_is_followed_by_the_same_one() -> None:
    session = TrainingSession(Settings(**SMALL))
    first = train(session, 2)
    session.end()
    assert session.updates == first
    assert_same(train(session, 2), first)


def test_an_impossible_task_raises_and_keeps_the_updates() -> None:
    session = TrainingSession(Settings(env="Nowhere-v0"))
    assert session.policy is None and session.marks == {}
    for _ in range(2):
        with pytest.raises(ValueError, match="No environment is registered as"):
            session.step()
    session = TrainingSession(Settings(**SMALL))
    first = train(session, 2)
    session.set("env", "Nowhere-v0")
    with pytest.raises(ValueError, match="No environment is registered as"):
        session.begin()
    assert session.updates == first


def test_a_learners_policy_is_copied_for_each_training() -> None:
    policy = nn.Linear(4, 2)
    weights = policy.weight.detach().clone()
    session = TrainingSession(Settings(**SMALL), policy=policy)
    assert session.settings.runs == 1
    first = train(session, 3)
    assert_same(first, list(reinforce(Settings(**SMALL | {"runs": 1}), deepcopy(policy)))[:3])
    assert policy.weight.equal(weights) and session.policy is not None
    assert next(session.marks[0].parameters()).equal(weights)
    assert not next(session.policy.parameters()).equal(weights)
    session.begin()
    assert_same(train(session, 3), first)


def test_a_function_to_watch_is_called_after_each_update() -> None:
    seen = []

    def first_weight(policy: nn.Module) -> float:
        seen.append(float(next(policy.parameters()).detach().flatten()[0]))
        return seen[-1]

    session = TrainingSession(Settings(**SMALL), watch=first_weight)
    train(session, 9)
    assert [given.tolist() for given in session.watched] == [[number] for number in seen] and len(set(seen)) == 4
    session.begin()
    assert session.watched == []


def test_an_error_in_a_function_to_watch_ends_the_training() -> None:
    def broken(policy: nn.Module) -> float:
        raise RuntimeError("there is nothing to see")

    session = TrainingSession(Settings(**SMALL), watch=broken)
    with pytest.raises(RuntimeError, match="nothing to see"):
        session.step()
    assert session.updates == [] and not session.begun


# --- other settings ---------------------------------------------------------------------------------------------------


def test_another_task_has_its_preset_and_the_first_one_what_it_began_with() -> None:
    session = TrainingSession(Settings(**SMALL, gamma=0.7, device="cpu:0"))
    fresh = session.suited("Pendulum-v1")
    assert {name: getattr(fresh, name) for name in PRESETS["Pendulum-v1"]} == PRESETS["Pendulum-v1"]
    assert fresh.device == "cpu:0" and session.settings.env == "CartPole-v1", "a suggestion changes nothing"
    train(session, 1)
    session.take(fresh)
    assert session.settings == fresh and session.settings is not fresh
    session.begin()
    assert session.updates == [] and train(session, 1)[0].returns.shape == (1, 32)
    session.take(session.suited("CartPole-v1"))
    assert session.settings == session.first_settings == Settings(**SMALL, gamma=0.7, device="cpu:0")
    assert session.suited("tiny/Bandit-v0").runs == 4, "no preset"


def test_kept_settings_go_back_to_their_first_value_instead_of_a_default() -> None:
    session = TrainingSession(Settings(**SMALL, gamma=0.7, value_steps=7))
    session.take(session.suited("Pendulum-v1"), keep=["gamma", "value_steps"])
    assert (session.settings.gamma, session.settings.value_steps) == (0.95, 7)
    session.take(session.suited("pglesson/TwoRooms-v0"), keep=["value_steps"])
    assert (session.settings.gamma, session.settings.value_steps) == (1.0, 7)


@pytest.mark.parametrize("watch", ["gradient_variance", "policy_change"])
def test_what_is_watched_is_measured_in_every_task(watch: str) -> None:
    session = TrainingSession(Settings(**SMALL), watch=watch)
    assert getattr(train(session, 1)[0], watch) is not None
    session.take(session.suited("pglesson/TwoRooms-v0"))
    session.begin()
    assert getattr(train(session, 1)[0], watch) is not None


class Divides(tiny_envs.Scripted):
    def step(self, action: Any) -> Any:
        return 1 / 0


@pytest.fixture
def divides() -> Iterator[str]:
    gymnasium.register("tiny/Divides-v0", Divides, disable_env_checker=True)
    yield "tiny/Divides-v0"
    del gymnasium.registry["tiny/Divides-v0"]


def test_what_cannot_be_trained_is_found_without_a_change(divides: str) -> None:
    session = TrainingSession(Settings(**SMALL), policy=nn.Linear(4, 2))
    first, settings = train(session, 2), deepcopy(session.settings)
    assert session.can_train(settings) is None
    assert isinstance(TrainingSession().can_train(session.suited(divides)), ZeroDivisionError)
    assert "No environment is registered" in str(session.can_train(session.suited("Nowhere-v0")))
    assert "Its first layer must take" in str(session.can_train(session.suited("pglesson/TwoRooms-v0")))
    grouped = Settings(env="pglesson/Digits-v0", runs=1, baseline="group_mean", episodes=12)
    assert "group" in str(TrainingSession().can_train(grouped))
    assert session.settings == settings and session.updates == first and session.begun
    expected = list(reinforce(Settings(**SMALL | {"runs": 1}), deepcopy(session.own_policy)))
    assert_same([*first, *train(session, 2)], expected)


# --- a learner's own baseline -----------------------------------------------------------------------------------------


def test_an_own_baseline_is_chosen_and_copied_for_each_training() -> None:
    own = CountingBaseline()
    session = TrainingSession(Settings(**SMALL, baseline="none"), baseline=own)
    assert session.settings.baseline == session.first_settings.baseline == OWN
    expected = list(reinforce(Settings(**SMALL, baseline=OWN), baseline=CountingBaseline()))
    assert_same(train(session, 4), expected)
    assert own.learned == 0
    session.begin()
    assert_same(train(session, 4), expected)
    assert TrainingSession(baseline=own).settings.baseline == OWN


def test_switching_to_an_own_baseline_and_back_counts_from_the_next_update_on() -> None:
    session = TrainingSession(Settings(**SMALL), baseline=CountingBaseline())
    settings, expected = Settings(**SMALL, baseline=OWN), []
    training = reinforce(settings, baseline=CountingBaseline())
    for name in (OWN, "none", OWN, "time_mean"):
        session.set("baseline", name)
        settings.baseline = name
        train(session, 1)
        expected.append(next(training))
    assert [update.live["baseline"] for update in session.updates] == [OWN, "none", OWN, "time_mean"]
    assert_same(session.updates, expected)


def test_a_training_with_another_baseline_can_switch_to_the_own_one() -> None:
    session = TrainingSession(Settings(**SMALL), baseline=CountingBaseline())
    session.set("baseline", "none")
    session.begin()
    assert_same(train(session, 1), list(reinforce(Settings(**SMALL | {"updates": 1}, baseline="none"))))
    session.set("baseline", OWN)
    train(session, 2)
    assert [update.live["baseline"] for update in session.updates] == ["none", OWN, OWN]
    session.set("baseline", "none")
    session.set("env", "Nowhere-v0")
    session.end()
    with pytest.raises(ValueError, match="No environment is registered as"):
        session.step()
    assert session.settings.baseline == "none"


@pytest.mark.parametrize("own", [CountingBaseline(), LeaveOneOut()], ids=lambda own: type(own).__name__)
def test_an_own_baseline_can_be_trained_and_stays_chosen_in_another_task(own: object) -> None:
    session = TrainingSession(Settings(**SMALL), baseline=own)
    assert session.can_train(session.settings) is None and train(session, 1)
    fresh = session.suited("pglesson/TwoRooms-v0")
    assert fresh.baseline == OWN and session.can_train(fresh) is None
    session.set("baseline", "none")
    assert session.can_train(session.settings) is None
    fresh = session.suited("pglesson/TwoRooms-v0")
    assert fresh.baseline == "time_mean" and session.can_train(fresh) is None


def test_an_own_baseline_that_does_not_fit_cannot_be_trained() -> None:
    class Misfit:
        def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
            return torch.zeros(3, 7)

    session = TrainingSession(Settings(**SMALL), baseline=Misfit())
    assert "Your baseline's predict gave shape (3, 7)" in str(session.can_train(session.settings))
    session = TrainingSession(Settings(**SMALL, baseline=OWN))
    assert "none was given" in str(session.can_train(session.settings))
