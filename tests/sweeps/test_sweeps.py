"""Sweeps: each point is a training of its own, whatever executor it ran on, and nothing that is done is lost."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sweep_measures import Counted, flat

from pglesson import Settings, reinforce
from pglesson.sweeps import Point, final_return, local_workers, read_sweep, sweep, to_map
from pglesson.sweeps.store import SweepStore, from_json, to_json
from pglesson.sweeps.sweep import main

HELPERS = Path(__file__).parents[1] / "helpers"
SETTINGS = Settings(env="pglesson/ShortCorridor-v0", hidden=(), runs=2, episodes=3, updates=3, max_steps=50)
GRID = {"learning_rate": [0.01, 0.1], "gamma": [0.5, 0.9, 1.0]}
LINE = {"gamma": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}


def oracle(grid: Any, settings: Settings = SETTINGS) -> Any:
    """The map of a grid of one or two axes, by the training loop itself."""

    def score(**at: Any) -> Any:
        return final_return(list(reinforce(dataclasses.replace(settings, **at))))

    if len(grid) == 1:
        return np.array([score(gamma=gamma) for gamma in grid["gamma"]])
    return np.array(
        [[score(learning_rate=rate, gamma=gamma) for gamma in grid["gamma"]] for rate in GRID["learning_rate"]]
    )


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """Two workers that every test leaves alive."""
    with local_workers(2) as executor:
        yield executor


def test_each_point_is_a_training_of_its_own_bit_for_bit(pool: ProcessPoolExecutor) -> None:
    expected = oracle(GRID)
    assert len(np.unique(expected)) > 4
    for executor in (None, pool):
        points = list(sweep(SETTINGS, GRID, executor=executor))
        assert all(point.error is None and point.seconds > 0 for point in points)
        np.testing.assert_array_equal(to_map(points, GRID), expected)
    assert pool.submit(int).result() == 0  # a lent executor is not shut down


def test_the_final_return_is_of_the_last_tenth() -> None:
    updates = [types.SimpleNamespace(returns=np.array([[n, n + 1], [-n, -n]], dtype=np.float32)) for n in range(25)]
    np.testing.assert_array_equal(final_return(updates), [24.0, -23.5])  # the updates 23 and 24
    np.testing.assert_array_equal(final_return(updates[:3]), [2.5, -2.0])


def test_a_map_has_the_order_of_its_grid_and_holes() -> None:
    grid = {"gamma": [0.5, 0.25], "hidden": [(), (4,), (4, 4)]}
    points = [Point({"hidden": (4,), "gamma": 0.25}, np.array([1.0, 2.0]), 0.0)]
    expected = np.full((2, 3, 2), np.nan)
    expected[1, 1] = [1, 2]
    np.testing.assert_array_equal(to_map(points, grid), expected)
    assert to_map([], grid).shape == (2, 3, 1) and np.isnan(to_map([], grid)).all()
    with pytest.raises(ValueError, match=r"'gamma': 0.25.* is not on the grid"):
        to_map(points, {**grid, "gamma": [0.5]})


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
        ({"gamma": [0.9]}, {"attempts": 0}, ValueError, "attempts was set to 0"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_starts(
    grid: Any, others: Any, kind: type[Exception], words: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=words):
        sweep(SETTINGS, grid, store=tmp_path / "map", **others)
    assert not (tmp_path / "map").exists()


def test_arrays_make_a_grid_and_later_changes_of_the_settings_do_not_count() -> None:
    settings = dataclasses.replace(SETTINGS)
    points = sweep(settings, {"gamma": np.array([0.5, 1.0]), "episodes": np.arange(3, 4)})
    settings.updates = 1
    (first, second) = points
    assert first.at == {"gamma": 0.5, "episodes": 3} and type(first.at["episodes"]) is int
    np.testing.assert_array_equal([first.score, second.score], oracle({"gamma": [0.5, 1.0]}))


def test_a_rerun_computes_only_what_is_missing_on_a_larger_grid_too(tmp_path: Path) -> None:
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


def test_values_come_back_exactly() -> None:
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


def test_a_file_cut_off_anywhere_costs_no_more_than_its_last_line(tmp_path: Path) -> None:
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
        ({}, flat, r"measure \('final_return' there, 'flat' now\)"),
    ],
)
def test_another_sweeps_file_is_refused_and_left_alone(change: Any, measure: Any, words: str, tmp_path: Path) -> None:
    store = tmp_path / "map"
    list(sweep(SETTINGS, {"gamma": [1.0]}, store=store))
    before = store.read_bytes()
    with pytest.raises(ValueError, match=words + ".*Choose another file, or delete this one"):
        sweep(dataclasses.replace(SETTINGS, **change), {"gamma": [1.0]}, measure=measure, store=store)
    assert store.read_bytes() == before


@pytest.mark.parametrize("text", ["some notes", "some notes\n", "[]\n", '{"version": 99}\n', '{"version": 1}\n', "\n"])
def test_a_file_that_is_no_sweep_is_refused_and_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text(text)
    with pytest.raises(ValueError, match="notes is not the file of a sweep"):
        sweep(SETTINGS, LINE, store=tmp_path / "notes")
    assert (tmp_path / "notes").read_text() == text
    with pytest.raises(FileNotFoundError, match="no file other"):
        read_sweep(tmp_path / "other")


def test_a_training_that_diverges_is_a_point_with_an_error_and_is_not_tried_again(tmp_path: Path) -> None:
    settings = Settings(env="Pendulum-v1", optimizer="sgd", normalization="none", runs=2, updates=6, max_steps=30)
    grid, store = {"learning_rate": [1e-4, 1e4]}, tmp_path / "map"
    for _ in range(2):
        fine, diverged = sweep(settings, grid, store=store)
        assert fine.error is None and np.isfinite(fine.score).all()
        assert diverged.error is not None and diverged.error.startswith("The gradient of run")
        assert np.isnan(diverged.score).all() and diverged.score.shape == (2,)
    assert len(store.read_bytes().splitlines()) == 4


def test_a_lost_worker_costs_a_retry_and_only_the_point_that_kills_them_is_given_up(tmp_path: Path) -> None:
    store, measure = tmp_path / "map", Counted(tmp_path, always=(0.1,))
    with local_workers(2) as executor:
        points = list(sweep(SETTINGS, LINE, measure=measure, executor=executor, store=store, attempts=1))
    (guilty,) = (point for point in points if point.error is not None)
    assert guilty.at == {"gamma": 0.1} and "lost its worker 2 times" in str(guilty.error)
    assert np.isnan(guilty.score).all() and len(points) == 6 and len(read_sweep(store)[2]) == 5
    before = measure.calls()
    assert before.count(0.1) == 2
    points = list(sweep(SETTINGS, LINE, measure=Counted(tmp_path), store=store))  # later it is tried again
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    assert measure.calls() == [*before, 0.1]


def test_a_pool_that_cannot_start_is_named() -> None:
    with (
        ProcessPoolExecutor(1, initializer=os._exit, initargs=(1,), mp_context=local_workers()._mp_context) as executor,
        pytest.raises(RuntimeError, match="cannot keep a worker alive"),
    ):
        list(sweep(SETTINGS, LINE, executor=executor, attempts=1))


def ghost(updates: Any) -> Any:
    """Moved, in the test below, into a module that no worker can import."""
    return final_return(updates)


def test_a_mistake_of_the_learner_stops_the_sweep_in_a_sentence(
    pool: ProcessPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = types.ModuleType("nowhere")
    nowhere.ghost = ghost  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nowhere", nowhere)
    monkeypatch.setattr(ghost, "__module__", "nowhere")
    for executor in (None, pool):
        with pytest.raises(RuntimeError, match=r"stopped at {'gamma': 0.\d}. ValueError: the measure gave .*\(2,\)"):
            list(sweep(SETTINGS, LINE, measure=flat, executor=executor))
        with pytest.raises(RuntimeError, match="ValueError: No environment is registered as 'nowhere-v0'"):
            list(sweep(SETTINGS, {"env": ["nowhere-v0"]}, executor=executor))
    with pytest.raises(RuntimeError, match=r"No module named 'nowhere'.*A worker knows only what it can import"):
        list(sweep(SETTINGS, LINE, measure=ghost, executor=pool))
    with pytest.raises(ValueError, match="cannot be sent to worker processes"):
        sweep(SETTINGS, LINE, measure=lambda updates: final_return(updates), executor=pool)
    store = tmp_path / "map"
    with pytest.raises(RuntimeError, match="nowhere-v0"):
        list(sweep(SETTINGS, {"env": [SETTINGS.env, "nowhere-v0"]}, store=store))
    assert len(read_sweep(store)[2]) == 1


class ByHand(Executor):
    """Hands out futures that the test resolves; as many run at once as it says."""

    def __init__(self, size: int | None) -> None:
        self._max_workers, self.jobs = size, list[tuple[Future[Any], Callable[[], Any]]]()
        self.most, self.lock = 0, threading.Lock()

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self.lock:
            self.jobs.append((future, lambda: function(*arguments)))
            self.most = max(self.most, len(self.open()))
        return future

    def open(self) -> list[Future[Any]]:
        return [future for future, _ in self.jobs if not future.done()]


def test_closing_keeps_what_has_arrived_and_cancels_the_rest(tmp_path: Path) -> None:
    executor, store = ByHand(4), tmp_path / "map"
    points = sweep(SETTINGS, LINE, executor=executor, store=store)
    threading.Timer(0.1, lambda: executor.jobs[0][0].set_result(executor.jobs[0][1]())).start()
    assert next(points).at == {"gamma": 0.1}
    assert len(executor.jobs) == 5  # the worker that came free was given work before the point was handed on
    executor.jobs[1][0].set_result(executor.jobs[1][1]())
    executor.jobs[2][0].set_running_or_notify_cancel()
    points.close()
    assert [future.cancelled() for future, _ in executor.jobs] == [False, False, False, True, True]
    assert [point.at["gamma"] for point in read_sweep(store)[2]] == [0.1, 0.2]


@pytest.mark.parametrize("size", [1, 3, None])
def test_whatever_the_order_only_the_guilty_are_convicted(size: int | None) -> None:
    """A pool by hand ends its jobs in a random order; a guilty one takes all that runs beside it down with it."""
    guilty, settings = {0.2, 0.5}, dataclasses.replace(SETTINGS, updates=1)
    for seed in range(5):
        rng, executor = random.Random(seed), ByHand(size)
        alone, over = list[bool](), threading.Event()

        def work(executor: ByHand = executor, rng: Any = rng, alone: list[bool] = alone, over: Any = over) -> None:
            while not over.wait(0.001):
                with executor.lock:
                    running = [job for job in executor.jobs if not job[0].done()]
                    if not running:
                        continue
                    future, job = rng.choice(running)
                    point = job()
                    if isinstance(point, Point) and point.at["gamma"] in guilty:
                        alone.append(len(running) == 1)
                        for other, _ in running:
                            other.set_exception(BrokenExecutor("a worker died"))
                    else:
                        future.set_result(point)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            points = list(sweep(settings, LINE, executor=executor, attempts=2, measure=lambda u: np.ones(2)))
        finally:
            over.set()
            thread.join()
        assert len(points) == 6 and {point.at["gamma"] for point in points if point.error is not None} == guilty
        assert alone.count(True) >= 2 and len(alone) <= 5
        assert executor.most <= (size or 6)


def test_the_command_reads_settings_and_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "map")
    fixed = [f"--set={name}" for name in ("env=pglesson/CoinOrPrize-v0", "updates=2", "episodes=2", "optimizer=sgd")]
    axes = ["--grid=hidden=(),(4,)", "--grid=baseline=none,value", "--grid=max_grad_norm=1,inf"]
    assert main([store, *fixed, *axes]) == 0
    settings, grid, points = read_sweep(store)
    assert settings == Settings(env="pglesson/CoinOrPrize-v0", updates=2, episodes=2, optimizer="sgd")
    assert grid == {"hidden": [(), (4,)], "baseline": ["none", "value"], "max_grad_norm": [1, float("inf")]}
    lines = capsys.readouterr().out.splitlines()
    assert len(points) == len(lines) == 8
    assert lines[-1].startswith("8 of 8  hidden=(4,) baseline=value max_grad_norm=inf  mean score ")
    for wrong, words in (
        (["--grid", "gamma"], "NAME=VALUE"),
        (["--grid", "gamma=2"], "gamma was set to 2"),
        (
            ["--set", "updates=3", *fixed[:1], *axes],
            "other settings: episodes (2 there, 16 now), updates (2 there, 3 now)",
        ),
    ):
        with pytest.raises(SystemExit) as stop:
            main([store, *wrong])
        assert stop.value.code == 2 and words in " ".join(capsys.readouterr().err.split())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a group of processes")
def test_ctrl_c_keeps_what_is_done_and_the_same_command_continues(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a terminal sends it, to all processes at once: while the workers train, and while they still import."""
    store, number = tmp_path / "map", 40
    axis = "--grid=gamma=" + ",".join(str(n / number) for n in range(number))
    words = [str(store), "--set=env=pglesson/TwoRooms-v0", "--set=updates=16", "--set=runs=4", axis]
    before = 0
    for training in (True, False):
        process = subprocess.Popen(
            [sys.executable, "-m", "pglesson.sweeps", *words, "--workers=2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().startswith(f"1 of {number}  gamma=")  # the second time from the file
        if not training:
            time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        out, error = process.communicate(timeout=60)
        done = len(read_sweep(store)[2])
        assert (process.returncode, error) == (130, "") and max(before, 1) <= done < number
        assert f"Stopped: {done} of {number} points are in {store}. The same command continues." in out
        before = done
    assert main(words) == 0
    assert len(capsys.readouterr().out.splitlines()) == number
    lines = store.read_text().splitlines()
    assert len(lines) == number + 2 and lines.pop(0).startswith('{"version"')
    settings, grid, points = read_sweep(store)
    np.testing.assert_array_equal(to_map(points, grid)[:2], oracle({"gamma": [0.0, 1 / number]}, settings))


def test_a_dask_cluster_that_loses_a_worker(tmp_path: Path) -> None:
    """A scheduler and two workers as a lab would start them, each worker under a nanny that replaces it."""
    distributed = pytest.importorskip("distributed")
    measure, store = Counted(tmp_path, once=(0.2,)), tmp_path / "map"
    environment = {
        **os.environ,
        "PYTHONPATH": str(HELPERS),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # the scheduler itself tries nothing twice
        "PYTHONWARNINGS": "ignore",
    }
    at, local = ["--scheduler-file", str(tmp_path / "scheduler.json")], ["--host", "127.0.0.1", "--no-dashboard"]
    scheduler = ["scheduler", "--port", "0", *local, *at]
    worker = ["worker", "--nworkers", "2", "--nthreads", "1", "--local-directory", str(tmp_path), *local, *at]
    with (tmp_path / "log").open("w") as log:
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, env=environment, cwd=tmp_path
            )
            for words in (scheduler, worker)
        ]
        try:
            with distributed.Client(scheduler_file=at[1], timeout=40) as client:
                executor = client.get_executor()
                points = list(sweep(SETTINGS, LINE, measure=measure, executor=executor, store=store))
                with pytest.raises(RuntimeError, match=r"the measure gave .* of the shape"):
                    list(sweep(SETTINGS, LINE, measure=flat, executor=executor))
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(30)
    assert measure.calls().count(0.2) == 2
    np.testing.assert_array_equal(to_map(points, LINE), oracle(LINE))
    np.testing.assert_array_equal(to_map(read_sweep(store)[2], LINE), oracle(LINE))
