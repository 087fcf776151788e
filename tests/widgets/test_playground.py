"""The playground without a browser: stepped and pressed as tests/test_dashboard.py does it."""

import asyncio
import base64
import html
import io
import json
import re

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
from ipywidgets import HTML
from PIL import Image
from torch import nn
from waiting import until

from pglesson import Settings
from pglesson.analysis.export import to_code, to_csv, to_json
from pglesson.widgets.controls import LISTS, field, parse_setting
from pglesson.widgets.curves import WATCHED
from pglesson.widgets.fixed_settings_panel import FIXED
from pglesson.widgets.pinned_runs import PINS, describe_differences
from pglesson.widgets.playground import KNOBS, Playground
from pglesson.widgets.presets import PRESETS

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def playground():
    return Playground(Settings(**SMALL))


def train(playground, updates=2):
    return [playground.step(draw=False) and playground.updates[-1].returns for _ in range(updates)]


def said(playground):
    return html.unescape(playground.status.value)


def names(playground):
    """What the list says of each run: {"the present run": ..., "1": ...}."""
    rows = [re.search(r"<b>(.*)</b>: (.*)", row.children[0].value) for row in playground.list.children]
    return {row[1]: html.unescape(row[2]) for row in rows}


def descendants(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from descendants(child)


def test_every_setting_has_a_control():
    playground, settings = Playground(), Settings()
    assert set(playground.knobs) == set(KNOBS) == set(settings.live())
    assert set(playground.fixed) == set(FIXED) and {*FIXED, "env"} == set(settings.fixed())
    assert [env for _, env in playground.environment.options] == list(PRESETS)
    assert playground.settings.env == "CartPole-v1" and playground.updates == [] and not playground.running


def test_its_controls_have_tooltips_and_it_stores_a_picture(playground):
    train(playground)
    playground.pin()
    for widget in descendants(playground):
        if hasattr(widget, "tooltip") and hasattr(widget, "description") and not isinstance(widget, HTML):
            assert widget.tooltip or type(widget).__name__ == "IntProgress", widget
    bundle, _ = playground._repr_mimebundle_()
    assert bundle["text/plain"] == "<Playground>"
    assert np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle["image/png"])))).shape[:2] == (360, 780)


def test_every_knob_is_heard_at_every_position(playground):
    for name, control in playground.knobs.items():
        for value in [value for _, value in getattr(control, "options", ())] or [True, False]:
            control.value = value
            assert getattr(playground.settings, name) == value and "must be" not in said(playground)


@pytest.mark.parametrize("env", PRESETS)
def test_every_environment_trains(playground, env):
    playground.environment.value = env
    assert playground.settings.env == env
    playground.fixed["episodes"].value = 4
    assert playground.settings.episodes == 4 and train(playground, 1)[0].shape == (playground.settings.runs, 4)
    assert all(control.value == getattr(playground.settings, name) for name, control in playground.knobs.items())
    assert all(parse_setting(n, c.value) == getattr(playground.settings, n) for n, c in playground.fixed.items())


# --- fixed settings ----------------------------------------------------------------------------------------------


def test_fixed_settings_counts_at_once_where_nothing_was_trained(playground):
    playground.fixed["runs"].value = 3
    playground.fixed["hidden"].value = "8, 8"
    playground.fixed["optimizer"].value = "sgd"
    s = playground.settings
    assert (s.runs, s.hidden, s.optimizer) == (3, (8, 8), "sgd") and "Nothing has been learned" in said(playground)
    assert train(playground, 1)[0].shape == (3, 4) and playground.fixed["hidden"].value == "(8, 8)"


