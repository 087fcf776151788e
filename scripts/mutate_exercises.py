"""Does an exercise refuse what is wrong? `python scripts/mutate_exercises.py [--only NAME ...] [--agents]`.

Makes mutants of the solution of each exercise that asks for a function or a class: another operator, comparison, sign,
axis or constant, a line left out, two lines or two arguments swapped, a keyword or a call left out, a mean for a sum.
Prints each mutant that is accepted, and how many of the others are named. A mutant that does what the solution does
must be accepted; such ones are listed in tests/exercises/equivalent_mutants.toml, each with its reason.

With --agents also those of whole agents, which train for seconds each. One that learns as well is accepted; these are
printed and not listed.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from mutate import ROOT, another_sign, changed, mutants

from pglesson.exercises import Exercise, agents, judges
from pglesson.exercises.framework import NOT_ATTEMPTED, NOTEBOOKS, RIGHT, Attempt, Outcome, exercises_of

EQUIVALENT = ROOT / "tests" / "exercises" / "equivalent_mutants.toml"
SECONDS = 1.0  # of computing, for one mutant that is not an agent
BOUNDS = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}
OPERATORS = {ast.Pow: ast.Mult, ast.FloorDiv: ast.Div, ast.MatMult: ast.Mult, ast.And: ast.Or, ast.Or: ast.And}
RELATIVES = {"sum": "mean", "mean": "sum", "max": "min", "min": "max", "minimum": "maximum", "maximum": "minimum"} | {
    "log_softmax": "softmax", "softmax": "log_softmax", "std": "var", "var": "std", "argmax": "argmin", "exp": "log"
}  # fmt: skip


def another_bound(node: ast.AST) -> Iterator[ast.AST]:
    """<= for <, != for ==."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in BOUNDS:
        yield changed(node, ops=[BOUNDS[type(node.ops[0])](), *node.ops[1:]])


def another_operator(node: ast.AST) -> Iterator[ast.AST]:
    """* for **, / for //, or for and; `not` left out."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in OPERATORS:
        yield changed(node, op=OPERATORS[type(node.op)]())
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def another_constant(node: ast.AST) -> Iterator[ast.AST]:
    """A whole number that is one higher or lower, such as an axis; False for True; twice another number, or 1 for 0."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield from (ast.Constant(node.value + 1), ast.Constant(node.value - 1))
    elif isinstance(node.value, float):
        yield ast.Constant(2 * node.value or 1.0)


def a_line_less(node: ast.AST) -> Iterator[ast.AST]:
    """A statement left out, but not a function or a class."""
    if isinstance(node, ast.stmt) and not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Pass)):
        yield ast.Pass()


def lines_swapped(node: ast.AST) -> Iterator[ast.AST]:
    """Two neighbouring statements swapped."""
    body = getattr(node, "body", None)
    if isinstance(node, ast.stmt) and isinstance(body, list):
        for i in range(int(isinstance(body[0], ast.Expr)), len(body) - 1):
            yield changed(node, body=[*body[:i], body[i + 1], body[i], *body[i + 2 :]])


def arguments_changed(node: ast.AST) -> Iterator[ast.AST]:
    """Two neighbouring arguments or operands swapped; a keyword left out."""
    if isinstance(node, ast.Call):
        for i in range(len(node.args) - 1):
            yield changed(node, args=[*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]])
        for i in range(len(node.keywords)):
            yield changed(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])
    elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.MatMult, ast.Pow)):
        yield changed(node, left=node.right, right=node.left)


def another_call(node: ast.AST) -> Iterator[ast.AST]:
    """x for x.detach() or abs(x), and mean for sum."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        module = isinstance(node.func.value, ast.Name) and node.func.value.id in ("torch", "np", "math", "F", "gym")
        if not module:
            yield node.func.value
        elif len(node.args) == 1:
            yield node.args[0]
        if node.func.attr in RELATIVES:
            yield changed(node, func=changed(node.func, attr=RELATIVES[node.func.attr]))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1:
        yield node.args[0]


EDITS = (
    *(another_sign, another_bound, another_operator, another_constant, a_line_less, lines_swapped),
    *(arguments_changed, another_call),
)


def written() -> list[tuple[str, Exercise]]:
    """Each exercise that asks for a function or a class, and its notebook."""
    every = [(notebook, exercise) for notebook in NOTEBOOKS for exercise in exercises_of(notebook)]
    return [(n, exercise) for n, exercise in every if re.search(r"^(def|class) ", exercise.solution, re.MULTILINE)]


def is_agent(exercise: Exercise) -> bool:
    """Whether it asks for a whole training, whose judge runs it."""
    return "env_id" in exercise.starter or exercise.name.startswith("train")


def wrong_solutions(exercise: Exercise) -> list[tuple[str, str]]:
    """An exercise's mutants, each (what was changed, source); those that hand in nothing, or the same, left out."""
    found = {source: change for change, source in mutants(exercise.solution, EDITS) if "\nanswer = " in source}
    same = ast.unparse(ast.parse(exercise.solution))
    return [(change, source) for source, change in found.items() if source != same]


def judged(exercise: Exercise, source: str) -> Outcome:
    """What is said of a solution; a cell that raises an error hands in nothing."""
    scope: dict[str, Any] = {"torch": torch, "np": np}
    try:
        exec(source, scope)
    except Exception as error:
        return Outcome(NOT_ATTEMPTED, f"the cell raised a {type(error).__name__}")
    return Attempt(exercise).check(scope["answer"])


def how(message: str) -> str:
    """Whether a refusal names the mistake, may name it, says what happened, or only shows the values."""
    if message.startswith("this may be it"):
        return "offered as what fits best"
    if re.search(r"^your line `|raised a \w+|had not come back|gives nothing", message):
        return "told by the error that it raised"
    return "shown by values alone" if re.search(r" your function gives .* right\.$", message) else "named"


def equivalent() -> dict[str, dict[str, str]]:
    """For each exercise, as 02_softmax_policies.sample, the mutants that do what the solution does, with the reason."""
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], help="exercises, such as 02.sample")
    parser.add_argument("--verbose", action="store_true", help="also print what is said of each mutant")
    parser.add_argument("--agents", action="store_true", help="also whole agents")
    options = parser.parse_args()
    judges.SECONDS, agents.SECONDS = SECONDS, 20.0
    listed, counts, bad = equivalent(), Counter[str](), 0
    for notebook, exercise in written():
        agent, name = is_agent(exercise), f"{notebook[:2]}.{exercise.name}"
        if (options.only and name not in options.only) or (agent and not options.agents):
            continue
        known = listed.get(f"{notebook}.{exercise.name}", {})
        accepted = set()
        for change, source in wrong_solutions(exercise):
            outcome = judged(exercise, source)
            counts["accepted" if outcome.kind == RIGHT else how(outcome.message)] += 1
            if outcome.kind == RIGHT:
                accepted.add(change)
            if options.verbose:
                print(f"{name}, {change}\n    {outcome!r}")
        unknown, gone = accepted - set(known), set(known) - accepted
        for change in sorted(unknown):
            print(f"accepted: {notebook}.{exercise.name}, {change}")
        for change in sorted(gone):
            print(f"listed, and not accepted: {notebook}.{exercise.name}, {change}")
        bad += 0 if agent else len(unknown) + len(gone)
    refused = counts.total() - counts["accepted"]
    print(f"{counts.total()} mutants, {refused} refused. Of these:")
    for kind, number in counts.most_common():
        if kind != "accepted":
            print(f"{number:6} ({number / refused:.0%}) {kind}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
