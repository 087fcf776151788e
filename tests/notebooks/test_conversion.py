"""Without a kernel: pages and slides of every notebook hold its figures, described in words."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from folding import HIDE_INPUT
from nbconvert.exporters import HTMLExporter, SlidesExporter
from slides import TAG, lay_out
from traitlets.config import Config, PyFileConfigLoader

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def config() -> Config:
    return PyFileConfigLoader("nbconvert_config.py", path=str(ROOT / "docs")).load_config()


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Any:
    return nbformat.read(request.param, as_version=4)


def stored_descriptions(cells: Any) -> list[str]:
    outputs = [output for cell in cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})]
    return [output.metadata["image/png"]["alt"] for output in outputs]


def on_slides(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.metadata.slideshow.slide_type != "skip"]


def test_every_picture_is_stored_with_words(notebook: Any) -> None:
    for words in stored_descriptions(notebook.cells):
        assert len(words) > 15 and words.endswith(".")


def test_a_page_has_every_picture_with_its_words(notebook: Any, config: Config) -> None:
    page, _ = HTMLExporter(config=config).from_notebook_node(copy.deepcopy(notebook))
    images = BeautifulSoup(page, "html.parser").select("img")
    assert [image["alt"] for image in images] == stored_descriptions(notebook.cells)
    assert all(image["src"].startswith("data:image/png;base64,") for image in images)


def test_the_command_in_the_guide_makes_a_deck(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "instructors_guide.md").read_text(encoding="utf-8")
    (command,) = [line.split() for line in guide.splitlines() if line.startswith("jupyter nbconvert ")]
    made = [sys.executable, "-m", "nbconvert", *command[2:], "--output-dir", str(tmp_path)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True)
    deck = BeautifulSoup((tmp_path / "05_reinforce.slides.html").read_text(encoding="utf-8"), "html.parser")
    notebook = nbformat.read(ROOT / "notebooks" / "05_reinforce.ipynb", as_version=4)
    assert [image.get("alt") for image in deck.select(".slides img")] == stored_descriptions(on_slides(notebook))


def test_the_slides_stored_are_those_of_the_cells_as_they_are(notebook: Any) -> None:
    again = copy.deepcopy(notebook)
    lay_out(again)
    for stored, cell in zip(notebook.cells, again.cells):
        assert stored.metadata == cell.metadata, f"{cell.id}: python scripts/rebuild_notebooks.py"


def test_slides_show_the_lesson_and_leave_out_what_is_not_for_a_wall(notebook: Any, config: Config) -> None:
    deck, _ = SlidesExporter(config=config).from_notebook_node(copy.deepcopy(notebook))
    page = BeautifulSoup(deck, "html.parser")
    written = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    sections = [source for source in written if source.startswith(("# ", "## "))]
    assert len(page.select(".slides > section")) == len(sections)
    shown = on_slides(notebook)
    assert [image["alt"] for image in page.select(".slides img")] == stored_descriptions(shown)
    hidden = [cell for cell in notebook.cells if cell.id.startswith("exercise-") and cell.id.endswith("-check")]
    assert hidden and not any(cell.source.splitlines()[0] in page.get_text() for cell in hidden)
    code = {element.get_text().strip() for element in page.select(".slides .jp-CodeMirrorEditor, .slides .highlight")}
    for cell in shown:
        if cell.cell_type == "code" and cell.source:
            assert (cell.source.strip() in code) == (not {TAG, HIDE_INPUT} & set(cell.metadata.get("tags", []))), (
                cell.id
            )
