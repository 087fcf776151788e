"""The lesson's figures: learning curves with a band over runs, drawn once or updated while training runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import groupby, pairwise
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib import rc_context, rc_params_from_file
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from matplotlib.transforms import ScaledTranslation
from numpy.typing import ArrayLike, NDArray

from pglesson.reinforce import FloatArray, Update

# One meaning, one colour, in every figure. Okabe & Ito's palette, which colour-blind readers can tell apart, without
# its orange, light blue and yellow: WCAG 2.1 requires a contrast of 3 to 1, and these have 2.3 or less on white.
COLORS = {
    "return": "#0072B2",
    "gradient": "#D55E00",
    "entropy": "#009E73",
    "value": "#CC79A7",
    "move": "#A65C00",
    "pinned": "#666666",
    "truth": "#000000",
}
LINE = 104  # letters of the words below a figure
_STYLE = rc_params_from_file(Path(__file__).parents[1] / "lesson.mplstyle", use_default_template=False)
ACTION_COLORS = ("#0072B2", "#CC79A7", "#009E73")
SYMBOLS = {
    "learning_rate": "alpha",
    "entropy_weight": "beta",
    "max_grad_norm": "clipping",
    "value_learning_rate": "value alpha",
    "gae_lambda": "lambda",
    "baseline_constant": "constant",
    "policy_epochs": "epochs",
    "clip_ratio": "clip ratio",
    "kl_weight": "KL weight",
}


def lesson_style() -> AbstractContextManager[None]:
    """Within it, figures have the lesson's look. `style.context` does the same, but reads the file every time."""
    return rc_context(_STYLE)


def new_figure(width: float = 7.6, height: float = 3.2) -> Figure:
    """A figure in the lesson's style, sized in inches, without a pyplot window."""
    with lesson_style():
        return Figure(figsize=(width, height))


def setting_changes(updates: Sequence[Update]) -> dict[int, dict[str, tuple[Any, Any]]]:
    """The live settings that changed while training ran: {index of the first update under them: {name: (old, new)}}."""
    found = {}
    for index, (before, after) in enumerate(pairwise(updates), start=1):
        if changed := {n: (before.live[n], new) for n, new in after.live.items() if before.live[n] != new}:
            found[index] = changed
    return found


def ticks(axis: Axis) -> tuple[list[float], list[str]]:
    """Where an axis has ticks, and the texts there, without creating the ticks, which takes milliseconds."""
    at = list(axis.get_majorticklocs())
    return at, [str(word) for word in axis.get_major_formatter().format_ticks(at)]


def describe(figure: Figure) -> str:
    """The figure in words, for readers who cannot see it: titles, axes, legend, labels."""
    sentences = [figure.get_suptitle()]
    for axes in figure.axes:
        sentences += [axes.get_title(loc) for loc in ("left", "center", "right")]
        if axes.axison:
            x, y = axes.get_xlabel(), axes.get_ylabel()
            sentences += [f"{y} against {x}" if x and y else f"axis: {x or y}" if x or y else ""]
            worded = [a for a in (axes.xaxis, axes.yaxis) if not isinstance(a.get_major_formatter(), ScalarFormatter)]
            names = dict.fromkeys(name for axis in worded for name in ticks(axis)[1])
            named = [name for name in names if re.search("[A-Za-z]{2}", name) and "$" not in name]  # not powers of ten
            sentences += ["for " + ", ".join(named) if named else ""]
        legend = dict.fromkeys(axes.get_legend_handles_labels()[1])
        sentences += [
            "shown: " + ", ".join(legend) if legend else "",
            ", ".join(filter(None, (t.get_text() for t in axes.texts if t.get_visible()))),
        ]
    words = [" ".join(sentence.split()).strip(". ") for sentence in sentences]
    return ". ".join(sentence[:1].upper() + sentence[1:] for sentence in words if sentence) + "."


def merged_moves(updates: Sequence[Update], x: FloatArray, apart: float) -> list[tuple[float, list[str]]]:
    """Where knobs moved, and which: (place, ["gamma: 0.99 → 0.9"]). What lies within `apart` of the first is one move.

    x: episodes played by a run so far, one for each update.
    """
    found: list[tuple[float, dict[str, list[Any]]]] = []
    for index, moved in setting_changes(updates).items():
        at = float(x[index - 1] + x[index]) / 2
        if not found or at - found[-1][0] > apart:
            found.append((at, {}))
        for name, (old, new) in moved.items():
            found[-1][1].setdefault(name, [old]).append(new)
    return [
        (at, [f"{label(name)}: {steps(values)}".replace(" ", "\u00a0") for name, values in moved.items()])
        for at, moved in found
    ]


def steps(values: Sequence[Any]) -> str:
    """The values that a setting went through, as "0.03 → 0.1"; of many, the ends."""
    words = [text(value) for value, _ in groupby(values)]
    return " → ".join(words if len(words) < 4 else [words[0], "…", words[-1]])


