"""The dashboard without a browser: stepped, or driven by an event loop as a kernel drives it."""

import asyncio
import base64
import html
import io
import os
import signal
import threading
import time
from copy import deepcopy

import gymnasium
import numpy as np
import pytest
import tiny_envs
from PIL import Image
from torch import nn
from waiting import until

from pglesson import Settings
from pglesson.widgets import progress, progress_bar
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.explorer import Explorer
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.playground import Playground
from pglesson.widgets.presets import PRESETS

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard():
    return Dashboard(Settings(**SMALL))


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_display_starts_nothing_and_shows_a_picture(dashboard):
    bundle, words = dashboard._repr_mimebundle_()
    assert dashboard.updates == [] and not dashboard.running
    assert bundle["text/plain"] == "<Dashboard>" and "application/vnd.jupyter.widget-view+json" in bundle
    assert pixels(base64.b64decode(bundle["image/png"])).std() > 0
    assert words["image/png"]["alt"].startswith("What the agent earns. Return of an episode against episodes played")
    assert dashboard.picture.children[1].value == words["image/png"]["alt"]
    assert pixels(dashboard.before.image.value).shape == (200, 300, 3)


def test_step_makes_one_update_and_draws_it(dashboard):
    empty = pixels(dashboard.image.value)
    dashboard.buttons["step"].click()
    dashboard.buttons["step"].click()
    assert [update.number for update in dashboard.updates] == [1, 2]
    assert dashboard.progress.value == 2 and "Update 2 of 8" in dashboard.status.value
    assert (pixels(dashboard.image.value) != empty).any()


def test_a_moved_knob_counts_from_the_next_update(dashboard):
    dashboard.step()
    dashboard.knobs["baseline"].value = "none"
    dashboard.knobs["max_grad_norm"].value = 0.5
    dashboard.step()
    knobs = [(update.live["baseline"], update.live["max_grad_norm"]) for update in dashboard.updates]
    assert knobs == [("time_mean", float("inf")), ("none", 0.5)]
    assert len(dashboard.plots[0].moves) == 2  # the line and its name


def test_every_knob_is_heard_at_every_position():
    dashboard = Dashboard(Settings(**SMALL))
    for name, control in dashboard.knobs.items():
        for _, value in control.options:
            control.value = value
            assert getattr(dashboard.settings, name) == value and "must be" not in dashboard.status.value


def test_training_ends_by_itself_and_says_so(dashboard):
    while dashboard.step(draw=False):
        pass
    assert len(dashboard.updates) == 8 and "Finished" in dashboard.status.value


def test_reset_forgets_and_keeps_knobs_and_pins(dashboard):
    dashboard.buttons["pin"].click()
    assert "no curve to pin" in dashboard.status.value
    dashboard.knobs["gamma"].value = 0.9
    first = [dashboard.step() and dashboard.updates[-1].returns for _ in range(2)]
    dashboard.buttons["pin"].click()
    dashboard.buttons["reset"].click()
    assert dashboard.updates == [] and dashboard.settings.gamma == 0.9
    assert dashboard.pinned == ["1: gamma 0.9"]
    second = [dashboard.step() and dashboard.updates[-1].returns for _ in range(2)]
    assert np.array_equal(first, second)


@pytest.mark.parametrize("env", PRESETS)
def test_every_environment_can_be_chosen_and_trained(env):
    dashboard = Dashboard(Settings(**SMALL))
    dashboard.step()
    dashboard.environment.value = env
    if env != "CartPole-v1":
        assert dashboard.updates == [] and dashboard.settings.env == env
        assert {name: getattr(dashboard.settings, name) for name in PRESETS[env]} == PRESETS[env]
    assert dashboard.step() and dashboard.updates[-1].returns.shape[1] == dashboard.settings.episodes
    assert all(control.value == getattr(dashboard.settings, name) for name, control in dashboard.knobs.items())


def test_a_failure_is_said_keeps_the_curve_and_can_be_started_again(dashboard):
    dashboard.step()
    dashboard.step()
    dashboard.settings.episodes = 5  # a structural setting, changed behind the dashboard's back
    assert not dashboard.step()
    assert "episodes changed while training was running" in dashboard.status.value and "alert" in dashboard.status.value
    assert len(dashboard.updates) == 2
    assert dashboard.step() and dashboard.updates[-1].returns.shape == (2, 5)


