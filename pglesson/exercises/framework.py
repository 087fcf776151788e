"""Exercises that check themselves. A check says: not attempted; wrong, and why; or right, and what it is good for.

An `Exercise` is what an author writes; `Exercises` is what a notebook holds: the exercises of that notebook and what
has been solved in it. There is no other state, and nothing is sent anywhere.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from pglesson.exercises.script import script

NOT_ATTEMPTED, WRONG, RIGHT, HINT, SOLUTION = "not attempted", "not yet", "right", "hint", "solution"
SAVED, NOT_SAVED = "saved", "not saved"
# Of the bar beside an outcome: at least 3 to 1 on white and on black. The words have the page's own colour.
COLORS = {NOT_ATTEMPTED: "#666666", WRONG: "#A65C00", RIGHT: "#008A62", HINT: "#0072B2", SOLUTION: "#0072B2"}
COLORS |= {SAVED: "#008A62", NOT_SAVED: "#666666"}
EMPHASIZED = re.compile(r"(?<![\w)\]*])\*(\w[\w ]*)\*(?![\w(*])")  # *so*, and not the product a*b*c


@dataclass(frozen=True)
class Outcome:
    """What a learner is told. kind: one of those above, with a color of its own.

    verdict: of the answer that was checked last, shown before a hint or a solution. A cell shows the value of its last
    line only, and a hint below a check would hide what the check has found.
    """

    kind: str
    message: str
    verdict: Outcome | None = None

    def __repr__(self) -> str:
        before = f"{self.verdict!r}\n" if self.verdict else ""
        return f"{before}{self.kind.capitalize()}: {self.message}"

    def _repr_html_(self) -> str:
        before = self.verdict._repr_html_() if self.verdict else ""
        body = html.escape(self.message)
        if self.kind == SOLUTION:
            body = f"<pre style='margin: 4px 0'>{body}</pre>"
        else:
            body = EMPHASIZED.sub(r"<em>\1</em>", body)
        style = f"border-left: 4px solid {COLORS[self.kind]}; padding: 4px 10px"
        return f"{before}<div style='{style}'><b>{self.kind.capitalize()}:</b> {body}</div>"


def wrong(message: str) -> Outcome:
    """What is said of a wrong answer."""
    return Outcome(WRONG, message)


@dataclass(frozen=True)
class Exercise:
    """One exercise, as its author writes it.

    name: how a notebook calls it, and part of its cells' ids. objective: what solving it shows that one can do, in the
    words of the table in notebook 00. starter: the source of the cell that the learner edits; it assigns `answer`.
    solution: the same cell, solved. hints: from a first idea to nearly all of it. why: said when the answer is
    right. judge: returns what is wrong with an answer, or None.
    """

    name: str
    objective: str
    starter: str
    solution: str
    hints: tuple[str, ...]
    why: str
    judge: Callable[[Any], Outcome | None]


class Attempt:
    """One exercise in one notebook."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise, self.solved, self._hints = exercise, False, 0
        self._verdict: Outcome | None = None
        self._answer: Any = ...
        self._hinted = False  # whether there was a hint for this very answer

    def check(self, answer: Any = ...) -> Outcome:
        """Whether the answer is right, and if not, why not."""
        if answer is not self._answer:
            self._answer, self._hinted = answer, False
        self._verdict = self._judge(answer)
        self.solved = self.solved or self._verdict.kind == RIGHT
        return self._verdict

    def _judge(self, answer: Any) -> Outcome:
        if answer is ... or answer is None:
            to_fix = re.findall(r"^def (\w+)", self.exercise.starter, re.MULTILINE)
            hand_in = f" The last line hands your function in: answer = {to_fix[-1]}" if to_fix else ""
            again = "write your answer in the cell above, run it, and then run this one again."
            return Outcome(NOT_ATTEMPTED, again + hand_in)
        return self.exercise.judge(answer) or Outcome(RIGHT, self.exercise.why)

    def hint(self) -> Outcome:
        """The verdict on the answer, and a hint; no hint if the answer is right.

        Asked again about the same answer, the next hint, and after the last one the last one again. Another answer
        gets the present hint first: who left the line in the cell and tries again has not asked for more.
        """
        if self._verdict and self._verdict.kind == RIGHT:
            return self._verdict
        hints = self.exercise.hints
        if self._hints == 0 or self._hinted or self._verdict is None:
            self._hints = min(self._hints + 1, len(hints))
        self._hinted = True
        return Outcome(HINT, f"({self._hints} of {len(hints)}) {hints[self._hints - 1]}", self._verdict)

    def solution(self) -> Outcome:
        """One way to solve it, below the verdict on the answer."""
        return Outcome(SOLUTION, self.exercise.solution, self._verdict)

    def save_script(self, path: str, env_id: str, episodes: int, seeds: tuple[int, ...] = (0, 1, 2)) -> Outcome:
        """Writes the answer, if it is right, to a script that trains it and runs without this package.

        The answer is a function train(env_id, episodes, seed) that gives the returns. What the file held before is kept
        beside it, in a file whose name ends in _before.py.
        """
        if self._verdict is None or self._verdict.kind != RIGHT:
            return Outcome(NOT_SAVED, f"solve the exercise {self.exercise.name} first; then this cell writes {path}.")
        try:
            source = script(self._answer, env_id, episodes, seeds)
        except ValueError as error:
            return Outcome(NOT_SAVED, str(error))
        file = Path(path)
        if file.exists() and file.read_text(encoding="utf-8") != source:
            file.replace(file.with_stem(f"{file.stem}_before"))
        file.write_text(source, encoding="utf-8")
        return Outcome(SAVED, f"in a terminal, in this notebook's folder: python {path}")


