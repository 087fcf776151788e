"""The exercises: learners' right answers are accepted in every style, and each mistake is called by its name."""

from __future__ import annotations

import math
import re
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch

from pglesson.exercises import Exercise, Exercises, judges
from pglesson.exercises.framework import COLORS, NOT_ATTEMPTED, NOTEBOOKS, RIGHT, WRONG, Attempt, Outcome, exercises_of
from pglesson.exercises.judges import Case, ChoiceJudge, NumberJudge, judge_function
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


def test_who_fixes_a_function_is_told_to_hand_it_in() -> None:
    outcome = Exercises("05_reinforce").loss.check(...)
    assert outcome.kind == NOT_ATTEMPTED and outcome.message.endswith("answer = episode_loss")


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
    left = "temperature, sample, log_policy, score, module"
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


def test_emphasis_is_set_in_italics_and_a_product_is_not() -> None:
    shown = Outcome(WRONG, "that is the *variance*: sigma is *at most* its root, a*b*c (x)*y*(z)")._repr_html_()
    assert re.findall("<em>(.*?)</em>", shown) == ["variance", "at most"]


def test_an_outcome_can_be_read_on_white_and_on_black() -> None:
    """WCAG 2.1: its words have the page's own colour; the bar beside them has a contrast of 3 to 1."""

    def luminance(color: str) -> float:
        shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
        return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear))

    for kind, color in COLORS.items():
        outcome = Outcome(kind, "message")._repr_html_()
        assert re.findall("#[0-9A-F]{6}|color:", outcome) == [color], kind
        assert 1.05 / (luminance(color) + 0.05) >= 3 and (luminance(color) + 0.05) / 0.05 >= 3, kind


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


CHOICE = ChoiceJudge("loss", {"return": "no"})
NUMBER = NumberJudge(2.0, {}, otherwise="no number of this size")
FUNCTION = judge_function(doubled, [Case("two numbers", (torch.tensor([1.0, 2.0]),))], [])


BATCH = torch.arange(12.0).view(4, 3)
ROWS = [Case("four states", (BATCH, 0.5)), Case("two states", (BATCH[:2], 2.0)), Case("one state", (BATCH[:1], 0.5))]


def scaled_sum(logits: torch.Tensor, scale: float) -> torch.Tensor:
    return scale * logits.sum(-1)