def test_a_learners_faulty_policy_is_said_and_its_weights_are_left():
    policy = nn.Linear(4, 3)
    before = policy.weight.detach().clone()
    dashboard = Dashboard(Settings(episodes=4), policy=policy)
    assert not dashboard.step()
    assert "it must give logits" in dashboard.status.value
    assert (policy.weight == before).all()


def test_start_pause_and_start_again():
    async def drive():
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        dashboard.buttons["start"].click()
        await until(lambda: len(dashboard.updates) > 2)
        assert dashboard.running
        assert dashboard.buttons["start"].disabled and not dashboard.buttons["pause"].disabled
        dashboard.knobs["learning_rate"].value = 0.001
        at = len(dashboard.updates)
        await until(lambda: len(dashboard.updates) > at)
        assert [u.live["learning_rate"] for u in dashboard.updates[at - 1 : at + 1]] == [0.03, 0.001]
        dashboard.buttons["pause"].click()
        await until(lambda: not dashboard.running)
        assert not dashboard.buttons["start"].disabled
        count = len(dashboard.updates)
        await asyncio.sleep(0.05)
        assert len(dashboard.updates) == count
        dashboard.buttons["start"].click()
        await until(lambda: len(dashboard.updates) > count)
        assert [update.number for update in dashboard.updates] == list(range(1, len(dashboard.updates) + 1))
        dashboard.reset()
        await until(lambda: not dashboard.running)
        assert dashboard.updates == []

    asyncio.run(drive())


def test_a_pause_before_the_first_update_gives_the_buttons_back(dashboard):
    async def drive():
        dashboard.start()
        dashboard.pause()
        await until(lambda: not dashboard.running)
        await until(lambda: not dashboard.buttons["start"].disabled)
        assert dashboard.buttons["pause"].disabled and not dashboard.buttons["step"].disabled
        dashboard.start()
        await until(lambda: len(dashboard.updates) > 1)
        dashboard.pause()
        await until(lambda: not dashboard.running)

    asyncio.run(drive())


def test_a_press_in_another_thread_trains_where_the_cells_run(monkeypatch):
    """JupyterLab delivers widgets' messages in a thread of its own, which no interrupt reaches."""
    threads = set()
    step = Dashboard.step
    monkeypatch.setattr(
        Dashboard, "step", lambda self, **how: threads.add(threading.current_thread()) or step(self, **how)
    )

    async def drive():
        dashboard = Dashboard(Settings(**SMALL | {"updates": 10_000}))
        for name in ("step", "start"):
            count = len(dashboard.updates)
            await asyncio.to_thread(dashboard.buttons[name].click)
            await until(lambda count=count: len(dashboard.updates) > count)
        assert dashboard.running
        await asyncio.to_thread(dashboard.buttons["pause"].click)
        await until(lambda: not dashboard.running)
        await asyncio.to_thread(dashboard.environment.set_trait, "value", "pglesson/ShortCorridor-v0")
        await until(lambda: dashboard.settings.env == "pglesson/ShortCorridor-v0")
        assert dashboard.updates == []
        await asyncio.to_thread(dashboard.now.button.click)
        await until(lambda: dashboard.now.button.description == "Stop")
        await asyncio.to_thread(dashboard.now.button.click)
        await until(lambda: dashboard.now.button.description == "Watch now")

    asyncio.run(drive())
    assert threads == {threading.main_thread()}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill with SIGINT for one process")
@pytest.mark.parametrize("ignoring", [False, True], ids=["as Python does", "as a kernel does between messages"])
def test_an_interrupt_stops_training_and_keeps_the_curve(ignoring):
    async def drive():
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        handler = signal.getsignal(signal.SIGINT)
        dashboard.start()
        await until(lambda: dashboard.updates)
        if ignoring:  # a kernel sets this once it has handled the press of Start, which is after training began
            handler = signal.SIG_IGN
            signal.signal(signal.SIGINT, handler)
        count = len(dashboard.updates)
        await until(lambda: len(dashboard.updates) > count)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: not dashboard.running)
        assert "Interrupted" in dashboard.status.value
        assert len(dashboard.updates) > 0 and signal.getsignal(signal.SIGINT) is handler
        dashboard.start()
        await until(lambda: dashboard.updates and dashboard.updates[0].number == 1)
        assert dashboard.running and "Training" in dashboard.status.value
        dashboard.pause()
        await until(lambda: not dashboard.running)

    usual = signal.getsignal(signal.SIGINT)
    try:
        asyncio.run(drive())
    finally:
        signal.signal(signal.SIGINT, usual)


