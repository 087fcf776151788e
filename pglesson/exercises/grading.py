"""For teachers: notebooks with solutions or without, and a class's notebooks as a table of results.

Learners' code runs in a separate process, with a limit on time and, on Linux, on memory. That stops an endless loop or
an array that fills the memory. It is no protection from malicious code, which can read and delete files and forge its
results.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import nbformat

from pglesson.exercises.framework import NOT_ATTEMPTED, NOTEBOOKS, RIGHT, WRONG, Exercises, exercises_of
from pglesson.exercises.time_limit import TooLong, time_limit

# the exercise's cells do not exist; its cell raised an error; its cell or its notebook ran for too long
MISSING, ERROR, TIMED_OUT = "missing", "error", "timed out"
CELLS = 5  # a cell may take a fifth of its notebook's time
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


def run(path: Path, result: Path, seconds: float) -> None:
    """Runs a notebook's cells in this process, in its folder, and writes each exercise's outcome to `result` at once.

    seconds: of computing for one cell; a cell that takes longer is stopped, and the next ones are run, as they are
    after one that raises an error. An answer is judged right after its cell, and again where the notebook checks it,
    with what it checks: answers in new cells, below the starter, or in a copy that has lost the cells' ids count too.
    The judge is this process's own, since the notebook's may have been changed.
    """
    from IPython.core.interactiveshell import InteractiveShell

    notebook = nbformat.read(path, as_version=4)
    exercises, outcomes = Exercises(exercises_in(notebook) or ""), Outcomes(result)
    names = {cell_id(attempt.exercise.name): attempt.exercise.name for attempt in exercises}
    os.chdir(path.parent)
    shell = InteractiveShell.instance()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        own = names.get(cell.get("id"))
        if own:
            shell.user_ns.pop("answer", None)  # an earlier exercise's answer must not count here
        failure = _run_cell(shell, cell.source, seconds)
        if own and failure:
            outcomes.add(own, *failure)
        elif own and "answer" in shell.user_ns:
            outcomes.add(own, *_judged(exercises, own, lambda: shell.user_ns["answer"], seconds))
        for name, given in _checks(cell.source):
            if name in names.values() and (given != "answer" or "answer" in shell.user_ns):
                value = partial(eval, given, shell.user_ns)
                outcomes.add(name, *_judged(exercises, name, value, seconds))
                shell.user_ns.pop("answer", None)


class Outcomes:
    """Each exercise's outcome, (kind, message), kept in a file, so that what ends the process loses nothing."""

    def __init__(self, file: Path) -> None:
        self._file, self._found = file, dict[str, tuple[str, str]]()

    def add(self, name: str, kind: str, message: str) -> None:
        """A later outcome counts, but not one that says less: an untouched starter, or a failure after an attempt."""
        if kind in (RIGHT, WRONG) or self._found.get(name, (NOT_ATTEMPTED, ""))[0] == NOT_ATTEMPTED:
            self._found[name] = kind, message
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps(self._found), encoding="utf-8")
        part.replace(self._file)


def _run_cell(shell: Any, source: str, seconds: float) -> tuple[str, str] | None:
    """What went wrong with a cell, (kind, message), or None."""
    try:
        with time_limit(seconds):
            result = shell.run_cell(source)
    except TooLong as error:
        trouble: BaseException | None = error
    else:
        trouble = result.error_before_exec or result.error_in_exec
    if trouble is None:
        return None
    if isinstance(trouble, TooLong):
        return TIMED_OUT, f"its cell had not ended after {seconds:g} seconds"
    line = f", line {trouble.lineno}" if isinstance(trouble, SyntaxError) and trouble.lineno else ""
    said = trouble.msg if isinstance(trouble, SyntaxError) else str(trouble)
    return ERROR, f"its cell raised a {type(trouble).__name__}{line}: {said}".splitlines()[0]


def _judged(exercises: Exercises, name: str, value: Callable[[], Any], seconds: float) -> tuple[str, str]:
    """The outcome of an answer, whatever it does when it is called or shown."""
    try:
        with time_limit(seconds):
            outcome = getattr(exercises, name).check(value())
        return outcome.kind, outcome.message
    except BaseException as error:  # an answer that cannot be shown must not end the others' checks
        return WRONG, f"its check raised a {type(error).__name__}: {error}".splitlines()[0]


def _checks(source: str) -> Iterator[tuple[str, str]]:
    """The exercises that a cell checks, and the expressions that it hands in: exercises.NAME.check(EXPRESSION)."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "check":
            owner = node.func.value
            if isinstance(owner, ast.Attribute) and len(node.args) == 1:
                yield owner.attr, ast.unparse(node.args[0])


def grade(path: Path, *, seconds: float, memory: int) -> list[Row]:
    """One notebook's results, a row for each exercise. seconds: for the whole notebook; memory: in MiB, on Linux.

    A notebook without exercises gives no rows. One that cannot be read, or that ran into a limit, keeps the outcomes
    that it had by then, and its other rows say why there are none.
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
        kind, message = said.get(exercise.name, trouble or (MISSING, "its cells are gone"))
        rows.append(_row(path, name, exercise.name, kind, "" if kind in (RIGHT, NOT_ATTEMPTED) else message))
    return rows


def _row(path: Path, notebook: str, exercise: str, result: str, message: str) -> Row:
    return {"file": str(path), "notebook": notebook, "exercise": exercise, "result": result, "message": message}


def _run_apart(path: Path, seconds: float, memory: int) -> tuple[dict[str, tuple[str, str]], tuple[str, str] | None]:
    """Each exercise's outcome, and what is said of the exercises that have none because the process was ended."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        paths = [str(path.resolve()), str(result)]
        command = [sys.executable, "-m", "pglesson.exercises", "run", *paths, str(memory), str(seconds / CELLS)]
        # a new session, so that the processes that it starts can be ended with it
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
            env=os.environ | {"MPLBACKEND": "agg"},  # no window for a figure
        )
        trouble = None
        try:
            if process.wait(seconds):
                trouble = ERROR, "the notebook's process ended early: it may have run out of memory"
        except subprocess.TimeoutExpired:
            trouble = TIMED_OUT, f"the notebook had not ended after {seconds:g} seconds"
        finally:
            _end(process)
        return json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}, trouble


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
