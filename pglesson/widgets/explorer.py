"""A picture that follows sliders."""

from __future__ import annotations

import html
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import ipywidgets as widgets
from ipyevents import Event
from matplotlib import style
from matplotlib.axes import Axes

from pglesson.analysis.plots import new_figure
from pglesson.widgets.picture import Picture, contents, titles


def _empty(axes: Axes) -> None:
    axes.containers.clear()  # a legend would list what they held
    kept = titles(axes)
    for artist in contents(axes):
        if artist in kept:
            artist.set_text("")
        else:
            artist.remove()
    axes.set_prop_cycle(None)
    axes.set_aspect("auto")
    axes.set_axis_on()
    axes.relim()
    axes.autoscale()
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_inverted(False)


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
        self._draw, self._columns = draw, columns
        self.controls = {name: _control(name, choice) for name, choice in controls.items()}
        self.status = widgets.HTML()
        self._setting = False  # while several controls are set, which is followed by one drawing
        self._turn = threading.RLock()  # JupyterLab delivers sliders and mouse in two threads
        for control in self.controls.values():
            control.observe(self._moved, "value")
        grid = widgets.GridBox(
            list(self.controls.values()),
            layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(330px, 1fr))", max_width="780px"),
        )
        self.children = [grid, self.picture, self.status]
        self.redraw()
        if drag is not None:
            self._drag, self.mouse = (
                drag,
                Event(
                    source=self.image,
                    watched_events=["mousedown", "mousemove"],
                    prevent_default_action=True,  # the browser's own: to carry the picture away
                    throttle_or_debounce="throttle",
                    wait=50,
                ),
            )
            self.mouse.on_dom_event(self._dragged)

    def _moved(self, _: Any) -> None:
        if not self._setting:
            self.redraw()

    def _dragged(self, event: dict[str, Any]) -> None:
        """A press in the first Axes, or a move with the main button down."""
        place = event["dataX"], self.figure.bbox.height - event["dataY"]
        axes = self.figure.axes[0]
        if not event["buttons"] & 1 or not axes.bbox.contains(*place):
            return
        with self._showing_errors():
            values = self._drag(*axes.transData.inverted().transform(place))
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

    def _redraw(self) -> None:
        with style.context("pglesson.lesson"):
            if len(self.figure.get_children()) == 1 + self._columns:  # the background and the axes
                for axes in self.figure.axes:
                    _empty(axes)
            else:  # at first, and after `draw` has added to the figure: a twin, a colour bar, a title
                self.figure.clear()
                self._axes = self.figure.subplots(1, self._columns)
            self._draw(self._axes, **{name: control.value for name, control in self.controls.items()})
        self.draw()

    @contextmanager
    def _showing_errors(self) -> Iterator[None]:
        """Shows an error below the sliders, in one thread at a time."""
        with self._turn:
            try:
                yield
            except Exception as error:
                self.status.value = f"<b>{type(error).__name__}:</b> {html.escape(str(error))}"
            else:
                self.status.value = ""


def _on_a_step(control: widgets.Widget, value: Any) -> Any:
    """The slider's nearest value: the browser rounds one that lies between two steps, and sends it back later."""
    if not isinstance(control, (widgets.FloatSlider, widgets.IntSlider)):
        return value
    steps = round((value - control.min) / control.step)
    return min(max(round(control.min + steps * control.step, 10), control.min), control.max)


def _control(name: str, choice: Any) -> widgets.Widget:
    shared = {"description": name.replace("_", " "), "style": {"description_width": "125px"}}
    if isinstance(choice, bool):
        return widgets.Checkbox(value=choice, description=shared["description"], indent=False)
    if isinstance(choice, list):
        return widgets.Dropdown(options=choice, **shared)
    low, high, start, *rest = choice
    kind = widgets.IntSlider if all(isinstance(x, int) for x in choice) else widgets.FloatSlider
    # a fiftieth of the power of ten below the range: round starts such as 0.5 lie on it
    step = rest[0] if rest else 1 if kind is widgets.IntSlider else 10.0 ** math.floor(math.log10(high - low)) / 50
    return kind(min=low, max=high, value=start, step=step, layout=widgets.Layout(width="360px"), **shared)