def test_what_was_paused_or_reset_starts_again_at_once():
    """In one cell, without a moment for the paused task to end."""

    async def drive():
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        for stop in (dashboard.pause, dashboard.reset):
            dashboard.start()
            await until(lambda: len(dashboard.updates) > 2)
            stop()
            assert not dashboard.running and not dashboard.buttons["start"].disabled
            count = len(dashboard.updates)
            dashboard.start()
            await until(lambda count=count: len(dashboard.updates) > count + 2)
            numbers = [update.number for update in dashboard.updates]
            assert dashboard.running and numbers == list(range(1, len(numbers) + 1))
        dashboard.close()
        assert not dashboard.running

    asyncio.run(drive())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill with SIGINT for one process")
def test_an_interrupt_stops_all_that_train_and_none_keeps_the_handler():
    async def drive():
        one, other = (Dashboard(Settings(runs=1, episodes=2, updates=10_000)) for _ in range(2))
        one.start()
        other.start()
        await until(lambda: len(one.updates) > 2 and len(other.updates) > 2)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: not one.running and not other.running)
        assert all("Interrupted" in each.status.value for each in (one, other))
        assert signal.getsignal(signal.SIGINT) is own
        one.start()
        other.start()
        await until(lambda: len(one.updates) > 2 and len(other.updates) > 2)
        one.pause()
        await asyncio.sleep(0.1)
        assert other.running and signal.getsignal(signal.SIGINT) is not own
        other.pause()
        await until(lambda: signal.getsignal(signal.SIGINT) is own)

    def own(number, frame):
        raise AssertionError("an interrupt of the training got out")

    usual = signal.signal(signal.SIGINT, own)
    try:
        asyncio.run(drive())
    finally:
        signal.signal(signal.SIGINT, usual)


def test_drawing_takes_its_share_of_the_time_and_no_more(dashboard):
    """After a second of drawing, four of training come before the next frame, however many updates they hold."""
    dashboard.step()
    now = time.perf_counter()
    frames = dashboard.frames
    frames.started, frames.last_frame, frames.spent = now - 4.5, now - 1.0, 1.0
    before = dashboard.image.value
    dashboard.step(draw=False)
    assert dashboard.image.value is before
    frames.started -= 0.6
    dashboard.step(draw=False)
    assert dashboard.image.value is not before


def test_the_agent_can_be_watched_and_stopped(dashboard):
    async def drive():
        first = dashboard.now.image.value
        dashboard.now.button.click()
        await until(lambda: dashboard.now.image.value != first)
        assert dashboard.now.button.description == "Stop"
        dashboard.now.button.click()
        await until(lambda: dashboard.now.button.description == "Watch now")

    asyncio.run(drive())


def test_a_film_that_is_stopped_before_it_begins_gives_its_button_back(dashboard):
    async def drive():
        dashboard.now.start()
        dashboard.now.stop()
        await asyncio.sleep(0.05)
        assert dashboard.now.button.description == "Watch now"
        dashboard.now.start()
        dashboard.now.stop()
        dashboard.now.start()  # the film before ends after this one has begun
        dashboard.now.start()  # one film, however often
        await asyncio.sleep(0.05)
        assert dashboard.now.button.description == "Stop"

    asyncio.run(drive())


