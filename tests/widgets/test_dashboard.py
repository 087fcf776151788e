"""The dashboard without a browser: its knobs, tasks and pinned curves, in single steps."""

from __future__ import annotations

import asyncio
import base64
import io
from copy import deepcopy

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from pglesson import Episodes, Settings, reinforce
from pglesson.analysis.confidence import mean_interval
from pglesson.settings import BASELINES, OWN
from pglesson.widgets import training_view
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.presets import PRESETS

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard(Settings(**SMALL))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_display_starts_nothing_and_stores_a_picture(dashboard: Dashboard) -> None:
    bundle, words = dashboard._repr_mimebundle_()
    assert dashboard.updates == [] and not dashboard.running
    assert bundle["text/plain"] == "<Dashboard>" and "application/vnd.jupyter.widget-view+json" in bundle
    assert pixels(base64.b64decode(bundle["image/png"])).std() > 0
    assert words["image/png"]["alt"].startswith("What the agent earns. Return of an episode against episodes played")
    assert dashboard.image.alt == words["image/png"]["alt"]
    assert pixels(dashboard.agent.film.still).shape == (200, 300, 3)


def test_step_makes_one_update_and_draws_it(dashboard: Dashboard) -> None:
    empty = pixels(dashboard.image.value)
    dashboard.buttons["step"].click()
    dashboard.buttons["step"].click()
    assert [update.number for update in dashboard.updates] == [1, 2]
    assert dashboard.progress.value == 2 and "Update 2 of 8" in dashboard.status.value
    assert (pixels(dashboard.image.value) != empty).any()


def test_a_moved_knob_counts_from_the_next_update(dashboard: Dashboard) -> None:
    dashboard.step()
    dashboard.knobs["baseline"].value = "none"
    dashboard.knobs["max_grad_norm"].value = 0.5
    dashboard.step()
    knobs = [(update.live["baseline"], update.live["max_grad_norm"]) for update in dashboard.updates]
    assert knobs == [("time_mean", float("inf")), ("none", 0.5)]
    assert len(dashboard.plots[0].moves) == 2  # the line and its number


def test_every_knob_sets_every_level() -> None:
    dashboard = Dashboard(Settings(**SMALL))
    for name, control in dashboard.knobs.items():
        for _, value in control.options:
            control.value = value
            assert getattr(dashboard.settings, name) == value and "must be" not in dashboard.status.value


def test_training_ends_after_the_last_update(dashboard: Dashboard) -> None:
    while dashboard.step(draw=False):
        pass
    assert len(dashboard.updates) == 8 and "Finished" in dashboard.status.value


def test_reset_forgets_and_keeps_knobs_and_pins(dashboard: Dashboard) -> None:
    dashboard.buttons["pin"].click()
    assert "no curve to pin" in dashboard.status.value
    dashboard.knobs["gamma"].value = 0.9
    first = [dashboard.step() and dashboard.updates[-1].returns for _ in range(2)]
    dashboard.buttons["pin"].click()
    dashboard.buttons["reset"].click()
    assert dashboard.updates == [] and dashboard.settings.gamma == 0.9
    assert list(dashboard.pins) == [1]
    second = [dashboard.step() and dashboard.updates[-1].returns for _ in range(2)]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("env", PRESETS)
def test_every_environment_can_be_chosen_and_trained(env) -> None:
    dashboard = Dashboard(Settings(**SMALL))
    dashboard.step()
    dashboard.environment.value = env
    if env != "CartPole-v1":
        assert dashboard.updates == [] and dashboard.settings.env == env
        assert {name: getattr(dashboard.settings, name) for name in PRESETS[env]} == PRESETS[env]
    assert dashboard.step() and dashboard.updates[-1].returns.shape[1] == dashboard.settings.episodes
    assert all(control.value == getattr(dashboard.settings, name) for name, control in dashboard.knobs.items())


def test_a_failure_keeps_the_curve_and_the_next_step_begins_anew(dashboard: Dashboard) -> None:
    dashboard.step()
    dashboard.step()
    dashboard.settings.episodes = 5  # a fixed setting, changed behind the dashboard's back
    assert not dashboard.step()
    assert "episodes changed while training was running" in dashboard.status.value and "alert" in dashboard.status.value
    assert len(dashboard.updates) == 2
    assert dashboard.step() and dashboard.updates[-1].returns.shape == (2, 5)