def test_fixed_settings_counts_from_the_next_reset_and_says_so(playground):
    train(playground)
    playground.fixed["episodes"].value = 5
    assert "episodes will be 5 from the next Reset on. The present run goes on as it is." in said(playground)
    assert train(playground, 1)[0].shape == (2, 4) and len(playground.updates) == 3
    playground.buttons["reset"].click()
    assert playground.updates == [] and train(playground, 1)[0].shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("runs", 0, "runs was set to 0, but must be a whole number from 1 up"),
        ("hidden", "8; 8", "hidden reads '8; 8', which is not Python. Write a tuple of layer widths"),
        ("hidden", "(8, -1)", "hidden was set to (8, -1), but must be a tuple of layer widths"),
        ("env_options", "{joints: 3}", "env_options reads '{joints: 3}', which is not Python. Write a dict"),
        ("env_options", "[1]", "env_options was set to [1], but must be a dict"),
        ("device", "abacus", "abacus"),
    ],
)
def test_an_impossible_fixed_setting_is_said_and_leaves_the_run(playground, name, value, sentence):
    train(playground)
    playground.fixed[name].value = value
    if name != "device":
        assert sentence in said(playground)
    playground.reset()
    assert sentence in said(playground) and "The run was left as it was." in said(playground)
    assert len(playground.updates) == 2 and playground.step() and len(playground.updates) == 3


def test_options_that_the_environment_does_not_take_leave_the_run():
    playground = Playground(Settings(env="pglesson/PlanarArm-v0", **SMALL))
    playground.fixed["env_options"].value = "{'joints': 3}"
    assert playground.settings.env_options == {"joints": 3} and playground.step()
    playground.fixed["env_options"].value = "{'legs': 3}"
    playground.reset()
    assert "could not be made with the options {'legs': 3}" in said(playground)
    assert playground.settings.env_options == {"joints": 3} and len(playground.updates) == 1 and playground.step()


def test_settings_that_cannot_be_written_in_python_stay_as_they_are():
    options = {"opponent": tuple(np.array([0.5, 0.25, 0.25]))}  # np.float64(0.5)
    playground = Playground(
        Settings(env="pglesson/RockPaperScissors-v0", env_options=options, **SMALL | {"runs": np.int64(2)})
    )
    train(playground)
    playground.fixed["episodes"].value = 5
    playground.reset()
    assert train(playground, 1)[0].shape == (2, 5) and playground.settings.env_options == options
    playground.fixed["env_options"].value = "{'opponent': 'rock'}"
    playground.reset()
    assert playground.settings.env_options == {"opponent": "rock"}


def test_fields_read_what_they_write():
    settings = Settings(hidden=(64,), env_options={"opponent": "rock"})
    for name, value in settings.fixed().items():
        assert parse_setting(name, field(name, value).value) == value
    assert (
        parse_setting("hidden", "") == ()
        and parse_setting("hidden", "32") == (32,)
        and parse_setting("env_options", " ") == {}
    )
    for name, options in LISTS.items():
        for option in options:
            setattr(settings, name, option)


# --- the learner's own ------------------------------------------------------------------------------------------------


def test_an_own_id_becomes_the_task_and_joins_the_list(playground):
    train(playground)
    playground.pin()
    playground.own_id.value = "tiny/Bandit-v0"
    assert playground.settings.env == playground.environment.value == "tiny/Bandit-v0"
    assert playground.updates == [] and playground.pins == {} and train(playground, 1)[0].shape[0] == 4
    assert not playground.agent.film.still and "cannot draw itself" in playground.agent.film.words
    playground.environment.value = "CartPole-v1"
    assert playground.settings.env == "CartPole-v1" and playground.settings.runs == 2  # as it was left
    assert len(playground.updates) == 2 and list(playground.pins) == [1] and playground.agent.film.still
    playground.environment.value = "tiny/Bandit-v0"
    assert playground.settings.env == "tiny/Bandit-v0"


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ("Nonsense-v0", "No environment is registered as 'Nonsense-v0'"),
        ("tiny/GraphObservation-v0", "which no vector can hold"),
        ("tiny/TupleActions-v0", "a policy here chooses Discrete, MultiDiscrete or MultiBinary actions"),
        ("tiny/DividesByZero-v0", "ZeroDivisionError"),
    ],
)
def test_an_id_that_cannot_be_trained_is_said_and_leaves_the_run(playground, env, sentence):
    if "tiny/DividesByZero-v0" not in gymnasium.registry:
        gymnasium.register("tiny/DividesByZero-v0", tiny_envs.Scripted, kwargs={"reward": lambda t, action: 1 / t})
    train(playground)
    playground.pin()
    playground.knobs["gamma"].value = 0.9
    playground.own_id.value = env
    assert sentence in said(playground) and "The run was left as it was." in said(playground)
    assert playground.settings.env == playground.environment.value == "CartPole-v1"
    assert playground.settings.gamma == playground.knobs["gamma"].value == 0.9
    assert len(playground.updates) == 2 and list(playground.pins) == [1] and playground.step()


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.logits = nn.Linear(4, 2)

    def forward(self, observations):
        return self.logits(observations)


