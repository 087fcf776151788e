"""Buttons that export a run as JSON, as CSV, or as code."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable

import ipywidgets as widgets

from pglesson.analysis.export import to_code, to_csv, to_json
from pglesson.widgets.controls import button
from pglesson.widgets.elements import Control
from pglesson.widgets.pinned_runs import Run
from pglesson.widgets.training_session import TrainingSession


def link(name: str, kind: str, content: bytes) -> str:
    """HTML of a link that saves `content` as a file called `name`; kind: its media type. No server is needed."""
    data = base64.b64encode(content).decode()
    words = f"Save {name} ({len(content) / 1000:.0f} kB)"
    look = "color: var(--jp-content-link-color, #0072B2); text-decoration: underline"
    return f'<a style="{look}" download="{html.escape(name)}" href="data:{kind};base64,{data}">{html.escape(words)}</a>'


def _name(number: int) -> str:
    return f"pinned {number}" if number else "present run"


class ExportPanel:
    """which: the list of runs; buttons: one for each format; file: a link to a file; code: a cell to copy."""

    def __init__(self, session: TrainingSession) -> None:
        self._session = session
        self.which = Control("export", [0], 0, tooltip="which run to export", kind="list", write=_name)
        self.which.add_class("pglesson-short")
        self.list_runs([])
        self.buttons = {
            "json": button("JSON", "file-o", "a link that saves the settings, the moves of the knobs and the curve"),
            "csv": button("CSV", "table", "a link that saves the curve, one row for each update and run"),
            "code": button("Code", "code", "the cell that makes this run again by hand, ready to copy"),
        }
        self.file, self.form = widgets.HTML(), ""  # and which of them is shown
        self.code = widgets.Textarea(
            rows=14,
            tooltip="select all, copy, and paste into a new cell",
            layout=widgets.Layout(width="auto", display="none"),
        )
        self.code.add_class("pglesson-code")

    def list_runs(self, numbers: Iterable[int]) -> None:
        """Offers the present run, and the pinned ones with these numbers."""
        self.which.replace([0, *numbers], 0)

    def clear(self) -> None:
        """Shows nothing."""
        self.file.value, self.form = "", ""
        self._show_code("")

    def show(self, form: str, run: Run) -> None:
        """Shows this run, which is the chosen one, in the format of one of the buttons."""
        (settings, updates), self.form = run, form
        if form == "code":
            session = self._session
            self._show_code(to_code(settings, updates, policy=session.own_policy, baseline=session.own_baseline))
            return
        pinned = f"-pinned-{self.which.value}" if self.which.value else ""
        name = f"{settings.env.replace('/', '-')}-seed-{settings.seed}{pinned}.{form}"
        content = to_json(settings, updates) if form == "json" else to_csv(updates)
        self.file.value = link(name, "application/json" if form == "json" else "text/csv", content.encode())

    def _show_code(self, code: str) -> None:
        self.code.value, self.code.layout.display = code, None if code else "none"
