"""The right panel with a function of the learner, and the progress bar."""

from __future__ import annotations

import numpy as np

from pglesson import Settings
from pglesson.widgets import progress, progress_bar
from pglesson.widgets.dashboard import Dashboard

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


def test_the_right_panel_can_show_a_function_of_the_policy() -> None:
    def first_weight(policy):
        """weight of the first layer.

        More for programmers.
        """
        return next(policy.parameters()).detach()[:, 0, 0]

    dashboard = Dashboard(Settings(**SMALL), watch=first_weight)
    axes = dashboard.plots[1].axes
    assert axes.get_title("left") == "First weight" and axes.get_ylabel() == "weight of the first layer"
    seen = []
    for _ in range(3):
        dashboard.step()
        seen.append(float(first_weight(dashboard.policy).mean()))
    np.testing.assert_allclose(dashboard.plots[1].mean.get_ydata(), seen)
    assert len(set(seen)) == 3
    dashboard.pin()
    dashboard.reset()
    dashboard.step()
    np.testing.assert_allclose(dashboard.plots[1].pinned[0][2].mean(1), seen)
    assert len(dashboard.plots[1].mean.get_ydata()) == 1


def test_a_function_to_watch_may_return_a_number_for_a_single_run() -> None:
    dashboard = Dashboard(Settings(episodes=4), watch=lambda policy: float(len(list(policy.parameters()))))
    assert dashboard.step() and dashboard.step()
    assert dashboard.plots[1].mean.get_ydata().tolist() == [4, 4]


def test_an_error_in_a_function_to_watch_stops_the_training() -> None:
    def broken(policy):
        raise RuntimeError("there is nothing to see")

    dashboard = Dashboard(Settings(**SMALL), watch=broken)
    assert not dashboard.step() and "there is nothing to see" in dashboard.status.value


def test_progress_yields_the_items_and_counts_them() -> None:
    bars = []
    original = progress_bar.display
    progress_bar.display = bars.append
    try:
        seen = [(item, bars[0].value) for item in progress("abc", 3, "letters")]
    finally:
        progress_bar.display = original
    assert seen == [("a", 0), ("b", 1), ("c", 2)] and bars[0].value == 3 and repr(bars[0]) == "<progress of letters>"
