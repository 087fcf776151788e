"""The two panels of a training: the return, and a quantity to watch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
            self._figure.subplots_adjust(right=0.96)  # a number at the end of the axis needs half its width
            right.locator_params("x", nbins=3)
            right.set_xlabel("episodes")  # the same axis as on the left, in less room

    def show(self) -> None:
        """Brings the curves up to date; drawing them is left to the caller."""
        settings = self._session.settings
        for plot in self.plots:
            plot.show(self._session.updates, horizon=settings.updates * settings.episodes)

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
