"""A pytest plugin: each notebook runs once, under nbval, as stored, and with the solution of each exercise.

nbval runs every cell and compares its outputs with the stored ones. After the cells of an exercise, the same kernel
runs the exercise's solution, as though the starter had not been run. Held by the items of a notebook:

- `Cell N` (nbval): the stored outputs are true, of an exercise's starter and its check, too. They are true on another
  kind of machine than the one on which they were made, since the kernels imitate one.
- `solution of NAME`: the solution is judged right in the notebook's own context.
- the `Cell N` after it: the exercise changes nothing outside of itself, whether it is solved or not. The names that it
  gave a value are taken away, so that a cell that uses one raises a NameError; other effects of the solution, such as
  on objects, on random numbers, or on the settings of a library, stand, so that they would be seen in the outputs.
- `every exercise is solved`: the progress bar counts them all.

tests/notebooks/test_solved_notebooks.py shows that each of these can fail.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

# jsonschema, which nbformat imports, takes this package where it is there, to check addresses that no notebook has.
# Its import takes over two seconds in each process.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import pytest  # noqa: E402
from nbval.plugin import IPyNbCell, IPyNbFile  # noqa: E402

if TYPE_CHECKING:
    from pglesson.exercises import Exercise

# A processor without vector instructions, and two threads. What the environment says goes first: scripts/matrix.py
OTHER_MACHINE = {"ATEN_CPU_CAPABILITY": "default", "OMP_NUM_THREADS": "2"}
# each measured number must have a range in which the text is true: pglesson.analysis.Measured
RANGES = {"PGLESSON_RANGES": "required"}
IN_KERNEL = Path(__file__).with_name("solutions_in_kernel.py")


class SolvedNotebook(IPyNbFile):
    """A notebook whose solutions are run, too."""

    taken: tuple[str, ...] = ()  # the names that were taken away so far

    def collect(self) -> Iterator[pytest.Item]:
        # imported only here, since it takes a while, and the process that starts the workers collects nothing
        from pglesson.exercises import grading
        from pglesson.exercises.framework import NOTEBOOKS, exercises_of

        cells = list(super().collect())
        name = grading.exercises_in(self.nb)
        self.exercises = exercises_of(name) if name in NOTEBOOKS else ()
        solutions = {f"{grading.cell_id(exercise.name)}-check": exercise for exercise in self.exercises}
        self.starters = {grading.cell_id(exercise.name) for exercise in self.exercises}
        for cell in cells:
            yield cell
            if exercise := solutions.get(cell.cell.get("id")):
                yield Solution.from_parent(self, name=f"solution of {exercise.name}", exercise=exercise)
        if self.exercises:
            yield AllSolved.from_parent(self, name="every exercise is solved")

    def setup(self) -> None:
        with pytest.MonkeyPatch.context() as environment:
            for name, value in (OTHER_MACHINE | RANGES).items():
                environment.setenv(name, os.environ.get(name, value))
            super().setup()
        solutions = f"__import__('runpy').run_path({str(IN_KERNEL)!r})['Solutions']"
        self.run(f"get_ipython().solutions = {solutions}(get_ipython())")

    def before_cell(self, item: IPyNbCell) -> None:
        """Called before a cell is run."""
        if item.cell.get("id") in self.starters:
            self.ask("remember()")
        if self.taken:
            text = f"The tests take the names away that an exercise gives a value. Until here: {', '.join(self.taken)}"
            item.add_report_section("call", "exercises", text)

    def run(self, source: str, expression: str = "None", *, silent: bool = True) -> Any:
        """Runs a cell in the notebook's kernel; what the expression gives afterwards. The test fails with an error."""
        if not self.kernel.is_alive():
            pytest.fail("the kernel has died", pytrace=False)
        try:
            reply = self.kernel.kc.execute_interactive(
                source,
                silent=silent,
                store_history=False,
                user_expressions={"found": expression},
                allow_stdin=False,
                timeout=self.config.option.nbval_cell_timeout,
                output_hook=lambda message: None,
            )
        except TimeoutError:
            self.kernel.interrupt()
            self.timed_out = True  # from here on nbval expects every cell to fail
            pytest.fail("this took longer than --nbval-cell-timeout", pytrace=False)
        content = reply["content"]
        found = content if content["status"] != "ok" else content["user_expressions"]["found"]
        if found["status"] != "ok":
            pytest.fail("\n".join([f"{found['ename']}: {found['evalue']}", *found.get("traceback", [])]), pytrace=False)
        return ast.literal_eval(found["data"]["text/plain"])

    def ask(self, call: str) -> Any:
        """What a method of Solutions gives, in the kernel."""
        return self.run("", f"get_ipython().solutions.{call}")


class NotebookItem(pytest.Item):
    """A test in a notebook's kernel."""

    parent: SolvedNotebook

    def setup(self) -> None:
        if self.parent.timed_out:
            self.add_marker(pytest.mark.xfail(reason="Previous cell timed out, expected cell to fail"))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name}::{self.name}"


class Solution(NotebookItem):
    """The solution of an exercise is run in the notebook, and judged right."""

    def __init__(self, *, exercise: Exercise, **given: Any) -> None:
        super().__init__(**given)
        self.exercise = exercise

    def runtest(self) -> None:
        notebook = self.parent
        notebook.ask("put_back()")
        try:
            notebook.run(self.exercise.solution, silent=False)
            said = notebook.ask(f"check({self.exercise.name!r})")
        finally:
            notebook.taken = tuple(dict.fromkeys([*notebook.taken, *notebook.ask("take_away()").split()]))
        if not said.startswith("Right: "):
            pytest.fail(f"the solution is not judged right:\n\n{self.exercise.solution}\n\n{said}", pytrace=False)


class AllSolved(NotebookItem):
    """The progress bar counts every exercise, at the notebook's end."""

    def runtest(self) -> None:
        said, number = self.parent.ask("progress()"), len(self.parent.exercises)
        if f"{number} of {number} exercises solved" not in said:
            pytest.fail(said, pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(parent: pytest.Collector) -> Iterator[Any]:
    found = yield
    return [
        SolvedNotebook.from_parent(parent, path=file.path) if isinstance(file, IPyNbFile) else file for file in found
    ]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    if isinstance(item, IPyNbCell) and isinstance(item.parent, SolvedNotebook):
        item.parent.before_cell(item)
    return (yield)
