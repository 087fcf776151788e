"""Does a wrong sign in the engine get caught? `python scripts/mutate.py [--processes 2]`.

Makes one mutant of the engine, from rollout to reinforce, for each sign in it: + for -, * for /, < for >, and a minus
taken away. Runs the engine's tests (tests/test_*.py) on each, in a copy of the project, and prints the mutants that
none of them noticed.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = (
    *("advantages", "baselines", "loss", "diagnostics", "distributions", "networks", "optimization", "policies"),
    *("rollout", "reinforce"),
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


def signs(tree: ast.Module) -> list[ast.AST]:
    """The nodes that carry a sign, leaving out annotations, where | and [...] mean something else."""
    found = []
    for node in ast.walk(tree):
        arithmetic = isinstance(node, (ast.BinOp, ast.AugAssign)) and type(node.op) in SWAPS
        compared = isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS
        if arithmetic or compared or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)):
            found.append(node)
    return found


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each (what was changed, the module's source with this one change)."""
    for number in range(len(signs(ast.parse(source)))):
        tree = ast.parse(source)
        node = signs(tree)[number]
        before = ast.unparse(node)
        if isinstance(node, (ast.BinOp, ast.AugAssign)):
            node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        elif isinstance(node, ast.Compare):
            node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[assignment]
        elif isinstance(node, ast.UnaryOp):
            node.op = ast.UAdd()
        yield f"line {getattr(node, 'lineno', 0)}: {before}  ->  {ast.unparse(node)}", ast.unparse(tree)


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