def test_a_task_that_cannot_be_trained_leaves_the_run_and_its_pins(dashboard):
    dashboard.step()
    dashboard.pin()
    settings, updates, pinned = vars(dashboard.settings).copy(), list(dashboard.updates), list(dashboard.pinned)
    dashboard.environment.options = [*dashboard.environment.options, ("nowhere", "Nowhere-v0")]
    dashboard.environment.value = "Nowhere-v0"
    assert "No environment is registered as" in dashboard.status.value
    assert "The run was left as it was." in dashboard.status.value
    assert dashboard.environment.value == settings["env"] and vars(dashboard.settings) == settings
    assert dashboard.updates == updates and dashboard.pinned == pinned
    assert dashboard.step() and len(dashboard.updates) == 2


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("goal"), "KeyError: 'goal'."),
        (AssertionError(), "AssertionError."),
        (ValueError(), "ValueError."),
        (RuntimeError("It broke."), "RuntimeError: It broke."),
        (ValueError("x is 1, but must be 2."), "x is 1, but must be 2."),
    ],
)
def test_an_environment_that_raises_is_told_by_the_errors_type_and_text(error, words):
    """In training, in a film, under the microscope, and where the playground refuses."""

    class Broken(tiny_envs.Scripted):
        metadata = {"render_modes": ["rgb_array"]}

        def render(self):
            raise error

        def step(self, action):
            raise error

    gymnasium.register("tiny/Broken-v0", entry_point=Broken, disable_env_checker=True)
    try:
        settings = Settings(env="tiny/Broken-v0", hidden=(), **SMALL)
        dashboard = Dashboard(settings)
        assert html.unescape(dashboard.before.caption.value) == words
        assert not dashboard.step()
        assert f"{words} Training stopped" in html.unescape(dashboard.status.value)
        assert f">{words}<" in html.unescape(MicroscopeView(settings).status.value)
        playground = Playground(settings)
        playground.reset()
        assert f"{words} The run was left as it was." in html.unescape(playground.status.value)
    finally:
        del gymnasium.registry["tiny/Broken-v0"]


def test_an_environment_without_pictures_still_trains():
    dashboard = Dashboard(Settings(env="tiny/Ends-v0", hidden=(), **SMALL))
    assert "cannot draw itself" in dashboard.before.caption.value
    assert dashboard.step()


class Grey(tiny_envs.Scripted):
    """Gives pictures that are none: grey ones with an axis for it."""

    metadata = {"render_modes": ["rgb_array"]}
    picture = np.zeros((20, 30, 1), np.uint8)

    def render(self):
        return self.picture


def test_a_picture_of_the_wrong_kind_is_said_and_one_that_was_mended_is_shown(monkeypatch):
    gymnasium.register("tiny/Grey-v0", entry_point=Grey, disable_env_checker=True)
    try:
        dashboard = Dashboard(Settings(env="tiny/Grey-v0", hidden=(), **SMALL))
        assert "Cannot handle this data type" in dashboard.now.caption.value
        assert dashboard.now.image.layout.display == "none" and dashboard.step()

        async def watch():
            dashboard.now.start()
            await until(lambda: "return so far" in dashboard.now.caption.value)
            assert dashboard.now.image.layout.display is None and dashboard.now.image.value
            dashboard.now.stop()

        monkeypatch.setattr(Grey, "picture", np.zeros((20, 30, 3), np.uint8))
        asyncio.run(watch())
    finally:
        del gymnasium.registry["tiny/Grey-v0"]


def test_where_nothing_could_be_drawn_there_is_no_picture():
    def fails(axes, a):
        raise ZeroDivisionError

    settings = Settings(env="Nowhere-v0")
    for shown in (Dashboard(settings), MicroscopeView(settings), Explorer(fails, a=(0, 3, 1))):
        assert shown.image.layout.display == "none" and "image/png" not in shown._repr_mimebundle_()[0]
    dashboard = Dashboard(Settings(**SMALL))
    assert dashboard.image.layout.display is None and "image/png" in dashboard._repr_mimebundle_()[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"settings": "CartPole-v1"}, r"settings is 'CartPole-v1', but must be Settings"),
        ({"knobs": ["seed"]}, r"knobs has 'seed', but each must be a live setting: "),
    ],
)
def test_what_a_dashboard_cannot_begin_with_gets_a_sentence(arguments, words):
    with pytest.raises(ValueError, match=words):
        Dashboard(**arguments)


def test_an_explorer_redraws_at_every_move():
    seen = []

    def draw(axes, a, b, c, d):
        seen.append((a, b, c, d))
        axes.plot([0, a], [0, b])

    explorer = Explorer(draw, a=(0.0, 1.0, 0.5), b=(1, 5, 2), c=["x", "y"], d=True)
    first = explorer.image.value
    explorer.controls["a"].value = 0.75
    explorer.controls["c"].value = "y"
    explorer.controls["d"].value = False
    assert seen == [(0.5, 2, "x", True), (0.75, 2, "x", True), (0.75, 2, "y", True), (0.75, 2, "y", False)]
    assert explorer.image.value != first and repr(explorer) == "<Explorer: a, b, c, d>"


