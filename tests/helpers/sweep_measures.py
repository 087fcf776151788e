"""Measures for test_sweeps.py, in a file of their own because worker processes must be able to import them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pglesson import Update
from pglesson.sweeps import final_return


@dataclass(frozen=True)
class Counted:
    """The final return; writes down each call, and ends the process that it runs in where it is told to."""

    folder: Path
    once: tuple[float, ...] = ()  # the gammas at which the first call ends the process
    always: tuple[float, ...] = ()  # and those at which every call does

    def __call__(self, updates: Sequence[Update]) -> Any:
        gamma = updates[0].live["gamma"]
        first = gamma not in self.calls()
        with (self.folder / "calls").open("a") as file:
            file.write(f"{gamma}\n")
        if gamma in self.always or (gamma in self.once and first):
            os._exit(1)
        return final_return(updates)

    def calls(self) -> list[float]:
        """The gamma of each call so far, in every process."""
        path = self.folder / "calls"
        return [float(line) for line in path.read_text().splitlines()] if path.exists() else []


def flat(updates: Sequence[Update]) -> Any:
    """Of the wrong shape."""
    return final_return(updates).mean()
