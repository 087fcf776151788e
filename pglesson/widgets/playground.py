"""The playground: every environment, every setting, several pinned runs, and exports."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy

import ipywidgets as widgets
from torch import nn

from pglesson.analysis.plots import label, text
from pglesson.settings import Settings
from pglesson.widgets.controls import LEVELS, MORE_LEVELS, add_option, button, choice, wrapping_row
from pglesson.widgets.curves import WATCHED
from pglesson.widgets.export_panel import ExportPanel
from pglesson.widgets.fixed_settings_panel import FIXED, FixedPanel
from pglesson.widgets.pinned_runs import PINS, PinnedRuns
from pglesson.widgets.presets import PRESETS
from pglesson.widgets.training_session import MEASURED_BY, TrainingSession
from pglesson.widgets.training_view import TrainingView

KNOBS = (*LEVELS, *MORE_LEVELS, "measure_variance", "measure_change")
SIZES = {False: (7.8, 3.4, 100), True: (7.8, 2.9, 140)}  # of the figure, in inches and dots an inch, by large type
# zoom lays text out anew at its larger size, as a browser's own zoom does; the figure is drawn anew with more dots
STYLE = "<style>.pglesson-large { zoom: 1.4; } .pglesson-code textarea { font-family: monospace; }</style>"


class Playground(TrainingView):
    """A dashboard with everything in reach: any environment, all settings, six pinned runs, and runs as files or code.

    settings: where to begin, and what **Known state** comes back to. policy, baseline: as in `Dashboard`. Fixed
    settings count from the next Reset, or at once if nothing was trained yet. If they cannot be trained, `status` says
    why, and the run stays as it was.
    """

    def __init__(
        self, settings: Settings | None = None, *, policy: nn.Module | None = None, baseline: object = None
    ) -> None:
        session = TrainingSession(settings, policy=deepcopy(policy), baseline=deepcopy(baseline))
        super().__init__(session, "Playground", environments=PRESETS, knobs=KNOBS)
        self.own_id = widgets.Text(
            placeholder="your own Gymnasium id, then Enter",
            continuous_update=False,
            tooltip="the id of any registered environment with a Discrete or Box action space",
            layout=widgets.Layout(width="240px"),
        )
        self.watch = choice("watch", list(WATCHED), session.watch, "what the right panel shows")
        self.watch.style.description_width, self.watch.layout.width = "40px", "220px"
        self.large = widgets.ToggleButton(
            description="Large type", icon="search-plus", tooltip="larger type for a projector, in controls and figure"
        )
        self.large.layout.width = "auto"
        self.buttons["known"] = button("Known state", "undo", "the settings, seed and knobs of the beginning, no pins")
        self._pinned = PinnedRuns(session, lambda number: self.main_loop.call(lambda: self.remove(number)))
        self._fixed, self._exports = FixedPanel(self.settings), ExportPanel(session)
        self.pins, self.list, self.fixed = self._pinned.runs, self._pinned.list, self._fixed.controls
        self.which, self.exports = self._exports.which, self._exports.buttons
        self.file, self.code = self._exports.file, self._exports.code
        self._showing = False
        session.on_begin.append(self._pinned.describe)
        self._connect()
        self._arrange()
        self.begin()

    def _connect(self) -> None:
        call = self.main_loop.call
        self.on_press({"reset": self.reset, "pin": self.pin, "known": self.restore})
        for form, pressed in self.exports.items():
            pressed.on_click(lambda _, form=form: call(lambda: self.export(form)))
        for control in self.knobs.values():
            control.observe(lambda _: self._pinned.describe(), "value")
        for name, control in self.fixed.items():
            control.observe(lambda _, name=name: call(lambda: self._announce_fixed(name)), "value")
        for control in (self.environment, self.own_id):
            control.observe(lambda change: call(lambda: self.choose(change["new"].strip())), "value")
        self.watch.observe(lambda change: call(lambda: self._watch(change["new"])), "value")
        self.large.observe(lambda change: call(lambda: self._resize(change["new"])), "value")

    def _arrange(self) -> None:
        for slider in self.knobs.values():
            if isinstance(slider, widgets.SelectionSlider):
                slider.layout.width, slider.style.description_width = "250px", "80px"
        knobs = _grid(self.knobs.values(), flex="1 1 260px")
        above = [
            wrapping_row([*self.buttons.values(), self.large]),
            wrapping_row([self.environment, self.own_id, self.watch]),
            widgets.HBox([self.progress, self.status]),
        ]
        exports = [widgets.HTML("<b>Export</b>"), self.which, *self.exports.values(), self.file]
        below = [
            self.list,
            widgets.HTML("<b>What shapes a run</b>: counts from the next Reset"),
            _grid(self.fixed.values()),
            wrapping_row(exports),
            self.code,
            wrapping_row([self.before, self.now]),
        ]
        self._texts = [*above, knobs, *below]
        self.picture.layout.flex, self.picture.layout.max_width = "0 0 auto", "100%"  # large type, on a narrow page
        middle = wrapping_row([self.picture, knobs])
        middle.layout.align_items = "flex-start"
        self.children = [widgets.HTML(STYLE, layout=widgets.Layout(display="none")), *above, middle, *below]

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
        """Begins anew in another task, without pins, if it can be trained."""
        if self._showing or env in ("", self.settings.env):
            return
        fresh = self.session.suited(env)
        if self.can_train(fresh):
            self._begin_anew(fresh)
        else:
            self.environment.value = self.settings.env

    def restore(self) -> None:
        """The known state: everything as it was when the playground was made, and nothing trained or pinned."""
        self.watch.value = "entropy"
        self.own_id.value = ""
        self._begin_anew(deepcopy(self.session.first_settings))

    def pin(self) -> None:
        """Keeps the present curve, in a colour and dashes of its own, until it is removed or the task changes."""
        if not self.updates:
            self.status.say("There is no curve to pin yet: press Start or Step first.")
        elif (number := self._pinned.add()) is None:
            self.status.say(f"All {len(PINS)} places for pinned curves are taken: remove one from the list first.")
        else:
            self._redraw()
            self.status.say(f"Pinned as curve {number}. Change something, then Reset and Start to compare.")

    def remove(self, number: int) -> None:
        """Removes a pinned curve; the others keep their looks."""
        self.pins.pop(number, None)
        self._redraw()

    def export(self, form: str) -> None:
        """Shows the chosen run as "json", "csv" or "code"."""
        run = self.pins.get(self.which.value, (self.settings, self.updates))
        if form != "code" and not run[1]:
            self.status.say("There is no curve to export yet: press Start or Step first.")
        else:
            self._exports.show(form, run)

    def _begin_anew(self, fresh: Settings) -> None:
        self.pins.clear()
        self._exports.clear()
        self.take(fresh)
        self._rebuild()
        self.begin()
        self._show_fixed()

    # --- on the screen ------------------------------------------------------------------------------------------------

    def _rebuild(self) -> None:
        width, height, dots = SIZES[self.large.value]
        self.figure.set_dpi(dots)
        self.figure.set_size_inches(width, height)
        self.image.layout.width = f"{round(width * dots)}px"
        self.curves.rebuild()
        if self.large.value:
            self.figure.subplots_adjust(bottom=0.22, top=0.87)
        self._pinned.draw(self.curves)
        self._exports.list_runs(self.pins)

    def _redraw(self) -> None:
        self._rebuild()
        self.draw()

    def _show_fixed(self) -> None:
        self._showing = True  # else the controls would be read as if the learner had moved them
        try:
            self._fixed.show(self.settings)
            add_option(self.environment, self.settings.env)
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
        self._redraw()


def _grid(controls: Iterable[widgets.Widget], **layout: str) -> widgets.GridBox:
    columns = "repeat(auto-fill, minmax(255px, 1fr))"
    return widgets.GridBox(list(controls), layout=widgets.Layout(grid_template_columns=columns, **layout))
