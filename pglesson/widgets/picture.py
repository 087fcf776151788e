"""One Matplotlib figure, drawn by Agg into one ipywidgets.Image, fast enough to follow a slider."""

from __future__ import annotations

import base64
import struct
import threading
import zlib
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from pglesson.analysis.plots import describe, lesson_style, ticks
from pglesson.widgets.elements import Frame
from pglesson.widgets.main_loop import MainLoop

Stored = tuple[bytes, str]  # a picture as PNG, and its description


def to_png(picture: NDArray[np.uint8], size: tuple[int, int] | None = None) -> bytes:
    """A picture (height, width, 3 or 4) as PNG bytes, compressed fast rather than small; scaled to fit into `size`."""
    image = Image.fromarray(picture).convert("RGB")
    if size:
        scale = min(size[0] / image.width, size[1] / image.height)
        image = image.resize((round(scale * image.width), round(scale * image.height)), reducing_gap=1.0)
    rgb = np.asarray(image)
    height, width, _ = rgb.shape
    rows = np.empty((height, 1 + 3 * width), np.uint8)
    rows[:, 0], rows[:, 1:] = 0, rgb.reshape(height, -1)  # 0: no filter; Pillow would try all five
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.data, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def titles(axes: Axes) -> list[Text]:
    """The three titles of an Axes, most of them empty."""
    return [artist for artist in axes.get_children() if isinstance(artist, Text) and artist not in axes.texts]


def contents(axes: Axes) -> list[Artist]:
    """What was drawn into an Axes, in drawing order: not its background, axis, spines and titles."""
    frame = {axes.patch, axes.xaxis, axes.yaxis, *axes.spines.values(), *titles(axes)}
    return sorted((a for a in axes.get_children() if a not in frame), key=lambda artist: artist.get_zorder())


@dataclass(frozen=True)
class _Part:
    """Artists of the figure's frame that are drawn together, and their look: what their pixels depend on."""

    layer: int  # they are drawn in this order: 0 backgrounds, 1 an axis, 2 spines, 3 a title
    artists: tuple[Artist, ...]
    look: list[Any]


def _frame(figure: Figure) -> list[_Part]:
    """The figure without what is drawn into its axes. To ask takes half a millisecond, to draw it thirty."""
    shown = [axes for axes in figure.axes if axes.get_visible()]
    framed = [axes for axes in shown if axes.axison and axes.get_frame_on()]
    patches, spines = [a.patch for a in framed], [spine for axes in framed for spine in axes.spines.values()]
    places = [(a, a.bbox.bounds, a.get_facecolor()) for a in framed]
    lines = [(spine.get_visible(), spine.get_edgecolor(), spine.get_linewidth()) for spine in spines]
    return [
        _Part(0, (figure.patch, *patches), [figure.bbox.bounds, figure.dpi, places]),
        *(_Part(1, (axis,), _axis_look(axis)) for a in shown if a.axison for axis in (a.xaxis, a.yaxis)),
        _Part(2, tuple(spines), [lines, [_placed_spines(axes) for axes in framed]]),
        *(_Part(3, (title,), [_look(title)]) for axes in shown for title in titles(axes) if title.get_text()),
    ]


def _axis_look(axis: Axis) -> list[Any]:
    at, words = ticks(axis)
    limits = tuple(axis.get_view_interval())
    label = _look(axis.label)
    look = [axis.get_scale(), axis.get_visible(), axis.get_tick_params(), axis.get_tick_params("minor")]
    return [*look, axis.axes.bbox.bounds, limits, at, words, label, _placed_spines(axis.axes)]


def _placed_spines(axes: Axes) -> list[Any]:
    """Where spines do not lie at the edges of the Axes: their places, and the limits on which these depend."""
    if axes.name != "rectilinear" or axes.get_axes_locator() is not None:  # in polar coordinates, or a colour bar
        return [axes.viewLim.bounds]
    places = [spine.get_position() for spine in axes.spines.values()]
    return [] if all(place == ("outward", 0.0) for place in places) else [places, axes.viewLim.bounds]


def _look(text: Text) -> tuple[Any, ...]:
    font = hash(text.get_fontproperties())
    return text.get_text(), text.get_color(), text.get_alpha(), text.get_visible(), text.get_position(), font