def test_an_own_module_learns_as_one_run_and_stays_untrained_itself():
    policy = Own()
    before = policy.logits.weight.detach().clone()
    playground = Playground(policy=policy)
    assert playground.settings.runs == 1 and train(playground)[0].shape == (1, 16)
    assert policy.logits.weight.equal(before)
    playground.exports["code"].click()
    assert "policy = Own()" in playground.code.value


def test_an_own_module_is_asked_to_fit_the_task_and_the_runs():
    playground = Playground(policy=Own())
    train(playground)
    playground.environment.value = "pglesson/ShortCorridor-v0"
    assert "Its first layer must take" in said(playground) and playground.environment.value == "CartPole-v1"
    playground.fixed["runs"].value = 3
    playground.reset()
    assert "The policy serves 1 run(s), but settings.runs is 3" in said(playground)
    assert len(playground.updates) == 2 and playground.settings.runs == 1


def test_episodes_that_make_no_whole_groups_are_refused_and_the_run_stays():
    playground = Playground(Settings(env="pglesson/Digits-v0", runs=1, baseline="group_mean", updates=5))
    train(playground)
    playground.fixed["episodes"].value = 12
    playground.reset()
    assert "The run was left as it was" in said(playground) and len(playground.updates) == 2
    assert playground.step() and playground.settings.episodes == 16


def test_the_device_of_a_playground_stays_when_the_first_task_comes_back(playground):
    playground.fixed["device"].value = "cpu:0"
    playground.environment.value = "pglesson/TwoRooms-v0"
    playground.environment.value = "CartPole-v1"
    assert playground.settings.device == "cpu:0"


# --- pinned runs ------------------------------------------------------------------------------------------------------


def test_pinned_runs_are_named_by_what_sets_them_apart(playground):
    train(playground)
    playground.buttons["pin"].click()
    assert names(playground) == dict.fromkeys(["the present run", "1"], "the same settings as all the others")
    playground.knobs["learning_rate"].value = 0.1
    assert names(playground) == {"the present run": "alpha 0.03 → 0.1", "1": "alpha 0.03"}
    train(playground, 1)
    playground.pin()
    playground.fixed["hidden"].value = "()"
    playground.reset()
    assert names(playground) == {
        "the present run": "hidden (), alpha 0.1",
        "1": "hidden (32,), alpha 0.03",
        "2": "hidden (32,), alpha 0.03 → 0.1",
    }


def test_a_knob_that_moved_often_is_named_by_its_ends(playground):
    train(playground, 1)
    moved = list(playground.updates)
    for gamma in (0.5, 0.9, 0.95):
        playground.settings.gamma = gamma
        train(playground, 1)
    assert describe_differences([(Settings(**SMALL), moved), (playground.settings, playground.updates)]) == [
        "gamma 0.99",
        "gamma 0.99 → … → 0.95",
    ]


