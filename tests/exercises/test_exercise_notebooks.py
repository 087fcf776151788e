"""The exercises as they stand in the notebooks: cells, objectives, and the table in 00.

The solutions are run where the notebooks are: see tests/helpers/solved_notebooks.py.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pglesson.exercises import grading
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
        cell = grading.cell_id(exercise.name)
        place = cells.index(cell)
        assert cells[place - 1 : place + 2] == [f"{cell}-text", cell, f"{cell}-check"]
        assert sources[cell] == exercise.starter and sources[f"{cell}-text"].startswith("**Exercise.** ")
        assert sources[f"{cell}-check"].splitlines()[0] == f"exercises.{exercise.name}.check(answer)"
    assert sources["exercise-progress"] == "exercises.progress()"
    assert grading.exercises_in(notebook) == name


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
