"""Trains at every point of a grid of settings, on one core, on all of this machine's or on a cluster's.

In a notebook: `for point in progress(sweep(settings, grid, executor=local_workers(), store="map.jsonl"), total): ...`
For a long run: `python -m pglesson.sweeps map.jsonl --set runs=10 --grid gamma=0.9,0.99 --workers 4`
"""

from __future__ import annotations

import copy
import pickle
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from pglesson.reinforce import FloatArray, Update, reinforce
from pglesson.settings import Settings
from pglesson.sweeps.store import Grid, Point, SweepStore, key_of, points_of
from pglesson.sweeps.workers import LocalWorkers

Measure = Callable[[Sequence[Update]], FloatArray]
Keep = Callable[[Point], Point]
ATTEMPTS = 3  # a point that loses its worker so many times is given up


def final_return(updates: Sequence[Update]) -> FloatArray:
    """The mean return of the last tenth of the updates, at least one of them: (runs,)."""
    last = updates[-max(1, len(updates) // 10) :]
    return np.concatenate([update.returns for update in last], axis=1).mean(1, dtype=float)


def sweep(
    settings: Settings,
    grid: Grid,
    *,
    measure: Measure = final_return,
    executor: Executor | None = None,
    store: str | Path | None = None,
) -> Iterator[Point]:
    """Trains at every point of the grid and yields the points as they are done, in any order.

    grid: the names of settings and the values each takes. The other settings, the seed too, are the same at every
    point: common random numbers, which make neighbours comparable. measure: turns a training's updates into a score
    (runs,). executor: where to compute; by default here, one point after the other. It is not shut down. With
    local_workers() or a dask client's get_executor(), a point whose worker dies is tried again, three times at most;
    a ProcessPoolExecutor that loses a worker ends the sweep. Let each process of an executor run one point at a time,
    for bit-for-bit the same scores. store: a file that keeps every finished point; a later sweep yields its points
    first and computes only the others, on a changed grid too.

    A training that diverges is a point with an error. Closing the generator, or Ctrl-C, cancels what has not begun.
    Raises at once: ValueError, AttributeError, TypeError or OSError for what cannot be used.
    Raises later: RuntimeError for a point that fails by itself, and for an executor that takes no more work.
    """
    base = copy.deepcopy(settings)
    axes, tasks = _tasks(base, grid)
    if not (executor is None or isinstance(executor, Executor)):
        raise TypeError(
            f"executor is {executor!r}, but must be a concurrent.futures.Executor, such as local_workers(). Of a dask "
            "client, give client.get_executor()."
        )
    _job(base, measure, executor)
    known, keep = dict[str, Point](), _keep_nothing
    if store is not None:
        kept = SweepStore(store)
        kept.begin(base, getattr(measure, "__qualname__", type(measure).__qualname__), axes)
        known, keep = kept.points, kept.add
    done = [known[key_of(task.at)] for task in tasks if key_of(task.at) in known]
    return _points(done, [task for task in tasks if key_of(task.at) not in known], measure, executor, keep)


def _keep_nothing(point: Point) -> Point:
    return point


@dataclass
class _Task:
    at: dict[str, Any]
    settings: Settings
    worker_failures: int = 0


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


def _job(settings: Settings, measure: Measure, executor: Executor | None) -> bytes | tuple[Settings, Measure]:
    """What `_train` needs. It unpickles by itself, because a process that fails to unpickle a call dies of it."""
    if not isinstance(executor, LocalWorkers | ProcessPoolExecutor):
        return settings, measure
    try:
        return pickle.dumps((settings, measure))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise ValueError(
            f"The measure or the settings cannot be sent to worker processes ({error}). Define the measure with def at "
            "the top of a file and import it from there."
        ) from error


def _train(at: dict[str, Any], job: bytes | tuple[Settings, Measure], attempt: int = 0) -> Point:
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


def _points(
    done: list[Point], tasks: list[_Task], measure: Measure, executor: Executor | None, keep: Keep
) -> Iterator[Point]:
    yield from done
    if executor is not None:
        yield from _computed_by(executor, tasks, measure, keep)
    else:
        yield from (keep(_train(task.at, (task.settings, measure))) for task in tasks)


def _computed_by(executor: Executor, tasks: list[_Task], measure: Measure, keep: Keep) -> Iterator[Point]:
    running, ended = dict[Future[Point], _Task](), SimpleQueue[Future[Point]]()

    def submit(task: _Task) -> None:
        job = _job(task.settings, measure, executor)
        try:
            future = executor.submit(_train, task.at, job, task.worker_failures)
        except RuntimeError as error:  # a broken executor raises one, and so does one that was shut down
            raise RuntimeError(
                f"The executor takes no more work ({error}). Start the sweep again with a new executor; with the same "
                "store it continues where it was."
            ) from error
        running[future] = task
        future.add_done_callback(ended.put)

    try:
        for task in tasks:
            submit(task)
        while running:
            try:
                future = ended.get(timeout=0.2)  # without a limit, Windows would not notice Ctrl-C
            except Empty:
                continue
            task = running.pop(future)
            error = CancelledError() if future.cancelled() else future.exception()
            if error is None:
                yield keep(future.result())
            elif not _is_worker_failure(error):
                raise RuntimeError(
                    f"{error} (A worker knows only what it can import: name an environment of your own as "
                    "'module:Name-v0', and keep a measure in a file beside it.)"
                ) from error
            else:
                task.worker_failures += 1
                if task.worker_failures < ATTEMPTS:
                    submit(task)
                else:
                    yield _given_up(task, error)  # not kept: the next sweep with this store tries it again
    finally:
        for future in running:
            if not future.cancel() and future.done() and future.exception() is None:
                keep(future.result())


def _is_worker_failure(error: BaseException) -> bool:
    """Whether a worker died, as opposed to a mistake in the training. Knows dask's errors without importing dask."""
    kind = type(error)
    from_dask = kind.__module__.startswith("distributed") and kind.__name__ in ("KilledWorker", "CommClosedError")
    return from_dask or isinstance(error, BrokenExecutor | CancelledError)


def _given_up(task: _Task, error: BaseException) -> Point:
    reason = (
        f"It lost its worker {task.worker_failures} times ({type(error).__name__}: {error}). It may need more memory "
        "than there is: try fewer runs or episodes, or fewer workers."
    )
    return Point(task.at, np.full(task.settings.runs, np.nan), 0.0, reason)
