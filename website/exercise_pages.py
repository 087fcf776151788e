"""An exercise in a page without a kernel: a number or a choice is checked there, for code there are hints."""

from __future__ import annotations

import html
import inspect
import json
from typing import Any

from pglesson.exercises import Exercise


def markup(exercise: Exercise) -> str:
    """The exercise as HTML that exercise.js brings to life. Without scripts, its hints can be read."""
    kind = exercise.judge.__qualname__.partition(".")[0]
    given = inspect.getclosurevars(exercise.judge).nonlocals
    data: dict[str, Any] = {"why": exercise.why, "hints": exercise.hints}
    if kind == "judge_number":
        data["number"] = {name: given[name] for name in ("right", "tolerance", "near", "otherwise")}
        data["number"]["mistakes"] = list(given["mistakes"].items())
    elif kind == "judge_choice":
        data["choice"] = {"right": given["right"], "reasons": given["reasons"]}
    checked = "number" in data or "choice" in data
    note = "" if checked else "<p>This exercise asks for code: write it in the notebook, which checks it.</p>"
    hints = "".join(f"<li>{html.escape(hint)}</li>" for hint in exercise.hints)
    written = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")  # which would end the script
    return (
        f'<div class="exercise">{note}<details><summary>Hints</summary><ol>{hints}</ol></details>'
        f'<script type="application/json">{written}</script></div>'
    )