def _texts(axes: Axes) -> list[Any]:
    """What `describe` reads of an Axes, apart from its frame. It takes microseconds, and `describe` a millisecond."""
    titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
    return [titles, axes.get_legend_handles_labels()[1], [text.get_text() for text in axes.texts if text.get_visible()]]


class Picture(widgets.VBox):  # type: ignore[misc]
    """A box of widgets around one figure, whose picture is stored in the notebook for readers without a kernel."""

    def __init__(self, figure: Figure, name: str) -> None:
        self.figure, self.name, self.canvas = figure, name, FigureCanvasAgg(figure)
        self._layers: list[tuple[_Part, Any]] = []  # the frame of the last picture, with the pixels up to each part
        self._changing: set[tuple[Artist, ...]] = set()  # what has changed in the frame before
        self._described: list[Any] | None = None  # what the alternative text was made from
        # with a margin, the box would scroll by its pixels where the picture is as wide as the page
        layout = widgets.Layout(max_width="100%", margin="0", display="none")
        self.image = Frame(width=round(figure.get_figwidth() * figure.dpi), layout=layout)
        self.picture = widgets.VBox([self.image])
        self._one_at_a_time = threading.RLock()  # JupyterLab delivers sliders and mouse in two threads
        main_loop = MainLoop()
        self.image.on_msg(lambda _, message, buffers: main_loop.call(lambda: self.sharpen(message["pixels"])))
        super().__init__()

    def sharpen(self, pixels: float) -> None:
        """Shows the figure once more, so many pixels wide, until it is drawn again; at most three times as wide."""
        with self._one_at_a_time, lesson_style():
            dpi, layers = self.figure.dpi, self._layers
            self.figure.dpi, self._layers = dpi * min(pixels / self.figure.bbox.width, 3.0), []
            try:
                self._paint()
                self.image.value = to_png(np.asarray(self.canvas.buffer_rgba()))
            finally:
                self.figure.dpi, self._layers = dpi, layers

    def draw(self) -> None:
        """Shows the figure as it is now. Axes, ticks and titles take most of the time, so unchanged ones are kept."""
        with self._one_at_a_time, lesson_style():  # ticks and legends are made while it is drawn
            frame = self._paint()
        self.image.value, self.image.layout.display = to_png(np.asarray(self.canvas.buffer_rgba())), None
        described = [frame, self.figure.get_suptitle(), *(_texts(axes) for axes in self.figure.axes)]
        if described != self._described:
            self.image.alt, self._described = describe(self.figure), described

    def _paint(self) -> list[_Part]:
        """Draws the frame, then what is in the axes; returns the frame.

        What has changed before, such as a title with a number, is drawn last, so that all before it can be kept.
        """
        if layout := self.figure.get_layout_engine():
            layout.execute(self.figure)
        for axes in self.figure.axes:
            locator: Any = axes.get_axes_locator()
            axes.apply_aspect(locator(axes, self.canvas.get_renderer()) if locator else None)
        parts = _frame(self.figure)
        before = {part.artists: part.look for part, _ in self._layers}
        self._changing = {
            p.artists for p in parts if p.artists in self._changing or before.get(p.artists, p.look) != p.look
        }
        parts.sort(key=lambda part: (part.layer, part.artists in self._changing))
        kept = sum(1 for _ in takewhile(lambda pair: pair[0][0] == pair[1], zip(self._layers, parts)))
        del self._layers[kept:]
        if kept:
            self.canvas.restore_region(self._layers[-1][1])
        else:
            self.canvas.get_renderer().clear()
        for part in parts[kept:]:
            for artist in part.artists:
                self.figure.draw_artist(artist)
            self._layers.append((part, self.canvas.copy_from_bbox(self.figure.bbox)))
        for axes in self.figure.axes:
            for artist in contents(axes):
                self.figure.draw_artist(artist)
        for artist in self.figure.get_children():  # over the whole figure: a title, a legend
            if artist is not self.figure.patch and artist not in self.figure.axes:
                self.figure.draw_artist(artist)
        return parts

    def stored(self) -> Stored:
        """What the notebook keeps for readers without a kernel."""
        return self.image.value, self.image.alt

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        bundle: dict[str, Any] = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = repr(self)
        png, alt = self.stored()
        if not png:  # nothing could be drawn yet
            return bundle, {}
        return bundle | {"image/png": base64.b64encode(png).decode()}, {"image/png": {"alt": alt}}
