"""The pinned runs of a playground, and the list that says how they differ."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from copy import deepcopy

import ipywidgets as widgets

from pglesson.analysis.plots import COLORS, label, steps, text
from pglesson.reinforce import Update
from pglesson.settings import Settings
from pglesson.widgets.controls import button
from pglesson.widgets.curves import TrainingCurves
from pglesson.widgets.training_session import TrainingSession

# Colour and dashes of each pinned curve, dashes on and off in line widths. Blue is the present run's.
PINS: dict[int, tuple[str, tuple[float, ...]]] = {
    1: ("#000000", (4, 2)),
    2: ("#D55E00", (1, 1.5)),
    3: ("#CC79A7", (6, 1.5, 1, 1.5)),
    4: ("#663300", (9, 2.5)),
    5: ("#3492CB", (2, 2)),
    6: ("#009E73", (6, 1.5, 1, 1.5, 1, 1.5)),
}
Run = tuple[Settings, list[Update]]  # the last settings, and the updates of the training with them


def describe_differences(runs: Sequence[Run]) -> list[str]:
    """How each of these runs differs from the others, in a few words; a changed setting is "alpha 0.03 → 0.1"."""
    values = [_values(*run) for run in runs]
    different = [name for name in values[0] if len({each[name] for each in values}) > 1]
    words = [", ".join(f"{label(name)} {each[name]}" for name in different) for each in values]
    return [word or "the same settings as all the others" for word in words]


def _values(settings: Settings, updates: Sequence[Update]) -> dict[str, str]:
    found = {name: text(value) for name, value in settings.fixed().items()}
    for name, last in settings.live().items():
        if name.startswith("measure"):
            continue  # measuring does not change a run
        found[name] = steps([*(update.live[name] for update in updates), last])
    return found


class PinnedRuns:
    """Up to six runs beside the present one. list: a row for each run, with a button that calls `remove`."""

    def __init__(self, session: TrainingSession, remove: Callable[[int], object]) -> None:
        self._session, self._remove = session, remove
        self.runs: dict[int, Run] = {}
        self.list = widgets.VBox()
        self._names = {number: widgets.HTML() for number in (0, *PINS)}  # 0 is the present run

    def add(self, session: TrainingSession) -> int | None:
        """Pins the session's run; returns its number, or None if all are taken."""
        free = next((number for number in PINS if number not in self.runs), None)
        if free is not None:
            self.runs[free] = deepcopy(session.settings), list(session.updates)
        return free

    def draw(self, curves: TrainingCurves) -> None:
        """Draws the pinned curves into new panels, and lists the runs; the list is empty if nothing is pinned."""
        rows = [widgets.HBox([self._names[0]])]
        for number, (_, updates) in self.runs.items():
            color, dashes = PINS[number]
            curves.pin(updates, str(number), color=color, dashes=dashes)
            away = button(f"Remove {number}", "times", f"take pinned curve {number} away")
            away.on_click(lambda _, number=number: self._remove(number))
            rows.append(widgets.HBox([self._names[number], away]))
        self.list.children = rows if self.runs else []
        self.describe()

    def describe(self) -> None:
        """Says in the list how the runs differ now."""
        if not self.runs:
            return
        present = "the present run", COLORS["return"], (), (self._session.settings, self._session.updates)
        runs = {0: present} | {n: (f"{n}", *PINS[n], run) for n, run in self.runs.items()}
        words = describe_differences([run for *_, run in runs.values()])
        for (number, (name, color, dashes, _)), word in zip(runs.items(), words):
            pattern = " ".join(f"{2.5 * dash:g}" for dash in dashes)
            line = f'x1="0" y1="5" x2="60" y2="5" stroke="{color}" stroke-width="2.5" stroke-dasharray="{pattern}"'
            self._names[number].value = (  # on white, as in the figure, also in a dark theme
                f'<svg width="60" height="10" style="background: white"><line {line}/></svg> '
                f"<b>{name}</b>: {html.escape(word)}"
            )
