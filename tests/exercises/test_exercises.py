"""The exercises: learners' right answers are accepted in every style, and each mistake is called by its name."""

from __future__ import annotations

import re
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from pglesson.exercises import Exercise, Exercises, judges
from pglesson.exercises.framework import NOT_ATTEMPTED, NOTEBOOKS, RIGHT, WRONG, Attempt, exercises_of
from pglesson.exercises.judges import Case, judge_choice, judge_function, judge_number
from pglesson.exercises.time_limit import TooLong, time_limit

ENDLESS = "had not come back"  # what is said of an answer that never ends
EXERCISES = [(notebook, exercise) for notebook in NOTEBOOKS for exercise in exercises_of(notebook)]
IDS = [f"{notebook[:2]}-{exercise.name}" for notebook, exercise in EXERCISES]


def answers(notebook: str) -> Any:
    return import_module(f"answers.nb{notebook}")


def cases(kind: str) -> list[Any]:
    found = []
    for notebook, exercise in EXERCISES:
        for number, answer in enumerate(getattr(answers(notebook), kind)[exercise.name]):
            found.append(pytest.param(exercise, answer, id=f"{notebook[:2]}-{exercise.name}-{number}"))
    return found


@pytest.mark.parametrize(("exercise", "answer"), cases("RIGHT"))
def test_a_right_answer_is_accepted(exercise: Exercise, answer: Any) -> None:
    attempt = Attempt(exercise)
    outcome = attempt.check(answer)
    assert outcome.kind == RIGHT and attempt.solved, outcome


