"""The explorer: it redraws at every move, and what it keeps between two pictures does not show."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pglesson.widgets.explorer import Explorer


def test_an_explorer_redraws_at_every_move() -> None:
    seen = []

    def draw(axes, a, b, c, d):
        seen.append((a, b, c, d))
        axes.plot([0, a], [0, b])

    explorer = Explorer(draw, a=(0.0, 1.0, 0.5), b=(1, 5, 2), c=["x", "y"], d=True)
    first = explorer.image.value
    explorer.controls["a"].value = 0.75
    explorer.controls["c"].value = "y"
    explorer.controls["d"].value = False
    assert seen == [(0.5, 2, "x", True), (0.75, 2, "x", True), (0.75, 2, "y", True), (0.75, 2, "y", False)]
    assert explorer.image.value != first and repr(explorer) == "<Explorer: a, b, c, d>"


def test_an_explorer_shows_an_error_and_keeps_the_last_picture() -> None:
    explorer = Explorer(lambda axes, a: axes.plot([0, 1 / a]), a=(0, 3, 1))
    before = explorer.image.value
    explorer.controls["a"].value = 0
    assert "ZeroDivisionError" in explorer.status.value and explorer.image.value == before
    explorer.controls["a"].value = 2
    assert explorer.status.value == ""


def _mouse(explorer, x, y, axes=0):
    """What the browser sends for the mouse at (x, y) in data units of an Axes: shares of the picture, from the top."""
    right, up = explorer.figure.axes[axes].transData.transform((x, y)) / explorer.figure.bbox.size
    explorer.image.pointer = [right, 1 - up, 1]


def _draggable(drag):
    seen = []

    def draw(axes, x, y):
        seen.append((x, y))
        axes[0].set(xlim=(0, 10), ylim=(0, 20))
        axes[0].plot(x, y, "o")

    return Explorer(draw, columns=2, drag=drag, x=(0.0, 10.0, 5.0), y=(0.0, 20.0, 5.0)), seen


def test_the_mouse_moves_several_controls_and_draws_once() -> None:
    explorer, seen = _draggable(lambda x, y: {"x": x, "y": y})
    _mouse(explorer, 2.63, 15.03)
    _mouse(explorer, 3.57, 13.98)  # the sliders' steps are 0.2
    assert seen == [(5.0, 5.0), (2.6, 15.0), (3.6, 14.0)]
    _mouse(explorer, 0.5, 0.5, axes=1)  # another Axes
    _mouse(explorer, 11.0, 5.0)  # beside the Axes
    assert seen[-1] == (3.6, 14.0) and len(seen) == 3
    explorer.controls["x"].value = 7.0  # a slider still draws by itself
    assert seen[-1] == (7.0, 14.0) and len(seen) == 4


def test_an_error_in_drag_is_shown_and_the_sliders_still_work() -> None:
    explorer, seen = _draggable(lambda x, y: {"x": 1.0, "z": 2.0})
    before = explorer.image.value
    _mouse(explorer, 2.5, 15.0)
    assert "KeyError" in explorer.status.value and "z" in explorer.status.value and explorer.image.value == before
    explorer.controls["y"].value = 8.0
    assert explorer.status.value == "" and seen[-1] == (1.0, 8.0)


def _bars(axes, a, twin):
    bars = axes[0].bar(["p", "q"], [a, 1.0], label="bars")
    axes[0].bar_label(bars, [f"{a:.1f}", "1"])
    axes[0].errorbar(["p", "q"], [a, 1.0], [0.1, 0.2], label="errors")
    axes[0].legend()
    axes[0].set_title(f"a is {a}")
    axes[1].plot([0, a], [0, 1])
    axes[1].text(0, 0, f"{a}")
    axes[1].invert_yaxis()
    axes[1].set(xlabel="x", ylabel="y", title="right", xlim=(0, 3) if a < 3 else (0, 5))
    if twin:
        axes[1].twinx().plot([0, a], [1, 0])
    if a == 4.0:
        axes[0].figure.suptitle("as far as it goes")


def test_an_explorer_that_moved_shows_what_a_fresh_one_would() -> None:
    """What it keeps from one picture to the next, to be fast, is what has not changed."""
    moved = Explorer(_bars, columns=2, a=(0.0, 4.0, 1.0), twin=False)
    moves = [(2.0, False), (4.0, False), (3.0, False), (4.0, True), (2.5, True), (2.5, False), (1.0, False)]
    for a, twin in moves:
        moved.controls["a"].value = a
        moved.controls["twin"].value = twin
        fresh = Explorer(_bars, columns=2, a=(0.0, 4.0, a), twin=twin)
        assert not moved.status.value and not fresh.status.value
        assert moved.image.value == fresh.image.value, (a, twin)


def _title(axes, a):
    if a > 1:
        axes.figure.suptitle(f"a is {a}")


def _legend(axes, a):
    axes.figure.legend([axes.plot([0, 1], [1, 0])[0]], [f"a is {a}"])


def _map(axes, a):
    axes.figure.colorbar(axes.imshow(np.arange(16).reshape(4, 4) * a / 64, vmin=0, vmax=1))


def _aspect(axes, a):
    if a > 1:
        axes.imshow(np.eye(2), extent=(0, 1, 0, 1))


LOOKS = {
    "title": _title,
    "legend": _legend,
    "map": _map,
    "aspect": _aspect,
    "grid": lambda axes, a: axes.grid(a > 1),
    "face": lambda axes, a: axes.set_facecolor("white" if a > 1 else "black"),
    "spines": lambda axes, a: axes.spines["top"].set_visible(a > 1),
    "axis": lambda axes, a: axes.set_axis_off() if a > 1 else None,
    "one limit": lambda axes, a: axes.set_ylim(0, 1 + a),
    "tick places": lambda axes, a: axes.set_yticks([0, a / 8], ["low", "high"]),
    "tick size": lambda axes, a: axes.tick_params("y", labelsize=8 + a),
    "label": lambda axes, a: axes.set_ylabel("height", color="red" if a > 1 else "black"),
    "placed spine": lambda axes, a: (axes.spines["left"].set_position(("data", a / 8)), axes.set_xlim(0, 1 + a)),
}


@pytest.mark.parametrize("look", LOOKS)
def test_an_explorer_whose_limits_stay_shows_what_a_fresh_one_would(look) -> None:
    def draw(axes, a):
        axes.plot([0, 1], [0, 1])
        axes.set(xlim=(0, 1), ylim=(0, 1))
        LOOKS[look](axes, a)

    moved = Explorer(draw, a=(0.0, 4.0, 1.0))
    for a in (2.0, 3.0, 0.0, 2.0):
        moved.controls["a"].value = a
        fresh = Explorer(draw, a=(0.0, 4.0, a))
        assert not moved.status.value and moved.image.value == fresh.image.value, a
        assert moved.image.alt == fresh.image.alt


def test_two_threads_draw_in_turn():
    """JupyterLab delivers sliders and mouse in two threads: drawn at once, one title would stand over another."""
    inside, most = [], []

    def draw(axes, n):
        inside.append(n)
        time.sleep(0.01)
        most.append(len(inside))
        inside.pop()

    explorer = Explorer(draw, n=(0, 9, 0))
    threads = [threading.Thread(target=explorer.redraw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 5 and max(most) == 1
