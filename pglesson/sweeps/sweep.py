"""Maps over settings, such as learning rate x gamma, on one core, on all of this machine's or on a cluster's.

In a notebook: `for point in progress(sweep(settings, grid, executor=local_workers(), store="map.jsonl"), total): ...`
For a long run: `python -m pglesson.sweeps map.jsonl --set runs=10 --grid gamma=0.9,0.99 --workers 4`
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import math
import multiprocessing
import pickle
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pglesson.reinforce import FloatArray, Update, reinforce
from pglesson.settings import Settings
from pglesson.sweeps.store import Grid, Point, SweepStore, key_of, points_of, read_sweep, to_map

__all__ = ["Point", "final_return", "local_workers", "read_sweep", "sweep", "to_map"]
Measure = Callable[[Sequence[Update]], FloatArray]
Keep = Callable[[Point], Point]


def final_return(updates: Sequence[Update]) -> FloatArray:
    """The mean return of the last tenth of the updates, at least one of them: (runs,)."""
    last = updates[-max(1, len(updates) // 10) :]
    return np.concatenate([update.returns for update in last], axis=1).mean(1, dtype=float)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; the sweep alone answers
    torch.set_num_threads(1)


def local_workers(number: int | None = None) -> ProcessPoolExecutor:
    """A pool of worker processes on this machine, one a core by default, for `with local_workers() as executor:`."""
    # forked processes would inherit torch's threads half-way; started afresh, they are the same on every system
    return ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), _start_worker)


def sweep(
    settings: Settings,
    grid: Grid,
    *,
    measure: Measure = final_return,
    executor: Executor | None = None,
    store: str | Path | None = None,
    attempts: int = 3,
) -> Iterator[Point]:
    """Trains at every point of the grid and yields the points as they are done, in any order.

    grid: the names of settings and the values each takes. The other settings, the seed too, are the same at every
    point: common random numbers, which make neighbours comparable. measure: turns a training's updates into a score
    (runs,). executor: where to compute; by default here, one point after the other. One that is lent, such as
    local_workers() or a dask client's get_executor(), is not shut down; let each of its processes run one point at
    a time, for bit-for-bit the same scores. store: a file that keeps every finished point; a later sweep yields its
    points first and computes only the others, on a changed grid too. attempts: how often a point may lose its worker
    before the sweep goes on without it.

    A training that diverges is a point with an error. Closing the generator, or Ctrl-C, cancels what has not begun.
    Raises at once: ValueError, AttributeError, TypeError or OSError for what cannot be used.
    Raises later: RuntimeError for a point that fails by itself, and for an executor that has stopped working.
    """
    base = copy.deepcopy(settings)
    axes, tasks = _tasks(base, grid)
    if not (executor is None or isinstance(executor, Executor)):
        raise TypeError(
            f"executor is {executor!r}, but must be a concurrent.futures.Executor, such as local_workers(). Of a dask "
            "client, give client.get_executor()."
        )
    if not isinstance(attempts, int) or attempts < 1:
        raise ValueError(f"attempts was set to {attempts!r}, but must be a whole number from 1 up.")
    if isinstance(executor, ProcessPoolExecutor):
        _packed(base, measure)
    known, keep = dict[str, Point](), _drop
    if store is not None:
        name = getattr(measure, "__qualname__", type(measure).__qualname__)
        kept = SweepStore(store)
        kept.begin(base, name, axes)
        known, keep = kept.points, kept.add
    done = [known[key_of(task.at)] for task in tasks if key_of(task.at) in known]
    tasks = [task for task in tasks if key_of(task.at) not in known]
    if executor is None:
        return _joined(done, (keep(_train(task.at, (task.settings, measure), 0)) for task in tasks))
    return _joined(done, _spread(tasks, measure, _Workers(executor), keep, attempts))


def _drop(point: Point) -> Point:
    return point


def _joined(done: list[Point], work: Iterator[Point]) -> Iterator[Point]:
    yield from done  # not itertools.chain, which cannot be closed
    yield from work


@dataclass
class _Task:
    at: dict[str, Any]
    settings: Settings
    losses: int = 0  # of workers while it ran


def _tasks(base: Settings, grid: Grid) -> tuple[dict[str, list[Any]], list[_Task]]:
    """The grid as plain lists, and one task a point, with settings that accepted its values."""
    if not grid or "runs" in grid:
        raise ValueError(
            f"The grid names {', '.join(grid) or 'no setting'}, but a sweep needs one setting or more, and the number "
            "of runs is the same at every point. Give a grid such as {'gamma': [0.9, 0.99]}."
        )
    axes, tasks = dict[str, list[Any]](), []
    for name, values in grid.items():
        axes[name] = [value.item() if isinstance(value, np.generic) else value for value in values]
        if isinstance(values, str) or not axes[name]:
            raise ValueError(
                f"grid[{name!r}] is {values!r}, but must be a list of one value or more, such as [0.9, 1]."
            )
    for at in points_of(axes):
        tasks.append(_Task(at, copy.deepcopy(base)))
        for name, value in at.items():
            setattr(tasks[-1].settings, name, value)
    if len({key_of(task.at) for task in tasks}) < len(tasks):
        raise ValueError(f"The grid {axes} has a value twice on one axis. Leave one of the two out.")
    return axes, tasks


def _packed(settings: Settings, measure: Measure) -> bytes:
    """A job for a process pool: unpacking it in the training, not on the way, keeps a failure from killing a worker."""
    try:
        return pickle.dumps((settings, measure))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"The measure or the settings cannot be sent to worker processes ({error}). Define the measure with def at "
            "the top of a file and import it from there."
        ) from error


def _train(at: dict[str, Any], job: bytes | tuple[Settings, Measure], attempt: int) -> Point:
    """One point, here or in a worker. attempt: makes a retry a new call to an executor that remembers calls (dask)."""
    started = time.perf_counter()
    try:
        settings, measure = pickle.loads(job) if isinstance(job, bytes) else job
        try:
            updates = list(reinforce(settings))
        except FloatingPointError as error:
            return Point(at, np.full(settings.runs, np.nan), time.perf_counter() - started, str(error))
        score = np.asarray(measure(updates), dtype=float)
        if score.shape != (settings.runs,) or not np.isfinite(score).all():
            raise ValueError(
                f"the measure gave {score} of the shape {score.shape}, but it must give one finite number a run, of "
                f"the shape ({settings.runs},)."
            )
    except Exception as error:
        raise RuntimeError(f"The sweep stopped at {at}. {type(error).__name__}: {error}") from error
    return Point(at, score, time.perf_counter() - started)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds Ctrl-C back for a moment. Workers born meanwhile hold it back for good, also while they still import."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Workers:
    """The caller's executor, or what took its place: a process pool that has lost one worker takes no more work."""

    def __init__(self, executor: Executor) -> None:
        self.executor, self.own = executor, False
        # Nothing public tells how many points run at once. Where this does not either, all are handed over together.
        self.size: float = getattr(executor, "_max_workers", None) or math.inf

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        try:
            return self.executor.submit(function, *arguments)
        except BrokenExecutor:
            if not isinstance(self.executor, ProcessPoolExecutor):
                raise
        broken: Any = self.executor
        self.close(wait=True)
        # what a pool was made with it keeps in private attributes only, and a new one must be like the old
        made = (broken._max_workers, broken._mp_context, broken._initializer, broken._initargs)
        self.executor = ProcessPoolExecutor(*made, max_tasks_per_child=broken._max_tasks_per_child)
        self.own = True
        return self.executor.submit(function, *arguments)

    def start(self, task: _Task, measure: Measure) -> Future[Any]:
        pool = isinstance(self.executor, ProcessPoolExecutor)
        job = _packed(task.settings, measure) if pool else (task.settings, measure)
        return self.submit(_train, task.at, job, task.losses)

    def close(self, wait: bool) -> None:
        if self.own:
            self.executor.shutdown(wait=wait, cancel_futures=True)


