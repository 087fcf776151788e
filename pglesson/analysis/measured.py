"""Prints measured numbers, and says where one has left the range for which a notebook's text was written."""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from numbers import Integral
from typing import Any

# Of a table: a number; (number, (low, high)) with its interval; or text, printed as it is. Anything is taken: learners
# change what a cell computes.
Value = Any
Interval = tuple[float, float]


class Measured:
    """The numbers that one notebook measures: `measured = Measured("06_variance_and_baselines")`.

    A measured number is printed with three significant digits behind a ≈, which says that another machine may give
    other digits. Numbers that are exact, or the same everywhere, are simply printed.

    The text of a notebook is true as long as its numbers stay within certain ranges, which are stored in
    analysis/ranges/NOTEBOOK.toml, not in the notebook, where they would give predictions away. A number that has left
    its range is followed by a note; nothing is ever raised, since learners change what a cell computes. A number
    without a stored range is printed without a check, such as one that a learner adds.

    A range is [lowest, highest], or {value = [lowest, highest], interval = [lowest, highest]} where the whole interval
    has to lie within the second. Keys are the labels; of a table, its title, then its row, or "*" for all of them, then
    its column.
    """

    def __init__(self, notebook: str) -> None:
        self.notebook = notebook
        file = resources.files("pglesson.analysis") / "ranges" / f"{notebook}.toml"
        self.ranges: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def __call__(
        self, label: str, value: Value, unit: str = "", *, interval: Interval | None = None, decimals: int | None = None
    ) -> None:
        """Prints one line: the label, the value, its interval (low, high), and the unit.

        decimals: how many are printed, instead of as many as three significant digits need.
        """
        cell = value if interval is None else (value, interval)
        text = _text(cell, _decimals([cell]) if decimals is None else decimals)
        print(f"{label}: {text} {unit}".rstrip() + self._note(cell, self.ranges.get(label)))

    def table(
        self, title: str, columns: Sequence[str], rows: Mapping[str, Sequence[Value]], *, decimals: int | None = None
    ) -> None:
        """Prints a title, which names what is measured and in which unit, the columns' names, and the rows.

        rows: for each row's label as many values as there are columns: numbers, (number, (low, high)) with an interval,
        or text, which is printed as it is. decimals: as in a call; without it each column has its own.
        """
        labels = [str(label) for label in rows]
        cells = [list(row) for row in rows.values()]
        width = max((len(row) for row in [*cells, columns]), default=0)
        names = [*columns, *[""] * (width - len(columns))]
        given = [[row[i] if i < len(row) else "" for row in cells] for i in range(width)]
        texts = [
            [_text(cell, _decimals(column) if decimals is None else decimals) for cell in column] for column in given
        ]
        widths = [max(map(len, [name, *column])) for name, column in zip(names, texts)]
        first = max(map(len, labels), default=0)
        print(title)
        print("  ".join(["".ljust(first), *(name.rjust(w) for name, w in zip(names, widths))]).rstrip())
        ranges = self.ranges.get(title, {})
        for i, label in enumerate(labels):
            line = "  ".join([label.ljust(first), *(column[i].rjust(w) for column, w in zip(texts, widths))]).rstrip()
            for name, column in zip(names, given):
                stored = ranges.get(label, {}).get(name, ranges.get("*", {}).get(name))
                line += self._note(column[i], stored, name)
            print(line)

    def _note(self, cell: Value, stored: Any, name: str = "") -> str:
        """What follows a value: nothing, or that it is out of its range."""
        about = f"{name}: " if name else ""
        if isinstance(cell, str):
            return ""
        if stored is None:
            return f"  <- {about}no range is stored" if os.environ.get("PGLESSON_RANGES") == "required" else ""
        value, interval = _parts(cell)
        allowed = stored if isinstance(stored, dict) else {"value": stored}
        notes = []
        if "value" in allowed and not _inside(value, allowed["value"]):
            notes.append(f"was written for {_between(allowed['value'])}")
        if "interval" in allowed and not (interval and all(_inside(edge, allowed["interval"]) for edge in interval)):
            notes.append(f"was written for an interval within {_between(allowed['interval'])}")
        return f"  <- {about}the text {' and '.join(notes)}" if notes else ""


def _parts(cell: Value) -> tuple[Value, Interval | None]:
    return (cell[0], cell[1]) if isinstance(cell, tuple) and len(cell) == 2 else (cell, None)


def _number(value: Value) -> float:
    """The value as a float, or NaN if it is none: what a learner's cell gives may be anything."""
    try:
        return float(value)
    except Exception:
        return math.nan


def _inside(value: Value, allowed: Sequence[float]) -> bool:
    return bool(allowed[0] <= _number(value) <= allowed[1])


def _between(allowed: Sequence[float]) -> str:
    low, high = allowed
    return (
        f"{high:g} or less" if low == -math.inf else f"{low:g} or more" if high == math.inf else f"{low:g} to {high:g}"
    )


def _decimals(cells: Sequence[Value]) -> int:
    """How many decimals give the largest of the numbers three significant digits; -1 if it is too small for that."""
    values = [_parts(cell)[0] for cell in cells if not isinstance(cell, str)]
    if all(isinstance(value, Integral) for value in values):
        return 0
    sizes = [abs(number) for number in map(_number, values) if math.isfinite(number) and number]
    if not sizes:
        return 0
    decimals = 2 - math.floor(math.log10(max(sizes)))
    return -1 if decimals > 5 else max(decimals, 0)


def _text(cell: Value, decimals: int) -> str:
    if isinstance(cell, str):
        return cell
    value, interval = _parts(cell)
    number = _number(value)
    if math.isnan(number) and not isinstance(value, float):
        return f"{value}"
    form = ",.1e" if decimals < 0 else f",.{decimals}f"
    edges = f" [{', '.join(format(_number(edge), form) for edge in interval)}]" if interval else ""
    return f"≈ {_plain(format(number, form))}{edges}"


def _plain(text: str) -> str:
    """Without the sign of a number that is rounded to zero."""
    return text.lstrip("-") if not set(text) - set("-0.,") else text
