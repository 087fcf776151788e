"""The live dashboard: a training session whose knobs move while it trains."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import nn

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
        self.begin()
        below = []
        if microscope:
            # without a policy, where the task could not be made, the microscope reports the error itself
            self.microscope = MicroscopeView(lambda: (self.settings, self.policy), call=self.main_loop.call)
            below = [self.microscope]
        self.arrange([wrapping_row([self.environment, *self.buttons.values(), self.compare])], below)
