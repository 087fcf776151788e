"""Exporting a run: its settings and its curve as JSON and CSV, and a cell of code that repeats it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch import nn

from pglesson.analysis.plots import setting_changes
from pglesson.reinforce import Update
from pglesson.settings import OWN, Settings

LINE_LENGTH = 110  # of the code, as in the notebooks


def first_settings(settings: Settings, updates: Sequence[Update]) -> dict[str, Any]:
    """Every setting of a run as it was at the first update."""
    return settings.fixed() | (updates[0].live if updates else settings.live())


def moves(updates: Sequence[Update]) -> dict[int, dict[str, Any]]:
    """The live settings that changed while training ran: {number of the first update under them: {name: value}}."""
    return {
        updates[index].number: {name: new for name, (_, new) in moved.items()}
        for index, moved in setting_changes(updates).items()
    }


def _series(updates: Sequence[Update]) -> dict[str, Any]:
    """The curve's quantities, each (updates, runs) in float64; returns and lengths are means over the episodes."""
    values = {
        "mean_return": [update.returns.astype(float).mean(1) for update in updates],
        "mean_length": [update.lengths.mean(1) for update in updates],
        "loss": [update.loss.astype(float) for update in updates],
        "gradient_norm": [update.gradient_norm.astype(float) for update in updates],
        "entropy": [update.entropy.astype(float) for update in updates],
    }
    return {name: np.array(rows) for name, rows in values.items()}


def to_json(settings: Settings, updates: Sequence[Update]) -> str:
    """A run as JSON: its first settings, the changes of its live settings, and its curve.

    "curve" holds "episodes", the number that a run had played so far (updates,), and five quantities (updates, runs).
    JSON has no infinity: it is written as "inf", which Python's float() reads. A value that JSON cannot hold is written
    as its repr.
    """
    document = {
        "settings": first_settings(settings, updates),
        "moves": [{"update": number, "knobs": knobs} for number, knobs in moves(updates).items()],
        "curve": {
            "episodes": [update.number * update.returns.shape[1] for update in updates],
            **{name: values.tolist() for name, values in _series(updates).items()},
        },
    }
    return json.dumps(_plain(document), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)


def to_csv(updates: Sequence[Update]) -> str:
    """A run's curve as CSV, one row for each update and run: what was measured, and the live settings of the update.

    Updates count from 1 and runs from 0; `episodes` is the number that a run had played so far.
    """
    file = io.StringIO()
    series = _series(updates)
    knobs = updates[0].live if updates else Settings().live()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["update", "run", "episodes", *series, *knobs])
    for index, update in enumerate(updates):
        for run in range(len(update.returns)):
            measured = (float(values[index, run]) for values in series.values())
            writer.writerow(
                [update.number, run, update.number * update.returns.shape[1], *measured, *update.live.values()]
            )
    return file.getvalue()


def to_code(
    settings: Settings, updates: Sequence[Update], *, policy: nn.Module | None = None, baseline: object = None
) -> str:
    """A cell of code that repeats a run, bit for bit on the same machine, with the settings changed while it trained.

    It names the settings that differ from the defaults, and trains for as many updates as the run has, if it has any.
    Where an option cannot be written as code, such as a function or a table, it has ... and says what to fill in.
    policy, baseline: the learner's own module and baseline, whose initial state only the learner can restore.
    """
    first, defaults = first_settings(settings, updates), Settings()
    if updates:
        first["updates"] = len(updates)
    named = {name: value for name, value in first.items() if value != getattr(defaults, name)}
    moved = moves(updates)
    used = baseline is not None and OWN in (first["baseline"], *(knobs.get("baseline") for knobs in moved.values()))
    imports = ["Settings", *["make_policy"] * (policy is None), "reinforce"]
    cell = [f"from pglesson import {', '.join(imports)}", ""]
    if left_open := _left_open(named, ""):
        cell += ["# put your own values in the place of each ...: " + ", ".join(left_open)]
    cell += _lines("settings = Settings(", [f"{name}={_source(value)}" for name, value in named.items()], ")")
    cell += ["policy = make_policy(settings)" if policy is None else _own_line("policy", "module", policy)]
    cell += [_own_line("baseline", "baseline", baseline)] * used
    if moved:
        cell += ["# before which update which knobs moved"]
        cell += _lines("moves = {", [f"{number}: {_source(knobs)}" for number, knobs in moved.items()], "}")
    arguments = "settings, policy" + ", baseline=baseline" * used
    if used and first["baseline"] != OWN:  # `reinforce` takes one that is not chosen yet only in this form
        cell[0] += "\nfrom pglesson.baselines import OwnBaseline"
        arguments = "settings, policy, baseline=OwnBaseline(baseline)"
    cell += ["", "updates = []", f"for update in reinforce({arguments}):", "    updates.append(update)"]
    if moved:
        cell += ["    for name, value in moves.get(update.number + 1, {}).items():"]
        cell += ["        setattr(settings, name, value)"]
    return "\n".join(cell) + "\n"


def _lines(start: str, entries: Sequence[str], end: str) -> Iterator[str]:
    in_one = start + ", ".join(entries) + end
    yield from [in_one] if len(in_one) <= LINE_LENGTH else [start, *(f"    {entry}," for entry in entries), end]


def _own_line(name: str, what: str, own: object) -> str:
    """The line that makes a learner's object, as far as its class tells."""
    kind, known = type(own), "what it knew at the start" if name == "baseline" else "its own starting weights"
    if kind.__module__.startswith("torch."):  # such as nn.Sequential: the name does not tell how it was built
        return f"{name} = ...  # put your own {what} here, a {kind.__name__}: the run began with {known}"
    return f"{name} = {kind.__name__}()  # your own: the run began with {known}"


def _left_open(value: Any, place: str) -> list[str]:
    """What `_source` writes as ..., each as its place and its type."""
    if isinstance(value, Mapping):
        keys = {key: f"{place}[{key!r}]" if place else str(key) for key in value}
        return [found for key, entry in value.items() for found in _left_open(entry, keys[key])]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [found for at, entry in enumerate(value) for found in _left_open(entry, f"{place}[{at}]")]
    return [f"{place}, of type {type(value).__name__}"] if _source(value) == "..." else []


def _source(value: Any) -> str:
    """A value as Python code; ... for one that no literal gives back."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_source(key)}: {_source(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(map(_source, value)) + "," * (isinstance(value, tuple) and len(value) == 1)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}({_source(sorted(value, key=repr))})"
    if type(value) is str:
        return json.dumps(value, ensure_ascii=False)
    return repr(value) if type(value) in (int, float, bool, complex, bytes, type(None)) else "..."
