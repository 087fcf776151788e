"""Pictures that are stored in a notebook, and their alternative texts."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pglesson import Settings
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.explorer import Explorer
from pglesson.widgets.microscope_view import MicroscopeView

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard(Settings(**SMALL))


def test_nothing_is_stored_where_nothing_could_be_drawn() -> None:
    def fails(axes, a):
        raise ZeroDivisionError

    settings = Settings(env="Nowhere-v0")
    for shown in (Dashboard(settings), MicroscopeView(settings), Explorer(fails, a=(0, 3, 1))):
        assert shown.image.layout.display == "none" and "image/png" not in shown._repr_mimebundle_()[0]
    dashboard = Dashboard(Settings(**SMALL))
    assert dashboard.image.layout.display is None and "image/png" in dashboard._repr_mimebundle_()[0]


def test_the_alternative_text_is_that_of_the_last_picture() -> None:
    def draw(axes, a):
        axes.set_title(f"1/a for a < 4 is 1/{a}", loc="left")
        axes.plot([0, 1 / a])

    explorer = Explorer(draw, a=(0, 3, 1))
    explorer.controls["a"].value = 0  # fails after the title
    assert explorer._repr_mimebundle_()[1]["image/png"]["alt"] == "1/a for a < 4 is 1/1."


@pytest.mark.parametrize("episodes", [1, 10, 100])
def test_the_last_tick_label_of_an_axis_is_inside_the_figure(episodes) -> None:
    """The axes end at 1000, 10000 and 100000 episodes, at a tick."""
    dashboard = Dashboard(Settings(env="pglesson/TwoRooms-v0", hidden=(), runs=1, episodes=episodes, updates=1000))
    dashboard.step()
    for axes in dashboard.figure.axes:
        assert axes.get_tightbbox(dashboard.canvas.get_renderer()).x1 <= dashboard.figure.bbox.x1


def test_the_alternative_text_follows_legend_and_texts(dashboard: Dashboard) -> None:
    """What is drawn into unchanged axes: a pinned curve's name, a moved knob's, and an explorer's label and text."""
    dashboard.step()
    dashboard.pin()
    assert "Shown: mean of 2 runs, seed 0, middle 80 % of them, 1" in dashboard.image.alt
    dashboard.knobs["gamma"].value = 0.9
    dashboard.step()
    assert "gamma: 0.99 → 0.9" in dashboard.image.alt

    def draw(axes, a):
        axes.set(xlim=(0, 5), ylim=(0, 5))
        axes.plot([0, 1], [a, a], label=f"height {a}")
        axes.text(2, a, f"it is {a} high")

    explorer = Explorer(draw, a=(0, 5, 1))
    explorer.controls["a"].value = 3
    assert explorer.image.alt == "Shown: height 3. It is 3 high."


def test_a_picture_is_drawn_finer_once_and_an_error_is_not() -> None:
    """Oracle: the picture at its usual size, which every second pixel of the finer one comes close to."""

    def draw(axes, a):
        axes.bar([0, 1], [1 / a, 2], color="black")

    explorer, other = Explorer(draw, a=(0, 3, 1)), Explorer(draw, a=(0, 3, 1))
    usual = np.asarray(Image.open(io.BytesIO(explorer.image.value)), float)
    explorer.sharpen(1520)
    fine = np.asarray(Image.open(io.BytesIO(explorer.image.value)), float)
    assert fine.shape == (640, 1520, 3)
    mean = fine.reshape(320, 2, 760, 2, 3).mean((1, 3))
    assert abs(mean - usual).mean() < 3 and abs(usual - usual[::-1]).mean() > 30  # of 255
    explorer.sharpen(9999)
    assert Image.open(io.BytesIO(explorer.image.value)).width == 2280
    for picture in (explorer, other):
        picture.controls["a"].value = 2
    assert explorer.image.value == other.image.value
    explorer.controls["a"].value = 0  # fails
    explorer.sharpen(1520)
    assert explorer.image.value == other.image.value