def label(name: str) -> str:
    """A setting's name in figures: its usual symbol, or its name in words."""
    return SYMBOLS.get(name, name).replace("_", " ")


def text(setting: Any) -> str:
    """A setting's value in figures."""
    return (
        "off"
        if setting == float("inf")
        else f"{setting:.3g}"
        if isinstance(setting, float)
        else setting.replace("_", " ")
        if isinstance(setting, str)
        else str(setting)
    )


def run_series(
    updates: Sequence[Update], quantity: str | Callable[[Update], ArrayLike]
) -> tuple[FloatArray, FloatArray]:
    """A quantity of each update as (episodes played by a run so far (updates,), values (updates, runs)).

    quantity: the name of an Update's field, or a function of the Update that gives one number for each run
    (runs,); "returns" and "lengths" are averaged over the update's episodes.
    """
    rows = [getattr(update, quantity) if isinstance(quantity, str) else quantity(update) for update in updates]
    runs = len(updates[0].returns) if updates else 0  # a quantity that an update did not measure is a gap
    values = np.array([np.full(runs, np.nan) if row is None else np.asarray(row, dtype=float) for row in rows])
    values = values.mean(-1) if values.ndim == 3 else values
    return np.cumsum([update.returns.shape[1] for update in updates]).astype(float), values


class CurvePlot:
    """A curve over training in one Axes: the runs' mean, a band that holds the middle 80 % of runs, each run faint.

    `show(updates)` replaces what is drawn, in place, so that a frame costs milliseconds; `pin(updates, name)` leaves a
    dashed copy of a finished run for comparison.
    """

    def __init__(
        self,
        axes: Axes,
        quantity: str | Callable[[Update], ArrayLike],
        color: str,
        title: str,
        ylabel: str,
        *,
        marks: bool = False,
        log: bool = False,
    ) -> None:
        self.axes, self.quantity, self.color, self.marks, self.log = axes, quantity, color, marks, log
        axes.set(xlabel="episodes played by a run", ylabel=ylabel)
        axes.locator_params("x", nbins=5)
        if log:
            axes.set_yscale("log")
        else:
            axes.locator_params("y", nbins=6)
        # labels at a fixed distance: computing one from the ticks' sizes takes as long as drawing all the rest
        inch = axes.figure.dpi
        axes.xaxis.set_label_coords(0.5, -0.36 * inch / axes.bbox.height)
        axes.yaxis.set_label_coords(-0.66 * inch / axes.bbox.width, 0.5)
        axes.set_title(title, loc="left")
        (self.mean,) = axes.plot([], [], color=color, label="mean of the runs", zorder=3)
        self.band = axes.fill_between([], [], [], color=color, alpha=0.22, linewidth=0, label="middle 80 % of runs")
        self.single = LineCollection([], colors=color, linewidths=0.8, alpha=0.3)
        axes.add_collection(self.single, autolim=False)
        self.moves: list[Artist] = []
        self.words = axes.text(0.0, 0.0, "", color=COLORS["move"], fontsize=10, va="top", clip_on=False)  # of the moves
        self.words.set_transform(axes.transAxes + ScaledTranslation(-0.78, -0.54, axes.figure.dpi_scale_trans))
        self.pinned: list[tuple[str, FloatArray, FloatArray]] = []

    def show(self, updates: Sequence[Update], horizon: float = 0.0, rival: Sequence[Update] = ()) -> None:
        """Draws these updates; none leaves the axes empty but labelled. `horizon` is where the x axis ends at least.

        rival: updates of a training B that is compared with this one, A: its moves are marked too.
        """
        for artist in self.moves:
            artist.remove()
        self.moves = []
        x, values = run_series(updates, self.quantity) if updates else (np.zeros(0), np.zeros((0, 1)))
        several = values.shape[1] > 1 and len(x) > 0
        low, high = np.quantile(values, [0.1, 0.9], axis=1) if several else (values[:, 0], values[:, 0])
        self.mean.set_data(x, values.mean(1))
        self.band.set_data(x, low, high)
        self.single.set_segments([np.column_stack([x, run]) for run in values.T] if several else [])
        self.axes.set_xlim(0, max([1.0, horizon, *x[-1:], *(pinned[-1] for _, pinned, _ in self.pinned)]))
        everything = [v[np.isfinite(v)] for v in (values, *(v.mean(1) for _, _, v in self.pinned))]
        everything = [v for v in everything if v.size]
        limits = _round_decades if self.log else round_limits
        self.axes.set_ylim(*limits(everything) if everything else (0.9, 110) if self.log else (0, 1))
        if self.marks:
            self._mark(updates, rival, x)

    def pin(
        self,
        updates: Sequence[Update],
        name: str,
        *,
        color: str = COLORS["pinned"],
        dashes: Sequence[float] | None = None,
    ) -> None:
        """Keeps a dashed, labelled copy of these updates behind whatever is shown next.

        dashes: lengths on and off in line widths; the default goes through three patterns.
        """
        x, values = run_series(updates, self.quantity)
        dashes = dashes or ((4, 2), (1, 1.5), (6, 1.5, 1, 1.5))[len(self.pinned) % 3]
        self.axes.plot(x, values.mean(1), color=color, dashes=dashes, linewidth=1.8, label=name, zorder=2)
        self.pinned.append((name, x, values))

    def _mark(self, updates: Sequence[Update], rival: Sequence[Update], x: FloatArray) -> None:
        """A dotted line and a number on the axis for each move of a knob; below the axes, the words of the last few."""
        apart = 0.045 * self.axes.get_xlim()[1]
        groups = merged_moves(updates, x, apart)
        if rival:
            both = {"A": groups, "B": merged_moves(rival[: len(x)], x, apart)}
            groups = sorted((at, [f"{who}: {', '.join(words)}"]) for who, found in both.items() for at, words in found)
        for number, (at, _) in enumerate(groups, start=1):
            self.moves.append(self.axes.axvline(at, color=COLORS["move"], linewidth=1.2, linestyle=":", zorder=1.5))
            self.moves.append(
                self.axes.annotate(
                    str(number),
                    (at, 0),
                    xycoords=self.axes.get_xaxis_transform(),
                    color="white",
                    fontsize=9,
                    ha="center",
                    va="center",
                    zorder=1.6,  # behind the curves, which it must not hide
                    bbox={"boxstyle": "circle,pad=0.15", "facecolor": COLORS["move"], "linewidth": 0},
                )
            )
        named = [f"{number}\u00a0\u00a0{', '.join(words)}" for number, (_, words) in enumerate(groups, start=1)]
        while len(lines := wrap("     ".join(named), LINE)) > 2:  # only the last few, if there is no room for all
            named = ["…", *named[2 if named[0] == "…" else 1 :]] if len(named) > 2 else [lines[0][:LINE], "…"]
        self.words.set_text("\n".join(lines))


