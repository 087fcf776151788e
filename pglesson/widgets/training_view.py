"""A training session on the screen: its curves, its buttons and knobs, and the agents that can be watched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakValueDictionary

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from torch import nn

from pglesson.analysis.plots import CurvePlot, describe, lesson_style, new_figure, text
from pglesson.reinforce import Update
from pglesson.settings import Settings
from pglesson.widgets.agent_view import AgentView
from pglesson.widgets.background import BackgroundTraining
from pglesson.widgets.controls import (
    LEVELS,
    button,
    choice,
    control_grid,
    error_message,
    knobs_for,
    show_settings,
    wrapping_row,
)
from pglesson.widgets.curves import TrainingCurves
from pglesson.widgets.elements import Control
from pglesson.widgets.frames import FrameBudget
from pglesson.widgets.main_loop import MainLoop, running_cell
from pglesson.widgets.picture import Picture, Stored, to_png
from pglesson.widgets.pinned_runs import PINS, PinnedRuns, Run
from pglesson.widgets.status_line import StatusLine
from pglesson.widgets.training_session import TrainingSession

SIZE = (7.8, 3.6)  # of the figure, in inches
MAIN = 9  # knobs above the curves, at most: of more, the usual ones


class TrainingView(Picture):
    """What dashboard and playground share; each of them adds parts of its own.

    Nothing starts by being displayed. `step()` makes one update without any event loop, as tests do.
    """

    def __init__(
        self,
        session: TrainingSession,
        name: str,
        *,
        environments: Iterable[str],
        knobs: Iterable[str] | Mapping[str, Sequence[Any]],
    ) -> None:
        super().__init__(new_figure(*SIZE), name)
        self.session = session
        self.curves = TrainingCurves(self.figure, session)
        self.main_loop, self.frames, self._started = MainLoop(), FrameBudget(), (0.0, 0)
        self.runner = BackgroundTraining(
            self.main_loop, lambda: self.step(draw=False), self._stop_interrupted, self._show_state
        )
        self.environment = _task_list(self.settings.env, environments)
        self.knobs = knobs_for(self.settings, knobs)
        for setting, control in self.knobs.items():
            control.observe(lambda change, name=setting: self._set_knob(name, change["new"]), "value")
        self.buttons = {
            "start": button("Start", "play", "train until the last update, or until Pause", "success"),
            "pause": button("Pause", "pause", "stop after the update that is being made"),
            "step": button("Step", "step-forward", "make a single update"),
            "reset": button("Reset", "refresh", "forget what was learned, and begin again"),
            "pin": button("Pin", "thumb-tack", "keep this curve, to compare the next run with it"),
        }
        self.on_press({"start": self.start, "pause": self.pause, "step": self._press_step})
        tooltip = "train two settings, A and B, from the same seeds, in step, and show their difference"
        self.compare = widgets.ToggleButton(description="Compare A and B", icon="columns", tooltip=tooltip)
        self.compare.layout.width = "auto"
        self.side = choice("knobs of", ["A", "B"], "B", "whose knobs these are, and whose agent plays")
        self.side.add_class("pglesson-short")
        self.side.layout.display = "none"
        self.compare.observe(lambda change: self.main_loop.call(lambda: self._compare(change["new"])), "value")
        self.side.observe(lambda _: self.main_loop.call(self._turn_to_side), "value")
        self.progress = widgets.IntProgress(layout=widgets.Layout(width="150px"))
        self.count = widgets.HTML(layout=widgets.Layout(width="225px"))
        self.count.add_class("pglesson-status")
        self.status = StatusLine()
        self.agent = AgentView(session, self.main_loop, lambda: self.running)
        self._pinned = PinnedRuns(session, lambda number: self.main_loop.call(lambda: self.remove(number)))
        self._kept: dict[str, tuple[dict[str, Any], dict[int, Run]]] = {}  # of other tasks: their runs and pins
        self.list = self._pinned.list
        self._replace_ghost()
        session.on_begin += [self._show_new_run, self._pinned.describe]
        self.on_press({"reset": self.reset, "pin": self.pin})
        for control in self.knobs.values():
            control.observe(lambda _: self._pinned.describe(), "value")
        self.environment.observe(lambda change: self.main_loop.call(lambda: self.choose(change["new"])), "value")

    @property
    def settings(self) -> Settings:
        """The session's own settings."""
        return self.session.settings

    @property
    def updates(self) -> list[Update]:
        """The updates of the present training."""
        return self.session.updates

    @property
    def pins(self) -> dict[int, Run]:
        """The pinned runs of the present task."""
        return self._pinned.runs

    @property
    def rival(self) -> TrainingSession | None:
        """The training B, which the present one, A, is compared with."""
        return self.curves.rival

    @property
    def chosen(self) -> TrainingSession:
        """The training whose knobs are shown: the present one, or B."""
        return self.rival if self.rival is not None and self.side.value == "B" else self.session

    @property
    def policy(self) -> nn.Module | None:
        """The policy in training."""
        return self.session.policy

    @property
    def plots(self) -> tuple[CurvePlot, ...]:
        """The panels that show curves of the present training."""
        return self.curves.plots

    @property
    def running(self) -> bool:
        """Whether training goes on by itself."""
        return self.runner.running

    @property
    def finished(self) -> bool:
        """Whether all updates of the present training are made."""
        return self.session.begun and len(self.updates) >= self.settings.updates

    def on_press(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Connects buttons, by their names, with what they do."""
        for name, act in actions.items():
            self.buttons[name].on_click(lambda _, act=act: self.main_loop.call(act))

    # --- training -----------------------------------------------------------------------------------------------------

    def begin(self) -> bool:
        """Begins a new training; returns whether it could be begun. An error is shown in `status`."""
        try:
            if self.rival is not None:
                for name, value in self.settings.fixed().items():
                    self.rival.set(name, value)
                self.rival.begin()
            self.session.begin()
        except Exception as error:
            self._show_failure(error)
        return self.session.begun

    def step(self, *, draw: bool = True) -> bool:
        """Makes one update and shows it; returns whether there was one. An error is shown in `status`."""
        if not self.session.begun and not self.begin():
            return False
        try:
            with self.runner.interruptible():
                update = self.session.step()
                if self.rival is not None and update is not None:
                    self.rival.step()
        except (Exception, KeyboardInterrupt) as error:
            self.session.end()  # of two, both
            self._show_failure(error)
        else:
            if update is not None:
                if update.number in self.session.marks:
                    self.agent.show_marks()
                if draw or self.frames.due():
                    self.draw()
                return True
            self.status.say(f"Finished: {len(self.updates)} updates. Pin this curve to compare, or press Reset.")
            self.agent.show_marks()
        self.draw()
        return False

    def start(self) -> None:
        """Trains in the background of the notebook, until `pause` or the last update."""
        if self.running:
            return
        if self.finished:
            self.status.say("All updates are made. Press Reset to begin again; Pin keeps this curve to compare.")
        elif self.session.begun or self.begin():
            self.frames.restart()
            self._started = time.perf_counter(), len(self.updates)
            self.runner.start()
            self.agent.play_on()
            self.status.say("Training. Move any knob: it counts from the next update on.")

    def pause(self) -> None:
        """Stops after the update that is being made; `start` goes on from there."""
        if self.running:
            self.runner.stop()
            self.agent.show_marks()
            self.draw()
            self.status.say(f"Paused after update {len(self.updates)}. Start goes on from here.")

    def reset(self) -> None:
        """Forgets what was learned, keeps the knobs and the pinned curves."""
        self.pause()
        self.begin()

    def choose(self, env: str) -> None:
        """Another task, if it can be trained. The present run and its pins are kept, and come back with their task."""
        if env in ("", self.settings.env):
            return
        fresh, left = None if env in self._kept else self.session.suited(env), self.settings.env
        if fresh is not None and not self.can_train(fresh):
            self.environment.value = left
            return
        self.compare.value = False
        self.pause()
        self._kept[left] = self.session.leave(), dict(self.pins)
        self.pins.clear()
        if fresh is None:
            kept, pins = self._kept.pop(env)
            self.session.come_back(kept)
            self.pins.update(pins)
            show_settings(self.knobs, self.settings)
            self._rebuild()
            self._show_run()
            self.status.say(f"Back in {env}, as you left it: {self._describe_count()}, {len(pins)} pinned.")
        else:
            self.take(fresh)
            self._rebuild()
            self.begin()
            self.status.say(f"A new run begins here. The run in {left} and its pins are kept: choose it to come back.")

    def pin(self) -> None:
        """Keeps the present curve, in a colour and dashes of its own, until it is removed."""
        if not self.chosen.updates:
            self.status.say("There is no curve to pin yet: press Start or Step first.")
        elif (number := self._pinned.add(self.chosen)) is None:
            self.status.say(f"All {len(PINS)} places for pinned curves are taken: remove one from the list first.")
        else:
            self._redraw()
            self.status.say(f"Pinned as curve {number}. Change something, then Reset and Start to compare.")

    def remove(self, number: int) -> None:
        """Removes a pinned curve; the others keep their looks."""
        self.pins.pop(number, None)
        self._redraw()

    def _compare(self, on: bool) -> None:
        """Begins two trainings with the present settings, or goes on without B."""
        self.pause()
        session = self.session
        self.curves.rival = None
        if on:
            how: dict[str, Any] = {"policy": session.own_policy, "baseline": session.own_baseline}
            self.curves.rival = TrainingSession(self.settings, watch=session.watch, **how)
            self.curves.rival.set("baseline", self.settings.baseline)  # and not the learner's own, if another is chosen
        self.side.layout.display = None if on else "none"
        self._rebuild()
        if on:
            self.begin()
        self._turn_to_side()
        if on:
            self.status.say("A and B begin with the same settings and seeds. Move knobs of B, or of A, then Start.")

    def _turn_to_side(self) -> None:
        who = f"{self.side.value}. " if self.rival is not None else ""
        self.agent.attend(self.chosen, who)
        show_settings(self.knobs, self.chosen.settings)
        self._mark_differences()
        self.draw()

    def _mark_differences(self) -> None:
        """Marks the knobs in which A and B differ, with the value of the one that is not shown."""
        hidden = self.settings if self.rival is None or self.chosen is self.rival else self.rival.settings
        who = "A" if hidden is self.settings else "B"
        for name, control in self.knobs.items():
            if isinstance(control, Control):
                other = getattr(hidden, name)
                control.note = "" if other == getattr(self.chosen.settings, name) else f"{who}: {text(other)}"

    def take(self, fresh: Settings) -> None:
        """Takes over settings and shows them; `begin` is left to the caller. Those without a knob stay as at first."""
        self.pause()
        self.session.take(fresh, keep=[name for name in fresh.live() if name not in self.knobs])
        show_settings(self.knobs, self.settings)

    def can_train(self, wanted: Settings) -> bool:
        """Whether a training with these settings can begin. If not, `status` says why."""
        error = self.session.can_train(wanted)
        if error is not None:
            self.refuse(error)
        return error is None

    def refuse(self, error: Exception) -> None:
        """Shows an error that left the present run as it was."""
        self.status.warn(f"{error_message(error)} The run was left as it was.")

    def _replace_ghost(self) -> None:
        """Stops the training that this cell began when it was run before: nobody sees it any more."""
        cell = running_cell()
        if cell is not None:
            if cell in _SHOWN:
                _SHOWN[cell].pause()
                _SHOWN[cell].agent.stop()
            _SHOWN[cell] = self

    def close(self) -> None:
        """Stops what goes on in the background, and takes everything off the page."""
        if "agent" in vars(self):  # ipywidgets calls this even if the constructor raised
            self.pause()
            self.agent.stop()
        super().close()

    # --- on the screen ------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draws the curves as they are now."""
        with self.frames.drawing(), lesson_style():
            self.curves.show()
            super().draw()
            self._show_state()

    def stored(self) -> Stored:
        """The picture for readers without a kernel: of a finished run, where notebooks are rebuilt for them."""
        seconds = float(os.environ.get("PGLESSON_STORED_SECONDS", 0))
        if not seconds or self.updates:
            return super().stored()
        try:
            return finished_picture(self.session, seconds)
        except Exception:  # what cannot be trained says so in its status
            return super().stored()

    def arrange(self, above: Sequence[widgets.Widget], below: Sequence[widgets.Widget] = ()) -> None:
        """Puts the parts in their places: the agent beside the curves, or beneath them where the page is narrow."""
        status = wrapping_row([self.side, self.progress, self.count, self.status])
        status.layout.align_items = "center"
        curves = widgets.VBox([self.picture, self.list])
        curves.layout.flex, curves.layout.min_width = "1 1 520px", "0"
        curves.layout.max_width = "100%"
        self.middle = wrapping_row([curves, self.agent])
        self.middle.layout.align_items, self.middle.layout.max_width = "flex-start", "1090px"
        main = [control for name, control in self.knobs.items() if len(self.knobs) <= MAIN or name in LEVELS]
        self.children = [*above, control_grid(main), status, self.middle, *below]

    def _show_state(self) -> None:
        self.progress.max, self.progress.value = self.settings.updates, len(self.updates)
        self.count.value = self._describe_count()
        self.buttons["start"].button_style = "" if self.running or self.finished else "success"
        self.buttons["pause"].button_style = "success" if self.running else ""

    def _show_new_run(self) -> None:
        self._show_run()
        self.status.say("Press Start. Nothing has been learned yet.")

    def _show_run(self) -> None:
        self.agent.show_start()
        self.draw()

    def _rebuild(self) -> None:
        self.curves.rebuild()
        self._pinned.draw(self.curves)

    def _redraw(self) -> None:
        self._rebuild()
        self.draw()

    def _show_failure(self, error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.status.warn("Interrupted: the curves are kept. Start begins a new run.")
        else:
            stopped = "Training stopped, the curves are kept; Start begins a new run."
            self.status.warn(f"{error_message(error)} {stopped}")

    def _stop_interrupted(self) -> None:
        self.session.end()
        self._show_failure(KeyboardInterrupt())
        self.draw()

    def _describe_count(self) -> str:
        made, updates = len(self.updates), self.settings.updates
        words = f"update {made} of {updates}"
        begun, first = self._started
        if self.running and made > first:
            left = (time.perf_counter() - begun) / (made - first) * (updates - made)
            words += f", about {left:.0f} s left" if left < 100 else f", about {left / 60:.0f} min left"
        return words

    def _press_step(self) -> None:
        if self.running:
            self.status.say("Training goes on by itself. Pause first, then Step makes a single update.")
        elif self.finished:
            self.start()
        elif self.step():
            self.agent.show_marks()
            self.status.say(f"Update {len(self.updates)} of {self.settings.updates}.")

    def _set_knob(self, name: str, value: Any) -> None:
        try:
            self.chosen.set(name, value)
            self._mark_differences()
        except ValueError as error:
            self.status.warn(str(error))


_SHOWN: WeakValueDictionary[str, TrainingView] = WeakValueDictionary()  # the last one that each cell made


def finished_picture(session: TrainingSession, seconds: float) -> Stored:
    """The picture of a training that is like the session's, to its end or for so many seconds, and its description.

    It is stored in a notebook for readers without a kernel. Neither the session nor any random number changes.
    """
    copy = TrainingSession(
        session.settings, policy=session.own_policy, baseline=session.own_baseline, watch=session.watch
    )
    copy.set("baseline", session.settings.baseline)
    figure, until = new_figure(*SIZE), time.perf_counter() + seconds
    with torch.random.fork_rng():
        while copy.step() is not None and time.perf_counter() < until:
            pass
    TrainingCurves(figure, copy).show()
    made, updates = len(copy.updates), copy.settings.updates
    words = f"A stored picture of a run of {made} updates" + f" (of {updates})" * (made < updates)
    figure.text(0.005, 0.02, f"{words}. Run the cell to train your own.", fontsize=10, style="italic")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return to_png(np.asarray(canvas.buffer_rgba())), f"{words}. {describe(figure)}"


def _task_list(env: str, environments: Iterable[str]) -> Control:
    ids = list(dict.fromkeys([env, *environments]))
    chosen = choice("task", ids, env, "the environment to learn in")
    chosen.add_class("pglesson-short")
    if len(ids) == 1:
        chosen.layout.display = "none"  # nothing to choose
    return chosen
