"""The notebooks' stored measurements are found from any working directory. Oracle: the files that the project has."""

from __future__ import annotations

import re
from pathlib import Path

import nbclient
import nbformat
import pytest

from pglesson.analysis import data_file

DATA = Path(__file__).parents[2] / "notebooks" / "data"


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.iterdir()))
@pytest.mark.parametrize("folder", [DATA.parent, DATA.parents[1], DATA, Path("/")], ids=str)
def test_a_stored_file_is_found_from_any_folder(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert data_file(name).resolve() == DATA / name


def test_a_learners_own_copy_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "actor_critic.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    assert data_file("actor_critic.json").read_text() == "{}"


def test_a_file_that_is_nowhere_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"There is no nothing\.json in .*data.*Copy the folder data"):
        data_file("nothing.json")


@pytest.mark.parametrize("path", sorted(DATA.parent.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_read_their_data_from_any_folder(path: Path) -> None:
    """No code opens data/... in the working directory, and what data_file is asked for is there."""
    code = "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code")
    run = re.sub(r"\"\"\".*?\"\"\"|^ *#.*$|^[!%].*$", "", code, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"[\"']data/", run)
    assert all((DATA / name).is_file() for name in re.findall(r"data_file\(\"([^\"]+)\"\)", run))


def test_a_notebook_that_another_program_runs_elsewhere_reads_its_data(tmp_path: Path) -> None:
    """As papermill, nbconvert --execute and Jupyter Book run it: through nbclient, in a folder of their own."""
    code = "from pglesson.analysis import data_file\nlen(data_file('actor_critic.json').read_bytes())"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert notebook.cells[0].outputs[0].data["text/plain"] == str((DATA / "actor_critic.json").stat().st_size)
