"""The live dashboard: a training session whose knobs move while it trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
from matplotlib import style
from torch import nn

from pglesson.analysis.plots import differences
from pglesson.settings import Settings
from pglesson.widgets.controls import LEVELS, wrapping_row
from pglesson.widgets.curves import check_watch
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.presets import PRESETS
from pglesson.widgets.training_session import TrainingSession, Watch
from pglesson.widgets.training_view import TrainingView


class Dashboard(TrainingView):
    """Trains, shows and compares runs; every knob in it may be moved while training runs.

    settings: where to begin; a dashboard changes its own copy. policy: a learner's own module, instead of
    `make_policy`, of which each training gets a copy; settings.runs becomes its `runs`, or else 1. baseline: a
    learner's own baseline, of which each training gets a copy; it joins the baselines to choose from as 'own', and is
    chosen at first. environments: the ids to choose from. knobs: the live settings that get a control, or a mapping
    from them to their levels. watch: what the right panel shows, one of WATCHED, or a function of the policy that gives
    a number for each run; its docstring begins with the label of the axis. microscope: a button that measures the
    gradient's noise at the present policy.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        policy: nn.Module | None = None,
        baseline: object = None,
        environments: Iterable[str] = tuple(PRESETS),
        knobs: Iterable[str] | Mapping[str, Sequence[Any]] = tuple(LEVELS),
        watch: Watch = "entropy",
        microscope: bool = False,
    ) -> None:
        check_watch(watch)
        session = TrainingSession(settings, policy=policy, baseline=baseline, watch=watch)
        super().__init__(session, "Dashboard", environments=environments, knobs=knobs)
        self.pinned: list[str] = []
        self.on_press({"reset": self.reset, "pin": self.pin})
        self.environment.observe(lambda change: self.main_loop.call(lambda: self.choose(change["new"])), "value")
        self.begin()
        columns = widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(240px, 1fr))", max_width="800px")
        self.children = [
            wrapping_row([self.environment, *self.buttons.values()]),
            widgets.GridBox(list(self.knobs.values()), layout=columns),
            widgets.HBox([self.progress, self.status]),
            self.picture,
            wrapping_row([self.before, self.now]),
        ]
        if microscope:
            # without a policy, where the task could not be made, the microscope reports the error itself
            self.microscope = MicroscopeView(lambda: (self.settings, self.policy), call=self.main_loop.call)
            self.children = [*self.children, self.microscope]

    def reset(self) -> None:
        """Forgets what was learned, keeps the knobs and the pinned curves."""
        self.pause()
        self.begin()

    def choose(self, env: str) -> None:
        """Begins anew in another task, without pins, if it can be trained."""
        if env == self.settings.env:
            return
        fresh = self.session.suited(env)
        if not self.can_train(fresh):
            self.environment.value = self.settings.env
            return
        self.take(fresh)
        self.curves.rebuild()
        self.pinned = []
        self.begin()

    def pin(self) -> None:
        """Keeps the present curve, dashed, named by how its knobs differ from the defaults."""
        if not self.updates:
            self.status.say("There is no curve to pin yet: press Start or Step first.")
            return
        knobs = {knob: self.updates[-1].live[knob] for knob in self.knobs}  # the rest never moves, and fills the legend
        name = f"{len(self.pinned) + 1}: {differences(knobs, Settings().live())}"
        self.pinned.append(name)
        self.curves.pin(self.updates, name)
        with style.context("pglesson.lesson"):
            self.plots[0].axes.legend(loc="lower right", handlelength=2.6)
        self.draw()
        self.status.say(f"Pinned as “{name}”. Move a knob, then Reset and Start to compare.")
