"""The exercises refuse mutants of their own solutions: a sample of what scripts/mutate_exercises.py tries."""

from __future__ import annotations

import ast
import random

import pytest
from mutate import mutants
from mutate_exercises import EDITS, GROWN, SECONDS, equivalent, how, is_agent, judged, written, wrong_solutions

from pglesson.exercises import Exercise, judges
from pglesson.exercises.framework import RIGHT, WRONG

QUICK = [(notebook, exercise) for notebook, exercise in written() if not is_agent(exercise)]


@pytest.mark.parametrize(
    ("line", "others"),
    [
        ("if x < -1: pass", {"if x > -1: pass", "if x <= -1: pass", "if x < +1: pass", "if x < -2: pass"}),
        (
            "y = f(x, 2, keepdim=True)",
            {"y = f(2, x, keepdim=True)", "y = f(x, 2)", "y = f(x, 3, keepdim=True)", "pass"},
        ),
        ("y = x.sum(0)", {"y = x", "y = x.mean(0)", "y = x.sum(1)"}),
        ("y = (x - 0.5) ** 2", {"y = (0.5 - x) ** 2", "y = (x - 0.5) * 2", "y = (x - 1.0) ** 2", "y = 2 ** (x - 0.5)"}),
        ("a, b = x, y\nc = not a", {"c = not a\na, b = x, y", "a, b = x, y\nc = a", "pass\nc = not a"}),
        ("y = torch.exp(x) @ w", {"y = x @ w", "y = torch.exp(x) * w", "y = w @ torch.exp(x)"}),
    ],
)
def test_a_line_has_these_mutants_among_others(line: str, others: set[str]) -> None:
    source = "def f(x):\n    " + line.replace("\n", "\n    ")
    made = {mutant for _, mutant in mutants(source, EDITS)}
    for other in others:
        assert ast.unparse(ast.parse("def f(x):\n    " + other.replace("\n", "\n    "))) in made, other
    assert source not in made


@pytest.mark.parametrize("exercise", [exercise for _, exercise in QUICK], ids=[f"{n[:2]}-{e.name}" for n, e in QUICK])
def test_a_mutant_of_the_solution_is_refused(exercise: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of each exercise, drawn with a fixed seed from those that are not listed as equivalent."""
    monkeypatch.setattr(judges, "SECONDS", SECONDS)
    (notebook,) = (notebook for notebook, other in QUICK if other is exercise)
    known = equivalent().get(f"{notebook}.{exercise.name}", {})
    wrong = [mutant for mutant in wrong_solutions(exercise) if mutant[0] not in known]
    change, source = random.Random(exercise.name).choice(wrong)
    assert judged(exercise, source).kind != RIGHT, change


def test_what_is_listed_as_equivalent_belongs_to_an_exercise() -> None:
    names = {f"{notebook}.{exercise.name}" for notebook, exercise in written()}
    assert set(equivalent()) <= names and all(reason for known in equivalent().values() for reason in known.values())


def test_an_agent_that_grows_is_changed_only_where_it_has_grown() -> None:
    """08's has the bonus, and a name of its own."""
    solutions = {f"{notebook}.{exercise.name}": exercise for notebook, exercise in written()}
    name = "08_entropy_and_exploration.agent"
    changes = [change for change, _ in wrong_solutions(solutions[name], solutions[GROWN[name]].solution)]
    assert changes and all("pi.entropy()" in change or "def train_agent" in change for change in changes), changes


def test_refusals_are_counted_by_what_they_say() -> None:
    (sample,) = (exercise for notebook, exercise in QUICK if exercise.name == "sample")
    for answer, words in (
        ("lambda p, u: int(p.argmax())", "named"),
        ("lambda p, u: 1 / 0", "told by the error that it raised"),
        ("lambda p, u: 7", "shown by values alone"),
    ):
        outcome = judged(sample, f"answer = {answer}")
        assert outcome.kind == WRONG and how(outcome.message) == words, outcome
