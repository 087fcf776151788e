"""The live dashboard: a view on one `reinforce` generator, whose knobs move while it trains."""

from __future__ import annotations

import asyncio
import html
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from types import FrameType
from typing import Any, TypeVar

import ipywidgets as widgets
import numpy as np
import torch
from IPython.display import display
from matplotlib import style
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from torch import nn

from pglesson.analysis.plots import COLORS, CurvePlot, differences, new_figure
from pglesson.reinforce import FloatArray, Update, make_policy, reinforce
from pglesson.settings import GROUPED, Settings
from pglesson.widgets.agent_view import AgentView
from pglesson.widgets.controls import LEVELS, button, choice, error_message, include, knob
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.picture import Picture

# What suits each task: the settings a dashboard starts from when the learner chooses it.
PRESETS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {"runs": 10, "updates": 60},
    "pglesson/ShortCorridor-v0": {"runs": 10, "updates": 150, "hidden": (), "gamma": 1.0},
    "pglesson/RockPaperScissors-v0": {"runs": 10, "updates": 100, "hidden": (), "env_options": {"opponent": "rock"}},
    "pglesson/CoinOrPrize-v0": {"runs": 10, "updates": 200, "hidden": (), "gamma": 1.0, "learning_rate": 0.2},
    "pglesson/TwoRooms-v0": {"runs": 10, "updates": 100, "hidden": (), "gamma": 1.0, "learning_rate": 0.1},
    "pglesson/TwoHills-v0": {"runs": 10, "updates": 200, "hidden": (), "gamma": 1.0},
    "pglesson/PlanarArm-v0": {"runs": 4, "updates": 150, "gamma": 0.9, "learning_rate": 0.01},
    "Pendulum-v1": {
        "runs": 1,
        "updates": 250,
        "episodes": 32,
        "gamma": 0.95,
        "baseline": "value",
        "value_learning_rate": 0.1,
        "max_grad_norm": 0.5,
        "learning_rate": 0.01,
    },
}
OWN = {"runs": 4}  # what a task without a preset starts from, beside the defaults
WATCHED = {  # what the right panel can show: its colour, title and axis
    "entropy": (COLORS["entropy"], "How undecided", "entropy in nats"),
    "gradient_variance": (COLORS["gradient"], "How noisy", "variance of the gradient"),
    "gradient_norm": (COLORS["gradient"], "How long a step", "norm of the gradient"),
    "policy_change": (COLORS["value"], "How far it moved", "change of the policy in nats"),
    "explained_variance": (COLORS["value"], "What is foreseen", "explained variance"),
}
LOGARITHMIC = ("gradient_variance", "policy_change")
T = TypeVar("T")
SHORTEST_FRAME = 0.1  # seconds between two frames, at least
DRAWING_SHARE = 0.2  # of the time since Start, at most
LISTENING = 0.005  # seconds after an update for the kernel to hear sliders and buttons
SHORTEST_UPDATE = 0.03  # seconds: the smallest tasks would be learned before a knob can be moved


_TRAINING: list[Dashboard] = []  # in the background, all interrupted together
_before: list[Any] = []  # the handler of interrupts that stood before theirs


def _on_interrupt(number: int, frame: FrameType | None) -> None:
    for dashboard in _TRAINING:
        dashboard._interrupted = not dashboard._in_update
    if not all(dashboard._interrupted for dashboard in _TRAINING):
        raise KeyboardInterrupt


