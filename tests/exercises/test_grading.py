"""The teacher's commands: solutions in and out, and a class's notebooks as a table, whatever learners wrote."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from pglesson.exercises import __main__ as command
from pglesson.exercises import grading
from pglesson.exercises.framework import exercises_of

NAME = "02_softmax_policies"
NAMES = [exercise.name for exercise in exercises_of(NAME)]


def notebook(answers: dict[str, str], *, before: str = "", leave_out: str = "") -> Any:
    """A learner's notebook: `answers` in place of the starters of their exercises, the rest untouched."""
    made = nbformat.v4.new_notebook()

    def add(id_: str, source: str) -> None:
        cell = nbformat.v4.new_code_cell(source)
        cell["id"] = id_
        made.cells.append(cell)

    add("setup", f"import torch\nfrom pglesson.exercises import Exercises\nexercises = Exercises({NAME!r})\n{before}")
    for exercise in exercises_of(NAME):
        if exercise.name != leave_out:
            add(grading.cell_id(exercise.name), answers.get(exercise.name, exercise.starter))
            add(grading.cell_id(exercise.name) + "-check", f"exercises.{exercise.name}.check(answer)")
    return made


def solved() -> dict[str, str]:
    return {exercise.name: exercise.solution for exercise in exercises_of(NAME)}


def save(made: Any, path: Path) -> Path:
    nbformat.write(made, path)
    return path


def results(rows: list[grading.Row]) -> dict[str, str]:
    return {row["exercise"]: row["result"] for row in rows}


def test_show_and_strip_are_each_others_undoing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(notebook({}), tmp_path / "a.ipynb")
    empty = [cell.source for cell in nbformat.read(path, 4).cells]
    assert command.main(["show", str(tmp_path)]) == 0
    filled = {cell.id: cell.source for cell in nbformat.read(path, 4).cells}
    assert all(filled[grading.cell_id(name)] == source for name, source in solved().items())
    assert command.main(["strip", str(path)]) == 0
    assert [cell.source for cell in nbformat.read(path, 4).cells] == empty
    assert f"{len(NAMES)} answers filled in" in capsys.readouterr().out