def test_an_error_in_a_learners_policy_is_shown_and_its_weights_stay() -> None:
    policy = nn.Linear(4, 3)
    before = policy.weight.detach().clone()
    dashboard = Dashboard(Settings(episodes=4), policy=policy)
    assert not dashboard.step()
    assert "it must give logits" in dashboard.status.value
    assert (policy.weight == before).all()


def test_a_task_that_cannot_be_trained_leaves_the_run_and_its_pins(dashboard: Dashboard) -> None:
    dashboard.step()
    dashboard.pin()
    settings, updates, pinned = vars(dashboard.settings).copy(), list(dashboard.updates), dict(dashboard.pins)
    dashboard.environment.add("Nowhere-v0")
    dashboard.environment.value = "Nowhere-v0"
    assert "No environment is registered as" in dashboard.status.value
    assert "The run was left as it was." in dashboard.status.value
    assert dashboard.environment.value == settings["env"] and vars(dashboard.settings) == settings
    assert dashboard.updates == updates and dashboard.pins == pinned
    assert dashboard.step() and len(dashboard.updates) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"settings": "CartPole-v1"}, r"settings is 'CartPole-v1', but must be Settings"),
        ({"knobs": ["seed"]}, r"knobs has 'seed', but each must be a live setting: "),
    ],
)
def test_invalid_arguments_raise(arguments, words) -> None:
    with pytest.raises(ValueError, match=words):
        Dashboard(**arguments)


def test_a_single_task_has_no_list() -> None:
    assert Dashboard(Settings(**SMALL), environments=()).environment.layout.display == "none"
    assert Dashboard(Settings(**SMALL)).environment.layout.display is None


def test_knobs_with_levels_of_their_own() -> None:
    levels = {"baseline": ["none", "group_mean"], "learning_rate": np.array([0.5, 1.0]), "gamma": ()}
    dashboard = Dashboard(Settings(**SMALL), knobs=levels)
    values = {name: [value for _, value in control.options] for name, control in dashboard.knobs.items()}
    assert values["baseline"] == ["none", "group_mean", "time_mean"]  # what it stands at joins them
    assert values["learning_rate"] == [0.03, 0.5, 1.0] and len(values["gamma"]) > 5
    dashboard.knobs["baseline"].value = "group_mean"
    assert not dashboard.step() and "does not start its episodes in groups" in dashboard.status.value


def test_a_preset_is_added_to_the_levels_of_a_knob() -> None:
    dashboard = Dashboard(Settings(**SMALL), knobs={"baseline": ["none"], "gamma": [0.5], "measure_change": ()})
    dashboard.environment.value = "Pendulum-v1"
    assert (dashboard.settings.baseline, dashboard.settings.gamma) == ("value", 0.95)
    assert dashboard.knobs["baseline"].options[1:] == [("time mean", "time_mean"), ("value", "value")]


@pytest.mark.parametrize(
    ("policy", "env"), [(nn.Linear(4, 2), "CartPole-v1"), (nn.Linear(2, 2), "pglesson/TwoRooms-v0")]
)
def test_a_learners_own_policy_trains_as_one_run_in_every_task(policy, env) -> None:
    """Both presets have ten runs."""
    dashboard = Dashboard(policy=policy)
    dashboard.environment.value = env
    assert dashboard.step() and dashboard.updates[0].returns.shape == (1, 16)


def test_the_device_stays_when_the_task_changes() -> None:
    dashboard = Dashboard(Settings(**SMALL, device="cpu:0"))
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert dashboard.settings.device == "cpu:0" and dashboard.step()


def test_the_first_task_is_restored_as_it_began_and_not_as_its_preset() -> None:
    dashboard = Dashboard(Settings(env="pglesson/RockPaperScissors-v0", env_options={"opponent": "counter"}, hidden=()))
    begun = deepcopy(dashboard.settings)
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert dashboard.settings.env_options == {}
    dashboard.environment.value = begun.env
    assert dashboard.settings == begun and dashboard.step()