def test_pins_look_different_from_each_other_and_keep_their_looks(playground):
    train(playground, 1)
    for number in PINS:
        playground.pin()
        assert len(playground.pins) == number
    playground.pin()
    assert "All 6 places for pinned curves are taken" in said(playground) and len(playground.pins) == 6

    def looks():
        lines = [line for line in playground.plots[0].axes.lines if line.get_label() in map(str, PINS)]
        return {int(line.get_label()): (line.get_color(), tuple(line._unscaled_dash_pattern[1])) for line in lines}

    assert looks() == PINS
    assert len({color for color, _ in PINS.values()}) == len({dashes for _, dashes in PINS.values()}) == 6
    away = [row.children[1] for row in playground.list.children[1:]]
    assert [b.description for b in away] == [f"Remove {n}" for n in PINS]
    away[1].click()
    assert looks() == {n: look for n, look in PINS.items() if n != 2} and "2" not in names(playground)
    playground.pin()
    assert looks() == PINS
    for number in PINS:
        playground.remove(number)
    assert playground.list.children == () and looks() == {}


def test_there_is_nothing_to_pin_before_the_first_update(playground):
    playground.pin()
    assert "no curve to pin" in said(playground) and playground.pins == {}


@pytest.mark.parametrize("quantity", WATCHED)
def test_the_right_panel_shows_what_is_watched_from_then_on(playground, quantity):
    train(playground)
    playground.watch.value = quantity
    train(playground)
    playground.draw()
    assert playground.plots[1].axes.get_ylabel() == WATCHED[quantity][2]
    shown = playground.plots[1].mean.get_ydata()
    measured = getattr(playground.updates[-1], quantity)
    assert shown[-1] == pytest.approx(measured.mean(), nan_ok=True) and len(shown) == 4
    playground.pin()
    playground.environment.value = "pglesson/TwoRooms-v0"
    train(playground, 1)
    assert getattr(playground.updates[-1], quantity) is not None, "in the next task too"


# --- on paper ---------------------------------------------------------------------------------------------------------


def test_files_are_links_that_hold_the_run(playground):
    for form in ("json", "csv"):
        playground.exports[form].click()
        assert "no curve to export" in said(playground) and playground.file.value == ""
    train(playground)
    playground.settings.gamma = 0.5
    train(playground, 1)
    for form, content in (
        ("json", to_json(playground.settings, playground.updates)),
        ("csv", to_csv(playground.updates)),
    ):
        playground.exports[form].click()
        found = re.search(r'download="(.*?)" href="data:.*?;base64,(.*?)"', playground.file.value)
        assert found[1] == f"CartPole-v1-seed-0.{form}" and base64.b64decode(found[2]).decode() == content
    assert json.loads(to_json(playground.settings, playground.updates))["moves"][0]["update"] == 3


def test_the_code_is_that_of_the_run_not_of_the_panel(playground):
    train(playground)
    playground.fixed["episodes"].value = 9  # for the next run
    assert playground.code.layout.display == "none"
    playground.exports["code"].click()
    assert playground.code.layout.display is None
    found = {}
    exec(playground.code.value, found)
    assert np.array_equal([u.returns for u in found["updates"]], [u.returns for u in playground.updates])


def test_a_pinned_run_can_be_exported(playground):
    assert playground.which.options == [("present run", 0)]
    train(playground)
    playground.pin()
    assert playground.which.options == [("present run", 0), ("pinned 1", 1)] and playground.which.value == 0
    settings, updates = playground.pins[1]
    playground.knobs["gamma"].value = 0.5
    playground.reset()
    train(playground, 1)
    playground.which.value = 1
    playground.exports["code"].click()
    assert playground.code.value == to_code(settings, updates) and "gamma" not in playground.code.value
    playground.which.value = 0
    assert "gamma" in playground.code.value, "what is shown follows the list"
    playground.exports["json"].click()
    playground.which.value = 1
    assert 'download="CartPole-v1-seed-0-pinned-1.json"' in playground.file.value and playground.code.value == ""


# --- the teacher's view -----------------------------------------------------------------------------------------------


