"""The two panels of a training: the return, and a quantity to watch."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from pglesson.analysis.plots import COLORS, CurvePlot
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


def check_watch(watch: Watch) -> None:
    """Raises ValueError for something that the right panel cannot show."""
    if not callable(watch) and watch not in WATCHED:
        raise ValueError(f"watch is {watch!r}, but must be one of {', '.join(map(repr, WATCHED))}.")


class TrainingCurves:
    """A session's curves in a figure: `show` updates them; `rebuild` makes new panels, without pinned curves."""

    def __init__(self, figure: Figure, session: TrainingSession) -> None:
        self._figure, self._session = figure, session
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the panels anew, for the quantity that the session watches now."""
        with style.context("pglesson.lesson"):  # clear() reads the margins from the style too
            self._figure.clear()
            left, right = self._figure.subplots(1, 2, width_ratios=(2, 1))
            returns = CurvePlot(
                left, "returns", COLORS["return"], "What the agent earns", "return of an episode", marks=True
            )
            self.plots = returns, self._watched_plot(right)
            # a number at the end of the axis needs half its width; below are two lines for the moves of knobs
            self._figure.subplots_adjust(right=0.96, bottom=0.9 / self._figure.get_figheight())
            right.locator_params("x", nbins=3)
            right.set_xlabel("episodes")  # the same axis as on the left, in less room
            self._hints = [self._hint(axes) for axes in (left, right)]
            self._names: list[str] = []
            self._empty: bool | None = None  # not known yet

    def show(self) -> None:
        """Brings the curves up to date; drawing them is left to the caller."""
        settings, updates = self._session.settings, self._session.updates
        for plot in self.plots:
            plot.show(updates, horizon=settings.updates * settings.episodes)
        self._name(settings.runs, settings.seed)
        empty = not updates and not self.plots[0].pinned
        if empty != self._empty:
            self._empty = empty
            for plot, hint in zip(self.plots, self._hints):
                hint.set_visible(empty)
                plot.axes.tick_params(labelleft=not empty)

    def _name(self, runs: int, seed: int) -> None:
        """Names line and band beside the title, where no curve can be."""
        plot = self.plots[0]
        names = [f"mean of {runs} runs, seed {seed}", "middle 80 % of them"] if runs > 1 else [f"one run, seed {seed}"]
        if names == self._names:
            return
        self._names = names
        plot.mean.set_label(names[0])
        plot.band.set_label(names[-1] if runs > 1 else "")
        place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0.62, 0.985), "borderpad": 0, "frameon": False}
        plot.axes.legend(
            [plot.mean, plot.band][: len(names)], names, fontsize=9.5, labelspacing=0.2, handlelength=1.6, **place
        )

    def _hint(self, axes: Axes) -> Text:
        """What will be where, for as long as there is nothing."""
        settings, what = self._session.settings, axes.get_ylabel()
        runs = f"a line for each of {settings.runs} runs,\nand their mean" if settings.runs > 1 else "of one run"
        words = f"{what}:\n{runs},\nafter each update" if axes is self._figure.axes[0] else "\n".join(wrap(what, 18))
        return axes.text(
            0.5, 0.5, f"Here will be the\n{words}", transform=axes.transAxes, ha="center", va="center", color="#444444"
        )

    def pin(self, updates: Sequence[Update], name: str, **look: Any) -> None:
        """Keeps a dashed copy of these updates in both panels."""
        with style.context("pglesson.lesson"):
            for plot in self.plots:
                plot.pin(updates, name, **look)

    def _watched_plot(self, axes: Axes) -> CurvePlot:
        watch, session = self._session.watch, self._session
        if not callable(watch):
            return CurvePlot(axes, watch, *WATCHED[watch], log=watch in LOGARITHMIC)
        name = getattr(watch, "__name__", "what is watched").replace("_", " ")
        label = (watch.__doc__ or name).strip().splitlines()[0].rstrip(".")
        return CurvePlot(axes, lambda u: session.watched[u.number - 1], COLORS["value"], name.capitalize(), label)