def test_settings_of_a_preset_without_a_knob_do_not_stay_for_the_next_task() -> None:
    dashboard = Dashboard(Settings(**SMALL, value_steps=7), knobs=())
    dashboard.environment.value = "Pendulum-v1"
    assert (dashboard.settings.value_learning_rate, dashboard.settings.value_steps) == (0.1, 7)
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert (dashboard.settings.value_learning_rate, dashboard.settings.value_steps) == (0.02, 7)
    assert dashboard.settings.baseline == "time_mean"


def test_an_own_baseline_joins_the_list_and_can_be_switched_while_training() -> None:
    class Half:
        def predict(self, episodes: Episodes, returns: Tensor) -> float:
            return 0.5

    assert OWN not in [value for _, value in Dashboard(Settings(**SMALL)).knobs["baseline"].options]
    dashboard = Dashboard(Settings(**SMALL), baseline=Half())
    knob = dashboard.knobs["baseline"]
    assert knob.value == dashboard.settings.baseline == OWN
    assert [value for _, value in knob.options] == [*BASELINES, OWN]
    for name in (OWN, "none", OWN):
        knob.value = name
        assert dashboard.step()
    assert [update.live["baseline"] for update in dashboard.updates] == [OWN, "none", OWN]
    knob.value = "none"
    dashboard.reset()
    assert dashboard.step() and dashboard.settings.baseline == "none"
    knob.value = OWN
    assert dashboard.step()
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert knob.value == dashboard.settings.baseline == OWN and dashboard.step()


def test_a_task_that_is_chosen_again_comes_back_with_its_run_pins_and_knobs() -> None:
    """Oracle: `reinforce` without an interruption, with the knob moved after the second update."""
    dashboard = Dashboard(Settings(**SMALL))
    dashboard.step()
    dashboard.pin()
    dashboard.step()
    dashboard.knobs["gamma"].value = 0.9
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert dashboard.updates == [] and dashboard.pins == {} and "are kept" in dashboard.status.value
    dashboard.step()
    dashboard.environment.value = "CartPole-v1"
    assert len(dashboard.updates) == 2 and list(dashboard.pins) == [1] and dashboard.knobs["gamma"].value == 0.9
    assert "as you left it" in dashboard.status.value and len(dashboard.plots[0].mean.get_xdata()) == 2
    dashboard.step()
    expected, settings = [], Settings(**SMALL)
    for update in reinforce(settings):
        expected.append(update.returns)
        if update.number == 2:
            settings.gamma = 0.9
    assert np.array_equal([update.returns for update in dashboard.updates], expected[:3])
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert len(dashboard.updates) == 1


def test_it_says_how_far_it_is_and_what_start_does_at_the_end(dashboard: Dashboard) -> None:
    assert dashboard.count.value == "update 0 of 8"
    while dashboard.step():
        pass
    assert dashboard.count.value == "update 8 of 8" and dashboard.finished
    finished = dashboard.status.value
    dashboard.buttons["start"].click()
    assert "All updates are made" in dashboard.status.value != finished and not dashboard.running


# --- two settings side by side ---


def test_two_settings_train_in_step_from_the_same_seeds() -> None:
    """Oracles: `reinforce` for each of them, and Student's interval of the differences, run by run."""
    dashboard = Dashboard(Settings(**SMALL, seed=3))
    dashboard.step()
    dashboard.compare.value = True
    assert dashboard.updates == [] and dashboard.side.layout.display is None
    dashboard.knobs["baseline"].value = "none"
    assert (dashboard.settings.baseline, dashboard.rival.settings.baseline) == ("time_mean", "none")
    assert dashboard.knobs["baseline"].note == "A: time mean" and dashboard.knobs["gamma"].note == ""
    while dashboard.step():
        pass
    expected = [
        np.array([u.returns.mean(1) for u in reinforce(Settings(**SMALL, seed=3, baseline=baseline))])
        for baseline in ("time_mean", "none")
    ]
    for session, values in zip((dashboard.session, dashboard.rival), expected):
        assert np.array_equal([u.returns.mean(1) for u in session.updates], values)
    plot = dashboard.curves._rival_plot
    apart = expected[1] - expected[0]
    np.testing.assert_allclose(plot.difference.get_ydata(), apart.mean(1))
    np.testing.assert_allclose(plot.intervals, [mean_interval(row) for row in apart])
    low, high = mean_interval(apart[-1])
    title = plot.axes.get_title("left").replace("\N{MINUS SIGN}", "-")
    assert title == f"B minus A: {apart[-1].mean():+.0f}\n[{low:.0f}, {high:.0f}]"
    dashboard.pin()
    assert dashboard.pins[1][0].baseline == "none", "the curve whose knobs are shown"


