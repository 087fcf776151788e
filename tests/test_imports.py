"""The one way through the package: read from its imports, without running them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pglesson

FOLDER = Path(pglesson.__file__).parent
# A module may import from the rows above its own, never from its own row or below. A new module needs a place here.
ORDER = [
    {"settings", "envs", "policies"},
    {"rollout", "exact"},
    {"returns"},
    {"advantages"},
    {"loss"},
    {"reinforce"},
    {"plots", "microscope", "confidence", "sweep_store", "export", "patients"},
    {"picture", "controls", "main_loop", "sweeps"},
    {"explorer", "agent_view", "microscope_view"},
    {"dashboards", "clinic"},
    {"playground"},
]
RANK = {name: rank for rank, row in enumerate(ORDER) for name in row}
BESIDE = "exercises"  # may import any module, and none imports it
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
    assert own == BESIDE or own in RANK, f"{own} has no place in the order yet: give it one in this test"
    if own == BESIDE:
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
        "import pglesson.plots",
        "from pglesson import loss",
        "from pglesson.envs.batch import BatchEnv",
        "from ..rollout import Episodes",
        "def late():",
        "    from .. import reinforce",
        "import numpy",
        "from torch import nn",
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert imported_modules(path) == {"plots", "loss", "envs", "rollout", "reinforce"}


def test_the_engine_is_there() -> None:
    """An empty folder would pass all the tests above."""
    assert {"settings", "policies", "rollout", "returns", "advantages", "loss", "reinforce"} <= set(
        map(module_of, FILES)
    )