@pytest.mark.parametrize(("exercise", "mistake"), cases("MISTAKES"))
def test_a_mistake_is_called_by_its_name(
    exercise: Exercise, mistake: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, words = mistake
    if words == ENDLESS:
        monkeypatch.setattr(judges, "SECONDS", 0.2)
    attempt = Attempt(exercise)
    outcome = attempt.check(answer)
    assert outcome.kind == WRONG and not attempt.solved and re.search(words, outcome.message), outcome
    assert "Traceback" not in outcome.message and "site-packages" not in outcome.message


@pytest.mark.parametrize(("notebook", "exercise"), EXERCISES, ids=IDS)
def test_an_exercise_is_whole(notebook: str, exercise: Exercise) -> None:
    given = answers(notebook)
    assert len(given.RIGHT[exercise.name]) >= 3 and len(given.MISTAKES[exercise.name]) >= 6
    assert exercise.name.isidentifier() and len(exercise.hints) >= 2 and exercise.why.endswith(".")
    for text in (exercise.why, *exercise.hints):
        assert "!" not in text.replace("!=", "")
    assert Attempt(exercise).check(run(exercise.starter)).kind == NOT_ATTEMPTED
    assert Attempt(exercise).check(run(exercise.solution)).kind == RIGHT


def run(source: str) -> Any:
    """A cell's `answer`, in a notebook that has imported what every notebook has."""
    scope: dict[str, Any] = {"torch": torch, "np": np}
    exec(source, scope)
    return scope["answer"]


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_a_notebook_has_three_to_six(notebook: str) -> None:
    names = [exercise.name for exercise in exercises_of(notebook)]
    assert 3 <= len(names) <= 6 and len(set(names)) == len(names)


def test_hints_come_in_steps_and_the_solution_is_shown() -> None:
    exercises = Exercises("02_softmax_policies")
    attempt = exercises.log_policy
    hints = [attempt.hint().message for _ in range(5)]
    assert hints[0].startswith("(1 of 3)") and hints[2:] == [hints[2]] * 3
    assert attempt.solution().message == attempt.exercise.solution and "<pre" in attempt.solution()._repr_html_()


def test_a_hint_below_a_check_hides_no_verdict() -> None:
    """A cell shows the value of its last line: what `hint()` gives has to say what `check()` found."""
    attempt = Exercises("02_softmax_policies").predict
    for answer, verdict in ((..., "Not attempted:"), (0.5, "Not yet:"), ("a half", "Not yet:")):
        found = attempt.check(answer)
        for below in (attempt.hint(), attempt.solution()):
            assert found.message in repr(below) and repr(below).startswith(verdict)
            assert found._repr_html_() in below._repr_html_()
    assert attempt.check(0.6).kind == RIGHT
    assert attempt.hint() == attempt.check(0.6)  # nothing is left to hint at


def test_another_answer_spends_no_hint() -> None:
    """Who leaves `hint()` in the cell and tries again sees the same hint; who runs the same cell again, the next."""
    attempt, numbers = Exercises("02_softmax_policies").predict, []
    for answer in (0.3, 0.25, 0.2, 0.2, 0.2, 0.2):
        attempt.check(answer)
        numbers.append(attempt.hint().message[:3])
    assert numbers == ["(1 ", "(1 ", "(1 ", "(2 ", "(3 ", "(3 "]


def test_progress_lives_in_the_notebooks_own_object() -> None:
    one, other = Exercises("02_softmax_policies"), Exercises("02_softmax_policies")
    one.predict.check(0.6)
    left = "temperature, sample, log_policy, score, certain"
    assert repr(one.progress()) == f"█░░░░░ 1 of 6 exercises solved; still open: {left}"
    assert "0 of 6" in repr(other.progress())
    assert "predict" in dir(one)
    with pytest.raises(AttributeError, match="no exercise 'nothing', but predict"):
        one.nothing  # noqa: B018
    with pytest.raises(ValueError, match="There are no exercises for '99'"):
        Exercises("99")


def test_what_the_learner_wrote_is_shown_escaped() -> None:
    outcome = Exercises("02_softmax_policies").predict.check("<script>")
    assert "<script>" not in outcome._repr_html_() and "&lt;script&gt;" in outcome._repr_html_()


def test_the_time_limit_reaches_an_endless_loop_and_lets_others_be() -> None:
    with pytest.raises(TooLong), time_limit(0.1):
        while True:
            try:
                while True:
                    pass
            except Exception:  # what a learner might have written around it
                pass
    with time_limit(0.05):
        pass
    time.sleep(0.1)  # nothing arrives late


def test_the_time_limit_counts_what_is_computed_and_not_what_passes() -> None:
    """On a busy machine a right answer takes long; one that waits for ever is stopped all the same."""
    with time_limit(0.1):
        time.sleep(0.3)
    with pytest.raises(TooLong), time_limit(0.05):
        while True:
            time.sleep(0.01)


def test_an_answer_that_exits_is_wrong_and_stops_nothing() -> None:
    outcome = FUNCTION(lambda x: sys.exit(3))
    assert outcome.kind == WRONG and "SystemExit" in outcome.message


def doubled(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


CHOICE = judge_choice("loss", {"return": "no"})
NUMBER = judge_number(2.0, {}, otherwise="no number of this size")
FUNCTION = judge_function(doubled, [Case("two numbers", (torch.tensor([1.0, 2.0]),))], [])


@pytest.mark.parametrize(
    ("judge", "answer", "words"),
    [
        (CHOICE, ["loss"], r"answer is \['loss'\], but must be one of 'loss', 'return'"),
        (CHOICE, {"loss": 1}, "must be one of"),
        (CHOICE, {"loss"}, "must be one of"),
        (CHOICE, np.array(["loss", "return"]), "must be one of"),
        (CHOICE, torch.ones(2), r"answer is \[1.0, 1.0\], but"),
        pytest.param(NUMBER, 10**5000, "no number of this size", id="too long to be shown"),
        (NUMBER, torch.tensor([True, False]), r"answer is \[True, False\], but must be one number"),
        (FUNCTION, torch.tensor([True, False]), r"answer is \[True, False\], but must be a function"),
        (FUNCTION, torch.tensor([0.5, 1.0]).bfloat16(), r"answer is \[0.5, 1.0\], but must be a function"),
        (FUNCTION, torch.tensor([0.12345678], requires_grad=True), r"answer is \[0.1235\], but must be a function"),
    ],
)
def test_an_answer_of_another_kind_is_wrong_and_breaks_nothing(judge: Any, answer: Any, words: str) -> None:
    outcome = judge(answer)
    assert outcome.kind == WRONG and re.search(words, outcome.message), outcome
