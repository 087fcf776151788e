"""A sweep's file: JSON lines that are only appended, so that a crash costs at most the line being written."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from pglesson.reinforce import FloatArray
from pglesson.settings import Settings

VERSION = 1
Grid = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Point:
    """One point of a sweep, and the result of its training."""

    at: dict[str, Any]  # the swept settings by name
    score: FloatArray  # (runs,), the measure of the training; NaN where there is an error
    seconds: float  # of training; 0 where its workers were lost
    error: str | None = None  # why it has no score: it diverged, or it lost its workers


def to_json(value: Any) -> str:
    """One line of JSON that `from_json` turns back exactly, tuples and infinities too.

    Raises TypeError for anything but numbers, strings, True, False, None, and lists, tuples and dicts of them.
    """

    def plain(x: Any) -> Any:
        x = x.item() if isinstance(x, np.generic) else x
        if isinstance(x, Mapping):
            return {key: plain(item) for key, item in x.items()}
        if isinstance(x, list | tuple):
            items = [plain(item) for item in x]
            return items if isinstance(x, list) else {"$tuple": items}
        if not isinstance(x, str | int | float | None):
            raise TypeError(f"{x!r} was given, but a sweep can hold only numbers, strings, lists, tuples and dicts.")
        return {"$float": str(x)} if isinstance(x, float) and not math.isfinite(x) else x

    return json.dumps(plain(value), allow_nan=False)


def from_json(line: str | bytes) -> Any:
    """The value that `to_json` wrote."""

    def hook(x: dict[str, Any]) -> Any:
        if x.keys() == {"$tuple"}:
            return tuple(x["$tuple"])
        return float(x["$float"]) if x.keys() == {"$float"} else x

    return json.loads(line, object_hook=hook)


def key_of(at: Mapping[str, Any]) -> str:
    """A key that does not depend on the order of the names."""
    return to_json(dict(sorted(at.items())))


def points_of(grid: Grid) -> list[dict[str, Any]]:
    """The swept settings of each point, the last axis fastest."""
    return [dict(zip(grid, values)) for values in product(*grid.values())]


class SweepStore:
    """The file of a sweep, to read and to append to. Nothing is written before `begin`.

    Its lines: a header with the version, the base settings and the measure's name; the grid, again each time it
    changes; each point as it is done. Raises ValueError for a file that is something else. Only one sweep at a time
    may write to a file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path, self.settings, self.measure, self.grid = Path(path), Settings(), "", dict[str, list[Any]]()
        self.points: dict[str, Point] = {}
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        unfinished = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""  # its writer was stopped
        self.empty, self._size = not lines, sum(map(len, lines))
        try:
            if self.empty and not b'{"version"'.startswith(unfinished[:10]):
                raise ValueError("no header")
            for number, line in enumerate(lines):
                self._read(number, from_json(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"{self.path.name} is not the file of a sweep that this version can read ({error}). Choose another "
                "file, or delete this one."
            ) from error

    def _read(self, number: int, line: dict[str, Any]) -> None:
        if number == 0:
            if line["version"] != VERSION:
                raise ValueError(f"its version is {line['version']}, and {VERSION} is known")
            self.settings, self.measure = Settings(**line["settings"]), line["measure"]
        elif "grid" in line:
            self.grid = line["grid"]
        else:
            score = [math.nan] * self.settings.runs if line["score"] is None else line["score"]
            point = Point(line["at"], np.array(score, dtype=float), line["seconds"], line["error"])
            self.points[key_of(point.at)] = point

    def begin(self, settings: Settings, measure: str, grid: Grid) -> None:
        """Removes an unfinished last line, and writes the header and the grid where they are missing.

        Raises ValueError where the points there are another sweep's.
        """
        old = {**vars(self.settings), "measure": self.measure}
        new = {**from_json(to_json(vars(settings))), "measure": measure}
        changed = [f"{name} ({old[name]!r} there, {new[name]!r} now)" for name in new if new[name] != old[name]]
        if changed and not self.empty:
            raise ValueError(
                f"{self.path.name} holds a sweep with other settings: {', '.join(changed)}. Choose another file, or "
                "delete this one."
            )
        if self.path.exists():
            os.truncate(self.path, self._size)
        if self.empty:
            self._append({"version": VERSION, "settings": vars(settings), "measure": measure})
        if to_json(self.grid) != to_json(grid):
            self._append({"grid": grid})

    def add(self, point: Point) -> Point:
        """Appends a finished point, and returns it."""
        score = None if point.error is not None else point.score.tolist()
        self._append({"at": point.at, "score": score, "seconds": point.seconds, "error": point.error})
        return point

    def _append(self, line: dict[str, Any]) -> None:
        # opened each time, so that a sweep that a notebook does not finish leaves no file open
        with self.path.open("ab") as file:
            file.write(f"{to_json(line)}\n".encode())


def read_sweep(store: str | Path) -> tuple[Settings, dict[str, list[Any]], list[Point]]:
    """The base settings, the grid and the points done so far of a sweep's file, for `to_map` and for captions.

    Raises FileNotFoundError where there is no file, and ValueError where it is not a sweep's.
    """
    if not Path(store).exists():
        raise FileNotFoundError(f"There is no file {Path(store).name} here: make it with sweep(..., store=...).")
    read = SweepStore(store)
    keys = [key_of(at) for at in points_of(read.grid)] if read.grid else []
    return read.settings, read.grid, [read.points[key] for key in keys if key in read.points]


def to_map(points: Sequence[Point], grid: Grid) -> FloatArray:
    """The points' scores as (first axis, second axis, ..., runs), in the grid's order; NaN where one is missing.

    With no points yet the last axis has the length 1. Raises ValueError for a point that is not on the grid.
    """
    indices = {key_of(at): index for index, at in enumerate(points_of(grid))}
    unknown = [point.at for point in points if key_of(point.at) not in indices]
    if unknown:
        raise ValueError(f"The point {unknown[0]} is not on the grid {dict(grid)}. Give the grid of its sweep.")
    flat = np.full((len(indices), len(points[0].score) if points else 1), np.nan)
    for point in points:
        flat[indices[key_of(point.at)]] = point.score
    return flat.reshape(*(len(values) for values in grid.values()), -1)
