"""A training session on the screen: its curves, its buttons and knobs, and the agents that can be watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
from torch import nn

from pglesson.analysis.plots import CurvePlot, new_figure
from pglesson.reinforce import Update
from pglesson.settings import Settings
from pglesson.widgets.agent_view import AgentView
from pglesson.widgets.background import BackgroundTraining
from pglesson.widgets.controls import button, choice, error_message, knobs_for, show_settings
from pglesson.widgets.curves import TrainingCurves
from pglesson.widgets.frames import FrameBudget
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.picture import Picture
from pglesson.widgets.status_line import StatusLine
from pglesson.widgets.training_session import TrainingSession


class TrainingView(Picture):
    """What dashboard and playground share. Each of them arranges the parts, and defines what Reset and Pin do.

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
        super().__init__(new_figure(7.8, 3.4), name)
        self.session = session
        self.curves = TrainingCurves(self.figure, session)
        self.main_loop, self.frames = MainLoop(), FrameBudget()
        self.runner = BackgroundTraining(
            self.main_loop, lambda: self.step(draw=False), self._stop_interrupted, self._enable_buttons
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
        self.progress = widgets.IntProgress(layout=widgets.Layout(width="200px"))
        self.status = StatusLine()
        self.before, self.now = AgentView("before"), AgentView("now")
        session.on_begin.append(self._show_new_run)

    @property
    def settings(self) -> Settings:
        """The session's own settings."""
        return self.session.settings

    @property
    def updates(self) -> list[Update]:
        """The updates of the present training."""
        return self.session.updates

    @property
    def policy(self) -> nn.Module | None:
        """The policy in training."""
        return self.session.policy

    @property
    def plots(self) -> tuple[CurvePlot, CurvePlot]:
        """The two panels."""
        return self.curves.plots

    @property
    def running(self) -> bool:
        """Whether training goes on by itself."""
        return self.runner.running

    def on_press(self, actions: Mapping[str, Callable[[], object]]) -> None:
        """Connects buttons, by their names, with what they do."""
        for name, act in actions.items():
            self.buttons[name].on_click(lambda _, act=act: self.main_loop.call(act))

    # --- training -----------------------------------------------------------------------------------------------------

    def begin(self) -> bool:
        """Begins a new training; returns whether it could be begun. An error is shown in `status`."""
        try:
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
        except (Exception, KeyboardInterrupt) as error:
            self._show_failure(error)
        else:
            if update is not None:
                if draw or self.frames.due():
                    self.draw()
                return True
            self.status.say(f"Finished: {len(self.updates)} updates. Pin this curve to compare, or press Reset.")
        self.draw()
        return False

    def start(self) -> None:
        """Trains in the background of the notebook, until `pause` or the last update."""
        if not self.running and (self.session.begun or self.begin()):
            self.now.stop()
            self.before.stop()
            self.frames.restart()
            self.runner.start()
            self.status.say("Training. Move any knob: it counts from the next update on.")
            self._enable_buttons()

    def pause(self) -> None:
        """Stops after the update that is being made; `start` goes on from there."""
        if self.running:
            self.runner.stop()
            self.draw()
            self.status.say("Paused. Start goes on from here.")
            self._enable_buttons()

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

    def close(self) -> None:
        """Stops what goes on in the background, and takes everything off the page."""
        if "now" in vars(self):  # ipywidgets calls this even if the constructor raised
            self.pause()
            self.before.stop()
            self.now.stop()
        super().close()

    # --- on the screen ------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draws the curves as they are now."""
        with self.frames.drawing():
            self.curves.show()
            super().draw()
            self.progress.value = len(self.updates)

    def _show_new_run(self) -> None:
        session = self.session
        assert session.policy is not None and session.untrained is not None
        self.progress.max = self.settings.updates
        self.before.show(self.settings, session.untrained)
        self.now.show(self.settings, session.policy)
        self.status.say("Press Start. Nothing has been learned yet.")
        self.draw()
        self._enable_buttons()

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

    def _enable_buttons(self) -> None:
        running = self.running
        for name, pressed in self.buttons.items():
            pressed.disabled = not running if name == "pause" else running and name in ("start", "step")

    def _press_step(self) -> None:
        if self.step():
            self.status.say(f"Update {len(self.updates)} of {self.settings.updates}.")

    def _set_knob(self, name: str, value: Any) -> None:
        try:
            self.session.set(name, value)
        except ValueError as error:
            self.status.warn(str(error))


def _task_list(env: str, environments: Iterable[str]) -> widgets.Dropdown:
    ids = list(dict.fromkeys([env, *environments]))
    chosen = choice("task", ids, env, "the environment to learn in")
    chosen.style.description_width, chosen.layout.width = "40px", "230px"
    if len(ids) == 1:
        chosen.layout.display = "none"  # nothing to choose
    return chosen
