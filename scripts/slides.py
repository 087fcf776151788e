"""Which cell of a notebook goes on which slide of `jupyter nbconvert --to slides`.

A slide has 1400 x 860 pixels; heights are estimated for type of 20 pixels.
"""

from __future__ import annotations

import base64
import math
import re
import struct
from typing import Any

from folding import HIDE_INPUT, set_tags

ROOM = 735  # pixels of a slide's height for cells and the gaps between them, of 817 inside the margins
LINE, CODE_LINE = 30, 24
TAG = "output-only"  # the slide of such a cell shows its outputs, not its code


def _markdown_height(source: str) -> int:
    visible = re.sub(r"<details>.*?</details>", "answer", source, flags=re.DOTALL)
    height = 0
    for line in visible.splitlines():
        cells = line.strip("| ").split(" | ") if line.startswith("|") else [line]
        width = 80 if line.startswith("#") else 130 / len(cells)
        height += max(math.ceil(len(cell) / width) for cell in cells) * (LINE + 25 * line.startswith(("#", "$$")))
    return height + 14 * visible.count("\n\n")


def _code_height(cell: Any) -> int:
    return CODE_LINE * len(cell.source.splitlines())


def _output_height(cell: Any) -> int:
    height = 0
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if "image/png" in data:
            width, tall = struct.unpack(">II", base64.b64decode(data["image/png"])[16:24])
            height += round(tall * min(1, 1350 / width)) + 12
        else:
            height += CODE_LINE * len((output.get("text") or data.get("text/plain") or "").splitlines())
    return height


def lay_out(notebook: Any) -> None:
    """Sets each cell's slide metadata, and the tag of those whose code would not fit together with their outputs.

    A section starts a slide, each further text a slide below it. A code cell is on the slide of the text before it if
    there is room, as the next step if the text asks for a prediction. Set-up, answers and checks are left out.
    """
    room = 0
    for index, cell in enumerate(notebook.cells):
        tags = [tag for tag in cell.metadata.get("tags", []) if tag != TAG]
        exercise = cell.id.startswith("exercise-") and not cell.id.endswith("-text")
        if cell.cell_type == "markdown":
            kind = "slide" if index == 0 or cell.source.startswith("## ") else "subslide"
            room = ROOM - _markdown_height(cell.source)
        elif exercise or not _shown(cell, first=index < 3):
            kind = "skip"
        else:
            output, code = _output_height(cell), 0 if HIDE_INPUT in tags else _code_height(cell)
            if output and output + code > ROOM:
                tags, code = [*tags, TAG], 0
            before = notebook.cells[index - 1]
            together = (
                before.cell_type == "markdown" and not before.id.startswith("exercise-") and output + code <= room
            )
            kind = "subslide" if not together else "fragment" if "**Predict" in before.source else "-"
            room = 0
        cell.metadata["slideshow"] = {"slide_type": kind}
        set_tags(cell, tags)


def _shown(cell: Any, *, first: bool) -> bool:
    """Whether a code cell is shown: imports, settings and a function longer than a slide are not."""
    setup = first or re.match(r"import |from ", cell.source) or _code_height(cell) > ROOM
    return bool(_output_height(cell)) or not setup