def _is_loss(error: BaseException | None) -> bool:
    """Whether a worker was lost, and not the training at fault. dask.distributed need not be installed to be known."""
    kind = type(error)
    named = kind.__module__.startswith("distributed") and kind.__name__ in ("KilledWorker", "CommClosedError")
    return named or isinstance(error, BrokenExecutor | CancelledError)


def _spread(tasks: list[_Task], measure: Measure, workers: _Workers, keep: Keep, attempts: int) -> Iterator[Point]:
    waiting, running, ready = deque(tasks), dict[Future[Any], _Task](), list[Point]()

    def may_start() -> bool:
        # A lost worker takes down what runs beside it. Whoever was there runs alone from now on, and comes first.
        if not waiting or not running:
            return bool(waiting)
        suspects = any(task.losses for task in (waiting[0], *running.values()))
        return not suspects and len(running) < workers.size

    try:
        while waiting or running or ready:
            while may_start():
                with _interrupts_held():
                    future = workers.start(waiting[0], measure)
                    running[future] = waiting.popleft()
            yield from ready  # only now: the workers have something to do while the caller draws
            ready.clear()
            for future in wait(running, 0.2, FIRST_COMPLETED).done:  # on Windows Ctrl-C waits for the end of a wait
                error = CancelledError() if future.cancelled() else future.exception()
                if error is None:
                    ready.append(keep(future.result()))
                elif not _is_loss(error):
                    raise RuntimeError(
                        f"{error} (A worker knows only what it can import: name an environment of your own as "
                        "'module:Name-v0', and keep a measure in a file beside it.)"
                    ) from error
                task = running.pop(future)
                if error is None:
                    continue
                alone, task.losses = bool(task.losses) or workers.size == 1, task.losses + 1
                if not alone or task.losses < attempts:
                    waiting.appendleft(task)
                    continue
                try:
                    with _interrupts_held():
                        trial = workers.submit(int)
                    trial.result()
                except (BrokenExecutor, CancelledError) as dead:
                    raise RuntimeError(
                        f"The executor cannot keep a worker alive, not even for nothing ({dead}). A script that "
                        "starts workers must do so under if __name__ == '__main__':, and what starts a worker (its "
                        "initializer) must not fail."
                    ) from dead
                # not kept: the next sweep with this store tries it again
                ready.append(
                    Point(
                        task.at,
                        np.full(task.settings.runs, np.nan),
                        0.0,
                        f"It lost its worker {task.losses} times, the last time while it ran alone ({error}). It may "
                        "need more memory than there is: try fewer runs or episodes, or fewer workers.",
                    )
                )
    finally:
        for future in running:
            if not future.cancel() and future.done() and future.exception() is None:
                keep(future.result())
        workers.close(wait=not running)


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return {"inf": math.inf}.get(text, text)


