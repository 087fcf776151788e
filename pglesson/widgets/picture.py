"""One Matplotlib figure, drawn by Agg into one ipywidgets.Image, fast enough to follow a slider."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

import ipywidgets as widgets
import numpy as np
from matplotlib import style
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from numpy.typing import NDArray
from PIL import Image

from pglesson.analysis.plots import describe, tick_words
from pglesson.widgets.elements import Frame

Stored = tuple[bytes, str]  # a picture as PNG, and its description


def to_png(picture: NDArray[np.uint8], size: tuple[int, int] | None = None) -> bytes:
    """A picture (height, width, 3 or 4) as PNG bytes, compressed fast rather than small; scaled to fit into `size`."""
    image = Image.fromarray(picture).convert("RGB")
    if size:
        scale = min(size[0] / image.width, size[1] / image.height)
        image = image.resize((round(scale * image.width), round(scale * image.height)), reducing_gap=1.0)
    rgb = np.asarray(image)
    height, width, _ = rgb.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)  # each begins with its filter, 0 for none: Pillow tries all five
    rows[:, 1:] = rgb.reshape(height, -1)
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)  # 8 bits, RGB
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def titles(axes: Axes) -> list[Text]:
    """The three titles of an Axes, most of them empty."""
    return [artist for artist in axes.get_children() if isinstance(artist, Text) and artist not in axes.texts]


def contents(axes: Axes) -> list[Artist]:
    """What was drawn into an Axes, in drawing order: its titles too, but not its background, spines and axis."""
    frame = (axes.patch, axes.xaxis, axes.yaxis, *axes.spines.values())
    return sorted((a for a in axes.get_children() if a not in frame), key=lambda artist: artist.get_zorder())


def _frame(axes: Axes) -> list[Any]:
    words = [(axis.get_scale(), axis.get_label_text(), *tick_words(axis)) for axis in (axes.xaxis, axes.yaxis)]
    look = [axes.get_facecolor(), *(spine.get_visible() for spine in axes.spines.values())]
    grid = [(axis.get_visible(), axis.get_tick_params().get("gridOn")) for axis in (axes.xaxis, axes.yaxis)]
    return [axes, axes.bbox.bounds, axes.viewLim.bounds, axes.axison, words, look, grid]


def _look(title: Text) -> tuple[Any, ...]:
    return title.get_text(), title.get_color(), title.get_alpha(), title.get_visible(), hash(title.get_fontproperties())


def _texts(axes: Axes) -> list[Any]:
    """What `describe` reads of an Axes, apart from its frame. It takes microseconds, and `describe` a millisecond."""
    titles = [axes.get_title(loc) for loc in ("left", "center", "right")]
    return [titles, axes.get_legend_handles_labels()[1], [text.get_text() for text in axes.texts if text.get_visible()]]


class Picture(widgets.VBox):  # type: ignore[misc]
    """A box of widgets around one figure, whose picture is stored in the notebook for readers without a kernel."""

    def __init__(self, figure: Figure, name: str) -> None:
        self.figure, self.name, self.canvas = figure, name, FigureCanvasAgg(figure)
        self._background: tuple[list[Any], Any] | None = None  # what the axes look like, and their pixels
        self._described: tuple[list[Any], list[Any]] | None = None  # what the alternative text was made from
        self._looks: dict[Text, tuple[Any, ...]] = {}  # of the titles, in the last picture
        # with a margin, the box would scroll by its pixels where the picture is as wide as the page
        layout = widgets.Layout(max_width="100%", margin="0", display="none")
        self.image = Frame(width=round(figure.get_figwidth() * figure.dpi), layout=layout)
        self.picture = widgets.VBox([self.image])
        super().__init__()

    def draw(self) -> None:
        """Shows the figure as it is now. Axes, ticks and titles take most of the time, so unchanged ones are kept."""
        with style.context("pglesson.lesson"):  # ticks and legends are made while it is drawn
            frame = self._paint()
        self.image.value, self.image.layout.display = to_png(np.asarray(self.canvas.buffer_rgba())), None
        described = frame, [self.figure.get_suptitle(), *(_texts(axes) for axes in self.figure.axes)]
        if described != self._described:
            self.image.alt, self._described = describe(self.figure), described

    def _paint(self) -> list[Any]:
        """Draws, and gives what the axes look like without their contents."""
        still = self._still_titles()
        moving = [artist for axes in self.figure.axes for artist in contents(axes) if artist not in still]
        # over the whole figure: a title, a legend
        moving += [
            artist for artist in self.figure.get_children() if artist not in (self.figure.patch, *self.figure.axes)
        ]
        for axes in self.figure.axes:
            if axes.get_axes_locator() is None:
                axes.apply_aspect()  # else an equal aspect would be applied only while drawing
        frame = [*(_frame(axes) for axes in self.figure.axes), list(still.values())]
        if self._background is None or self._background[0] != frame:
            for artist in moving:
                artist.set_animated(True)  # left out of the figure's own drawing
            self.canvas.draw()
            self._background = frame, self.canvas.copy_from_bbox(self.figure.bbox)
        self.canvas.restore_region(self._background[1])
        for artist in moving:
            self.figure.draw_artist(artist)
        return frame

    def _still_titles(self) -> dict[Text, tuple[Any, ...]]:
        """The titles that have never changed, and their looks. One that has is animated: left out of the background."""
        looks = {title: _look(title) for axes in self.figure.axes for title in titles(axes)}
        for title, look in looks.items():
            if look != self._looks.get(title, look):
                title.set_animated(True)
        self._looks = looks
        return {title: look for title, look in looks.items() if not title.get_animated()}

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
