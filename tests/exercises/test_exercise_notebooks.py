"""The exercises as they stand in the notebooks: cells, objectives, the table in 00, and all solutions run."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from pglesson.exercises import teacher
from pglesson.exercises.framework import NOTEBOOKS, exercises_of

FOLDER = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(params=NOTEBOOKS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def read(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def opening(name: str) -> str:
    """The part of a notebook's first cell that says what a learner will be able to do."""
    promise = r"\*\*In about .*? minutes you will (?:be able to|have)\*\* (.*?)\.(?:\s|$)"
    sentence = re.search(promise, read(name).cells[0].source)
    assert sentence, "the first cell says what one will be able to do"
    return sentence[1]


def objective_table() -> str:
    """The table of notebook 00, from what the exercises say of themselves."""
    lines = ["| you can | notebook | exercises |", "|---|---|---|"]
    for name in NOTEBOOKS:
        exercises = exercises_of(name)
        for objective in dict.fromkeys(exercise.objective for exercise in exercises):
            own = ", ".join(f"`{exercise.name}`" for exercise in exercises if exercise.objective == objective)
            lines.append(f"| {objective} | [{name[:2]}]({name}.ipynb) | {own} |")
    return "\n".join(lines)


def test_every_notebook_has_exercises() -> None:
    assert [path.stem for path in sorted(FOLDER.glob("*.ipynb"))] == list(NOTEBOOKS)


def test_each_exercise_has_its_cells_in_order(name: str) -> None:
    notebook = read(name)
    cells = [cell.id for cell in notebook.cells]
    sources = {cell.id: cell.source for cell in notebook.cells}
    for exercise in exercises_of(name):
        cell = teacher.cell_id(exercise.name)
        place = cells.index(cell)
        assert cells[place - 1 : place + 2] == [f"{cell}-text", cell, f"{cell}-check"]
        assert sources[cell] == exercise.starter and sources[f"{cell}-text"].startswith("**Exercise.** ")
        assert sources[f"{cell}-check"].splitlines()[0] == f"exercises.{exercise.name}.check(answer)"
    assert sources["exercise-progress"] == "exercises.progress()"
    assert teacher.exercises_in(notebook) == name


def test_each_exercise_names_an_objective_of_its_notebook(name: str) -> None:
    opening = read(name).cells[0].source
    for exercise in exercises_of(name):
        assert exercise.objective in opening, exercise.objective


def test_every_objective_of_a_notebook_is_exercised(name: str) -> None:
    """What is left of the opening sentence without the objectives that have an exercise is glue: commas and ands."""
    left = opening(name)
    for objective in {exercise.objective for exercise in exercises_of(name)}:
        left = left.replace(objective, "")
    assert re.fullmatch(r"[\s,;]*(?:and|then)?[\s,;]*", left), left


def test_the_table_in_00_is_true() -> None:
    (cell,) = [cell for cell in read("00_start_here").cells if cell.id == "objectives"]
    assert objective_table() in cell.source


# a processor without vector instructions and two threads: nbval runs the default, this run is another machine
OTHER_MACHINE = {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "2"}


def run_with_solutions(name: str) -> Any:
    """A notebook with all solutions, run from top to bottom in a kernel of its own; an error in any cell is raised."""
    notebook = read(name)
    assert teacher.set_answers(notebook, solved=True) == len(exercises_of(name))
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env=os.environ | OTHER_MACHINE)
    return notebook


def printed(cell: Any) -> str:
    """What nbval compares of a cell's outputs."""
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])]
    return "".join(texts)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Any]]]:
    """The notebooks of the tests that were selected, two at a time: they take minutes one after the other."""
    chosen = [name for name in NOTEBOOKS if any(f"passes[{name}]" in item.name for item in request.session.items)]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        yield {name: pool.submit(run_with_solutions, name) for name in chosen}


def test_with_every_solution_filled_in_every_check_passes(name: str, running: dict[str, Future[Any]]) -> None:
    notebook = running[name].result()
    shown = {cell.id: printed(cell) for cell in notebook.cells}
    for exercise in exercises_of(name):
        assert shown[f"{teacher.cell_id(exercise.name)}-check"].startswith("Right: ")
    # nothing that stands outside the exercises changes with them, or with the machine
    for stored, cell in zip(read(name).cells, notebook.cells):
        if cell.cell_type == "code" and not cell.id.startswith("exercise-"):
            assert shown[cell.id] == printed(stored), cell.id
    number = len(exercises_of(name))
    assert f"{number} of {number} exercises solved" in shown["exercise-progress"]
