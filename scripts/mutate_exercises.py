"""Does an exercise refuse what is wrong? `python scripts/mutate_exercises.py [--only NAME ...] [--agents]`.

Makes mutants of the solution of each exercise that asks for a function or a class: another operator, comparison, sign,
axis or constant, a line left out, two lines or two arguments swapped, a keyword or a call left out, a mean for a sum.
Prints each mutant that is accepted, and how many of the others are named. A mutant that does what the solution does
must be accepted; such ones are listed in tests/exercises/equivalent_mutants.toml, each with its reason.

With --agents those of whole agents instead, which train for seconds each. Of an agent that grows out of another, only
the lines are changed that the other does not have. One seed is trained first, and the two others only where the first
is accepted. What learns as well is accepted, too, such as another learning rate, and listed as the others are.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator
from multiprocessing import Pool
from typing import Any

import numpy as np
import torch
from mutate import ROOT, another_sign, changed, mutants

from pglesson.exercises import Exercise, agents, judges
from pglesson.exercises.framework import NOT_ATTEMPTED, NOTEBOOKS, RIGHT, Attempt, Outcome, exercises_of

EQUIVALENT = ROOT / "tests" / "exercises" / "equivalent_mutants.toml"
SECONDS = 1.0  # of computing, for one mutant that is not an agent
TIMES_AS_LONG = 4  # as its solution a training of an agent may take
# Agents that grow out of others, whose lines they share.
GROWN = {
    "06_variance_and_baselines.agent": "05_reinforce.agent",
    "07_normalization_and_advantages.agent": "06_variance_and_baselines.agent",
    "08_entropy_and_exploration.agent": "06_variance_and_baselines.agent",
    "09_continuous_control.gaussian_agent": "06_variance_and_baselines.agent",
    "12_actor_critic.agent": "06_variance_and_baselines.agent",
    "13_trust_regions_and_ppo.agent": "12_actor_critic.agent",
}
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


def wrong_solutions(exercise: Exercise, known: str = "") -> list[tuple[str, str]]:
    """An exercise's mutants, each (what was changed, source); those that hand in nothing, or the same, left out.

    known: a source whose lines are not to be changed.
    """
    found = {source: change for change, source in mutants(exercise.solution, EDITS) if "\nanswer = " in source}
    same, lines = (ast.unparse(ast.parse(text)) for text in (exercise.solution, known))
    shared = {line.strip() for line in lines.splitlines()}

    def is_shared(change: str) -> bool:
        return {*change.partition(": ")[2].partition("  ->  ")[0].split("; ")} <= shared

    return [(change, source) for source, change in found.items() if source != same and not is_shared(change)]


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
    if re.search(r"^your line `|raised an? \w+|had not come back|gives nothing", message):
        return "told by the error that it raised"
    return "shown by values alone" if re.search(r" your function gives .* right\.$", message) else "named"


def equivalent() -> dict[str, dict[str, str]]:
    """For each exercise, as 02_softmax_policies.sample, the mutants that do what the solution does, with the reason."""
    return tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))


def judged_training(task: tuple[str, str, float]) -> Outcome:
    """What is said of an agent: (its notebook and name, its source, the seconds that a training may take)."""
    name, source, agents.SECONDS = task
    notebook, _, exercise_name = name.partition(".")
    exercise = next(exercise for exercise in exercises_of(notebook) if exercise.name == exercise_name)
    outcome = Outcome(RIGHT, "")
    for seeds in ((0,), (0, 1, 2)):
        if outcome.kind == RIGHT:
            agents.SEEDS = seeds
            outcome = judged(exercise, source)
    return outcome


def seconds_of(exercise: Exercise) -> float:
    """How long its solution computes, with a single seed."""
    agents.SEEDS, begun = (0,), time.process_time()
    judged(exercise, exercise.solution)
    return time.process_time() - begun


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], help="exercises, such as 02.sample")
    parser.add_argument("--verbose", action="store_true", help="also print what is said of each mutant")
    parser.add_argument("--agents", action="store_true", help="whole agents, instead of functions and classes")
    parser.add_argument("--processes", type=int, default=2, help="for whole agents")
    options = parser.parse_args()
    judges.SECONDS = SECONDS
    listed, counts, bad = equivalent(), Counter[str](), 0
    solutions = {f"{notebook}.{exercise.name}": exercise for notebook, exercise in written()}
    for name, exercise in solutions.items():
        short = f"{name[:2]}.{exercise.name}"
        if (options.only and short not in options.only) or is_agent(exercise) != options.agents:
            continue
        grown_from = solutions[GROWN[name]].solution if name in GROWN else ""
        changes, sources = zip(*wrong_solutions(exercise, grown_from))
        accepted = set()
        with Pool(options.processes) as pool:
            if options.agents:
                limit = TIMES_AS_LONG * seconds_of(exercise)
                outcomes = pool.imap(judged_training, ((name, source, limit) for source in sources))
            else:
                outcomes = (judged(exercise, source) for source in sources)
            for change, outcome in zip(changes, outcomes):
                counts["accepted" if outcome.kind == RIGHT else how(outcome.message)] += 1
                if outcome.kind == RIGHT:
                    accepted.add(change)
                if options.verbose:
                    print(f"{short}, {change}\n    {outcome!r}", flush=True)
        known = {*listed.get(name, {})}
        for change in sorted(accepted - known):
            print(f"accepted: {name}, {change}")
        for change in sorted(known - accepted):
            print(f"listed, and not accepted: {name}, {change}")
        bad += len(accepted ^ known)
    refused = counts.total() - counts["accepted"]
    print(f"{counts.total()} mutants, {refused} refused. Of these:")
    for kind, number in counts.most_common():
        if kind != "accepted":
            print(f"{number:6} ({number / refused:.0%}) {kind}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