def _values(text: str) -> list[Any]:
    try:
        return list(ast.literal_eval(f"[{text}]"))  # commas within brackets do not part values: (32,),(64,64)
    except (ValueError, SyntaxError):
        return [_value(part) for part in text.split(",")]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when the map is whole, 1 when points failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m pglesson.sweeps", description="Trains at every point of a grid.")
    parser.add_argument("store", help="the file that keeps the points; the same command continues it")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of every point")
    parser.add_argument("--grid", action="append", default=[], metavar="NAME=V1,V2", help="a setting to sweep over")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--workers", type=int, help="processes on this machine (without it: this one)")
    place.add_argument("--scheduler", metavar="ADDRESS", help="of a dask cluster, such as tcp://127.0.0.1:8786")
    given = parser.parse_args(arguments)
    for option in (*given.set, *given.grid):
        if "=" not in option:
            parser.error(f"{option!r} was given, but a setting is written NAME=VALUE, such as gamma=0.9.")
    fixed, swept = ([option.split("=", 1) for option in options] for options in (given.set, given.grid))
    grid, client, executor = {name: _values(text) for name, text in swept}, None, None
    done, failed, total = 0, 0, math.prod(map(len, grid.values()))
    try:
        settings = Settings()
        for name, text in fixed:
            setattr(settings, name, _value(text))
        if given.workers is not None:
            executor = local_workers(given.workers)
        elif given.scheduler is not None:
            client = importlib.import_module("distributed").Client(given.scheduler)
            executor = client.get_executor()
        for done, point in enumerate(sweep(settings, grid, executor=executor, store=given.store), start=1):
            failed += point.error is not None
            at = " ".join(f"{name}={value}" for name, value in point.at.items())
            outcome = f"mean score {point.score.mean():.6g}" if point.error is None else point.error
            print(f"{done} of {total}  {at}  {outcome}", flush=True)
    except KeyboardInterrupt:
        kept = len(read_sweep(given.store)[2]) if Path(given.store).exists() else 0
        print(f"Stopped: {kept} of {total} points are in {given.store}. The same command continues.", flush=True)
        for process in multiprocessing.active_children():
            process.terminate()  # their points have not ended, and would keep this command from ending
        return 130
    except ModuleNotFoundError as error:
        if error.name != "distributed":
            raise
        parser.error("--scheduler needs dask.distributed: pip install distributed, or use --workers.")
    except (AttributeError, OSError, RuntimeError, TypeError, ValueError) as error:
        parser.error(str(error))
    finally:
        if client is not None:
            client.close()
        elif executor is not None:
            executor.shutdown(cancel_futures=True)
    return int(failed > 0)
