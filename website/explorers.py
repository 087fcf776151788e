"""An explorer in a page: which positions of its controls are drawn, and the pictures there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frames
import ipywidgets as widgets
import numpy as np

from pglesson.widgets import Explorer

PICTURES = 169  # at most: 13 x 13 positions of two sliders
BYTES = 2_000_000  # at most, of an explorer's pictures together
FEWEST = 7  # positions of a slider: where all combinations allow no more, each control moves alone
ALONE = 25  # positions of a slider that moves alone
CELLS = (32, 24), (9, 7)  # columns and rows of places to press in a picture: with all combinations, and without


def choose(widget: widgets.Widget, most: int) -> tuple[frames.Control, list[Any]]:
    """A control's positions: all of a choice, and at most so many of a slider, evenly spaced, its start among them."""
    label = widget.description
    if isinstance(widget, widgets.Checkbox):
        return frames.Control(label, "box", ["no", "yes"], int(widget.value)), [False, True]
    words, values = zip(*widget.options)
    if widget.kind == "list":
        return frames.Control(label, "choice", list(words), widget.index), list(values)
    places = {round(place) for place in np.linspace(0, len(values) - 1, min(most, len(values)))}
    places = sorted((places - {min(places, key=lambda place: abs(place - widget.index))}) | {widget.index})
    shown = [words[place] for place in places]
    return frames.Control(label, "slider", shown, places.index(widget.index)), [values[place] for place in places]


def positions(explorer: Explorer, pictures: int) -> tuple[list[frames.Control], list[list[Any]], bool]:
    """The controls, their values, and whether all combinations of these are drawn: about so many pictures at most."""
    controls = list(explorer.controls.values())
    sliders = [widget for widget in controls if getattr(widget, "kind", "") == "slider"]
    fixed = math.prod(len(choose(widget, 1)[1]) for widget in controls if widget not in sliders)
    most = int((pictures / fixed) ** (1 / max(1, len(sliders))) + 1e-9)
    grid = len(controls) == 1 or most >= (min(FEWEST, *(len(widget.options) for widget in sliders)) if sliders else 1)
    if len(controls) == 1:
        most = min(2 * ALONE, pictures)
    elif not grid:
        pressed = math.prod(CELLS[1]) if explorer.drag else 0
        most = min(ALONE, max(FEWEST, (pictures - pressed) // len(sliders))) if sliders else 1
    chosen, values = zip(*(choose(widget, most) for widget in controls))
    return list(chosen), list(values), grid


def combinations(controls: list[frames.Control], grid: bool) -> Iterator[tuple[int, ...]]:
    """The controls' positions, picture by picture: the first control changes fastest.

    grid: all combinations. Else each control in turn through its positions, with the others where they start.
    """
    if grid:
        for backwards in itertools.product(*(range(len(control.shown)) for control in controls[::-1])):
            yield backwards[::-1]
        return
    for moving, control in enumerate(controls):
        for place in range(len(control.shown)):
            yield tuple(place if other == moving else controls[other].start for other in range(len(controls)))


def shoot(explorer: Explorer, chosen: dict[str, Any]) -> frames.Shot:
    """The picture with the controls at these values. Raises ValueError where it cannot be drawn."""
    for name, value in chosen.items():
        if explorer.controls[name].value != value:
            explorer.controls[name].value = value
    if explorer.status.value:
        raise ValueError(f"an explorer could not be drawn at {chosen}: {explorer.status.value}")
    return frames.Shot(np.asarray(explorer.canvas.buffer_rgba())[..., :3].copy(), explorer.image.alt)


def page(explorer: Explorer, folder: Path, name: str) -> str:
    """Draws an explorer at many positions into a folder; returns its HTML. Afterwards the explorer is as it was.

    Raises ValueError where even the fewest pictures are too large together.
    """
    before = {key: widget.value for key, widget in explorer.controls.items()}
    most = min(PICTURES, BYTES // len(frames.webp(shoot(explorer, before).picture)))
    while most:
        html = _drawn(explorer, before, folder, name, most)
        shoot(explorer, before)
        files = [folder / f"{name}.webp", *folder.glob(f"{name}-*.webp")]
        size = sum(file.stat().st_size for file in files)
        if size <= BYTES:
            return html
        for file in files:
            file.unlink()
        most = int(0.95 * most * BYTES / size)  # the first picture was smaller than most
    raise ValueError(f"an explorer's pictures have more than {BYTES} bytes together. Draw less in each.")


def _drawn(explorer: Explorer, before: dict[str, Any], folder: Path, name: str, most: int) -> str:
    """Draws about so many pictures at most."""
    controls, values, grid = positions(explorer, most)
    mouse, pressed = press(explorer, controls, values, grid)
    places = list(dict.fromkeys([*combinations(controls, grid), *pressed]))
    shots = (
        shoot(explorer, {key: values[number][place] for number, (key, place) in enumerate(zip(before, at))})
        for at in places
    )
    note = f"{len(places)} pictures, drawn in advance, "
    note += "at all combinations of these positions. " if grid else "for one control at a time: the others go back. "
    note += "You can also press or drag in the picture. " if mouse else ""
    return frames.page(name, folder, controls, places, shots, f"{note}In the notebook the controls move freely.", mouse)


def press(
    explorer: Explorer, controls: list[frames.Control], values: list[list[Any]], grid: bool
) -> tuple[dict[str, Any] | None, list[tuple[int, ...]]]:
    """What a press in the picture does, by columns and rows of places, and the positions to which it leads."""
    if explorer.drag is None:
        return None, []
    axes, (columns, rows) = explorer.figure.axes[0], CELLS[not grid]
    box, (width, height) = axes.get_window_extent(), explorer.canvas.get_width_height()
    table = []
    for row, column in itertools.product(range(rows), range(columns)):
        place = box.x0 + (column + 0.5) / columns * box.width, box.y1 - (row + 0.5) / rows * box.height
        moved = explorer.drag(*axes.transData.inverted().transform(place))
        table.append([_nearest(moved.get(key), controls[n], values[n]) for n, key in enumerate(explorer.controls)])
    fractions = [box.x0 / width, 1 - box.y1 / height, box.width / width, box.height / height]
    pressed = [tuple(c.start if at is None else at for c, at in zip(controls, cell)) for cell in table]
    return {"box": fractions, "columns": columns, "rows": rows, "places": table}, [] if grid else pressed


def _nearest(value: Any, control: frames.Control, values: list[Any]) -> int | None:
    """The position nearest to a value; None for no value."""
    if value is None or control.kind != "slider":
        return None if value is None else values.index(value)
    return min(range(len(values)), key=lambda place: abs(values[place] - value))
