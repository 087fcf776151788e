"""Draws an explorer at many positions of its controls, for a page without a kernel, where explorer.js shows them."""

from __future__ import annotations

import html
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
from PIL import Image

from pglesson.analysis.plots import describe
from pglesson.widgets import Explorer

FRAMES = 169  # in a grid of all positions: 13 of each of two sliders
FEWEST = 7  # positions of a slider: where a grid allows no more, each control moves alone
ALONE = 25  # positions of a slider that moves alone
PER_STRIP = 12  # frames in one file: they differ little, and the format finds what they share


@dataclass(frozen=True)
class Control:
    """A control, with the positions at which pictures are drawn. start: the index of the first one's."""

    name: str
    label: str
    kind: str  # "slider", "choice" or "box"
    values: list[Any]
    shown: list[str]  # the values as a reader sees them
    start: int


def positions(name: str, widget: widgets.Widget, most: int) -> Control:
    """A control's positions: all of a choice, and at most so many of a slider, evenly spaced, its start among them."""
    label = widget.description
    if isinstance(widget, widgets.Checkbox):
        return Control(name, label, "box", [False, True], ["no", "yes"], int(widget.value))
    words, values = zip(*widget.options)
    if widget.kind == "list":
        return Control(name, label, "choice", list(values), list(words), widget.index)
    places = {round(place) for place in np.linspace(0, len(values) - 1, min(most, len(values)))}
    places = sorted((places - {min(places, key=lambda place: abs(place - widget.index))}) | {widget.index})
    chosen = [values[place] for place in places], [words[place] for place in places]
    return Control(name, label, "slider", *chosen, places.index(widget.index))


def plan(controls: dict[str, widgets.Widget]) -> tuple[list[Control], bool]:
    """The controls with their positions, and whether the pictures cover all combinations of these."""
    sliders = [w for w in controls.values() if getattr(w, "kind", "") == "slider"]
    fixed = math.prod(len(positions(name, w, 1).values) for name, w in controls.items() if w not in sliders)
    most = int((FRAMES / fixed) ** (1 / max(1, len(sliders))) + 1e-9)
    grid = len(controls) == 1 or most >= min([FEWEST, *(len(w.options) for w in sliders)])
    most = 2 * ALONE if len(controls) == 1 else most if grid else ALONE
    return [positions(name, widget, most) for name, widget in controls.items()], grid


def combinations(controls: list[Control], grid: bool) -> Iterator[tuple[int, ...]]:
    """The positions of all controls, picture by picture: the first control changes fastest.

    grid: all combinations. Else each control in turn through its positions, with the others where they start.
    """
    if grid:
        for backwards in itertools.product(*(range(len(control.values)) for control in controls[::-1])):
            yield backwards[::-1]
        return
    for moving, control in enumerate(controls):
        for place in range(len(control.values)):
            yield tuple(place if other == moving else controls[other].start for other in range(len(controls)))


def frame(explorer: Explorer, values: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The picture (height, width, 3) with the controls at these values. Raises ValueError where it cannot be drawn."""
    for name, value in values.items():
        if explorer.controls[name].value != value:
            explorer.controls[name].value = value
    if explorer.status.value:
        raise ValueError(f"an explorer could not be drawn at {values}: {explorer.status.value}")
    return np.asarray(explorer.canvas.buffer_rgba())[..., :3].copy()


def store(explorer: Explorer, folder: Path, name: str) -> dict[str, Any]:
    """Draws all pictures of an explorer into files of a folder; returns what explorer.js has to know.

    The files are NAME.webp, the first picture, and NAME-0.webp, NAME-1.webp, ..., each with up to PER_STRIP pictures
    one below the other. Afterwards the explorer is as it was.
    """
    controls, grid = plan(explorer.controls)
    before = {name: widget.value for name, widget in explorer.controls.items()}
    strips: list[list[np.ndarray[Any, Any]]] = []
    for number, places in enumerate(combinations(controls, grid)):
        if number % PER_STRIP == 0:
            strips.append([])
        values = {control.name: control.values[place] for control, place in zip(controls, places)}
        strips[-1].append(frame(explorer, values))
    first = frame(explorer, before)
    for number, strip in enumerate(strips):
        _save(np.concatenate(strip), folder / f"{name}-{number}.webp")
    _save(first, folder / f"{name}.webp")
    shown = [
        {"label": control.label, "kind": control.kind, "shown": control.shown, "start": control.start}
        for control in controls
    ]
    height, width = first.shape[:2]
    return {
        "name": name,
        "controls": shown,
        "grid": grid,
        "per_strip": PER_STRIP,
        "strips": len(strips),
        "width": width,
        "height": height,
        "words": describe(explorer.figure),
        "mouse": _mouse(explorer, controls, width, height),
    }


def _save(picture: np.ndarray[Any, Any], path: Path) -> None:
    Image.fromarray(picture).save(path, lossless=True, quality=60, method=4)


def _mouse(explorer: Explorer, controls: list[Control], width: int, height: int) -> dict[str, Any] | None:
    """Where the learner may press in the picture, and what the controls are then: for points on a grid."""
    drag = getattr(explorer, "_drag", None)
    if drag is None:
        return None
    axes = explorer.figure.axes[0]
    box = axes.get_window_extent()
    columns, rows = 32, 24
    table = []
    for row in range(rows):
        for column in range(columns):
            place = box.x0 + (column + 0.5) / columns * box.width, box.y1 - (row + 0.5) / rows * box.height
            values = drag(*axes.transData.inverted().transform(place))
            table.append([_nearest(control, values[control.name]) for control in controls if control.name in values])
    moved = [place for place, control in enumerate(controls) if control.name in values]
    fractions = [box.x0 / width, 1 - box.y1 / height, box.width / width, box.height / height]
    return {"box": fractions, "columns": columns, "rows": rows, "moves": moved, "places": table}


def _nearest(control: Control, value: Any) -> int:
    if control.kind != "slider":
        return control.values.index(value)
    return min(range(len(control.values)), key=lambda place: abs(control.values[place] - value))


def markup(stored: dict[str, Any]) -> str:
    """The explorer in a page: its first picture, which is all that a reader without scripts sees, and its data."""
    data = json.dumps({key: value for key, value in stored.items() if key != "words"}, separators=(",", ":"))
    data = data.replace("</", "<\\/")  # which would end the script
    about = "at all combinations of these positions" if stored["grid"] else "for one control moved at a time"
    return (
        f'<div class="explorer"><img src="frames/{stored["name"]}.webp" width="{stored["width"]}" '
        f'height="{stored["height"]}" alt="{html.escape(stored["words"])}" loading="lazy">'
        f'<p class="explorer-note">Drawn in advance {about}; in the notebook the controls move freely.</p>'
        f'<script type="application/json">{data}</script></div>'
    )


def page(explorer: Explorer, folder: Path, name: str) -> str:
    """Stores an explorer's pictures in a folder; returns its HTML."""
    return markup(store(explorer, folder, name))
