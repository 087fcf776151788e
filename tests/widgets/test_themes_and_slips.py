"""Themes of Matplotlib that learners use, and slips in what they give an explorer or a dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium
import matplotlib.pyplot as plt
import numpy as np
import pytest
from tiny_envs import Scripted

from pglesson import Settings
from pglesson.widgets import Dashboard, Explorer, Playground
from pglesson.widgets.controls import error_message

SHORT = Settings(env="pglesson/RockPaperScissors-v0", hidden=(), updates=9, runs=2)


@pytest.fixture
def dark() -> Iterator[None]:
    """White on black, by a theme, and labels set by a TeX that is not installed."""
    with plt.rc_context():
        plt.style.use("dark_background")
        plt.rcParams["text.usetex"] = True
        yield


def pictures() -> list[bytes]:
    """A playground with a pinned curve, and an explorer with every kind of artist."""
    playground = Playground(SHORT)
    for _ in range(3):
        playground.step()
    playground.pin()
    playground.reset()
    playground.step()

    def draw(axes: Any, x: float) -> None:
        axes.plot([0, x], label="line")
        axes.bar([1], [x])
        axes.text(0, 0, "text")
        axes.set(title="title", xlabel="label")
        axes.legend()

    return [playground.image.value, Explorer(draw, x=(0.0, 1.0, 0.5)).image.value]


def test_a_dark_theme_hides_nothing(dark: None) -> None:
    """Oracle: the same pictures without it, byte for byte."""
    themed = pictures()
    plt.rcdefaults()
    assert themed == pictures() and all(themed)


def test_the_lessons_style_sets_what_a_dark_theme_changes(dark: None) -> None:
    """For figures of pyplot's own, in a notebook. Oracle: the parameters of the theme, by name."""
    plt.style.use("pglesson.lesson")
    changed = {name for name, value in plt.style.library["dark_background"].items() if plt.rcParams[name] == value}
    assert {name for name in changed if not name.startswith("boxplot")} == set()


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ([], "is \\[\\]"),
        ((1, 2), "must be .low, high, start"),
        ((0, 1, 3), "between low and high"),
        (5, "is 5"),
        ((0, 1, 0, 0), "(0, 1, 0, 0)"),
    ],
)
def test_a_control_of_another_form_raises(control: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Explorer(lambda axes, x: None, x=control)


@pytest.mark.parametrize("control", [range(3, 8), np.arange(3, 8), [3, 4, 5, 6, 7]])
def test_a_range_is_a_choice(control: Any) -> None:
    seen = list[Any]()
    explorer = Explorer(lambda axes, x: seen.append(x), x=control)
    explorer.controls["x"].value = 6
    assert seen == [3, 6]


def test_drawing_with_pyplot_is_said() -> None:
    explorer = Explorer(lambda axes, x: plt.plot([0, x]), x=(0.0, 1.0, 0.5))
    assert "axes.plot(...) and not plt.plot(...)" in explorer.status.value and not plt.get_fignums()


@pytest.mark.parametrize("view", [Dashboard, Playground])
def test_an_id_in_place_of_settings_raises(view: Any) -> None:
    with pytest.raises(ValueError, match=r"settings is 'CartPole-v1', but must be Settings, such as Settings\(env="):
        view("CartPole-v1")


def test_an_error_of_a_task_is_shown_with_the_learners_line() -> None:
    class Fails(Scripted):
        def step(self, action: Any) -> Any:
            return [][3]  # the slip

    gymnasium.register("themes/Fails-v0", Fails, disable_env_checker=True)
    dashboard = Dashboard(Settings(env="themes/Fails-v0", hidden=()))
    assert not dashboard.step()
    said = dashboard.status.value
    assert "IndexError: list index out of range, in line" in said
    assert "of test_themes_and_slips.py: return [][3]  # the slip" in said


def test_a_sentence_of_this_package_is_shown_without_a_line() -> None:
    with pytest.raises(ValueError) as raised:
        Settings(gamma=2)
    assert error_message(raised.value) == str(raised.value)