def round_limits(series: Sequence[FloatArray]) -> tuple[float, float]:
    """Limits of an axis at zero and on a grid of 1, 2 or 5 times a power of ten: a live plot seldom jumps."""
    low, high = min(0.0, *(v.min() for v in series)), max(0.0, *(v.max() for v in series))
    half = max(high - low, 0.01) / 2
    power = 10.0 ** np.floor(np.log10(half))
    grid = next(step * power for step in (1, 2, 5, 10) if step * power >= half)
    low, high = np.floor(low / grid) * grid, max(np.ceil(high / grid), np.floor(low / grid) + 1) * grid
    return float(low - 0.03 * (high - low)), float(high + 0.03 * (high - low))


def _round_decades(series: Sequence[FloatArray]) -> tuple[float, float]:
    values = np.concatenate([v[v > 0] for v in series])
    low, high = np.log10([values.min(), values.max()]) if values.size else (0.0, 1.0)
    low = max(low, high - 5)  # five decades at most: a noise that is almost 0 would flatten all the rest
    return float(10 ** (np.floor(low) - 0.05)), float(10 ** (max(np.ceil(high), np.floor(low) + 1) + 0.05))


def learning_curve(updates: Sequence[Update], axes: Axes, title: str, color: str = COLORS["return"]) -> CurvePlot:
    """Draws the return over training into `axes`: mean, middle 80 % of runs, each run faint, setting changes marked."""
    plot = CurvePlot(axes, "returns", color, title, "return of an episode", marks=True)
    plot.show(updates)
    return plot


def contour_lines(x: ArrayLike, y: ArrayLike, heights: ArrayLike, levels: ArrayLike) -> list[FloatArray]:
    """The lines of equal height of a landscape (y, x), each (points, 2): computed once, so that sliders are fast."""
    drawn = Figure().subplots().contour(*(np.asarray(array) for array in (x, y, heights)), levels=np.asarray(levels))
    return [np.asarray(line) for level in drawn.allsegs for line in level]


def film_strip(films: Mapping[str, Sequence[tuple[NDArray[np.uint8], float]]], frames: int = 6) -> Figure:
    """Each film, a list of (picture, return so far) as `render_episode` yields it, as a row of evenly spaced frames."""
    figure = new_figure(9.0, 1.8 * len(films))
    rows = figure.subplots(len(films), frames, squeeze=False)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.8, wspace=0.06, hspace=0.6)
    for row, (name, film) in zip(rows, films.items()):
        for axes, index in zip(row, np.linspace(0, len(film) - 1, frames).astype(int)):
            axes.imshow(film[index][0])
            axes.set_axis_off()
            axes.set_title(f"step {index}", loc="left", fontsize=11, fontweight="normal")
        row[0].text(0, 1.42, f"{name}: return {film[-1][1]:.0f}", transform=row[0].transAxes, fontweight="bold")
    return figure
