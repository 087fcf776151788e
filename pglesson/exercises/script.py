"""A learner's function as a script of its own: what it needs from the notebook, and nothing from this package."""

from __future__ import annotations

import ast
import builtins
import linecache
import symtable
import sys
from types import FunctionType, ModuleType
from typing import Any

MAIN = """
if __name__ == "__main__":
    for seed in {seeds}:
        returns = {name}({env_id!r}, {episodes}, seed)
        last = returns[-{last}:]
        print(f"seed {{seed}}: mean return of the last {{len(last)}} of {{len(returns)}} episodes: "
              f"{{sum(last) / len(last):.1f}}", flush=True)
"""
BINDING = (ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
LAST = 100  # episodes that the printed mean is taken over


def script(train: Any, env_id: str, episodes: int, seeds: tuple[int, ...]) -> str:
    """The source of a program that calls train(env_id, episodes, seed) for each seed and prints its mean return.

    It holds the definitions that `train` needs, wherever in the notebook they were made, in an order in which Python
    can run them, and their imports. Raises ValueError for what cannot be written down: a function without a source, a
    name from this package, and an object that another cell has made, such as a network.
    """
    if not isinstance(train, FunctionType):
        raise ValueError(f"the answer is a {type(train).__name__}; a script is written of a function made by `def`.")
    cell = "".join(linecache.getlines(train.__code__.co_filename))
    needed = _Needed(train.__globals__)
    needed.add(train.__name__, train, cell)
    imports = "\n".join(sorted(needed.imports, key=lambda line: (line.startswith("from"), line)))
    main = MAIN.format(name=train.__name__, env_id=env_id, episodes=episodes, seeds=seeds, last=min(LAST, episodes))
    return "\n\n\n".join(part for part in (imports, *needed.definitions, main.strip()) if part) + "\n"


class _Needed:
    """Collects what a name stands for among a notebook's global names, and all that this needs in turn."""

    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope, self.seen = scope, set[str]()
        self.history = scope.get("In", [])[::-1]  # of all cells, as they were run
        self.imports: set[str] = set()
        self.definitions: list[str] = []

    def add(self, name: str, value: Any, cell: str) -> None:
        """A name that is used by what the source of a cell defines."""
        self.seen.add(name)
        home = value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
        known = str(getattr(value, "__name__", name))
        package = __name__.split(".")[0]
        if home.split(".")[0] == package:
            raise ValueError(
                f"your code uses {name}, which is in {package}, and the script has to run without that. Write what it "
                "does yourself, in the cell of your answer."
            )
        if isinstance(value, ModuleType):
            self.imports.add(f"import {home}" + (f" as {name}" if name != home else ""))
        elif home != self.scope.get("__name__") and getattr(sys.modules.get(home), known, None) is value:
            self.imports.add(f"from {home} import {known}" + (f" as {name}" if name != known else ""))
        elif source := _top_level(cell, name):
            self._define(source, cell)
        elif isinstance(value, FunctionType | type) and (defining := self._defining(name)):
            self._define(_top_level(defining, name), defining)
        elif _can_be_read(value):
            self.definitions.append(f"{name} = {value!r}")
        elif isinstance(value, FunctionType | type):
            raise ValueError(f"the source of {name} was not found. Define it by `def` or `class`, in a cell.")
        else:
            raise ValueError(
                f"your code uses {name}, a {type(value).__name__} that another cell has made. A script does not find "
                "it. Make it inside of your function, or in the cell of your answer."
            )

    def _defining(self, name: str) -> str:
        return next((cell for cell in self.history if _top_level(cell, name)), "")

    def _define(self, source: str, cell: str) -> None:
        for name in sorted(_global_names(source) & self.scope.keys()):
            if name not in self.seen:
                self.add(name, self.scope[name], cell)
        self.definitions.append(source)


def _can_be_read(value: Any) -> bool:
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError):
        return False


def _top_level(cell: str, name: str) -> str:
    """The last statement of a cell that gives a name its value, with its decorators; "" if there is none."""
    # a magic, or a line for the shell, is no Python
    lines = [line if line.lstrip()[:1] not in ("%", "!") else "" for line in cell.splitlines()]
    found = ""
    try:
        nodes = ast.parse("\n".join(lines)).body
    except SyntaxError:  # a cell that is none, such as one of %%html
        return ""
    for node in nodes:
        targets = list(getattr(node, "targets", [getattr(node, "target", None)]))
        names = [getattr(node, "name", None), *(getattr(target, "id", None) for target in targets)]
        if isinstance(node, BINDING) and name in names:
            first = min([node.lineno, *(line.lineno for line in getattr(node, "decorator_list", []))])
            found = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def _global_names(source: str) -> set[str]:
    """The names that a piece of source reads and does not bind itself, without Python's own."""
    found, left = set[str](), [symtable.symtable(source, "<cell>", "exec")]
    while left:
        table = left.pop()
        left += table.get_children()
        outermost = table.get_type() == "module"
        found |= {
            symbol.get_name()
            for symbol in table.get_symbols()
            if symbol.is_referenced() and (outermost or symbol.is_global()) and not symbol.is_parameter()
        }
    return {name for name in found if not hasattr(builtins, name)}
