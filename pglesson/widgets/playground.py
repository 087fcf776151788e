"""The playground: every environment, every setting, several pinned runs, and each run on paper."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import groupby
from typing import Any

import ipywidgets as widgets
from matplotlib import style
from torch import nn

from pglesson.analysis.export import to_code, to_csv, to_json
from pglesson.analysis.plots import COLORS, label, text
from pglesson.reinforce import Update
from pglesson.settings import Settings
from pglesson.widgets.controls import LEVELS, MORE_LEVELS, button, choice, field, include, read, written
from pglesson.widgets.dashboard import WATCHED, Dashboard

KNOBS = (*LEVELS, *MORE_LEVELS, "measure_variance", "measure_change")
STRUCTURE = tuple(name for name in Settings().fixed() if name != "env")
# Colour and dashes of each pinned curve, dashes on and off in line widths. Blue is the present run's.
PINS: dict[int, tuple[str, tuple[float, ...]]] = {
    1: ("#000000", (4, 2)),
    2: ("#D55E00", (1, 1.5)),
    3: ("#CC79A7", (6, 1.5, 1, 1.5)),
    4: ("#663300", (9, 2.5)),
    5: ("#3492CB", (2, 2)),
    6: ("#009E73", (6, 1.5, 1, 1.5, 1, 1.5)),
}
SIZES = {False: (7.8, 3.4, 100), True: (7.8, 2.9, 140)}  # of the figure, in inches and dots an inch, by large type
# zoom lays text out anew at its larger size, as a browser's own zoom does; the figure is drawn anew with more dots
STYLE = "<style>.pglesson-large { zoom: 1.4; } .pglesson-code textarea { font-family: monospace; }</style>"

Run = tuple[Settings, list[Update]]  # the settings as they were last, and what was trained with them


def apart(runs: Sequence[Run]) -> list[str]:
    """What sets each of these runs apart from the others, in a few words; a knob that moved is "alpha 0.03 → 0.1"."""
    values = [_values(*run) for run in runs]
    different = [name for name in values[0] if len({each[name] for each in values}) > 1]
    words = [", ".join(f"{label(name)} {each[name]}" for name in different) for each in values]
    return [word or "the same settings as all the others" for word in words]


def _values(settings: Settings, updates: Sequence[Update]) -> dict[str, str]:
    found = {name: text(value) for name, value in settings.fixed().items()}
    for name, last in settings.live().items():
        if name.startswith("measure"):
            continue  # measuring changes nothing
        steps = [text(value) for value, _ in groupby([*(update.live[name] for update in updates), last])]
        found[name] = " → ".join(steps if len(steps) < 4 else [steps[0], "…", steps[-1]])
    return found


def link(name: str, kind: str, content: str) -> str:
    """HTML of a link that saves `content` as a file called `name`; kind: its media type. No server is needed."""
    data = base64.b64encode(content.encode()).decode()
    words = f"Save {name} ({len(content.encode()) / 1000:.0f} kB)"
    look = "color: #0072B2; text-decoration: underline"
    return f'<a style="{look}" download="{html.escape(name)}" href="data:{kind};base64,{data}">{html.escape(words)}</a>'


class Playground(Dashboard):
    """A dashboard with everything in reach: any environment, all settings, six pinned runs, and runs as files or code.

    settings: where to begin, and what **Known state** comes back to. policy: as in `Dashboard`. Settings
    that shape a run count from the next Reset, or at once if nothing was trained yet. What cannot be trained is said in
    `status`, and leaves the run as it was.
    """

    def __init__(self, settings: Settings | None = None, *, policy: nn.Module | None = None) -> None:
        self.pins: dict[int, Run] = {}
        self._quiet = False
        self._names = {number: widgets.HTML() for number in (0, *PINS)}  # 0 is the present run
        self.list = widgets.VBox()
        self.which = widgets.Dropdown(
            options=[("present run", 0)], tooltip="which run to export", layout=widgets.Layout(width="130px")
        )
        self.large = widgets.ToggleButton(
            description="Large type", icon="search-plus", tooltip="larger type for a projector, in controls and figure"
        )
        self.large.layout.width = "auto"
        super().__init__(settings, policy=deepcopy(policy), knobs=KNOBS)
        self.name = "Playground"
        self._known_watch = self._watch

        self.own_id = widgets.Text(
            placeholder="your own Gymnasium id, then Enter",
            continuous_update=False,
            tooltip="the id of any registered environment with a Discrete or Box action space",
            layout=widgets.Layout(width="240px"),
        )
        self.watch = choice("watch", list(WATCHED), self._watch, "what the right panel shows")
        self.watch.style.description_width, self.watch.layout.width = "40px", "220px"
        self.structure = {name: field(name, getattr(self.settings, name)) for name in STRUCTURE}
        self.buttons["known"] = button("Known state", "undo", "the settings, seed and knobs of the beginning, no pins")
        self.exports = {
            "json": button("JSON", "file-o", "a link that saves the settings, the moves of the knobs and the curve"),
            "csv": button("CSV", "table", "a link that saves the curve, one row for each update and run"),
            "code": button("Code", "code", "the cell that makes this run again by hand, ready to copy"),
        }
        self.file = widgets.HTML()
        self.code = widgets.Textarea(
            rows=14,
            tooltip="select all, copy, and paste into a new cell",
            layout=widgets.Layout(width="100%", display="none"),
        )
        self.code.add_class("pglesson-code")
        self._connect_more()
        self._arrange()

    def _arrange(self) -> None:
        wrap = {"flex_flow": "row wrap"}

        def grid(controls: Iterable[widgets.Widget], **layout: str) -> widgets.GridBox:
            columns = "repeat(auto-fill, minmax(255px, 1fr))"
            return widgets.GridBox(list(controls), layout=widgets.Layout(grid_template_columns=columns, **layout))

        buttons = widgets.HBox([*self.buttons.values(), self.large], layout=widgets.Layout(**wrap))
        tasks = [self.environment, self.own_id, self.watch]
        heading = widgets.HTML("<b>What shapes a run</b>: counts from the next Reset")
        paper = [widgets.HTML("<b>Export</b>"), self.which, *self.exports.values(), self.file]
        for slider in self.knobs.values():
            if isinstance(slider, widgets.SelectionSlider):
                slider.layout.width, slider.style.description_width = "250px", "80px"
        knobs = grid(self.knobs.values(), flex="1 1 260px")
        self._texts = [
            buttons,
            widgets.HBox(tasks, layout=widgets.Layout(**wrap)),
            widgets.HBox([self.progress, self.status]),
            knobs,
            self.list,
            heading,
            grid(self.structure.values()),
            widgets.HBox(paper, layout=widgets.Layout(**wrap)),
            self.code,
            widgets.HBox([self.before, self.now], layout=widgets.Layout(**wrap)),
        ]
        self.picture.layout.flex = "0 0 auto"
        middle = widgets.HBox([self.picture, knobs], layout=widgets.Layout(align_items="flex-start", **wrap))
        above, below = self._texts[:3], self._texts[4:]
        self.children = [widgets.HTML(STYLE, layout=widgets.Layout(display="none")), *above, middle, *below]

    # --- runs ---------------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Begins again with what the panel of structural settings says, or tells why that cannot be trained."""
        wanted = deepcopy(self.settings)
        try:
            for name, control in self.structure.items():
                if control.value != written(getattr(wanted, name)):  # not every option can be written and read back
                    setattr(wanted, name, read(name, control.value))
        except ValueError as error:
            self._refuse(error)
            return
        if self._can_train(wanted):
            for name in STRUCTURE:
                setattr(self.settings, name, getattr(wanted, name))
            super().reset()
            self._show_structure()

    def restore(self) -> None:
        """The known state: everything as it was when the playground was made, and nothing trained or pinned."""
        self.watch.value = self._known_watch
        self.own_id.value = ""
        self._take(deepcopy(self._known))

    def pin(self) -> None:
        """Keeps the present curve, in a colour and dashes of its own, until it is removed or the task changes."""
        free = [number for number in PINS if number not in self.pins]
        if not self.updates:
            self._say("There is no curve to pin yet: press Start or Step first.")
        elif not free:
            self._say(f"All {len(PINS)} places for pinned curves are taken: remove one from the list first.")
        else:
            self.pins[free[0]] = deepcopy(self.settings), list(self.updates)
            self._new_plots()
            self.draw()
            self._say(f"Pinned as curve {free[0]}. Change something, then Reset and Start to compare.")

    def remove(self, number: int) -> None:
        """Takes a pinned curve away; the others keep their looks."""
        self.pins.pop(number, None)
        self._new_plots()
        self.draw()

    def _take(self, fresh: Settings) -> None:
        self.pins.clear()
        self.file.value = ""
        self._show_code("")
        super()._take(fresh)
        self._show_structure()

    # --- what is on the screen ----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        super()._begin()
        self._name_runs()

    def _new_plots(self) -> None:
        width, height, dots = SIZES[self.large.value]
        self.figure.set_dpi(dots)
        self.figure.set_size_inches(width, height)
        self.image.layout.width = f"{round(width * dots)}px"
        super()._new_plots()
        with style.context("pglesson.lesson"):
            if self.large.value:
                self.figure.subplots_adjust(bottom=0.22, top=0.87)
            for number, (_, updates) in self.pins.items():
                color, dashes = PINS[number]
                for plot in self.plots:
                    plot.pin(updates, str(number), color=color, dashes=dashes)
        self.pinned = [str(number) for number in self.pins]
        self._list_runs()

    def _list_runs(self) -> None:
        """One row for each run in the figure, with a button to remove it; empty while nothing is pinned."""
        rows = [widgets.HBox([self._names[0]])]
        for number in self.pins:
            away = button(f"Remove {number}", "times", f"take pinned curve {number} away")
            away.on_click(lambda _, number=number: self._main.call(lambda: self.remove(number)))
            rows.append(widgets.HBox([self._names[number], away]))
        self.list.children = rows if self.pins else []
        self.which.options = [("present run", 0), *((f"pinned {number}", number) for number in self.pins)]
        self._name_runs()

    def _name_runs(self) -> None:
        if self.pins:
            present = "the present run", COLORS["return"], (), (self.settings, self.updates)
            runs = {0: present} | {n: (f"{n}", *PINS[n], run) for n, run in self.pins.items()}
            words = apart([run for *_, run in runs.values()])
            for (number, (name, color, dashes, _)), word in zip(runs.items(), words):
                pattern = " ".join(f"{2.5 * dash:g}" for dash in dashes)
                self._names[number].value = (
                    f'<svg width="60" height="10"><line x1="0" y1="5" x2="60" y2="5" stroke="{color}" '
                    f'stroke-width="2.5" stroke-dasharray="{pattern}"/></svg> <b>{name}</b>: {html.escape(word)}'
                )

    def _show_structure(self) -> None:
        with self._silently():
            for name, control in self.structure.items():
                control.value = written(getattr(self.settings, name))
            include(self.environment, self.settings.env)
            self.environment.value = self.settings.env

    def _show_code(self, code: str) -> None:
        self.code.value, self.code.layout.display = code, None if code else "none"

    @contextmanager
    def _silently(self) -> Iterator[None]:
        self._quiet = True  # what the playground itself writes into a control is not a wish of the learner's
        try:
            yield
        finally:
            self._quiet = False

    # --- what the learner does ----------------------------------------------------------------------------------------

    def _connect_more(self) -> None:
        self.buttons["known"].on_click(lambda _: self._main.call(self.restore))
        for form, pressed in self.exports.items():
            pressed.on_click(lambda _, form=form: self._main.call(lambda: self._export(form)))
        for name, control in self.structure.items():
            control.observe(lambda _, name=name: self._main.call(lambda: self._shape(name)), "value")
        self.own_id.observe(lambda change: self._main.call(lambda: self._choose(change["new"].strip())), "value")
        self.watch.observe(lambda change: self._main.call(lambda: self._look(change["new"])), "value")
        self.large.observe(lambda change: self._main.call(lambda: self._resize(change["new"])), "value")

    def _turn(self, name: str, value: Any) -> None:
        super()._turn(name, value)
        self._name_runs()

    def _choose(self, env: str) -> None:
        if not self._quiet:
            super()._choose(env)

    def _shape(self, name: str) -> None:
        if self._quiet:
            return
        if not self.updates and not self.running:
            self.reset()
            return
        wanted = deepcopy(self.settings)
        try:
            setattr(wanted, name, read(name, self.structure[name].value))
        except ValueError as error:
            self._refuse(error)
        else:
            value = text(getattr(wanted, name))
            self._say(f"{label(name)} will be {value} from the next Reset on. The present run goes on as it is.")

    def _look(self, quantity: str) -> None:
        self._watch = quantity
        for knob, measured in (("measure_variance", "gradient_variance"), ("measure_change", "policy_change")):
            if quantity == measured:
                self.knobs[knob].value = True  # counts from the next update on, as every knob does
        self._new_plots()
        self.draw()

    def _resize(self, large: bool) -> None:
        for part in self._texts:
            (part.add_class if large else part.remove_class)("pglesson-large")
        self._new_plots()
        self.draw()

    def _export(self, form: str) -> None:
        settings, updates = self.pins.get(self.which.value, (self.settings, self.updates))
        if form == "code":
            self._show_code(to_code(settings, updates, policy=self._own_policy))
            return
        if not updates:
            self._say("There is no curve to export yet: press Start or Step first.")
            return
        name = f"{settings.env.replace('/', '-')}-seed-{settings.seed}.{form}"
        content = to_json(settings, updates) if form == "json" else to_csv(updates)
        self.file.value = link(name, "application/json" if form == "json" else "text/csv", content)
