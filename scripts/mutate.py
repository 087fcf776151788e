"""Does a wrong sign in the engine get caught? `python scripts/mutate.py [--processes 2]`.

Makes one mutant of the engine, from rollout to reinforce, for each sign in it: + for -, * for /, < for >, and a minus
taken away. Runs the engine's tests (tests/test_*.py) on each, in a copy of the project, and prints the mutants that
none of them noticed. `mutants` is also used by scripts/mutate_exercises.py, with more edits.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = (
    *("advantages", "baselines", "loss", "diagnostics", "distributions", "networks", "optimization", "policies"),
    *("sampling", "own_policies", "rollout", "reinforce"),
)
TESTS = tuple(sorted(path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")))
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Lt: ast.Gt,
    ast.Gt: ast.Lt,
    ast.LtE: ast.GtE,
    ast.GtE: ast.LtE,
}
# from a node of the syntax tree to what stands in its place, in one mutant each
Edit = Callable[[ast.AST], Iterator[ast.AST]]


def changed(node: ast.AST, **fields: object) -> ast.AST:
    """A copy of a node with other fields."""
    return ast.copy_location(type(node)(**(dict(ast.iter_fields(node)) | fields)), node)


def another_sign(node: ast.AST) -> Iterator[ast.AST]:
    """+ for -, * for /, < for >, and a minus taken away."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPS:
        yield changed(node, op=SWAPS[type(node.op)]())
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield changed(node, ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield changed(node, op=ast.UAdd())


def mutants(source: str, edits: Sequence[Edit] = (another_sign,)) -> Iterator[tuple[str, str]]:
    """Each (what was changed, the source with this one change). Docstrings stay as they are."""
    tree = ast.parse(source)
    before = ast.unparse(tree).splitlines()
    for parent in [*ast.walk(tree)]:
        for field, value in ast.iter_fields(parent):
            nodes = value if isinstance(value, list) else [value]
            for place, node in enumerate(nodes):
                if not isinstance(node, ast.AST) or (
                    isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
                ):
                    continue
                for other in (other for edit in edits for other in edit(node)):
                    others = [*nodes[:place], other, *nodes[place + 1 :]]
                    setattr(parent, field, others if isinstance(value, list) else other)
                    mutant = ast.unparse(tree)
                    setattr(parent, field, value)
                    line = getattr(node, "lineno", 0)
                    yield f"line {line}: {difference(before, mutant.splitlines())}", mutant


def difference(before: list[str], after: list[str]) -> str:
    """The lines that two sources do not share."""
    matcher = difflib.SequenceMatcher(a=before, b=after, autojunk=False)
    parts = [part for part in matcher.get_opcodes() if part[0] != "equal"]
    start, end, first, last = parts[0][1], parts[-1][2], parts[0][3], parts[-1][4]
    old, new = ("; ".join(line.strip() for line in lines) for lines in (before[start:end], after[first:last]))
    return f"{old}  ->  {new}"


def survives(module: str, source: str, tests: Sequence[str] = TESTS) -> bool:
    """Whether all these tests pass with this source in the module's place. Raises RuntimeError where none were run."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("pglesson", "tests"):
            shutil.copytree(ROOT / name, Path(folder, name), ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", folder)
        Path(folder, "pglesson", f"{module}.py").write_text(source, encoding="utf-8")
        environment = dict(os.environ) | {"PYTHONPATH": folder, "OMP_NUM_THREADS": "1"}
        files = [f"tests/test_{name}.py" for name in tests]
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", *files]
        try:
            ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=600)
        except subprocess.TimeoutExpired:  # a loop that no longer ends is noticed, too
            return False
    # a missing package or file ends it with another status or with no such count: nothing was noticed then
    if ran.returncode and not re.search(rb"\b[1-9]\d* (failed|errors?)\b", ran.stdout):
        raise RuntimeError(f"The tests did not run:\n{(ran.stdout + ran.stderr).decode()}")
    return ran.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    made = []
    for module in MODULES:
        source = (ROOT / "pglesson" / f"{module}.py").read_text(encoding="utf-8")
        assert survives(module, ast.unparse(ast.parse(source))), "the tests fail without any change"
        made += [(module, *mutant) for mutant in mutants(source)]
    with ThreadPoolExecutor(options.processes) as pool:
        alive = list(pool.map(lambda mutant: survives(mutant[0], mutant[2]), made))
    for (module, change, _), lives in zip(made, alive):
        if lives:
            print(f"not noticed: {module}.py, {change}")
    print(f"{len(made) - sum(alive)} of {len(made)} mutants were noticed: {1 - sum(alive) / len(made):.0%}")


if __name__ == "__main__":
    main()
