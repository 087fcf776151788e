"""The file of a sweep: nothing that is done is lost or computed again."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_cases import LINE, SETTINGS, Counted, oracle, wrong_shape

from pglesson.sweeps import Point, final_return, read_sweep, sweep, to_map
from pglesson.sweeps.store import SweepStore, from_json, to_json


def test_map_has_the_order_of_the_grid_and_nan_where_points_are_missing() -> None:
    grid = {"gamma": [0.5, 0.25], "hidden": [(), (4,), (4, 4)]}
    points = [Point({"hidden": (4,), "gamma": 0.25}, np.array([1.0, 2.0]), 0.0)]
    expected = np.full((2, 3, 2), np.nan)
    expected[1, 1] = [1, 2]
    np.testing.assert_array_equal(to_map(points, grid), expected)
    assert to_map([], grid).shape == (2, 3, 1) and np.isnan(to_map([], grid)).all()
    with pytest.raises(ValueError, match=r"'gamma': 0.25.* is not on the grid"):
        to_map(points, {**grid, "gamma": [0.5]})


def test_json_keeps_values_exactly() -> None:
    for value in (
        0.1 + 0.2,
        5e-324,
        2**70,
        -0.0,
        True,
        None,
        "a\n'é'",
        (),
        [(1,), [2.5, (3,)]],
        {"a": (float("inf"),)},
    ):
        back = from_json(to_json(value))
        assert back == value and type(back) is type(value) and "\n" not in to_json(value)
    assert str(from_json(to_json(float("nan")))) == "nan" and to_json(np.float32(0.5)) == "0.5"


def test_rerun_computes_only_missing_points_on_a_changed_grid_too(tmp_path: Path) -> None:
    measure, store = Counted(tmp_path), tmp_path / "map.jsonl"
    begun = sweep(SETTINGS, LINE, measure=measure, store=store)
    first = [next(begun), next(begun)]
    begun.close()
    assert measure.calls() == [0.1, 0.2]
    kept = list(sweep(SETTINGS, LINE, measure=measure, store=store))
    assert measure.calls() == LINE["gamma"]
    assert [point.at for point in kept[:2]] == [point.at for point in first]
    larger = {"gamma": [0.05, *LINE["gamma"]]}
    points = list(sweep(SETTINGS, larger, measure=measure, store=store))
    assert measure.calls() == [*LINE["gamma"], 0.05]
    np.testing.assert_array_equal(to_map(points, larger), oracle(larger))
    settings, grid, stored = read_sweep(store)
    assert settings == SETTINGS and grid == larger
    np.testing.assert_array_equal(to_map(stored, grid), to_map(points, larger))
    assert {point.seconds for point in stored} == {point.seconds for point in points}
    assert len(list(sweep(SETTINGS, {"gamma": [0.2]}, measure=measure, store=store))) == 1
    assert len(read_sweep(store)[2]) == 1 and len(measure.calls()) == 7  # the file's grid is the last one


def test_interrupt_keeps_finished_points_and_the_sweep_continues(tmp_path: Path) -> None:
    store = tmp_path / "map"
    with pytest.raises(KeyboardInterrupt):
        list(sweep(SETTINGS, LINE, measure=Counted(tmp_path, interrupted=0.3), store=store))
    assert [point.at["gamma"] for point in read_sweep(store)[2]] == [0.1, 0.2]
    before, measure = store.read_bytes(), Counted(tmp_path)
    np.testing.assert_array_equal(to_map(list(sweep(SETTINGS, LINE, measure=measure, store=store)), LINE), oracle(LINE))
    assert store.read_bytes().startswith(before)
    assert measure.calls() == [0.1, 0.2, 0.3, 0.3, 0.4, 0.5, 0.6]


def test_truncated_file_loses_only_its_last_line(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    grid = {"gamma": [0.5, 1.0]}
    list(sweep(SETTINGS, grid, store=whole))
    data, expected = whole.read_bytes(), oracle(grid)
    for size in range(len(data)):
        cut.write_bytes(data[:size])
        assert len(SweepStore(cut).points) == max(0, data[:size].count(b"\n") - 2)
    for size in (0, 5, 100, data.index(b"\n") + 1, data.index(b"\n") + 5, len(data) - 30, len(data) - 1):
        cut.write_bytes(data[:size])
        points = list(sweep(SETTINGS, grid, store=cut))
        np.testing.assert_array_equal(to_map(points, grid), expected)
        again = read_sweep(cut)
        assert again[:2] == (SETTINGS, grid) and len(again[2]) == 2
        assert cut.read_bytes().count(b"\n") == 4


@pytest.mark.parametrize(
    ("change", "measure", "words"),
    [
        ({"runs": 3, "max_grad_norm": 1.0}, final_return, r"runs \(2 there, 3 now\), max_grad_norm \(inf there, 1.0"),
        ({}, wrong_shape, r"measure \('final_return' there, 'wrong_shape' now\)"),
    ],
)
def test_file_of_another_sweep_raises_and_is_unchanged(change: Any, measure: Any, words: str, tmp_path: Path) -> None:
    store = tmp_path / "map"
    list(sweep(SETTINGS, {"gamma": [1.0]}, store=store))
    before = store.read_bytes()
    with pytest.raises(ValueError, match=words + ".*Choose another file, or delete this one"):
        sweep(dataclasses.replace(SETTINGS, **change), {"gamma": [1.0]}, measure=measure, store=store)
    assert store.read_bytes() == before


@pytest.mark.parametrize("text", ["some notes", "some notes\n", "[]\n", '{"version": 99}\n', '{"version": 1}\n', "\n"])
def test_file_that_is_not_a_sweep_raises_and_is_unchanged(text: str, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text(text)
    with pytest.raises(ValueError, match="notes is not the file of a sweep"):
        sweep(SETTINGS, LINE, store=tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == text
    with pytest.raises(FileNotFoundError, match="no file other"):
        read_sweep(tmp_path / "other")
