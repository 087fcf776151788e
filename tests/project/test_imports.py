"""The one way through the package: read from its imports, without running them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

import pglesson

FOLDER = Path(pglesson.__file__).parent
# A part may import from the rows above its own, never from its own row or below. A new part needs a place here.
CORE = [
    {"errors", "settings"},
    {"networks", "distributions", "envs"},
    {"policies"},
    {"own_policies", "sampling", "checks"},
    {"rollout"},
    {"advantages", "optimization"},
    {"baselines", "loss", "diagnostics"},
    {"reinforce"},
]
ORDER = [*CORE, {"analysis"}, {"widgets"}]
RANK = {name: rank for rank, row in enumerate(ORDER) for name in row}
BESIDE = {"exercises", "sweeps"}  # may import any part but each other, and no part imports them
FILES = [path for path in sorted(FOLDER.rglob("*.py")) if path != FOLDER / "__init__.py"]


def module_of(path: Path) -> str:
    """The part of the package that a file belongs to: "loss" for loss.py, "envs" for everything in envs/."""
    return path.relative_to(FOLDER).parts[0].removesuffix(".py")


def imported_modules(path: Path) -> set[str]:
    """The package's own modules that a file imports anywhere, in functions and type-checking blocks too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parent = list(path.relative_to(FOLDER.parent).parts[: -node.level]) if node.level else []
            start = ".".join([*parent, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names] if start == "pglesson" else [start]
        found |= {
            name.split(".")[1] if "." in name else "__init__" for name in names if name.split(".")[0] == "pglesson"
        }
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_imports_follow_the_order(path: Path) -> None:
    own = module_of(path)
    assert own in BESIDE or own in RANK, f"{own} has no place in the order yet: give it one in this test"
    if own in BESIDE:
        assert not imported_modules(path) & (BESIDE - {own})
        return
    for other in imported_modules(path) - {own}:
        assert other in RANK, f"{own} imports {other}, which none of the ordered modules may"
        assert RANK[other] < RANK[own], f"{own} imports {other}, against the order"


def test_the_reader_sees_every_form_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is a file written here; without it, a form that went unseen would let every module pass."""
    monkeypatch.setitem(globals(), "FOLDER", tmp_path / "pglesson")
    (tmp_path / "pglesson" / "envs").mkdir(parents=True)
    path = tmp_path / "pglesson" / "envs" / "new.py"
    lines = [
        "import pglesson.analysis.plots",
        "from pglesson import loss",
        "from pglesson.envs.batch import BatchEnv",
        "from ..rollout import Episodes",
        "def late():",
        "    from .. import reinforce",
        "import numpy",
        "from torch import nn",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert imported_modules(path) == {"analysis", "loss", "envs", "rollout", "reinforce"}


METHOD = ("settings", "policies", "rollout", "advantages", "baselines", "loss", "reinforce")


def test_the_core_is_there_and_thin() -> None:
    """An empty folder would pass all the tests above. A line of the core must earn its place."""
    core = set.union(*CORE) - {"envs"}
    assert core == {path.stem for path in FOLDER.glob("*.py")} - {"__init__"} and core > set(METHOD)
    lines = {name: len((FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()) for name in core}
    assert sum(lines[name] for name in METHOD) <= 1200, lines
    # what only reads, checks and answers what learners bring is no part of the method
    assert sum(lines[name] for name in core - {"errors", "checks", "own_policies"}) <= 1700, lines


def imports_of_notebook(path: Path) -> set[str]:
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return set(re.findall(r"^\s*(?:from|import) (pglesson[\w.]*)", code, re.MULTILINE))


@pytest.mark.parametrize("path", sorted((FOLDER.parent / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_import_from_the_package_and_its_rooms_and_nothing_deeper(path: Path) -> None:
    rooms = {f"pglesson.{folder.name}" for folder in FOLDER.iterdir() if (folder / "__init__.py").is_file()}
    assert imports_of_notebook(path) <= {"pglesson", *rooms} and imports_of_notebook(path)
