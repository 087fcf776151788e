"""What is stored collapsed: the code of cells that only draw, and what stands beneath a prediction.

JupyterLab and Notebook 7 read `source_hidden` and `outputs_hidden`, Jupyter Book and docs/nbconvert_config.py
the tags. An output unfolds when its cell is run.
"""

from __future__ import annotations

from typing import Any

HIDE_INPUT, HIDE_OUTPUT = "hide-input", "hide-output"


def set_tags(cell: Any, tags: list[str]) -> None:
    """Writes a cell's tags in alphabetical order, and no empty list."""
    cell.metadata.pop("tags", None)
    if tags:
        cell.metadata["tags"] = sorted(tags)


def asks_for_a_prediction(cell: Any) -> bool:
    """Whether a cell's text has the word Predict in bold."""
    return cell.cell_type == "markdown" and "**Predict" in cell.source


def fold(notebook: Any) -> None:
    """Sets each cell's `jupyter` metadata, and the tag of those whose outputs are collapsed.

    The author tags a cell whose purpose is a picture with `hide-input`. Outputs are collapsed from a prediction to the
    next text.
    """
    predicted = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            predicted = asks_for_a_prediction(cell)
            continue
        tags = [tag for tag in cell.metadata.get("tags", []) if tag != HIDE_OUTPUT]
        hidden = {"source_hidden": True} if HIDE_INPUT in tags else {}
        if predicted and cell.get("outputs"):
            hidden, tags = hidden | {"outputs_hidden": True}, [*tags, HIDE_OUTPUT]
        cell.metadata.pop("jupyter", None)
        if hidden:
            cell.metadata["jupyter"] = hidden
        set_tags(cell, tags)