def test_large_type_draws_anew_at_more_dots_and_keeps_the_curves(playground):
    train(playground)
    playground.pin()
    usual = playground.image.value
    playground.large.value = True
    assert playground.figure.dpi == 140 and playground.image.width == 1092
    assert np.asarray(Image.open(io.BytesIO(playground.image.value))).shape[:2] == (434, 1092)
    assert "1" in [line.get_label() for line in playground.plots[0].axes.lines] and len(playground.updates) == 2
    large = [widget for widget in descendants(playground) if "pglesson-large" in getattr(widget, "_dom_classes", ())]
    assert playground.image not in large and playground.image not in [w for box in large for w in descendants(box)]
    playground.large.value = False
    assert playground.image.value == usual
    assert not [w for w in descendants(playground) if "pglesson-large" in getattr(w, "_dom_classes", ())]


def test_the_known_state_comes_back_whatever_was_pressed():
    playground = Playground(
        Settings(**SMALL, env="pglesson/PlanarArm-v0", env_options={"joints": 3}, seed=5, gamma=0.7)
    )
    known = playground.settings.fixed() | playground.settings.live()
    playground.buttons["known"].click()
    first = train(playground, 3)
    playground.pin()
    playground.knobs["gamma"].value = 0.5
    playground.knobs["measure_variance"].value = True
    playground.watch.value = "gradient_norm"
    playground.fixed["seed"].value = 9
    playground.reset()
    train(playground)
    playground.pin()
    playground.exports["json"].click()
    playground.exports["code"].click()
    playground.own_id.value = "tiny/Bandit-v0"
    playground.fixed["hidden"].value = "what?"
    train(playground)
    playground.large.value = True
    playground.buttons["known"].click()
    assert playground.settings.fixed() | playground.settings.live() == known
    assert all(control.value == known[name] for name, control in playground.knobs.items())
    assert all(parse_setting(name, control.value) == known[name] for name, control in playground.fixed.items())
    assert playground.environment.value == known["env"] and playground.watch.value == "entropy"
    assert playground.updates == [] and playground.pins == {} and playground.list.children == ()
    assert playground.own_id.value == playground.file.value == playground.code.value == ""
    assert playground.large.value, "the projector is still there"
    assert np.array_equal(train(playground, 3), first)


def test_the_known_state_of_an_own_module_survives_its_training():
    torch.manual_seed(0)
    policy = Own()
    playground = Playground(policy=policy)
    first = train(playground)
    with torch.no_grad():
        policy.logits.weight.zero_()
    playground.restore()
    assert np.array_equal(train(playground), first)


def test_the_known_state_comes_back_while_training_runs():
    async def drive():
        playground = Playground(Settings(**SMALL | {"updates": 10_000}))
        first = train(playground, 3)
        playground.restore()
        playground.buttons["start"].click()
        await until(lambda: playground.updates)
        playground.own_id.value = "Nonsense-v0"  # does not even stop it
        assert playground.running
        playground.buttons["known"].click()
        await until(lambda: not playground.running)
        assert playground.updates == []
        assert np.array_equal(train(playground, 3), first)

    asyncio.run(drive())


# --- a learner's own baseline -----------------------------------------------------------------------------------------


class HalfBaseline:
    def predict(self, episodes, returns):
        return 0.5 * self.mean

    def learn(self, episodes, targets):
        self.mean = float(targets.mean())

    mean = 0.0


def test_an_own_baseline_trains_and_is_named_in_the_code():
    own = HalfBaseline()
    playground = Playground(Settings(**SMALL), baseline=own)
    assert playground.knobs["baseline"].value == playground.settings.baseline == "own"
    first = train(playground, 3)
    assert own.mean == 0.0
    playground.exports["code"].click()
    assert "baseline = HalfBaseline()" in playground.code.value
    found = {"HalfBaseline": HalfBaseline}
    exec(playground.code.value, found)
    assert np.array_equal([u.returns for u in found["updates"]], first)
    assert np.array_equal([u.loss for u in found["updates"]], [u.loss for u in playground.updates])
    playground.pin()
    playground.fixed["episodes"].value = 5
    playground.knobs["baseline"].value = "none"
    playground.reset()
    assert train(playground, 1)[0].shape == (2, 5)
    playground.exports["code"].click()
    assert "HalfBaseline" not in playground.code.value
    playground.restore()
    assert playground.settings.baseline == "own" and np.array_equal(train(playground, 3), first)