SUM = judge_function(
    scaled_sum, ROWS, [judges.Mistake("you left out the scale.", lambda logits, scale: logits.sum(-1))], gradients=(0,)
)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, c: x.sum(-1), r"^you left out the scale\.$"),  # as the model on all cases: said as a fact
        (
            lambda x, c: x.sum(-1) * (c if c > 1 else 1),
            r"^this may be it, for it fits 2 of the 3 cases that were tried: you left out the scale\. "
            r"What was seen: for one state your function gives .*, but .* is right\.$",
        ),
        (lambda x, c: x.sum(-1) * c * (1 if len(x) > 1 else 3), "for one state your function gives"),
        (lambda x, c: None if len(x) == 1 else x.sum(-1) * c, "for one state your function gives None. One way"),
        (lambda x, c: x.sum(-1) * c / (len(x) - 1 or "none"), "TypeError.*one state, with `x` the shape \\(1, 3\\)"),
        (lambda x, c: x.sum(-1) * c + torch.rand(()), "gives another result each time"),
        (lambda x, c: c * (x - x.mean(-1)).sum(-1), r"size of tensor a \(3\).*keepdim=True"),
        (lambda x, c: c * x.sum(-1, keepdim=True), r"squeeze\(-1\)"),
        (lambda x, c: c * (x @ x).sum(-1), "as long as the first axis of B"),
        (lambda x, c: c * x.numpy() @ x.numpy()[0, :2], "as long as the first axis of B"),
        (lambda x, c: c * x[x * 0.0].sum(-1), "mask > 0"),
        (lambda x, c: c * torch.distributions.Categorical(x - 4).entropy(), r"Categorical\(logits="),
        (lambda x, c: c * x.sum(-1) + 0 * x[:, :1], "last axis that should be gone"),
        (lambda x, c: c * x.sum(-1) * float("nan"), "NaN comes from"),
        (lambda x, c: c * x.sum(-1).detach() + 0 * x.sum(), "their derivative with respect to `x` is|no derivative"),
        (lambda x, c: c * x.detach().sum(-1), "no derivative reaches `x`"),
    ],
)
def test_what_is_said_is_what_was_seen_on_all_cases(answer: Any, words: str) -> None:
    """A mistake is stated as a fact only if its model does the same on every case; one failure hides no other."""
    outcome = SUM(answer)
    assert outcome.kind == WRONG and re.search(words, outcome.message), outcome
    assert SUM(lambda x, c: (c * x).sum(-1)) is None
    assert SUM(lambda x, c: None).kind == NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, c: x.sum(-1) * c * (1 if len(x) > 1 else 3), r"In all other cases that were tried it is right\.$"),
        (lambda x, c: x.sum(-1) * (c + (len(x) < 4)), r"is right\. It is right for four states\.$"),
        (lambda x, c: c * (x + 0 * BATCH[:2]).sum(-1), r"RuntimeError.* It is right for two states\.$"),
        (lambda x, c: -0.25 * c * x.sum(-1), r"is right\. It is -0\.25 times what is right, in all cases\.$"),
        (lambda x, c: c * x.sum(-1) - 3, r"is right\. It is 3 too little, in all cases\.$"),
        (lambda x, c: 0 * x.sum(-1), r"is right\. It is 0 in all cases\.$"),
        (lambda x, c: c * x, "An axis too many is left: is a sum"),
        (lambda x, c: c * x.sum(), "An axis is missing: is it gone by a sum"),
        (lambda x, c: torch.distributions.Normal(x, -1 - x).mean, "Normal.* Is log sigma given for sigma"),
        (lambda x, c: math.exp(x), "takes one number. torch.exp and its like"),
        (lambda x, c: max(x.sum(-1), 0 * x.sum(-1)), "torch.maximum"),
        (lambda x, c: c * x.numpy().sum(-1), "NumPy keeps no derivatives"),
        (lambda x, c: c * x.detach().numpy().sum(dim=-1), "In NumPy it is axis="),
        (lambda x, c: x.detach().numpy()[0] - np.zeros(2), "needs a second axis"),
    ],
)
def test_an_error_is_explained_and_what_is_right_is_said(answer: Any, words: str) -> None:
    outcome = SUM(answer)
    assert outcome.kind == WRONG and re.search(words, outcome.message, re.DOTALL), outcome
    assert "\n" not in outcome.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (0.61, "this is near, but the answer has to be right to 1 %"),
        (60, "in percent"),
        ((0, 6), r"A decimal point is meant: 0\.6"),
        (0.4, "you took the other one"),
        (0.43, "^no$"),
        (0.95, "a rounded one"),
        (0.945, "a rounded one"),
        (0.96, "^no$"),
    ],
)
def test_a_wrong_number_is_known_only_if_it_is_given_exactly_or_rounded(answer: Any, words: str) -> None:
    judge = NumberJudge(0.6, {0.4: "you took the other one", 0.94523: "a rounded one"}, otherwise="no")
    assert re.search(words, judge(answer).message)
    assert judge(0.6) is None and judge(0.604) is None
    assert NumberJudge(2.4324, {}, otherwise="no")(2.4) is None
    assert NumberJudge(2.4324, {2.4: "another"}, otherwise="no")(2.4).message == "another"


@pytest.mark.parametrize(
    "answer", ["0.6", " 3 / 5", "60 %", "about 0.6", "0.6 nats", [0.6], (0.6,), np.array([[0.6]]), torch.tensor([0.6])]
)
def test_a_number_may_be_written_in_any_way(answer: Any) -> None:
    assert NumberJudge(0.6, {}, otherwise="no")(answer) is None


@pytest.mark.parametrize("answer", ["0,6", "0.6.1", "sixty", "", [0.6, 0.4], [], {"p": 0.6}, None])
def test_what_is_not_one_number_is_asked_for_again(answer: Any) -> None:
    assert "must be one number" in NumberJudge(0.6, {}, otherwise="no")(answer).message


def test_an_array_of_one_number_is_a_number() -> None:
    judge = judge_function(lambda x: x.sum(), [Case("two numbers", (torch.tensor([1.0, 2.0]),))], [])
    assert judge(lambda x: x.sum(0, keepdim=True)) is None
    assert "shape (1, 1)" in judge(lambda x: x.sum().view(1, 1)).message


@pytest.mark.parametrize("answer", ["zero_grad", "zero_grad()", " 'Zero_grad' ", "`zero grad`", "zero-grad."])
def test_a_choice_may_be_written_in_any_way(answer: str) -> None:
    assert ChoiceJudge("zero_grad", {"step": "no"})(answer) is None
    for letter in ("c)", "(c)", "**c**", "c: a game", "C. A game"):
        assert ChoiceJudge("c", {"a": "no"})(letter) is None
    assert ChoiceJudge("c", {"a": "no"})("a game") is not None
    judge = ChoiceJudge("mixed groups only", {"mixed pairs": "no"})
    assert judge("mixed groups") is None and judge("Mixed p").message == "no" and "one of" in judge("mixed").message
    for number in (0.6, "0.6", "3/5"):
        assert ChoiceJudge("0.6", {"0.4": "no"})(number) is None


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
