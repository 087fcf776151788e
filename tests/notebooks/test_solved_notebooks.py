"""The plugin that solves each notebook's exercises can fail: a small notebook in which something of each kind is wrong.

What the plugin holds of the lesson's notebooks is said in tests/helpers/solved_notebooks.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from pglesson.exercises import Exercises, grading
from pglesson.exercises.framework import NOTEBOOKS, exercises_of

ROOT = Path(__file__).parents[2]
NAME = "02_softmax_policies"
# what replaces the starters and the solutions of the first four exercises
STARTERS = {
    "predict": "share = 1\nanswer = ...",
    "temperature": "answer = ...",
    "sample": "helper = 1\nanswer = ...",
    "log_policy": "answer = ...",
}
SOLUTIONS = {
    "predict": "share = 0.6\nloads.append(share)\nanswer = share",
    "temperature": "answer = 7",
    "sample": "answer = helper",
    "log_policy": "torch.rand(1)\nanswer = lambda logits: torch.log_softmax(logits, -1)",
}
CONFTEST = f"""
from dataclasses import replace

from pglesson.exercises.by_notebook import nb{NAME} as module

module.EXERCISES = tuple(
    replace(exercise, starter=starter, solution=solution)
    for exercise, starter, solution in zip(module.EXERCISES, {list(STARTERS.values())}, {list(SOLUTIONS.values())})
)
"""
FIRST_RANDOM_NUMBER = "0.4963"  # of torch, after manual_seed(0)


def notebook() -> nbformat.NotebookNode:
    """Four exercises and cells beside them; every output is what the notebook gives with the starters."""
    made = nbformat.v4.new_notebook()

    def add(id_: str, source: str, result: str | None = None, **other: str) -> None:
        data = {"text/plain": result, **other}
        outputs = [nbformat.v4.new_output("execute_result", data)] if result else []
        made.cells.append(nbformat.v4.new_code_cell(source, id=id_, outputs=outputs, execution_count=1))

    def exercise(name: str) -> None:
        untouched = getattr(Exercises(NAME), name).check()  # in words that depend on the lesson's own starter
        add(grading.cell_id(name), STARTERS[name])
        page = {"text/html": untouched._repr_html_()}
        add(f"{grading.cell_id(name)}-check", f"exercises.{name}.check(answer)", repr(untouched), **page)

    opens = f"import os\nimport torch\nfrom pglesson.exercises import Exercises\nexercises = Exercises({NAME!r})"
    add("setup", f"{opens}\nloads = []\n_ = torch.manual_seed(0)")  # cell 0
    add("machine", "[os.environ[name] for name in ('ATEN_CPU_CAPABILITY', 'OMP_NUM_THREADS')]", "['default', '3']")
    exercise("predict")  # cells 2 and 3
    add("independent", "1 + 1", "2")
    add("uses-a-name", "share > 0", "True")
    add("binds-it-first", "share = 3\nshare", "3")
    add("uses-what-was-changed", "len(loads)", "0")
    exercise("temperature")  # cells 8 and 9
    exercise("sample")  # cells 10 and 11
    exercise("log_policy")  # cells 12 and 13
    add("uses-random-numbers", "f'{torch.rand(1).item():.4f}'", repr(FIRST_RANDOM_NUMBER))
    add("exercise-progress", "exercises.progress()", repr(Exercises(NAME).progress()))
    return made


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest prints of the small notebook, in a folder of its own."""
    folder = tmp_path_factory.mktemp("solved")
    nbformat.write(notebook(), folder / "small.ipynb")
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "helpers")])
    environment = {name: value for name, value in os.environ.items() if name != "ATEN_CPU_CAPABILITY"}
    plugins = ["-p", "solved_notebooks", "-p", "no:cacheprovider", "--nbval", "--nbval-current-env"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "--color=no", *plugins, "small.ipynb"],
        cwd=folder,
        env=environment | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    return run.stdout + run.stderr


def test_each_kind_of_mistake_fails_in_an_item_of_its_own(ran: str) -> None:
    failed = re.findall(r"^FAILED small\.ipynb::(.+?)(?: - .*)?$", ran, re.MULTILINE)
    passed = re.findall(r"^PASSED small\.ipynb::(.+)$", ran, re.MULTILINE)
    assert failed == [
        "Cell 5",  # uses a name to which an exercise gives a value
        "Cell 7",  # prints an object that a solution changes
        "solution of temperature",  # wrong
        "solution of sample",  # an error: it needs what its starter did
        "Cell 14",  # prints a random number, after a solution has drawn one
        "every exercise is solved",
    ], ran
    alone = {f"Cell {number}" for number in (*range(5), 6, *range(8, 14), 15)}
    assert set(passed) == alone | {"solution of predict", "solution of log_policy"}, ran


def test_it_is_said_what_is_wrong(ran: str) -> None:
    assert "NameError: name 'share' is not defined" in re.sub(r"\x1b\[[0-9;]*m", "", ran)
    assert "The tests take the names away that an exercise gives a value. Until here: share, answer" in ran
    assert "the solution is not judged right:\n\nanswer = 7\n\nNot yet: answer is 7, but must be a function" in ran
    assert "NameError: name 'helper' is not defined" in ran
    assert "██░░░░ 2 of 6 exercises solved; still open: temperature, sample, score, module" in ran


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_lessons_own_notebooks_are_run_with_every_solution(name: str, request: pytest.FixtureRequest) -> None:
    """The plugin is loaded by pyproject.toml, and finds the cells of each exercise."""
    path = ROOT / "notebooks" / f"{name}.ipynb"
    (file,) = request.session.gethookproxy(path).pytest_collect_file(file_path=path, parent=request.session)
    items = [item.name for item in file.collect() if not item.name.startswith("Cell ")]
    assert items == [*(f"solution of {exercise.name}" for exercise in exercises_of(name)), "every exercise is solved"]