def test_an_explorer_says_what_went_wrong_and_keeps_the_last_picture():
    explorer = Explorer(lambda axes, a: axes.plot([0, 1 / a]), a=(0, 3, 1))
    before = explorer.image.value
    explorer.controls["a"].value = 0
    assert "ZeroDivisionError" in explorer.status.value and explorer.image.value == before
    explorer.controls["a"].value = 2
    assert explorer.status.value == ""


def test_the_words_of_a_stored_picture_are_those_of_the_picture():
    def draw(axes, a):
        axes.set_title(f"1/a for a < 4 is 1/{a}", loc="left")
        axes.plot([0, 1 / a])

    explorer = Explorer(draw, a=(0, 3, 1))
    explorer.controls["a"].value = 0  # fails after the title
    assert explorer._repr_mimebundle_()[1]["image/png"]["alt"] == "1/a for a < 4 is 1/1."


def _mouse(explorer, kind, x, y, buttons=1, axes=0):
    """What the browser sends for the mouse at (x, y) in data units of an Axes; pixels count from the top."""
    right, up = explorer.figure.axes[axes].transData.transform((x, y))
    content = {"type": kind, "dataX": right, "dataY": explorer.figure.bbox.height - up, "buttons": buttons}
    explorer.mouse._handle_mouse_msg(explorer.mouse, content, [])


def _draggable(drag):
    seen = []

    def draw(axes, x, y):
        seen.append((x, y))
        axes[0].set(xlim=(0, 10), ylim=(0, 20))
        axes[0].plot(x, y, "o")

    return Explorer(draw, columns=2, drag=drag, x=(0.0, 10.0, 5.0), y=(0.0, 20.0, 5.0)), seen


def test_the_mouse_moves_several_controls_and_draws_once():
    explorer, seen = _draggable(lambda x, y: {"x": round(x, 1), "y": round(y, 1)})
    _mouse(explorer, "mousedown", 2.5, 15.0)
    _mouse(explorer, "mousemove", 3.5, 14.0)
    assert seen == [(5.0, 5.0), (2.5, 15.0), (3.5, 14.0)]
    _mouse(explorer, "mousemove", 1.0, 1.0, buttons=0)  # no button is down
    _mouse(explorer, "mousedown", 1.0, 1.0, buttons=2)  # the wrong one is
    _mouse(explorer, "mousedown", 0.5, 0.5, axes=1)  # another Axes
    _mouse(explorer, "mousedown", 11.0, 5.0)  # beside the Axes
    assert seen[-1] == (3.5, 14.0) and len(seen) == 3
    explorer.controls["x"].value = 7.0  # a slider still draws by itself
    assert seen[-1] == (7.0, 14.0) and len(seen) == 4


def test_a_drag_that_fails_says_so_and_leaves_the_sliders_working():
    explorer, seen = _draggable(lambda x, y: {"x": 1.0, "z": 2.0})
    before = explorer.image.value
    _mouse(explorer, "mousedown", 2.5, 15.0)
    assert "KeyError" in explorer.status.value and "z" in explorer.status.value and explorer.image.value == before
    explorer.controls["y"].value = 8.0
    assert explorer.status.value == "" and seen[-1] == (1.0, 8.0)


def _bars(axes, a, twin):
    bars = axes[0].bar(["p", "q"], [a, 1.0], label="bars")
    axes[0].bar_label(bars, [f"{a:.1f}", "1"])
    axes[0].errorbar(["p", "q"], [a, 1.0], [0.1, 0.2], label="errors")
    axes[0].legend()
    axes[0].set_title(f"a is {a}")
    axes[1].plot([0, a], [0, 1])
    axes[1].text(0, 0, f"{a}")
    axes[1].invert_yaxis()
    axes[1].set(xlabel="x", ylabel="y", title="right", xlim=(0, 3) if a < 3 else (0, 5))
    if twin:
        axes[1].twinx().plot([0, a], [1, 0])
    if a == 4.0:
        axes[0].figure.suptitle("as far as it goes")


def test_an_explorer_that_moved_shows_what_a_fresh_one_would():
    """What it keeps from one picture to the next, to be fast, is what has not changed."""
    moved = Explorer(_bars, columns=2, a=(0.0, 4.0, 1.0), twin=False)
    moves = [(2.0, False), (4.0, False), (3.0, False), (4.0, True), (2.5, True), (2.5, False), (1.0, False)]
    for a, twin in moves:
        moved.controls["a"].value = a
        moved.controls["twin"].value = twin
        fresh = Explorer(_bars, columns=2, a=(0.0, 4.0, a), twin=twin)
        assert not moved.status.value and not fresh.status.value
        assert moved.image.value == fresh.image.value, (a, twin)


