"""Points, input that cannot be used, and closing a sweep."""

from __future__ import annotations

import dataclasses
import threading
import types
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_cases import LINE, SETTINGS, oracle

from pglesson import Settings
from pglesson.sweeps import final_return, read_sweep, sweep


def test_final_return_is_the_mean_of_the_last_tenth() -> None:
    updates = [types.SimpleNamespace(returns=np.array([[n, n + 1], [-n, -n]], dtype=np.float32)) for n in range(25)]
    np.testing.assert_array_equal(final_return(updates), [24.0, -23.5])  # the updates 23 and 24
    np.testing.assert_array_equal(final_return(updates[:3]), [2.5, -2.0])


@pytest.mark.parametrize(
    ("grid", "others", "kind", "words"),
    [
        ({"gamma": [0.9, -1]}, {}, ValueError, "gamma was set to -1, but must be a number from 0 to 1"),
        ({"gama": [0.9]}, {}, AttributeError, "no field 'gama': did you mean 'gamma'"),
        ({}, {}, ValueError, "names no setting"),
        ({"gamma": []}, {}, ValueError, r"grid\['gamma'\] is \[\], but must be a list"),
        ({"env": "CartPole-v1"}, {}, ValueError, "must be a list of one value or more"),
        ({"runs": [1, 2]}, {}, ValueError, "number of runs is the same at every point"),
        ({"gamma": [0.9, 0.9]}, {}, ValueError, "a value twice"),
        ({"env_options": [{"seats": {1, 2}}]}, {}, TypeError, "can hold only numbers"),
        ({"gamma": [0.9]}, {"executor": "client"}, TypeError, "must be a concurrent.futures.Executor"),
    ],
)
def test_bad_input_raises_before_anything_starts(
    grid: Any, others: Any, kind: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words):
        sweep(SETTINGS, grid, store=tmp_path / "map", **others)
    assert not (tmp_path / "map").exists()


def test_grid_of_arrays_and_settings_changed_later() -> None:
    settings = dataclasses.replace(SETTINGS)
    points = sweep(settings, {"gamma": np.array([0.5, 1.0]), "episodes": np.arange(3, 4)})
    settings.updates = 1
    (first, second) = points
    assert first.at == {"gamma": 0.5, "episodes": 3} and type(first.at["episodes"]) is int
    np.testing.assert_array_equal([first.score, second.score], oracle({"gamma": [0.5, 1.0]}))


def test_diverged_training_is_a_point_with_an_error_and_is_not_tried_again(tmp_path: Path) -> None:
    settings = Settings(env="Pendulum-v1", optimizer="sgd", normalization="none", runs=2, updates=6, max_steps=30)
    grid, store = {"learning_rate": [1e-4, 1e4]}, tmp_path / "map"
    for _ in range(2):
        fine, diverged = sweep(settings, grid, store=store)
        assert fine.error is None and np.isfinite(fine.score).all()
        assert diverged.error is not None and diverged.error.startswith("The gradient of run")
        assert np.isnan(diverged.score).all() and diverged.score.shape == (2,)
    assert len(store.read_bytes().splitlines()) == 4


class ManualExecutor(Executor):
    """Hands out futures that the test completes."""

    def __init__(self) -> None:
        self.jobs = list[tuple[Future[Any], Callable[[], Any]]]()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        self.jobs.append((Future(), lambda: function(*arguments)))
        return self.jobs[-1][0]

    def complete(self, number: int) -> None:
        future, job = self.jobs[number]
        future.set_result(job())


def test_close_keeps_finished_points_and_cancels_the_rest(tmp_path: Path) -> None:
    executor, store = ManualExecutor(), tmp_path / "map"
    points = sweep(SETTINGS, LINE, executor=executor, store=store)
    threading.Timer(0.1, executor.complete, (0,)).start()
    assert next(points).at == {"gamma": 0.1}
    assert len(executor.jobs) == 6  # the workers have something to do while the caller uses the point
    executor.complete(1)
    executor.jobs[2][0].set_running_or_notify_cancel()
    points.close()
    assert [future.cancelled() for future, _ in executor.jobs] == [False, False, False, True, True, True]
    assert [point.at["gamma"] for point in read_sweep(store)[2]] == [0.1, 0.2]
