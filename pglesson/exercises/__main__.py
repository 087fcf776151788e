"""Commands for teachers: python -m pglesson.exercises {show,strip,grade} PATH ..."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat

from pglesson.exercises import grading


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, or 1 if there was no notebook."""
    parser = argparse.ArgumentParser(prog="python -m pglesson.exercises", description="Solutions and results.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, does in (("show", "fill in every solution"), ("strip", "empty every answer")):
        command = commands.add_parser(name, help=f"{does}, in place")
        command.add_argument("paths", nargs="+", type=Path, help="notebooks, or folders of them")
    command = commands.add_parser("grade", help="run a class's notebooks and print a table of results")
    command.add_argument("paths", nargs="+", type=Path, metavar="FOLDER", help="notebooks, or folders of them")
    command.add_argument("--csv", type=Path, help="also write a row an exercise to this file")
    command.add_argument("--seconds", type=float, default=300.0, help="for one notebook (300)")
    command.add_argument("--memory", type=int, default=4096, help="for one notebook, in MiB, on Linux (4096)")
    if arguments is None and sys.argv[1:2] == ["run"]:
        return _run(*sys.argv[2:])
    given = parser.parse_args(arguments)
    missing = [path for path in given.paths if not path.exists()]
    if missing:
        parser.error(f"{missing[0]} does not exist. Give notebooks, or folders that hold some.")
    files = grading.notebook_files(given.paths)
    return _grade(files, given) if given.command == "grade" else _set(files, given.command == "show")


def _set(files: list[Path], solved: bool) -> int:
    for file in files:
        notebook = nbformat.read(file, as_version=4)
        changed = grading.set_answers(notebook, solved=solved)
        if changed:
            nbformat.write(notebook, file)
        print(f"{file}: {changed} answer{'s' * (changed != 1)} {'filled in' if solved else 'emptied'}")
    return int(not files)


def _grade(files: list[Path], given: argparse.Namespace) -> int:
    rows = []
    for number, file in enumerate(files, start=1):
        print(f"running {number} of {len(files)}: {file}", file=sys.stderr, flush=True)
        rows += grading.grade(file, seconds=given.seconds, memory=given.memory)
    print("\n".join(grading.table(rows)))
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, ["file", "notebook", "exercise", "result", "message"])
            writer.writeheader()
            writer.writerows(rows)
    return int(not rows)


def _run(path: str, result: str, memory: str) -> int:
    """What `grade` runs in a separate process."""
    grading.limit_memory(int(memory))
    outcomes = json.dumps(grading.run(Path(path)))
    Path(result).write_text(outcomes, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
