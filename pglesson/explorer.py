"""A picture that answers a slider: one Matplotlib figure, drawn by Agg into one ipywidgets.Image."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from pglesson.plots import new_figure


def to_png(picture: NDArray[np.uint8], size: tuple[int, int] | None = None) -> bytes:
    """A picture (height, width, 3 or 4) as PNG bytes, compressed fast: it only travels to the same screen."""
    image, buffer = Image.fromarray(picture).convert("RGB"), io.BytesIO()
    (image.resize(size) if size else image).save(buffer, "png", compress_level=1)
    return buffer.getvalue()


class Picture(widgets.VBox):  # type: ignore[misc]
    """A box of widgets around one figure that also stores its picture, for readers who have no kernel."""

    def __init__(self, figure: Figure, name: str) -> None:
        self.figure, self.name, self.canvas = figure, name, FigureCanvasAgg(figure)
        width = round(figure.get_figwidth() * figure.dpi)
        self.image = widgets.Image(format="png", layout=widgets.Layout(width=f"{width}px", max_width="100%"))
        super().__init__()

    def draw(self) -> None:
        """Shows the figure as it is now."""
        self.canvas.draw()
        self.image.value = to_png(np.asarray(self.canvas.buffer_rgba()))

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        return bundle | {"text/plain": repr(self), "image/png": base64.b64encode(self.image.value).decode()}


class Explorer(Picture):
    """Sliders above a figure, redrawn by `draw` at every move.

    draw(axes, **values) gets a clean Axes (or the array of them, for columns > 1) and the sliders' values by name.
    controls: (low, high, start) or (low, high, start, step) for a slider, a list for a choice, True or False for a box.
    An exception in `draw` is shown below the sliders and leaves the last good picture.
    """

    def __init__(
        self, draw: Callable[..., None], *, columns: int = 1, size: tuple[float, float] = (7.6, 3.2), **controls: Any
    ) -> None:
        super().__init__(new_figure(*size), "Explorer: " + ", ".join(controls))
        self._draw, self._columns = draw, columns
        self.controls = {name: _control(name, choice) for name, choice in controls.items()}
        self.status = widgets.HTML()
        for control in self.controls.values():
            control.observe(lambda _: self.redraw(), "value")
        grid = widgets.GridBox(
            list(self.controls.values()),
            layout=widgets.Layout(grid_template_columns="repeat(auto-fit, minmax(330px, 1fr))", max_width="780px"),
        )
        self.children = [grid, self.image, self.status]
        self.redraw()

    def redraw(self) -> None:
        """Draws anew from the controls' values."""
        try:
            with style.context("pglesson.lesson"):
                self.figure.clear()
                axes = self.figure.subplots(1, self._columns)
                self._draw(axes, **{name: control.value for name, control in self.controls.items()})
            self.draw()
        except Exception as error:
            self.status.value = f"<b>{type(error).__name__}:</b> {html.escape(str(error))}"
        else:
            self.status.value = ""


def _control(name: str, choice: Any) -> widgets.Widget:
    shared = {"description": name.replace("_", " "), "style": {"description_width": "125px"}}
    if isinstance(choice, bool):
        return widgets.Checkbox(value=choice, **shared)
    if isinstance(choice, list):
        return widgets.Dropdown(options=choice, **shared)
    low, high, start, *rest = choice
    kind = widgets.IntSlider if all(isinstance(x, int) for x in choice) else widgets.FloatSlider
    # a fiftieth of the power of ten below the range: round starts such as 0.5 lie on it
    step = rest[0] if rest else 1 if kind is widgets.IntSlider else 10.0 ** math.floor(math.log10(high - low)) / 50
    return kind(min=low, max=high, value=start, step=step, layout=widgets.Layout(width="360px"), **shared)