def _title(axes, a):
    if a > 1:
        axes.figure.suptitle(f"a is {a}")


def _legend(axes, a):
    axes.figure.legend([axes.plot([0, 1], [1, 0])[0]], [f"a is {a}"])


def _map(axes, a):
    axes.figure.colorbar(axes.imshow(np.arange(16).reshape(4, 4) * a / 64, vmin=0, vmax=1))


def _aspect(axes, a):
    if a > 1:
        axes.imshow(np.eye(2), extent=(0, 1, 0, 1))


LOOKS = {
    "title": _title,
    "legend": _legend,
    "map": _map,
    "aspect": _aspect,
    "grid": lambda axes, a: axes.grid(a > 1),
    "face": lambda axes, a: axes.set_facecolor("white" if a > 1 else "black"),
    "spines": lambda axes, a: axes.spines["top"].set_visible(a > 1),
    "axis": lambda axes, a: axes.set_axis_off() if a > 1 else None,
}


@pytest.mark.parametrize("look", LOOKS)
def test_an_explorer_whose_limits_stay_shows_what_a_fresh_one_would(look):
    def draw(axes, a):
        axes.plot([0, 1], [0, 1])
        axes.set(xlim=(0, 1), ylim=(0, 1))
        LOOKS[look](axes, a)

    moved = Explorer(draw, a=(0.0, 4.0, 1.0))
    for a in (2.0, 3.0, 0.0, 2.0):
        moved.controls["a"].value = a
        fresh = Explorer(draw, a=(0.0, 4.0, a))
        assert not moved.status.value and moved.image.value == fresh.image.value, a
        assert moved._alt_text.value == fresh._alt_text.value


def test_a_single_task_needs_no_list():
    assert Dashboard(Settings(**SMALL), environments=()).environment.layout.display == "none"
    assert Dashboard(Settings(**SMALL)).environment.layout.display is None


def test_without_an_agent_there_is_nothing_to_watch():
    broken = Dashboard(Settings(**SMALL, env="Nonsense-v0"))
    assert "No environment is registered" in broken.status.value
    broken.before.button.click()
    assert broken.before.caption.value == "There is no agent to watch yet."


def test_progress_passes_anything_on_and_counts_what_is_done():
    bars = []
    original = progress_bar.display
    progress_bar.display = bars.append
    try:
        seen = [(item, bars[0].value) for item in progress("abc", 3, "letters")]
    finally:
        progress_bar.display = original
    assert seen == [("a", 0), ("b", 1), ("c", 2)] and bars[0].value == 3 and repr(bars[0]) == "<progress of letters>"


def test_the_right_panel_can_show_a_function_of_the_policy():
    def first_weight(policy):
        """weight of the first layer.

        More for programmers.
        """
        return next(policy.parameters()).detach()[:, 0, 0]

    dashboard = Dashboard(Settings(**SMALL), watch=first_weight)
    axes = dashboard.plots[1].axes
    assert axes.get_title("left") == "First weight" and axes.get_ylabel() == "weight of the first layer"
    seen = []
    for _ in range(3):
        dashboard.step()
        seen.append(float(first_weight(dashboard.policy).mean()))
    np.testing.assert_allclose(dashboard.plots[1].mean.get_ydata(), seen)
    assert len(set(seen)) == 3
    dashboard.pin()
    dashboard.reset()
    dashboard.step()
    np.testing.assert_allclose(dashboard.plots[1].pinned[0][2].mean(1), seen)
    assert len(dashboard.plots[1].mean.get_ydata()) == 1


def test_a_function_to_watch_may_give_a_bare_number_for_a_single_run():
    dashboard = Dashboard(Settings(episodes=4), watch=lambda policy: float(len(list(policy.parameters()))))
    assert dashboard.step() and dashboard.step()
    assert dashboard.plots[1].mean.get_ydata().tolist() == [4, 4]


def test_a_function_to_watch_that_fails_stops_the_training_with_its_words():
    def broken(policy):
        raise RuntimeError("there is nothing to see")

    dashboard = Dashboard(Settings(**SMALL), watch=broken)
    assert not dashboard.step() and "there is nothing to see" in dashboard.status.value