def test_knobs_show_and_set_the_chosen_one_of_two(dashboard: Dashboard) -> None:
    dashboard.compare.value = True
    dashboard.knobs["gamma"].value = 0.5
    dashboard.side.value = "A"
    assert dashboard.knobs["gamma"].value == dashboard.settings.gamma == 0.99
    assert dashboard.knobs["gamma"].note == "B: 0.5"
    dashboard.knobs["learning_rate"].value = 0.1
    dashboard.side.value = "B"
    assert (dashboard.knobs["gamma"].value, dashboard.knobs["learning_rate"].value) == (0.5, 0.03)
    dashboard.step()
    dashboard.compare.value = False
    assert dashboard.rival is None and dashboard.knobs["learning_rate"].value == 0.1
    assert len(dashboard.updates) == 1 and dashboard.knobs["gamma"].note == "" and dashboard.step()
    assert dashboard.plots[1].axes.get_ylabel() == "entropy in nats"


def test_a_task_of_its_own_ends_the_comparison_and_a_reset_does_not(dashboard: Dashboard) -> None:
    dashboard.compare.value = True
    dashboard.step()
    dashboard.reset()
    assert dashboard.updates == [] == dashboard.rival.updates and dashboard.step()
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert not dashboard.compare.value and dashboard.rival is None and dashboard.step()


def test_moves_of_both_are_marked(dashboard: Dashboard) -> None:
    dashboard.compare.value = True
    dashboard.step()
    dashboard.knobs["gamma"].value = 0.5
    dashboard.step()
    dashboard.side.value = "A"
    dashboard.knobs["learning_rate"].value = 0.1
    dashboard.step()
    words = dashboard.plots[0].words.get_text().replace("\u00a0", " ")
    assert "1  B: gamma: 0.99 → 0.5" in words and "2  A: alpha: 0.03 → 0.1" in words


def test_a_failure_of_b_ends_both(dashboard: Dashboard) -> None:
    dashboard.compare.value = True
    dashboard.step()
    dashboard.rival.settings.episodes = 5
    assert not dashboard.step() and "episodes changed" in dashboard.status.value
    assert dashboard.step() and len(dashboard.updates) == len(dashboard.rival.updates) == 1


# --- in a notebook ---


def test_a_cell_that_is_run_again_stops_its_old_training(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = iter(["a", "a", "b", None])
    monkeypatch.setattr(training_view, "running_cell", lambda: next(cells))

    async def drive() -> None:
        first = Dashboard(Settings(**SMALL | {"updates": 10_000}))
        first.start()
        second = Dashboard(Settings(**SMALL | {"updates": 10_000}))
        assert not first.running
        second.start()
        others = [Dashboard(Settings(**SMALL)) for _ in range(2)]
        assert second.running and not others[0].running
        second.close()
        await asyncio.sleep(0)

    asyncio.run(drive())


def test_a_stored_picture_is_of_a_finished_run_where_notebooks_are_rebuilt(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    dashboard = Dashboard(Settings(**SMALL))
    monkeypatch.setenv("PGLESSON_STORED_SECONDS", "60")
    bundle, words = dashboard._repr_mimebundle_()
    assert words["image/png"]["alt"].startswith("A stored picture of a run of 8 updates. What the agent earns.")
    assert pixels(base64.b64decode(bundle["image/png"])).shape == (360, 780, 3)
    assert dashboard.updates == [] and torch.rand(1) == expected
    monkeypatch.setenv("PGLESSON_STORED_SECONDS", "0.001")
    assert "of 1 updates (of 8)" in dashboard._repr_mimebundle_()[1]["image/png"]["alt"]
    assert "image/png" not in Dashboard(Settings(env="Nowhere-v0"))._repr_mimebundle_()[0]
