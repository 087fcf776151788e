"""How long the notebooks take, by one rule: python scripts/reading_time.py

Minutes = words / 150 + displayed formulas / 2 + visible lines of code / 15 + 3 for each exercise + 2 for each widget,
rounded to 5. Words are those of the text, without formulas and addresses; collapsed code and the exercises' cells are
not counted as code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from folding import HIDE_INPUT

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
WIDGETS = ("<Dashboard", "<Explorer", "<Microscope", "<Playground", "<Clinic")  # how their stored text begins
MOST_MINUTES, MOST_WORDS = 60, 3_100
TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty"}
IN_WORDS = TENS | {tens + 5: f"{word}-five" for tens, word in TENS.items()}


@dataclass(frozen=True)
class Load:
    """What a notebook asks of a learner."""

    words: int
    formulas: int
    code: int
    exercises: int
    widgets: int

    @property
    def minutes(self) -> int:
        """By the rule, rounded to 5."""
        exact = self.words / 150 + self.formulas / 2 + self.code / 15 + 3 * self.exercises + 2 * self.widgets
        return 5 * round(exact / 5)


def load(notebook: Any) -> Load:
    """Counts the words, displayed formulas, visible lines of code, exercises and widgets of a notebook."""
    words = formulas = code = exercises = widgets = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"\$\$.*?\$\$", " ", cell.source, flags=re.DOTALL)
            formulas += cell.source.count("$$") // 2
            text = re.sub(r"\]\([^)]*\)|<[^>]*>", " ", re.sub(r"\$[^$]*\$", " x ", text))
            words += len(re.findall(r"[A-Za-z0-9][\w'’.-]*", text))
        elif cell.id.startswith("exercise-"):
            exercises += cell.id.endswith("-check")
        else:
            if HIDE_INPUT not in cell.metadata.get("tags", []):
                code += sum(bool(line.strip()) for line in cell.source.splitlines())
            texts = [output.get("data", {}).get("text/plain", "") for output in cell.outputs]
            widgets += any(text.startswith(WIDGETS) for text in texts)
    return Load(words, formulas, code, exercises, widgets)


def promised(notebook: Any) -> str:
    """The minutes in the notebook's opening sentence, in words."""
    found = re.search(r"In about ([a-z-]+) minutes", notebook.cells[0].source)
    return found.group(1) if found else "no time"


if __name__ == "__main__":
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        found = load(notebook)
        print(f"{path.stem:35} {found.minutes:3} minutes, promised {promised(notebook)}; {found}")
