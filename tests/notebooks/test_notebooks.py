"""Notebook files: stored as run from top to bottom, on a neutral kernel, with nothing of one machine in them.

That the outputs are true is nbval's to say: `pytest` runs it over notebooks/.
"""

import json
import re
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
PICTURES = ("<Dashboard", "<Explorer", "<Microscope", "<Playground", "<Clinic")  # how the widgets that draw begin
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= {
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
    }


def test_is_valid_and_neutral(notebook):
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"} and notebook.nbformat_minor >= 5
    assert not re.search(r"/(root|tmp|work|home|Users)/", json.dumps(notebook))


def test_was_run_from_top_to_bottom(notebook):
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_stores_no_errors_warnings_or_widget_state(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.id
            assert "Warning" not in output.get("text", ""), cell.id
            assert not any("widget" in kind for kind in output.get("data", {})), cell.id


def test_cell_ids_can_be_read(notebook):
    for cell in notebook.cells:
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", cell.id) and len(cell.id) < 40


def test_every_picture_of_a_widget_is_stored(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            if output.get("data", {}).get("text/plain", "").startswith(PICTURES):
                assert "image/png" in output.data, cell.id


def test_exempts_nothing_from_comparison(notebook):
    assert not [cell.id for cell in notebook.cells if any("nbval" in tag for tag in cell.metadata.get("tags", []))]


def test_links_lead_somewhere(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (FOLDER / target).is_file(), target


@pytest.mark.parametrize(("before", "after"), list(pairwise(NOTEBOOKS)), ids=lambda path: path.stem)
def test_leads_to_the_notebook_before_and_after(before, after):
    assert after.name in nbformat.read(before, as_version=4).cells[0].source
    assert before.name in nbformat.read(after, as_version=4).cells[0].source


def test_opens_with_an_aim_and_closes_with_a_check(notebook):
    first = notebook.cells[0].source
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert first.startswith("# ") and "minutes" in first
    assert "## Check yourself" in text and "**Next:**" in text
    assert re.findall(r"^#+ ", text, re.MULTILINE).count("# ") == 1
    assert "!" not in re.sub(r"`[^`]*`|!\[|!=|!\*", "", text)  # a paper's title, in italics, may end with one
