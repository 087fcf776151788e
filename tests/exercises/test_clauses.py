"""Every clause of an exercise's text has a case: an answer that violates this clause alone is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from clauses import CLAUSES, VALUES, Violation
from mutate_exercises import is_agent, written

from pglesson.exercises import Exercise
from pglesson.exercises.framework import NOTEBOOKS, WRONG, Attempt, exercises_of
from pglesson.exercises.grading import cell_id

FOLDER = Path(__file__).parents[2] / "notebooks"
ASKED = {f"{name[:2]} {exercise.name}": (name, exercise) for name in NOTEBOOKS for exercise in exercises_of(name)}
FUNCTIONS = [f"{name[:2]} {exercise.name}" for name, exercise in written() if not is_agent(exercise)]
ROWS = [(name, clause) for table in (CLAUSES, VALUES) for name, clauses in table.items() for clause in clauses]


def solution(source: str) -> Callable[..., Any]:
    scope: dict[str, Any] = {"torch": torch, "np": np}
    exec(source, scope)
    return scope["answer"]


def violating(exercise: Exercise, violation: Violation) -> Callable[..., Any]:
    if isinstance(violation, tuple):
        assert violation[0] in exercise.solution, f"the solution has no {violation[0]!r}"
        return solution(exercise.solution.replace(*violation))
    right = solution(exercise.solution)

    @wraps(right)
    def answer(*arguments: Any) -> Any:
        return spoiled(right(*arguments)) if violation(*arguments) else right(*arguments)

    return answer


def spoiled(result: Any) -> Any:
    """Another result of the same kind."""
    if isinstance(result, tuple):
        return spoiled(result[0]), *result[1:]
    return -7.0 if isinstance(result, float) else result + 1


def test_the_tables_have_every_exercise() -> None:
    """But not the agents, which are judged by what they do: see test_agents.py."""
    assert list(CLAUSES) == FUNCTIONS and all(len(clauses) >= 3 for clauses in CLAUSES.values())
    agents = [name for name, (_, exercise) in ASKED.items() if is_agent(exercise)]
    assert list(VALUES) == [name for name in ASKED if name not in (*FUNCTIONS, *agents)]


@pytest.mark.parametrize("name", [*CLAUSES, *VALUES])
def test_a_clause_is_quoted_from_its_exercise(name: str) -> None:
    notebook, exercise = ASKED[name]
    cells = {cell.id: cell.source for cell in nbformat.read(FOLDER / f"{notebook}.ipynb", as_version=4).cells}
    text = " ".join(f"{cells[cell_id(exercise.name) + '-text']} {exercise.starter}".split())
    for clause in {**CLAUSES, **VALUES}[name]:
        assert clause in text, clause


@pytest.mark.parametrize(("name", "clause"), ROWS, ids=[f"{n.replace(' ', '-')}-{i}" for i, (n, _) in enumerate(ROWS)])
def test_an_answer_that_violates_a_clause_is_refused(name: str, clause: str) -> None:
    _, exercise = ASKED[name]
    answer = VALUES[name][clause] if name in VALUES else violating(exercise, CLAUSES[name][clause])
    outcome = Attempt(exercise).check(answer)
    assert outcome.kind == WRONG, (clause, outcome)