def test_knobs_can_bring_their_positions():
    levels = {"baseline": ["none", "group_mean"], "learning_rate": np.array([0.5, 1.0]), "gamma": ()}
    dashboard = Dashboard(Settings(**SMALL), knobs=levels)
    values = {name: [value for _, value in control.options] for name, control in dashboard.knobs.items()}
    assert values["baseline"] == ["none", "group_mean", "time_mean"]  # what it stands at joins them
    assert values["learning_rate"] == [0.03, 0.5, 1.0] and len(values["gamma"]) > 5
    dashboard.knobs["baseline"].value = "group_mean"
    assert not dashboard.step() and "does not start its episodes in groups" in dashboard.status.value


def test_a_preset_joins_the_positions_that_a_knob_brought():
    dashboard = Dashboard(Settings(**SMALL), knobs={"baseline": ["none"], "gamma": [0.5], "measure_change": ()})
    dashboard.environment.value = "Pendulum-v1"
    assert (dashboard.settings.baseline, dashboard.settings.gamma) == ("value", 0.95)
    assert dashboard.knobs["baseline"].options[1:] == (("time mean", "time_mean"), ("value", "value"))


@pytest.mark.parametrize(
    ("policy", "env"), [(nn.Linear(4, 2), "CartPole-v1"), (nn.Linear(2, 2), "pglesson/TwoRooms-v0")]
)
def test_a_learners_own_policy_trains_as_one_run_where_it_begins_and_where_it_is_taken(policy, env):
    """Both presets have ten runs."""
    dashboard = Dashboard(policy=policy)
    dashboard.environment.value = env
    assert dashboard.step() and dashboard.updates[0].returns.shape == (1, 16)


def test_the_device_stays_when_the_task_changes():
    dashboard = Dashboard(Settings(**SMALL, device="cpu:0"))
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert dashboard.settings.device == "cpu:0" and dashboard.step()


def test_the_first_task_comes_back_as_it_began_and_not_as_its_preset():
    dashboard = Dashboard(Settings(env="pglesson/RockPaperScissors-v0", env_options={"opponent": "counter"}, hidden=()))
    begun = deepcopy(dashboard.settings)
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert dashboard.settings.env_options == {}
    dashboard.environment.value = begun.env
    assert dashboard.settings == begun and dashboard.step()


@pytest.mark.parametrize("episodes", [1, 10, 100])
def test_the_last_number_of_an_axis_is_drawn_whole(episodes):
    """The axes end at 1000, 10000 and 100000 episodes, at a tick."""
    dashboard = Dashboard(Settings(env="pglesson/TwoRooms-v0", hidden=(), runs=1, episodes=episodes, updates=1000))
    dashboard.step()
    for axes in dashboard.figure.axes:
        assert axes.get_tightbbox(dashboard.canvas.get_renderer()).x1 <= dashboard.figure.bbox.x1


def test_what_one_preset_sets_without_a_knob_does_not_stay_for_the_next_task():
    dashboard = Dashboard(Settings(**SMALL, value_steps=7), knobs=())
    dashboard.environment.value = "Pendulum-v1"
    assert (dashboard.settings.value_learning_rate, dashboard.settings.value_steps) == (0.1, 7)
    dashboard.environment.value = "pglesson/TwoRooms-v0"
    assert (dashboard.settings.value_learning_rate, dashboard.settings.value_steps) == (0.02, 7)
    assert dashboard.settings.baseline == "time_mean"


def test_the_words_for_screen_readers_follow_legend_and_names_in_the_figure(dashboard):
    """What is drawn into unchanged axes: a pinned curve's name, a moved knob's, and an explorer's label and text."""
    dashboard.step()
    dashboard.pin()
    assert "1: same knobs" in dashboard.picture.children[1].value
    dashboard.knobs["gamma"].value = 0.9
    dashboard.step()
    assert "Gamma: 0.99 → 0.9" in dashboard.picture.children[1].value

    def draw(axes, a):
        axes.set(xlim=(0, 5), ylim=(0, 5))
        axes.plot([0, 1], [a, a], label=f"height {a}")
        axes.text(2, a, f"it is {a} high")

    explorer = Explorer(draw, a=(0, 5, 1))
    explorer.controls["a"].value = 3
    assert explorer.picture.children[1].value == "Shown: height 3. It is 3 high."
