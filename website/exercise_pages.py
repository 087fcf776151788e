"""An exercise in a page without a kernel: a number or a choice is checked there, for code there are hints."""

from __future__ import annotations

import html
from dataclasses import asdict
from typing import Any

import frames

from pglesson.exercises import Exercise
from pglesson.exercises.judges import ChoiceJudge, NumberJudge


def markup(exercise: Exercise) -> str:
    """The exercise as HTML that exercise.js brings to life. Without scripts, its hints can be read."""
    data: dict[str, Any] = {"why": exercise.why}
    if isinstance(exercise.judge, NumberJudge):
        data["number"] = asdict(exercise.judge)
        data["number"]["mistakes"] = list(exercise.judge.mistakes.items())
    elif isinstance(exercise.judge, ChoiceJudge):
        data["choice"] = asdict(exercise.judge)
    checked = "number" in data or "choice" in data
    notebook = '<a href="index.html#run-it-for-real">the notebook</a>'
    note = "" if checked else f"<p>This exercise asks for code: write it in {notebook}, which checks it.</p>"
    hints = "".join(f"<li>{html.escape(hint)}</li>" for hint in exercise.hints)
    return (
        f'<div class="exercise">{note}<details><summary>Hints</summary><ol>{hints}</ol></details>'
        f"{frames.script(data)}</div>"
    )
