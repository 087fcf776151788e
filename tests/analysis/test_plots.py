"""Figures show the updates' numbers."""

import dataclasses
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from matplotlib import rcParams, style
from matplotlib.colors import to_rgb

from pglesson import Settings, reinforce
from pglesson.analysis.plots import (
    ACTION_COLORS,
    COLORS,
    CurvePlot,
    contour_lines,
    describe,
    learning_curve,
    merged_moves,
    new_figure,
    run_series,
    text,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def updates():
    settings = Settings(runs=4, updates=5)
    made = []
    for update in reinforce(settings):
        made.append(update)
        if update.number == 2:
            settings.baseline, settings.learning_rate = "none", 0.1
    return made


def test_run_series_are_means_over_episodes(updates):
    x, values = run_series(updates, "returns")
    assert x.tolist() == [16, 32, 48, 64, 80] and values.shape == (5, 4)
    assert np.allclose(values[3], updates[3].returns.mean(1))


def test_setting_changes_are_found_and_named(updates):
    x, _ = run_series(updates, "returns")
    named = [(at, [words.replace("\u00a0", " ") for words in moved]) for at, moved in merged_moves(updates, x, 0.0)]
    assert named == [(40.0, ["alpha: 0.03 → 0.1", "baseline: time mean → none"])]
    assert merged_moves(updates[2:], x[2:], 0.0) == [] == merged_moves([], x[:0], 0.0)


def test_moves_close_to_each_other_are_one_that_hides_nothing(updates):
    """Gamma moves before each of the updates 2 to 5, at 24, 40, 56 and 72 episodes, and back and forth."""
    gammas = [0.9, 0.5, 0.9, 0.5, 0.8]
    moving = [dataclasses.replace(u, live=updates[0].live | {"gamma": gamma}) for u, gamma in zip(updates, gammas)]
    x, _ = run_series(moving, "returns")
    found = [(at, "".join(words).replace("\u00a0", " ")) for at, words in merged_moves(moving, x, 20.0)]
    assert found == [(24.0, "gamma: 0.9 → 0.5 → 0.9"), (56.0, "gamma: 0.9 → 0.5 → 0.8")]
    assert [at for at, _ in merged_moves(moving, x, 0.0)] == [24, 40, 56, 72]
    assert [words for _, (words,) in merged_moves(moving, x, 99.0)] == ["gamma:\u00a00.9\u00a0→\u00a0…\u00a0→\u00a00.8"]


def test_words_of_many_moves_stand_below_the_axes_in_two_lines(updates):
    """The drawn text is compared with the axes and the figure, in pixels."""
    figure = new_figure(7.8, 3.6)
    plot = CurvePlot(figure.subplots(1, 2)[0], "returns", "#000000", "t", "y", marks=True)
    figure.subplots_adjust(bottom=0.9 / 3.6)
    knobs = ["baseline", "normalization", "gamma", "learning_rate", "entropy_weight"]
    many = [dataclasses.replace(updates[n % 2], live=dict.fromkeys(knobs, 0.1 * n)) for n in range(40)]
    plot.show(many)
    figure.canvas.draw()
    box = plot.words.get_window_extent()
    lowest = plot.axes.xaxis.label.get_window_extent().y0
    assert plot.words.get_text().count("\n") <= 1 and "…" in plot.words.get_text()
    assert box.y1 <= lowest and box.y0 >= 0 and box.x0 >= 0 and box.x1 <= figure.bbox.x1


def test_text_of_options_and_names():
    assert text({"is_slippery": False, "map_name": "8x8"}) == "{'is_slippery': False, 'map_name': '8x8'}"
    assert text("time_mean") == "time mean"


def test_curve_shows_mean_band_runs_and_marks(updates):
    axes = new_figure().subplots()
    plot = learning_curve(updates, axes, "It learns")
    _, values = run_series(updates, "returns")
    assert np.allclose(plot.mean.get_ydata(), values.mean(1))
    corners = plot.band.get_paths()[0].vertices[:, 1]
    assert corners.min() == pytest.approx(np.quantile(values, 0.1, axis=1).min())
    assert corners.max() == pytest.approx(np.quantile(values, 0.9, axis=1).max())
    assert len(plot.single.get_segments()) == 4
    texts = [artist.get_text().strip() for artist in plot.moves if hasattr(artist, "get_text")]
    assert texts == ["1"] and "baseline:\u00a0time\u00a0mean\u00a0→\u00a0none" in plot.words.get_text()
    line = next(artist for artist in plot.moves if not hasattr(artist, "get_text"))
    assert line.get_xdata()[0] == 40  # between the second update, at 32 episodes, and the third, at 48
    assert axes.get_title(loc="left") == "It learns" and axes.get_xlabel() and axes.get_ylabel()
    low, high = axes.get_ylim()
    assert low <= values.min() and high >= values.max()


def test_curve_of_one_run_and_of_no_update(updates):
    plot = CurvePlot(new_figure().subplots(), "entropy", "#000000", "t", "y")
    plot.show([])
    alone = [dataclasses.replace(u, entropy=u.entropy[:1]) for u in updates]
    plot.show(alone)
    assert np.allclose(plot.mean.get_ydata(), [u.entropy[0] for u in updates])


def test_pinned_curve_is_kept(updates):
    axes = new_figure().subplots()
    plot = learning_curve(updates, axes, "t")
    plot.pin(updates, "1: first")
    plot.show(updates[:2])
    pinned = next(line for line in axes.lines if line.get_label() == "1: first")
    assert len(pinned.get_xdata()) == 5 and axes.get_xlim()[1] >= 80


def luminance(color: str) -> float:
    """Relative luminance by WCAG 2.1."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def contrast(color: str) -> float:
    """With white, by WCAG 2.1: from 1 to 21."""
    return 1.05 / (luminance(color) + 0.05)


def test_colours_have_enough_contrast():
    """WCAG 2.1 requires 4.5 to 1 for text (names of setting changes) and 3 to 1 for graphics."""
    assert contrast(COLORS["move"]) >= 4.5
    assert len(set(ACTION_COLORS)) == len(ACTION_COLORS)
    code = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "pglesson").rglob("*.py")}
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        code[path.name] = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    used = {(name, color) for name, text in code.items() for color in re.findall(r"#[0-9A-Fa-f]{6}\b", text)}
    with style.context("pglesson.lesson"):
        used |= {("lesson.mplstyle", color) for color in rcParams["axes.prop_cycle"].by_key()["color"]}
    assert len({color for _, color in used}) > 5
    assert {(name, color, contrast(color)) for name, color in used if contrast(color) < 3} == set()


def test_log_axis_spans_five_decades_at_most():
    """Updates whose episodes were all equal have a variance of 0, or of a rounding error."""
    figure = new_figure()
    plot = CurvePlot(figure.subplots(), "gradient_variance", "#000000", "", "", log=True)
    settings = Settings(updates=3, episodes=4, measure_variance=True)
    updates = list(reinforce(settings))
    dying = [dataclasses.replace(u, gradient_variance=np.array([v])) for u, v in zip(updates, (3e4, 2e-7, 0.0))]
    plot.show(dying)
    low, high = plot.axes.get_ylim()
    assert 0.1 * 10 ** (np.log10(3e4) - 5) < low < 1 and 3e4 < high < 2e5


def test_contour_lines_of_a_cone():
    """By hand: the lines of the distance from the origin are circles, here within the grid's error."""
    ticks = np.linspace(-2, 2, 81)
    lines = contour_lines(ticks, ticks, np.hypot(*np.meshgrid(ticks, ticks)), [0.5, 1.5])
    assert len(lines) == 2
    for line, radius in zip(lines, (0.5, 1.5)):
        assert np.allclose(np.hypot(*line.T), radius, atol=0.005) and np.allclose(line[0], line[-1])


def test_description_of_a_figure():
    figure = new_figure()
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], label="mean of the runs")
    left.set(xlabel="episodes", ylabel="return")
    left.set_title("It learns.", loc="left")
    right.bar(["rock", "paper"], [0.2, 0.8])
    right.set_yticks([0, 1], labels=[0, 1])  # numbers, where Matplotlib expects words
    right.text(0, 0.5, "beaten\nby paper")
    right.text(0, 0.7, "")
    left.set_yscale("log")  # whose ticks are TeX
    assert describe(figure) == (
        "It learns. Return against episodes. Shown: mean of the runs. For rock, paper. Beaten by paper."
    )
