"""The playground: every environment, every setting, several pinned runs, and exports."""

from __future__ import annotations

from copy import deepcopy

import ipywidgets as widgets
from torch import nn

from pglesson.analysis.plots import label, text
from pglesson.own_policies import copy_policy
from pglesson.settings import Settings
from pglesson.widgets.controls import LEVELS, MORE_LEVELS, button, choice, control_grid, wrapping_row
from pglesson.widgets.curves import WATCHED
from pglesson.widgets.export_panel import ExportPanel
from pglesson.widgets.fixed_settings_panel import FIXED, FixedPanel
from pglesson.widgets.presets import PRESETS
from pglesson.widgets.training_session import MEASURED_BY, TrainingSession
from pglesson.widgets.training_view import TrainingView

MORE_KNOBS = (*MORE_LEVELS, "measure_variance", "measure_change")
KNOBS = (*LEVELS, *MORE_KNOBS)
SIZES = {False: (7.8, 3.6, 100), True: (7.8, 3.1, 140)}  # of the figure, in inches and dots an inch, by large type
# zoom lays text out anew at its larger size, as a browser's own zoom does; the figure is drawn anew with more dots
STYLE = (
    "<style>.pglesson-large { zoom: 1.3; } .pglesson-large-words .pglesson-film div { font-size: 16px; } "
    ".pglesson-code textarea { font-family: monospace; }</style>"
)


class Playground(TrainingView):
    """A dashboard with everything in reach: any environment, all settings, six pinned runs, and runs as files or code.

    settings: where to begin, and what **Known state** comes back to. policy, baseline: as in `Dashboard`. Fixed
    settings count from the next Reset, or at once if nothing was trained yet. If they cannot be trained, `status` says
    why, and the run stays as it was.
    """

    def __init__(
        self, settings: Settings | None = None, *, policy: nn.Module | None = None, baseline: object = None
    ) -> None:
        own = None if policy is None else copy_policy(policy)
        session = TrainingSession(settings, policy=own, baseline=deepcopy(baseline))
        super().__init__(session, "Playground", environments=PRESETS, knobs=KNOBS)
        self.own_id = widgets.Text(
            placeholder="or a Gymnasium id, Enter",
            continuous_update=False,
            tooltip="the id of any registered environment; 'module:Name-v0' imports a module first",
            layout=widgets.Layout(width="240px"),
        )
        self.watch = choice("watch", list(WATCHED), session.watch, "what the right panel shows")
        self.watch.add_class("pglesson-short")
        self.large = widgets.ToggleButton(
            description="Large type", icon="search-plus", tooltip="larger type for a projector, in controls and figure"
        )
        self.large.layout.width = "auto"
        self.buttons["known"] = button("Known state", "undo", "the settings, seed and knobs of the beginning, no pins")
        self._fixed, self._exports = FixedPanel(self.settings), ExportPanel(session)
        self.fixed, self.which, self.exports = self._fixed.controls, self._exports.which, self._exports.buttons
        self.file, self.code = self._exports.file, self._exports.code
        self._showing = False
        self._connect()
        self._arrange()
        self.begin()

    def _connect(self) -> None:
        call = self.main_loop.call
        self.on_press({"known": self.restore})
        for form, pressed in self.exports.items():
            pressed.on_click(lambda _, form=form: call(lambda: self.export(form)))
        self.which.observe(lambda _: call(self._export_chosen), "value")
        for name, control in self.fixed.items():
            control.observe(lambda _, name=name: call(lambda: self._announce_fixed(name)), "value")
        self.own_id.observe(lambda change: call(lambda: self.choose(change["new"].strip())), "value")
        self.watch.observe(lambda change: call(lambda: self._watch(change["new"])), "value")
        self.large.observe(lambda change: call(lambda: self._resize(change["new"])), "value")

    def _arrange(self) -> None:
        exports = wrapping_row([self.which, *self.exports.values(), self.file])
        tabs = {
            "What shapes a run": widgets.VBox(
                [widgets.HTML("These count from the next Reset."), control_grid(self.fixed.values())]
            ),
            "More knobs": control_grid(self.knobs[name] for name in MORE_KNOBS),
            "Export": widgets.VBox([exports, self.code]),
        }
        more = widgets.Tab(list(tabs.values()), titles=list(tabs), layout=widgets.Layout(max_width="1090px"))
        buttons = wrapping_row([*self.buttons.values(), self.compare, self.large])
        tasks = wrapping_row([self.environment, self.own_id, self.watch])
        self.arrange([widgets.HTML(STYLE, layout=widgets.Layout(display="none")), buttons, tasks], [more])
        self._texts = [self.list, *(child for child in self.children if child is not self.middle)]

    # --- runs ---------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begins again with what the fixed settings' controls show, or says why that cannot be trained."""
        try:
            wanted = self._fixed.wanted(self.settings)
        except ValueError as error:
            self.refuse(error)
            return
        if self.can_train(wanted):
            for name in FIXED:
                self.session.set(name, getattr(wanted, name))
            self.pause()
            self.begin()
            self._show_fixed()

    def choose(self, env: str) -> None:
        """Another task, if it can be trained. The present run and its pins are kept, and come back with their task."""
        if not self._showing:
            super().choose(env)
            self._show_fixed()

    def restore(self) -> None:
        """The known state: everything as it was when the playground was made, and nothing trained or pinned."""
        self.compare.value = False
        self.watch.value = "entropy"
        self.own_id.value = ""
        self.pins.clear()
        self._kept.clear()
        self._exports.clear()
        self.take(deepcopy(self.session.first_settings))
        self._rebuild()
        self.begin()
        self._show_fixed()

    def export(self, form: str) -> None:
        """Shows the chosen run as "json", "csv" or "code"."""
        run = self.pins.get(self.which.value, (self.settings, self.updates))
        if form != "code" and not run[1]:
            self.status.say("There is no curve to export yet: press Start or Step first.")
        else:
            self._exports.show(form, run)

    def _export_chosen(self) -> None:
        """What is shown follows the list."""
        form = self._exports.form
        self._exports.clear()
        if form:
            self.export(form)

    # --- on the screen ------------------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        width, height, dots = SIZES[self.large.value]
        self.figure.set_dpi(dots)
        self.figure.set_size_inches(width, height)
        self.image.width = round(width * dots)
        super()._rebuild()
        self._exports.list_runs(self.pins)

    def _show_fixed(self) -> None:
        self._showing = True  # else the controls would be read as if the learner had moved them
        try:
            self._fixed.show(self.settings)
            self.environment.add(self.settings.env)
            self.environment.value = self.settings.env
        finally:
            self._showing = False

    # --- what the learner does ----------------------------------------------------------------------------------------

    def _announce_fixed(self, name: str) -> None:
        if self._showing:
            return
        if not self.updates and not self.running:
            self.reset()
            return
        try:
            wanted = self._fixed.wanted(self.settings, name)
        except ValueError as error:
            self.refuse(error)
        else:
            value = text(getattr(wanted, name))
            self.status.say(f"{label(name)} will be {value} from the next Reset on. The present run goes on as it is.")

    def _watch(self, quantity: str) -> None:
        self.session.watch = quantity
        if quantity in MEASURED_BY:
            self.knobs[MEASURED_BY[quantity]].value = True  # counts from the next update on, as every knob does
        self._redraw()

    def _resize(self, large: bool) -> None:
        for part in self._texts:
            (part.add_class if large else part.remove_class)("pglesson-large")
        (self.agent.add_class if large else self.agent.remove_class)("pglesson-large-words")
        self._redraw()