def test_grades_what_learners_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All solved; nothing done; one error and one cell gone; a forged check and an old answer; other exercises."""
    save(notebook(solved()), tmp_path / "ada.ipynb")
    save(notebook({}), tmp_path / "bob.ipynb")
    save(notebook(solved() | {"predict": "1 / 0"}, leave_out="score"), tmp_path / "cyd.ipynb")
    forged = "Exercises.check = lambda *a: 'Right'\nanswer = 0.6"
    save(notebook({"predict": "answer = 3.0"}, before=forged), tmp_path / "dan.ipynb")
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("exercises = Exercises('99_unknown')")])
    save(other, tmp_path / "eve.ipynb")
    (tmp_path / "notes.ipynb").write_text("not a notebook", encoding="utf-8")
    table = tmp_path / "class.csv"
    assert command.main(["grade", str(tmp_path), "--csv", str(table)]) == 0
    lines = capsys.readouterr().out.splitlines()
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    of = {
        name: results([row for row in rows if row["file"].endswith(f"{name}.ipynb")])
        for name in ("ada", "bob", "cyd", "dan")
    }
    assert of["ada"] == dict.fromkeys(NAMES, "right")
    assert of["bob"] == dict.fromkeys(NAMES, "not attempted")
    assert of["cyd"] == dict.fromkeys(NAMES, "right") | {"predict": "error", "score": "missing"}
    (said,) = [row["message"] for row in rows if "cyd" in row["file"] and row["exercise"] == "predict"]
    assert said == "its cell raised a ZeroDivisionError: division by zero"
    assert of["dan"] == dict.fromkeys(NAMES, "not attempted") | {"predict": "not yet"}
    assert any("ada.ipynb" in line and f"{len(NAMES)} of {len(NAMES)}" in line for line in lines)
    assert any("no notebook that can be read" in line for line in lines)
    (eve,) = [line for line in lines if "eve.ipynb" in line]
    assert "0 of 1  it opens Exercises('99_unknown'), which the lesson does not have (missing)" in eve


def test_a_notebook_that_never_ends_is_ended_and_keeps_what_was_right(tmp_path: Path) -> None:
    """A call that cannot be interrupted, in the third exercise; the process starts within the seconds."""
    waits = "import time\ntime.sleep(1000)"
    path = save(notebook(solved() | {NAMES[2]: waits}), tmp_path / "a.ipynb")
    rows = grading.grade(path, seconds=30, memory=4096)
    assert results(rows) == dict.fromkeys(NAMES[:2], "right") | dict.fromkeys(NAMES[2:], "timed out")
    assert "the notebook had not ended after 30 seconds" in rows[2]["message"]


def test_an_endless_loop_costs_one_exercise(tmp_path: Path) -> None:
    path = save(notebook(solved() | {NAMES[1]: "while True: pass"}), tmp_path / "a.ipynb")
    rows = grading.grade(path, seconds=60, memory=4096)
    assert results(rows) == dict.fromkeys(NAMES, "right") | {NAMES[1]: "timed out"}
    assert rows[1]["message"] == "its cell had not ended after 12 seconds"


def test_an_answer_counts_wherever_it_stands(tmp_path: Path) -> None:
    """Ids that another tool has dropped; answers in new cells, below the starter, under a name of their own."""
    made = notebook(solved() | {"predict": "answer = ...\n\nanswer = 0.6", "score": "def mine(:"})
    by_id = {cell.id: cell for cell in made.cells}
    solution = by_id["exercise-module"].source
    by_id["exercise-module"].source = "answer = ..."
    by_id["exercise-module-check"].source = f"{solution}\nmy_own = answer\nexercises.module.check(my_own)"
    definition, last = by_id["exercise-log-policy"].source.rsplit("answer =", 1)
    by_id["exercise-log-policy"].source = definition
    by_id["exercise-log-policy-check"].source = f"answer ={last}\nexercises.log_policy.check(answer)"
    for with_ids in (True, False):
        for number, cell in enumerate(made.cells):
            cell["id"] = cell["id"] if with_ids else f"cell-{number}"
        rows = grading.grade(save(made, tmp_path / "a.ipynb"), seconds=120, memory=4096)
        wanted = {"score": "error" if with_ids else "missing"}
        assert results(rows) == dict.fromkeys(NAMES, "right") | wanted


def test_a_class_is_graded_in_parallel_and_a_killed_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [save(notebook({"predict": f"answer = 0.{k}"}), tmp_path / f"{k}.ipynb") for k in (5, 6, 7)]
    graded = []

    def grade(path: Path, *, seconds: float, memory: int) -> list[grading.Row]:
        if len(graded) == 2:
            raise KeyboardInterrupt
        graded.append(path)
        return [{"file": str(path), "notebook": NAME, "exercise": "predict", "result": path.stem, "message": ""}]

    monkeypatch.setattr(grading, "grade", grade)
    table = tmp_path / "class.csv"
    arguments = ["grade", str(tmp_path), "--csv", str(table), "--workers", "1"]
    with pytest.raises(KeyboardInterrupt):
        command.main(arguments)
    assert graded == files[:2] and not table.exists()
    graded.clear()
    nbformat.write(notebook({}), files[0])  # handed in once more
    assert command.main(arguments) == 0
    assert set(graded) == {files[0], files[2]} and "1 of 3 were graded before" in capsys.readouterr().err
    with table.open(encoding="utf-8") as file:
        assert [row["result"] for row in csv.DictReader(file)] == ["5", "6", "7"]
    assert list(tmp_path.glob("*.part")) == []


def test_an_answer_that_breaks_its_check_costs_no_other(tmp_path: Path) -> None:
    """A function that ends the program, and an answer that cannot even be shown."""
    ends = "import sys\n\ndef answer(*arguments):\n    sys.exit()"
    hides = "class Hidden:\n    def __repr__(self):\n        raise KeyError('hidden')\n\nanswer = Hidden()"
    path = save(notebook(solved() | {"temperature": ends, "predict": hides}), tmp_path / "a.ipynb")
    rows = grading.grade(path, seconds=120, memory=4096)
    assert results(rows) == dict.fromkeys(NAMES, "right") | {"temperature": "not yet", "predict": "not yet"}
    said = {row["exercise"]: row["message"] for row in rows}
    assert said["temperature"].startswith("your line `sys.exit()` raised a SystemExit.")
    assert said["predict"] == "its check raised a KeyError: 'hidden'"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a limit on memory")
def test_a_notebook_that_takes_too_much_memory_is_stopped(tmp_path: Path) -> None:
    """8 GiB where 3 are allowed: the cell raises, the rest is graded."""
    path = save(notebook(solved(), before="hog = bytearray(8 * 2**30)"), tmp_path / "a.ipynb")
    made = nbformat.read(path, 4)
    made.cells[0].source = made.cells[0].source.replace("hog", "survived = False\nhog") + "\nsurvived = True"
    made.cells[1].source += "\nassert not survived"
    save(made, path)
    assert results(grading.grade(path, seconds=120, memory=3072)) == dict.fromkeys(NAMES, "right")


def test_other_notebooks_and_folders_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grading.grade(save(nbformat.v4.new_notebook(), tmp_path / "a.ipynb"), seconds=1, memory=1) == []
    with pytest.raises(SystemExit):
        command.main(["grade", str(tmp_path / "nowhere")])
    assert "does not exist. Give notebooks" in capsys.readouterr().err


def test_exercises_that_the_lesson_does_not_have_are_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("Exercises('99_unknown')")]), tmp_path / "a.ipynb")
    save(notebook({}), tmp_path / "b.ipynb")
    assert command.main(["show", str(tmp_path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "a.ipynb: 0 answers" in first and f"b.ipynb: {len(NAMES)} answers" in second


def test_the_commands_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    """That `python -m pglesson.exercises` starts them is held above: so `grade` starts the process of a notebook."""
    with pytest.raises(SystemExit, match="0"):
        command.main(["--help"])
    assert "{show,strip,grade}" in capsys.readouterr().out
