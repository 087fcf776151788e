"""The two panels of a training: the return, and a quantity to watch."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pglesson.analysis.confidence import mean_interval
from pglesson.analysis.plots import COLORS, CurvePlot, lesson_style, round_limits, run_series
from pglesson.reinforce import Update
from pglesson.widgets.training_session import TrainingSession, Watch

WATCHED = {  # what the right panel can show: its colour, title and axis
    "entropy": (COLORS["entropy"], "How undecided", "entropy in nats"),
    "gradient_variance": (COLORS["gradient"], "How noisy", "variance of the gradient"),
    "gradient_norm": (COLORS["gradient"], "How long a step", "norm of the gradient"),
    "policy_change": (COLORS["value"], "How far it moved", "change of the policy in nats"),
    "explained_variance": (COLORS["value"], "What is foreseen", "explained variance"),
}
LOGARITHMIC = ("gradient_variance", "policy_change")

RIVAL = "#D55E00"  # B's colour, beside the blue of the present run


def check_watch(watch: Watch) -> None:
    """Raises ValueError for something that the right panel cannot show."""
    if not callable(watch) and watch not in WATCHED:
        raise ValueError(f"watch is {watch!r}, but must be one of {', '.join(map(repr, WATCHED))}.")


class RivalPlot:
    """A second training beside the first, B: its curve in the first one's panel, and the difference in another.

    The runs of both began alike, so the interval is that of the mean of their differences, run by run.
    """

    LABEL = "B"

    def __init__(self, first: CurvePlot, axes: Axes) -> None:
        self.first, self.axes = first, axes
        first.axes.set_title("What A and B earn", loc="left")
        (self.mean,) = first.axes.plot([], [], color=RIVAL, dashes=(5, 1.5), zorder=3.1)
        self.band = first.axes.fill_between([], [], [], color=RIVAL, alpha=0.15, linewidth=0)
        axes.set(xlabel="episodes", ylabel="difference, 95 % interval")
        axes.axhline(0, color="black", linewidth=0.8)
        (self.difference,) = axes.plot([], [], color=COLORS["truth"])
        self.interval = axes.fill_between([], [], [], color=COLORS["truth"], alpha=0.2, linewidth=0)
        self.intervals: list[tuple[float, float]] = []  # of the updates so far

    def show(self, updates: Sequence[Update], rival: Sequence[Update], horizon: float) -> None:
        """Draws the rival's updates, and their difference from the first one's."""
        shown = min(len(updates), len(rival))
        x, values = run_series(rival, "returns") if rival else (np.zeros(0), np.zeros((0, 1)))
        self.mean.set_data(x, values.mean(1))
        self.band.set_data(x, *np.quantile(values, [0.1, 0.9], axis=1)) if shown else self.band.set_data(x, x, x)
        self.first.pinned = [pin for pin in self.first.pinned if pin[0] != self.LABEL] + [
            (self.LABEL, x, values)
        ] * bool(shown)
        apart = values[:shown] - run_series(updates[:shown], "returns")[1] if shown else values
        self.intervals = self.intervals[:shown]
        for row in apart[len(self.intervals) :]:
            self.intervals.append(mean_interval(row) if len(row) > 1 else (float(row[0]), float(row[0])))
        low, high = np.array(self.intervals).reshape(-1, 2).T
        self.difference.set_data(x[:shown], apart.mean(1))
        self.interval.set_data(x[:shown], low, high)
        self.axes.set(xlim=(0, horizon), ylim=round_limits([low, high]) if shown else (-1, 1))
        words = "B minus A"
        if shown:
            digits = 0 if np.abs([low, high]).max() >= 10 else 2
            words += f": {apart[-1].mean():+.{digits}f}"
            if values.shape[1] > 1:
                words += f"\n[{low[-1]:.{digits}f}, {high[-1]:.{digits}f}]"
        self.axes.set_title(words.replace("-", "\N{MINUS SIGN}"), loc="left", fontsize=11)


class TrainingCurves:
    """A session's curves in a figure: `show` updates them; `rebuild` makes new panels, without pinned curves.

    rival: a second session to compare with, or None; `rebuild` makes panels for it.
    """

    def __init__(self, figure: Figure, session: TrainingSession) -> None:
        self._figure, self._session = figure, session
        self.rival: TrainingSession | None = None
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the panels anew, for the quantity that the session watches now."""
        with lesson_style():  # clear() reads the margins from the style too
            self._figure.clear()
            left, right = self._figure.subplots(1, 2, width_ratios=(2, 1))
            returns = CurvePlot(
                left, "returns", COLORS["return"], "What the agent earns", "return of an episode", marks=True
            )
            self.plots: tuple[CurvePlot, ...] = (returns,) if self.rival else (returns, self._watched_plot(right))
            self._rival_plot = RivalPlot(returns, right) if self.rival else None
            # a number at the end of the axis needs half its width; below are two lines for the moves of knobs
            self._figure.subplots_adjust(right=0.96, bottom=0.9 / self._figure.get_figheight())
            right.locator_params("x", nbins=3)
            right.set_xlabel("episodes")  # the same axis as on the left, in less room
            place: dict[str, Any] = {"ha": "center", "va": "center", "color": "#444444"}
            self._hints = {axes: axes.text(0.5, 0.5, "", transform=axes.transAxes, **place) for axes in (left, right)}
            self._names: list[str] = []
            self._empty: tuple[bool, bool] | None = None  # not known yet

    def show(self) -> None:
        """Brings the curves up to date; drawing them is left to the caller."""
        settings, updates = self._session.settings, self._session.updates
        horizon = settings.updates * settings.episodes
        if self._rival_plot and self.rival:
            self._rival_plot.show(updates, self.rival.updates, horizon)
        for plot in self.plots:
            plot.show(updates, horizon, self.rival.updates if self.rival else ())
        self._name(settings.runs, settings.seed)
        left_empty = not updates and not self.plots[0].pinned
        empty = (left_empty, not updates if self.rival else left_empty)  # of pinned runs there is no difference
        if empty != self._empty:
            self._empty = empty
            for (axes, hint), nothing in zip(self._hints.items(), empty):
                hint.set_visible(nothing)
                axes.tick_params(labelleft=not nothing)

    def _name(self, runs: int, seed: int) -> None:
        """Names line and band beside the title, where no curve can be."""
        plot = self.plots[0]
        seeds = f"mean of {runs} runs, seed {seed}" if runs > 1 else f"one run, seed {seed}"
        names, lines = [seeds, "middle 80 % of them"][: 1 + (runs > 1)], [plot.mean, plot.band]
        if self._rival_plot:
            names, lines = [f"A: {seeds}", "B: from the same seed"], [plot.mean, self._rival_plot.mean]
        if names == self._names:
            return
        self._names = names
        for axes, hint in self._hints.items():
            hint.set_text(self._describe_place(axes, runs))
        plot.mean.set_label(names[0])
        plot.band.set_label(names[-1] if runs > 1 else "")
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.62, 0.985), "borderpad": 0, "frameon": False}
        plot.axes.legend(lines[: len(names)], names, fontsize=9.5, labelspacing=0.2, handlelength=1.6, **place)

    def _describe_place(self, axes: Axes, runs: int) -> str:
        """What will be where, for as long as there is nothing."""
        left = axes is self._figure.axes[0]
        words = "Here will be the\n" + "\n".join(wrap(axes.get_ylabel(), 40 if left else 18))
        if left:
            lines = "a faint line for each run,\na dark one for their mean,\n" if runs > 1 else ""
            words += f":\n{lines}a point for each update"
        return words

    def pin(self, updates: Sequence[Update], name: str, **look: Any) -> None:
        """Keeps a dashed copy of these updates in both panels."""
        with lesson_style():
            for plot in self.plots:
                plot.pin(updates, name, **look)

    def _watched_plot(self, axes: Axes) -> CurvePlot:
        watch, session = self._session.watch, self._session
        if not callable(watch):
            return CurvePlot(axes, watch, *WATCHED[watch], log=watch in LOGARITHMIC)
        name = getattr(watch, "__name__", "what is watched").replace("_", " ")
        label = (watch.__doc__ or name).strip().splitlines()[0].rstrip(".")
        return CurvePlot(axes, lambda u: session.watched[u.number - 1], COLORS["value"], name.capitalize(), label)
