"""Commands for teachers: python -m pglesson.exercises {show,strip,grade} PATH ..."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
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
    command.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) // 2), help="notebooks at a time")
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
    journal = Journal(given.csv.with_name(given.csv.name + ".part") if given.csv else None)
    open_files = [file for file in files if file not in journal]
    if len(open_files) < len(files):
        print(f"{len(files) - len(open_files)} of {len(files)} were graded before", file=sys.stderr)
    bar = ProgressBar(len(files), len(files) - len(open_files))
    with ThreadPoolExecutor(given.workers) as pool:  # each notebook has a process of its own
        jobs = {
            pool.submit(grading.grade, file, seconds=given.seconds, memory=given.memory): file for file in open_files
        }
        for job in as_completed(jobs):
            journal.add(jobs[job], job.result())
            bar.step()
    rows = [row for file in files for row in journal.rows(file)]
    print("\n".join(grading.table(rows)))
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, ["file", "notebook", "exercise", "result", "message"])
            writer.writeheader()
            writer.writerows(rows)
        journal.remove()
    return int(not rows)


class Journal:
    """The rows of the notebooks that have been graded, kept in a file while others are: a killed run goes on there.

    A notebook that was changed since then is graded again.
    """

    def __init__(self, file: Path | None) -> None:
        self._file, self._rows = file, dict[str, list[grading.Row]]()
        if file and file.exists():
            for line in file.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):  # a line that was being written when the run was killed
                    key, rows = json.loads(line)
                    self._rows[key] = rows

    def __contains__(self, file: Path) -> bool:
        return self._key(file) in self._rows

    def _key(self, file: Path) -> str:
        return f"{file} {file.stat().st_mtime_ns}"

    def rows(self, file: Path) -> list[grading.Row]:
        """What was found in a notebook."""
        return self._rows[self._key(file)]

    def add(self, file: Path, rows: list[grading.Row]) -> None:
        """Keeps a notebook's rows, also in the file."""
        self._rows[self._key(file)] = rows
        if self._file:
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps([self._key(file), rows]) + "\n")

    def remove(self) -> None:
        """Deletes the file: the whole class is graded."""
        if self._file:
            self._file.unlink(missing_ok=True)


class ProgressBar:
    """A line on the error stream that says how many notebooks are done."""

    def __init__(self, total: int, done: int) -> None:
        self._total, self._done = total, done

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        filled = 30 * self._done // self._total
        end = "\n" if self._done == self._total or not sys.stderr.isatty() else "\r"
        print(
            f"{'█' * filled}{'░' * (30 - filled)} {self._done} of {self._total}", end=end, file=sys.stderr, flush=True
        )


def _run(path: str, result: str, memory: str, seconds: str) -> int:
    """What `grade` runs in a separate process."""
    grading.limit_memory(int(memory))
    grading.run(Path(path), Path(result), float(seconds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
