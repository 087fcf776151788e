"""A picture that follows sliders."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pglesson.analysis.plots import lesson_style, new_figure
from pglesson.widgets.controls import error_message
from pglesson.widgets.elements import Control
from pglesson.widgets.picture import Picture, contents, titles


def _empty(axes: Axes) -> None:
    axes.containers.clear()  # a legend would list what they held
    for artist in contents(axes):
        artist.remove()
    for title in titles(axes):
        title.set_text("")
    axes.set_prop_cycle(None)
    axes.set_aspect("auto")
    axes.set_axis_on()
    axes.relim()
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_inverted(False)


@contextmanager
def _no_pyplot(figure: Figure) -> Iterator[None]:
    """Raises RuntimeError where what is drawn within went into a figure of pyplot's, and not into this one."""
    before = plt.get_fignums()
    yield
    new = [number for number in plt.get_fignums() if number not in before]
    for number in new:
        plt.close(number)
    if new or (before and not any(axes.has_data() or axes.texts for axes in figure.axes)):
        raise RuntimeError(
            "draw drew with plt, into a figure of its own, and nothing into this one. Call the methods of the axes "
            "that it gets: axes.plot(...) and not plt.plot(...)."
        )


class Explorer(Picture):
    """Sliders above a figure, redrawn by `draw` at every move.

    draw(axes, **values) gets an Axes (or the array of them, for columns > 1) and the controls' values by name. What it
    drew before is removed; labels, ticks and scales stay until it sets others, since creating them takes longest.
    controls: (low, high, start) or (low, high, start, step) for a slider, a list for a choice, True or False for a box.
    drag(x, y) gets the point in the first Axes, in data units, where the learner presses or drags the mouse, and
    returns the values to set, by the controls' names; without it the mouse has no effect.
    An exception in `draw` or `drag` is shown below the sliders and leaves the last good picture.
    """

    def __init__(
        self,
        draw: Callable[..., None],
        *,
        columns: int = 1,
        size: tuple[float, float] = (7.6, 3.2),
        drag: Callable[[float, float], dict[str, Any]] | None = None,
        **controls: Any,
    ) -> None:
        super().__init__(new_figure(*size), "Explorer: " + ", ".join(controls))
        self._draw, self._columns, self.drag = draw, columns, drag
        self.controls = {name: _control(name, choice) for name, choice in controls.items()}
        self.status = widgets.HTML()
        self._setting = False  # while several controls are set, which is followed by one drawing
        for control in self.controls.values():
            control.observe(self._moved, "value")
        grid = widgets.GridBox(
            list(self.controls.values()),
            layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(330px, 1fr))", max_width="780px"),
        )
        self.children = [grid, self.picture, self.status]
        self.redraw()
        if drag is not None:
            self.image.listens = True
            self.image.observe(self._dragged, "pointer")

    def _moved(self, _: Any) -> None:
        if not self._setting:
            self.redraw()

    def _dragged(self, change: Any) -> None:
        """A press in the first Axes, or a move with the main button down."""
        right, down, _ = change["new"]
        axes = self.figure.axes[0]
        if self.drag is None or not axes.get_position().contains(right, 1 - down):
            return
        with self._showing_errors():
            place = self.figure.transFigure.transform((right, 1 - down))
            values = self.drag(*axes.transData.inverted().transform(place))
            self._setting = True
            try:
                for name, value in values.items():
                    control = self.controls[name]
                    control.value = _on_a_step(control, value)
            finally:
                self._setting = False
            self._redraw()

    def redraw(self) -> None:
        """Draws anew from the controls' values."""
        with self._showing_errors():
            self._redraw()

    def sharpen(self, pixels: float) -> None:
        if not self.status.value:  # else what is shown is the picture before, and the figure is half drawn
            super().sharpen(pixels)

    def _redraw(self) -> None:
        with lesson_style():
            if len(self.figure.get_children()) == 1 + self._columns:  # the background and the axes
                for axes in self.figure.axes:
                    _empty(axes)
            else:  # at first, and after `draw` has added to the figure: a twin, a colour bar, a title
                self.figure.clear()
                self._axes = self.figure.subplots(1, self._columns)
            with _no_pyplot(self.figure):
                self._draw(self._axes, **{name: control.value for name, control in self.controls.items()})
        self.draw()

    @contextmanager
    def _showing_errors(self) -> Iterator[None]:
        """Shows an error below the sliders, in one thread at a time."""
        with self._one_at_a_time:
            try:
                yield
            except Exception as error:
                self.status.value = f"<b>{html.escape(error_message(error))}</b>"
            else:
                self.status.value = ""


def _on_a_step(control: widgets.Widget, value: Any) -> Any:
    """The nearest value on a slider: a mouse chooses among the same values as the slider."""
    if not isinstance(control, Control) or control.kind == "list":
        return value
    return min((level for _, level in control.options), key=lambda level: abs(level - value))


def _control(name: str, choice: Any) -> widgets.Widget:
    title = name.replace("_", " ")
    if isinstance(choice, bool):
        return widgets.Checkbox(value=choice, description=title, indent=False)
    if isinstance(choice, (list, range, np.ndarray)) and len(choice):
        options = [value.item() if isinstance(value, np.generic) else value for value in choice]
        return Control(title, options, options[0], kind="list")
    slider = isinstance(choice, tuple) and len(choice) in (3, 4) and all(isinstance(x, Real) for x in choice)
    if (
        not slider
        or not choice[0] <= choice[2] <= choice[1]
        or choice[0] == choice[1]
        or not all(x > 0 for x in choice[3:])
    ):
        raise ValueError(
            f"The control {name} is {choice!r}, but must be (low, high, start) or (low, high, start, step) for a "
            "slider, with the start between low and high, a list for a choice, or True or False."
        )
    low, high, start, *rest = choice
    whole = all(isinstance(x, int) for x in choice)
    # a fiftieth of the power of ten below the range: round starts such as 0.5 lie on it
    step = rest[0] if rest else 1 if whole else 10.0 ** math.floor(math.log10(high - low)) / 50
    levels = [round(low + number * step, 10) for number in range(round((high - low) / step) + 1)]
    decimals, on_steps = max(0, math.ceil(-math.log10(step) - 1e-9)), set(levels)

    def parse(typed: str) -> float:
        try:
            return min(max(int(typed) if whole else float(typed), low), high)
        except ValueError as error:
            raise ValueError(f"{title} must be a {'whole ' * whole}number, not {typed!r}.") from error

    return Control(
        title,
        levels,
        start,
        tooltip=f"from {low:g} to {high:g}",
        write=lambda value: f"{value:.{decimals}f}" if value in on_steps else f"{value:g}",
        parse=parse,
    )