class Dashboard(Picture):
    """Trains, shows and compares runs; every knob in it may be moved while training runs.

    settings: where to begin; a dashboard changes its own copy. policy: a learner's own module, in place of
    `make_policy`, of which each training gets a copy; settings.runs becomes its `runs`, or else 1. environments: the
    ids to choose from. knobs: the live settings that get a control, or a mapping from them to their positions. watch:
    what the right panel shows, one of WATCHED, or a function of the policy that gives a number a run, and whose
    docstring begins with what the axis is to say. microscope: a button that measures the gradient's noise at the
    present policy.
    Nothing starts by being displayed. `step()` makes one update without any event loop, as tests do.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        policy: nn.Module | None = None,
        environments: Iterable[str] = tuple(PRESETS),
        knobs: Iterable[str] | Mapping[str, Sequence[Any]] = tuple(LEVELS),
        watch: str | Callable[[nn.Module], ArrayLike] = "entropy",
        microscope: bool = False,
    ) -> None:
        super().__init__(new_figure(7.8, 3.4), "Dashboard")
        if settings is not None and not isinstance(settings, Settings):
            raise ValueError(f"settings is {settings!r}, but must be Settings, such as Settings(env='CartPole-v1').")
        live = Settings().live()
        if unknown := [name for name in knobs if name not in live]:
            known = ", ".join(map(repr, live))
            raise ValueError(f"knobs has {unknown[0]!r}, but each must be a live setting: {known}.")
        if not callable(watch) and watch not in WATCHED:
            raise ValueError(f"watch is {watch!r}, but must be one of {', '.join(map(repr, WATCHED))}.")
        self.settings = deepcopy(settings) if settings else Settings(**PRESETS["CartPole-v1"])
        if policy is not None:
            self.settings.runs = getattr(policy, "runs", 1)
        self._watch = watch
        self._measure(self.settings)
        self._known = deepcopy(self.settings)
        self.updates: list[Update] = []
        self._seen: list[FloatArray] = []  # what a function to watch gave, an entry an update
        self.pinned: list[str] = []
        self._own_policy = policy
        self._main = MainLoop()
        self._task: asyncio.Task[None] | None = None
        self._generator: Iterator[Update] | None = None
        self._in_update = self._interrupted = False
        self._started = self._last_frame = self._drawing = 0.0  # seconds, of the clock and spent on drawing since Start
        self.plots: tuple[CurvePlot, ...] = ()

        ids = list(dict.fromkeys([self.settings.env, *environments]))
        self.environment = choice("task", ids, self.settings.env, "the environment to learn in")
        self.environment.style.description_width, self.environment.layout.width = "40px", "230px"
        if len(ids) == 1:
            self.environment.layout.display = "none"  # nothing to choose
        levels = knobs if isinstance(knobs, Mapping) else dict.fromkeys(knobs, ())
        self.knobs = {name: knob(name, getattr(self.settings, name), list(levels[name])) for name in levels}
        self.buttons = {
            "start": button("Start", "play", "train until the last update, or until Pause", "success"),
            "pause": button("Pause", "pause", "stop after the update that is being made"),
            "step": button("Step", "step-forward", "make a single update"),
            "reset": button("Reset", "refresh", "forget what was learned, and begin again"),
            "pin": button("Pin", "thumb-tack", "keep this curve, to compare the next run with it"),
        }
        self.progress = widgets.IntProgress(layout=widgets.Layout(width="200px"))
        self.status = widgets.HTML()
        self.before = AgentView("before")
        self.now = AgentView("now")
        torch.optim.SGD([torch.zeros(1)])  # the first optimizer of a process takes seconds: here, not after Start
        self._connect()
        self._new_plots()
        self._begin()
        self.children = [
            widgets.HBox([self.environment, *self.buttons.values()], layout=widgets.Layout(flex_flow="row wrap")),
            widgets.GridBox(
                list(self.knobs.values()),
                layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(240px, 1fr))", max_width="800px"),
            ),
            widgets.HBox([self.progress, self.status]),
            self.picture,
            widgets.HBox([self.before, self.now], layout=widgets.Layout(flex_flow="row wrap")),
        ]
        if microscope:
            # there is no policy where the task could not be made: the microscope says so in its turn
            self.microscope = MicroscopeView(
                lambda: (self.settings, getattr(self, "policy", None)), call=self._main.call
            )
            self.children = [*self.children, self.microscope]

    # --- training -----------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether training goes on by itself."""
        return self._task is not None and not self._task.done()

    def step(self, *, draw: bool = True) -> bool:
        """Makes one update and shows it; returns whether there was one. What fails is said in `status`."""
        if self._generator is None:  # the last run failed or was interrupted: its curve stays until the next succeeds
            self._begin()
        if self._generator is None:
            return False
        try:
            self._in_update = True
            update = next(self._generator, None)
            if update is not None and callable(self._watch):
                self._seen.append(np.atleast_1d(np.asarray(self._watch(self.policy), dtype=float)))  # 3.0 is one run's
        except (Exception, KeyboardInterrupt) as error:
            self._in_update = False
            self._fail(error)
            return False
        finally:
            self._in_update = False
        if update is None:
            self._say(f"Finished: {len(self.updates)} updates. Pin this curve to compare, or press Reset.")
            return False
        self.updates.append(update)
        now = time.perf_counter()
        in_time = now - self._last_frame >= SHORTEST_FRAME and self._drawing <= DRAWING_SHARE * (now - self._started)
        if draw or in_time:
            self.draw()
        return True

    def start(self) -> None:
        """Trains in the background of the notebook, until `pause` or the last update."""
        if not self.running:
            if self._generator is None:
                self._begin()
            self._interrupted = False
            self.now.stop()
            self.before.stop()
            self._task = self._main.create_task(self._train())
            self._task.add_done_callback(lambda _: self._enable())  # even one that was cancelled before it began
            self._say("Training. Move any knob: it counts from the next update on.")
            self._enable()

    def pause(self) -> None:
        """Stops after the update that is being made; `start` goes on from there."""
        if self.running:
            assert self._task is not None
            self._task.cancel()
            self._task = None  # it ends a moment later, and `start` need not wait for that
            self._say("Paused. Start goes on from here.")
            self._enable()

    def reset(self) -> None:
        """Forgets what was learned, keeps the knobs and the pinned curves."""
        self.pause()
        self._begin()

    def close(self) -> None:
        """Stops what goes on in the background, and takes the dashboard off the page."""
        self.pause()
        self.before.stop()
        self.now.stop()
        super().close()

    def pin(self) -> None:
        """Keeps the present curve, dashed, named by how its knobs differ from the defaults."""
        if not self.updates:
            self._say("There is no curve to pin yet: press Start or Step first.")
            return
        name = f"{len(self.pinned) + 1}: {differences(self.updates[-1].live, Settings().live())}"
        self.pinned.append(name)
        with style.context("pglesson.lesson"):
            for plot in self.plots:
                plot.pin(self.updates, name)
            self.plots[0].axes.legend(loc="lower right", handlelength=2.6)
        self.draw()
        self._say(f"Pinned as “{name}”. Move a knob, then Reset and Start to compare.")

    async def _train(self) -> None:
        # Outside a cell the kernel ignores interrupts, so they would never reach a training in the background. It swaps
        # the handler before and after each message, the press of Start included: hence a look at every update.
        catches = threading.current_thread() is threading.main_thread()
        _TRAINING.append(self)
        self._started, self._drawing = time.perf_counter(), 0.0
        try:
            going = True
            while going:
                begun = time.perf_counter()
                if catches and signal.getsignal(signal.SIGINT) is not _on_interrupt:
                    _before[:] = [signal.signal(signal.SIGINT, _on_interrupt)]
                going = self.step(draw=False)
                if going and self._interrupted:
                    self._fail(KeyboardInterrupt())
                    break
                await asyncio.sleep(max(LISTENING, begun + SHORTEST_UPDATE - time.perf_counter()))
        finally:
            _TRAINING.remove(self)
            if catches and not _TRAINING and _before:
                signal.signal(signal.SIGINT, _before.pop())
            self.draw()

    def _begin(self) -> None:
        try:
            self.policy = deepcopy(self._own_policy) if self._own_policy is not None else make_policy(self.settings)
        except Exception as error:
            self._generator = None
            self._fail(error)
            return
        self.untrained = deepcopy(self.policy)
        self._generator = reinforce(self.settings, self.policy)
        self.updates, self._seen = [], []
        self.progress.max = self.settings.updates
        self.before.show(self.settings, self.untrained)
        self.now.show(self.settings, self.policy)
        self._say("Press Start. Nothing has been learned yet.")
        self.draw()
        self._enable()

    def _fail(self, error: BaseException) -> None:
        self._generator = None
        if isinstance(error, KeyboardInterrupt):
            sentence = "Interrupted: the curves are kept. Start begins a new run."
        else:
            sentence = f"{error_message(error)} Training stopped, the curves are kept; Start begins a new run."
        self._say(sentence, wrong=True)

    # --- what is on the screen ----------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draws the curves as they are now."""
        started = time.perf_counter()
        for plot in self.plots:
            plot.show(self.updates, horizon=self.settings.updates * self.settings.episodes)
        super().draw()
        self.progress.value = len(self.updates)
        self._last_frame = time.perf_counter()
        self._drawing += self._last_frame - started

    def _new_plots(self) -> None:
        with style.context("pglesson.lesson"):  # clear() reads the margins from the style too
            self.figure.clear()
            left, right = self.figure.subplots(1, 2, width_ratios=(2, 1))
            what = "return of an episode"
            self.plots = (
                CurvePlot(left, "returns", COLORS["return"], "What the agent earns", what, marks=True),
                self._watched_plot(right),
            )
            self.figure.subplots_adjust(right=0.96)  # a number at the very end of the axis needs half its width
            right.locator_params("x", nbins=3)
            right.set_xlabel("episodes")  # the same axis as on the left, in less room
        self.pinned = []

    def _watched_plot(self, axes: Axes) -> CurvePlot:
        if not callable(self._watch):
            return CurvePlot(axes, self._watch, *WATCHED[self._watch], log=self._watch in LOGARITHMIC)
        name = getattr(self._watch, "__name__", "what is watched").replace("_", " ")
        label = (self._watch.__doc__ or name).strip().splitlines()[0].rstrip(".")
        return CurvePlot(axes, lambda u: self._seen[u.number - 1], COLORS["value"], name.capitalize(), label)

    def _say(self, sentence: str, *, wrong: bool = False) -> None:
        escaped = html.escape(sentence)
        self.status.value = f'<span role="alert"><b>{escaped}</b></span>' if wrong else f"<span>{escaped}</span>"

    def _enable(self) -> None:
        running = self.running
        for name, pressed in self.buttons.items():
            pressed.disabled = not running if name == "pause" else running and name in ("start", "step")

    # --- what the learner does ----------------------------------------------------------------------------------------

    def _connect(self) -> None:
        actions = {
            "start": self.start,
            "pause": self.pause,
            "step": self._press_step,
            "reset": self.reset,
            "pin": self.pin,
        }
        for name, act in actions.items():
            self.buttons[name].on_click(lambda _, act=act: self._main.call(act))
        for name, control in self.knobs.items():
            control.observe(lambda change, name=name: self._turn(name, change["new"]), "value")
        self.environment.observe(lambda change: self._main.call(lambda: self._choose(change["new"])), "value")

    def _press_step(self) -> None:
        if self.step():
            self._say(f"Update {len(self.updates)} of {self.settings.updates}.")

    def _turn(self, name: str, value: Any) -> None:
        try:
            setattr(self.settings, name, value)
        except ValueError as error:
            self._say(str(error), wrong=True)

    def _choose(self, env: str) -> None:
        if env in ("", self.settings.env):
            return
        fresh = self._suited(env)
        if self._can_train(fresh):
            self._take(fresh)
        else:
            self.environment.value = self.settings.env

    def _can_train(self, wanted: Settings) -> bool:
        trial = deepcopy(wanted)
        trial.updates = trial.max_steps = 1
        if trial.baseline not in GROUPED and trial.normalization not in GROUPED:  # which ask for whole groups
            trial.episodes, trial.baseline, trial.normalization = 1, "none", "none"
        try:  # the errors of a training are those of a first step of it
            next(reinforce(trial, deepcopy(self._own_policy)))
        except Exception as error:
            self._refuse(error)
            return False
        return True

    def _refuse(self, error: Exception) -> None:
        self._say(f"{error_message(error)} The run was left as it was.", wrong=True)

    def _suited(self, env: str) -> Settings:
        """What suits a task: for the first one what it began with. On the present device, for an own policy's runs."""
        fresh = deepcopy(self._known) if env == self._known.env else Settings(env=env, **PRESETS.get(env, OWN))
        fresh.device = self.settings.device
        if self._own_policy is not None:
            fresh.runs = self.settings.runs
        return fresh

    def _measure(self, settings: Settings) -> None:
        settings.measure_variance |= self._watch == "gradient_variance"
        settings.measure_change |= self._watch == "policy_change"

    def _take(self, fresh: Settings) -> None:
        """Begins anew with these settings, without pins. A live one without a knob: as at first, if it is a default."""
        self.pause()
        self._measure(fresh)
        live, usual = fresh.live(), Settings()
        kept = {n: getattr(self._known, n) for n in live if n not in self.knobs and live[n] == getattr(usual, n)}
        for name, value in (fresh.fixed() | live | kept).items():
            setattr(self.settings, name, value)
        for name, control in self.knobs.items():
            value = getattr(self.settings, name)  # before new positions move the control, and the setting with it
            include(control, value)
            control.value = value
        self._new_plots()
        self._begin()


class _Bar(widgets.IntProgress):  # type: ignore[misc]
    def __repr__(self) -> str:
        return f"<progress of {self.description}>"  # the same in every run, so that the stored output stays true


def progress(items: Iterable[T], total: int, name: str = "training") -> Iterator[T]:
    """Passes the items on, such as a training's updates, and shows how many of `total` are done with."""
    bar = _Bar(max=total, description=name, layout=widgets.Layout(width="480px"), style={"description_width": "190px"})
    display(bar)
    for count, item in enumerate(items, start=1):
        yield item
        bar.value = count
