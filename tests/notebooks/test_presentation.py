"""What a learner sees of a notebook: numbers, short code, folded answers, and a promise of minutes that is kept."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from folding import HIDE_INPUT, HIDE_OUTPUT, asks_for_a_prediction, fold
from nbconvert.exporters import HTMLExporter
from reading_time import IN_WORDS, MOST_MINUTES, MOST_WORDS, Load, load, promised
from traitlets.config import PyFileConfigLoader

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BARE = re.compile(r"\b(True|False)$")
MOST_LINES = 25


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def printed_lines(notebook: Any) -> list[str]:
    """The lines that the cells print, without the exercises' verdicts and the names of widgets and figures."""
    outputs = [out for cell in notebook.cells if not cell.id.startswith("exercise-") for out in cell.get("outputs", [])]
    texts = [
        out.get("text") or out.data.get("text/plain", "") for out in outputs if "image/png" not in out.get("data", {})
    ]
    return [line for text in texts for line in text.splitlines() if line.strip() and not line.startswith("<")]


def test_at_most_one_printed_line_in_ten_is_a_bare_truth_value(notebook: Any) -> None:
    lines = printed_lines(notebook)
    bare = [line for line in lines if BARE.search(line.rstrip())]
    assert 10 * len(bare) <= len(lines), bare


def test_visible_code_is_short_and_collapsed_code_says_what_it_is(notebook: Any) -> None:
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            if HIDE_INPUT in cell.metadata.get("tags", []):
                assert re.match(r"# [A-Z].{8,}", lines[0]), f"{cell.id}: the first line says what the cell draws"
            else:
                assert len(lines) <= MOST_LINES, f"{cell.id}: {len(lines)} lines"


def test_what_is_to_be_collapsed_is(notebook: Any) -> None:
    again = copy.deepcopy(notebook)
    fold(again)
    for stored, cell in zip(notebook.cells, again.cells):
        assert stored.metadata == cell.metadata, f"{cell.id}: python scripts/rebuild_notebooks.py"


def test_no_output_beneath_a_prediction_is_open(notebook: Any) -> None:
    for before, cell in zip(notebook.cells, notebook.cells[1:]):
        if asks_for_a_prediction(before) and cell.get("outputs"):
            assert cell.metadata.jupyter.outputs_hidden and HIDE_OUTPUT in cell.metadata.tags, cell.id


def test_the_first_line_of_a_folded_output_tells_nothing(notebook: Any) -> None:
    """JupyterLab shows the first line of the text of a folded output, but not where the code is collapsed too."""
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if HIDE_OUTPUT in tags and HIDE_INPUT not in tags:
            first = cell.outputs[0]
            text = first.get("text") or first.get("data", {}).get("text/plain", "")
            line = text.splitlines()[0]
            assert not re.search(r"≈|True|False|[=:] *[-+]?[\d.]+[ %\w]*$", line), f"{cell.id}: {line}"


def test_the_minutes_promised_are_those_of_the_rule(notebook: Any) -> None:
    found = load(notebook)
    assert found.minutes <= MOST_MINUTES and found.words <= MOST_WORDS, found
    assert promised(notebook) == IN_WORDS[found.minutes], found


def test_the_readme_lists_every_notebook_with_its_minutes() -> None:
    rows = re.findall(
        r"^\| \[.*\]\(notebooks/(.*)\.ipynb\) \|.*\| (\d+) \|$", (ROOT / "README.md").read_text("utf-8"), re.M
    )
    assert rows == [(path.stem, str(load(nbformat.read(path, as_version=4)).minutes)) for path in NOTEBOOKS]


def test_the_rule_counts_what_it_says() -> None:
    """By hand: 300 words, a formula, 30 lines, an exercise and a widget are 2 + 0.5 + 2 + 3 + 2 minutes."""
    made = nbformat.v4.new_notebook()
    words = "word " * 299 + "[link](https://example.org/many/words/that/nobody/reads) $$ a + b \\times c $$"
    draw = nbformat.v4.new_code_cell("# Draws it\n" + "x = 1\n" * 50, id="draw", metadata={"tags": [HIDE_INPUT]})
    draw.outputs = [nbformat.v4.new_output("display_data", {"text/plain": "<Explorer: x>"})]
    made.cells = [
        nbformat.v4.new_markdown_cell(words, id="text"),
        nbformat.v4.new_code_cell("x = 1\n\n" * 30, id="code"),
        draw,
        nbformat.v4.new_code_cell("answer = ...", id="exercise-one"),
        nbformat.v4.new_code_cell("exercises.one.check(answer)", id="exercise-one-check"),
    ]
    assert load(made) == Load(words=300, formulas=1, code=30, exercises=1, widgets=1)
    assert load(made).minutes == 10


def test_a_page_folds_what_the_notebook_folds(notebook: Any) -> None:
    config = PyFileConfigLoader("nbconvert_config.py", path=str(ROOT / "docs")).load_config()
    page, _ = HTMLExporter(config=config).from_notebook_node(copy.deepcopy(notebook))
    shown = BeautifulSoup(page, "html.parser")
    tags = [tag for cell in notebook.cells for tag in cell.metadata.get("tags", [])]
    for tag in (HIDE_INPUT, HIDE_OUTPUT):
        folded = shown.select(f"details.{tag}")
        assert len(folded) == tags.count(tag) and not any(element.has_attr("open") for element in folded)
    titles = [cell.source.splitlines()[0] for cell in notebook.cells if HIDE_INPUT in cell.metadata.get("tags", [])]
    assert [element.summary.get_text() for element in shown.select(f"details.{HIDE_INPUT}")] == [
        title.removeprefix("# ") for title in titles
    ]
