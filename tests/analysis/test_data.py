"""The notebooks' stored measurements are found from any working directory. Oracle: the files that the project has."""

from __future__ import annotations

from pathlib import Path

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
