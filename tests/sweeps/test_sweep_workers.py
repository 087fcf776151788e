"""Sweeps on executors: the same scores anywhere, and workers that die."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
import types
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_cases import GRID, LINE, SETTINGS, Counted, oracle, wrong_shape

from pglesson.sweeps import final_return, local_workers, read_sweep, sweep, to_map


@pytest.fixture(scope="module")
def workers() -> Iterator[Executor]:
    with local_workers(2) as executor:
        yield executor


def test_each_point_is_bit_for_bit_the_training_of_its_own(workers: Executor) -> None:
    expected = oracle(GRID)
    assert len(np.unique(expected)) > 4
    for executor in (None, workers):
        points = list(sweep(SETTINGS, GRID, executor=executor))
        assert all(point.error is None and point.seconds > 0 for point in points)
        np.testing.assert_array_equal(to_map(points, GRID), expected)
    assert workers.submit(int).result() == 0  # a lent executor is not shut down


def test_mistake_in_a_measure_or_a_name_stops_the_sweep(
    workers: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = types.ModuleType("nowhere")
    nowhere.unknown_to_workers = unknown_to_workers  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nowhere", nowhere)
    monkeypatch.setattr(unknown_to_workers, "__module__", "nowhere")
    for executor in (None, workers):
        with pytest.raises(RuntimeError, match=r"stopped at {'gamma': 0.\d}. ValueError: the measure gave .*\(2,\)"):
            list(sweep(SETTINGS, LINE, measure=wrong_shape, executor=executor))
        with pytest.raises(RuntimeError, match="ValueError: No environment is registered as 'nowhere-v0'"):
            list(sweep(SETTINGS, {"env": ["nowhere-v0"]}, executor=executor))
    with pytest.raises(RuntimeError, match=r"No module named 'nowhere'.*A worker knows only what it can import"):
        list(sweep(SETTINGS, LINE, measure=unknown_to_workers, executor=workers))
    with pytest.raises(ValueError, match="cannot be sent to worker processes"):
        sweep(SETTINGS, LINE, measure=lambda updates: final_return(updates), executor=workers)
    store = tmp_path / "map"
    with pytest.raises(RuntimeError, match="nowhere-v0"):
        list(sweep(SETTINGS, {"env": [SETTINGS.env, "nowhere-v0"]}, store=store))
    assert len(read_sweep(store)[2]) == 1


def unknown_to_workers(updates: Any) -> Any:
    """Moved, in the test above, into a module that no worker can import."""
    return final_return(updates)


def test_dead_worker_costs_a_retry_and_a_point_that_kills_workers_is_given_up(
    workers: Executor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("pglesson.sweeps.sweep")  # by attribute, the package gives the function
    monkeypatch.setattr(module, "ATTEMPTS", 2)  # each ends a process, and starting one takes seconds
    store, measure = tmp_path / "map", Counted(tmp_path, always=(0.1,))
    points = list(sweep(SETTINGS, LINE, measure=measure, executor=workers, store=store))
    (given_up,) = (point for point in points if point.error is not None)
    assert given_up.at == {"gamma": 0.1} and "lost its worker 2 times" in str(given_up.error)
    assert np.isnan(given_up.score).all() and len(points) == 6 and len(read_sweep(store)[2]) == 5
    before = measure.calls()
    assert sorted(before) == [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6]  # a worker that dies takes no other point along
    assert workers.submit(int).result() == 0  # both had died: a new process was started
    points = list(sweep(SETTINGS, LINE, measure=Counted(tmp_path), store=store))  # later it is tried again
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    assert measure.calls() == [*before, 0.1]


class LosesWorkers(Executor):
    """Computes here, but the call of each point fails as if its worker had died, as many times as it is told."""

    def __init__(self, times: int) -> None:
        self.times = times

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        attempt = arguments[-1]
        if attempt < self.times:
            future.set_exception(BrokenExecutor("a worker died"))
        else:
            future.set_result(function(*arguments))
        return future


def test_a_point_may_lose_its_worker_twice() -> None:
    points = list(sweep(SETTINGS, LINE, executor=LosesWorkers(2)))
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    for point in sweep(SETTINGS, LINE, executor=LosesWorkers(3)):
        assert np.isnan(point.score).all() and "lost its worker 3 times" in str(point.error)


def test_broken_process_pool_raises_and_the_sweep_continues_elsewhere(tmp_path: Path) -> None:
    store, measure = tmp_path / "map", Counted(tmp_path)
    begun = sweep(SETTINGS, LINE, measure=measure, store=store)
    assert [next(begun).at["gamma"], next(begun).at["gamma"]] == [0.1, 0.2]
    begun.close()
    dies = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=os._exit, initargs=(1,))
    with dies as executor, pytest.raises(RuntimeError, match=r"takes no more work .*with the same store it continues"):
        list(sweep(SETTINGS, LINE, measure=measure, executor=executor, store=store))
    points = list(sweep(SETTINGS, LINE, measure=measure, store=store))
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    assert measure.calls() == LINE["gamma"]


def test_workers_that_cannot_start_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pglesson.sweeps.workers._start_worker", os.abort)
    with local_workers(1) as executor, pytest.raises(RuntimeError, match=r"no worker process can start.*__main__"):
        list(sweep(SETTINGS, LINE, executor=executor))


def test_dask_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    """Each worker has a nanny, a process that replaces it."""
    distributed, dask = pytest.importorskip("distributed"), pytest.importorskip("dask")
    measure, store = Counted(tmp_path, once=(0.2,)), tmp_path / "map"
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),  # the scheduler itself tries nothing twice
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=str(tmp_path)
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        points = list(sweep(SETTINGS, LINE, measure=measure, executor=executor, store=store))
        with pytest.raises(RuntimeError, match=r"the measure gave .* of the shape"):
            list(sweep(SETTINGS, LINE, measure=wrong_shape, executor=executor))
    assert measure.calls().count(0.2) == 2
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    np.testing.assert_array_equal(to_map(read_sweep(store)[2], LINE), oracle(LINE))