class Exercises:
    """The exercises of one notebook, each by its name: `exercises.NAME.check(answer)`.

    notebook: its file's name without the ending, such as "02_softmax_policies". Raises ValueError for another.
    """

    def __init__(self, notebook: str) -> None:
        if notebook not in NOTEBOOKS:
            raise ValueError(f"There are no exercises for {notebook!r}, but for {', '.join(map(repr, NOTEBOOKS))}.")
        self.notebook = notebook
        self._attempts = {exercise.name: Attempt(exercise) for exercise in exercises_of(notebook)}

    def __getattr__(self, name: str) -> Attempt:
        attempts: dict[str, Attempt] = self.__dict__.get("_attempts", {})
        if name not in attempts:
            raise AttributeError(f"This notebook has no exercise {name!r}, but {', '.join(attempts)}.")
        return attempts[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._attempts]

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._attempts.values())

    def progress(self) -> Progress:
        """How many are solved, as a bar."""
        return Progress(tuple((attempt.exercise.name, attempt.solved) for attempt in self))


@dataclass(frozen=True)
class Progress:
    """A bar over a notebook's exercises. solved: each one's name, and whether it is solved."""

    solved: tuple[tuple[str, bool], ...]

    def __repr__(self) -> str:
        done = sum(done for _, done in self.solved)
        left = ", ".join(name for name, done in self.solved if not done)
        return f"{'█' * done}{'░' * (len(self.solved) - done)} {done} of {len(self.solved)} exercises solved" + (
            f"; still open: {left}" if left else ""
        )


# Each module of this package that holds a notebook's exercises, by the notebook's name.
NOTEBOOKS = (
    "00_start_here",
    "01_why_learn_a_policy",
    "02_softmax_policies",
    "03_gaussian_policies",
    "04_policy_gradient_theorem",
    "05_reinforce",
    "06_variance_and_baselines",
    "07_normalization_and_advantages",
    "08_entropy_and_exploration",
    "09_continuous_control",
    "10_tuning_and_debugging",
    "11_playground",
    "12_actor_critic",
    "13_trust_regions_and_ppo",
    "14_language_models",
    "15_what_rewards_do",
    "16_learning_from_comparisons",
    "17_after_grpo",
)


def exercises_of(notebook: str) -> tuple[Exercise, ...]:
    """A notebook's exercises, in its order."""
    module = import_module(f"pglesson.exercises.by_notebook.nb{notebook}")
    found: tuple[Exercise, ...] = module.EXERCISES
    return found
