"""For teachers: notebooks with solutions or without, and a class's notebooks as a table of results.

Learners' code runs in a separate process, with a limit on time and, on Linux, on memory. That stops an endless loop or
an array that fills the memory. It is no protection from malicious code, which can read and delete files and forge its
results.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat

from pglesson.exercises.framework import NOT_ATTEMPTED, NOTEBOOKS, RIGHT, WRONG, Exercises, exercises_of

MISSING = "missing"  # the exercise's cell does not exist, or was not reached
Row = dict[str, str]  # file, notebook, exercise, result, message


def notebook_files(paths: list[Path]) -> list[Path]:
    """The notebooks among these files and folders, without those that Jupyter keeps as checkpoints."""
    found = [file for path in paths for file in (sorted(path.rglob("*.ipynb")) if path.is_dir() else [path])]
    return [file for file in found if ".ipynb_checkpoints" not in file.parts]


def exercises_in(notebook: Any) -> str | None:
    """The name in a notebook's call of Exercises(), which may be misspelt; None if there is no such call."""
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    opened = re.search(r"""\bExercises\(\s*["'](\w+)["']\s*\)""", code)
    return opened[1] if opened else None


def cell_id(exercise: str) -> str:
    """The id of the cell in which an exercise is answered."""
    return "exercise-" + exercise.replace("_", "-")


def set_answers(notebook: Any, *, solved: bool) -> int:
    """Puts the solutions, or the empty starters, into a notebook's exercise cells; returns how many cells changed."""
    name, changed = exercises_in(notebook), 0
    cells = {cell.get("id"): cell for cell in notebook.cells}
    for exercise in exercises_of(name) if name in NOTEBOOKS else ():
        cell, source = cells.get(cell_id(exercise.name)), exercise.solution if solved else exercise.starter
        if cell is not None and cell.source != source:
            cell.source, cell.outputs, cell.execution_count, changed = source, [], None, changed + 1
    return changed


def run(path: Path) -> dict[str, tuple[str, str]]:
    """Runs a notebook's cells in this process, in the notebook's folder: each exercise's outcome, (kind, message).

    An answer is checked right after its cell, and not by the notebook's own check cells, which may have been changed.
    The cells after one that raises an error are run, too.
    """
    from IPython.core.interactiveshell import InteractiveShell

    notebook = nbformat.read(path, as_version=4)
    exercises, outcomes = Exercises(exercises_in(notebook) or ""), {}
    names = {cell_id(attempt.exercise.name): attempt.exercise.name for attempt in exercises}
    os.chdir(path.parent)
    shell = InteractiveShell.instance()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shell.user_ns.pop("answer", None)  # an earlier exercise's answer must not count here
            shell.run_cell(cell.source)
            if (name := names.get(cell.get("id"))) is not None and "answer" in shell.user_ns:
                try:
                    outcome = getattr(exercises, name).check(shell.user_ns["answer"])
                    outcomes[name] = outcome.kind, outcome.message
                except BaseException as error:  # a function that calls sys.exit() must not end the others' checks
                    outcomes[name] = WRONG, f"its check raised a {type(error).__name__}: {error}".splitlines()[0]
    return outcomes


def grade(path: Path, *, seconds: float, memory: int) -> list[Row]:
    """One notebook's results, a row for each exercise. seconds: for the whole notebook; memory: in MiB, on Linux.

    A notebook without exercises gives no rows; if it cannot be read or ran into a limit, its rows say so.
    """
    try:
        name = exercises_in(nbformat.read(path, as_version=4))
    except Exception as error:
        return [_row(path, "", "", MISSING, f"this is no notebook that can be read: {type(error).__name__}")]
    if name is None:
        return []
    if name not in NOTEBOOKS:
        return [_row(path, name, "", MISSING, f"it opens Exercises({name!r}), which the lesson does not have")]
    said, trouble = _run_apart(path, seconds, memory)
    rows = []
    for exercise in exercises_of(name):
        kind, message = said.get(exercise.name, (MISSING, trouble or "its cell is gone, or raised an error"))
        rows.append(_row(path, name, exercise.name, kind, "" if kind in (RIGHT, NOT_ATTEMPTED) else message))
    return rows


def _row(path: Path, notebook: str, exercise: str, result: str, message: str) -> Row:
    return {"file": str(path), "notebook": notebook, "exercise": exercise, "result": result, "message": message}


def _run_apart(path: Path, seconds: float, memory: int) -> tuple[dict[str, tuple[str, str]], str]:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        command = [sys.executable, "-m", "pglesson.exercises", "run", str(path.resolve()), str(result), str(memory)]
        # a new session, so that the processes that it starts can be ended with it
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
            env=os.environ | {"MPLBACKEND": "agg"},  # no window for a figure
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            return {}, f"the notebook had not ended after {seconds:g} seconds"
        finally:
            _end(process)
        if not result.exists():
            return {}, "the notebook's process ended early: it may have run out of memory"
        return json.loads(result.read_text(encoding="utf-8")), ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def limit_memory(mebibytes: int) -> None:
    """Limits the memory of this process and of those that it starts, on Linux; other systems ignore such a limit."""
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (mebibytes * 2**20, mebibytes * 2**20))


def table(rows: list[Row]) -> Iterator[str]:
    """Lines to print: for each file, how many exercises are solved, and which are not."""
    files = dict.fromkeys(row["file"] for row in rows)
    width = max((len(file) for file in files), default=0)
    for file in files:
        own = [row for row in rows if row["file"] == file]
        rest = ", ".join(
            f"{row['exercise'] or row['message']} ({row['result']})" for row in own if row["result"] != RIGHT
        )
        yield f"{file:{width}}  {sum(row['result'] == RIGHT for row in own)} of {len(own)}  {rest}".rstrip()
