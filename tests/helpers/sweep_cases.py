"""Settings, grids, measures and an environment for the tests of sweeps; worker processes import them from here."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from pglesson import Settings, Update, reinforce
from pglesson.sweeps import final_return

SETTINGS = Settings(env="pglesson/ShortCorridor-v0", hidden=(), runs=2, episodes=3, updates=3, max_steps=50)
GRID = {"learning_rate": [0.01, 0.1], "gamma": [0.5, 0.9, 1.0]}
LINE = {"gamma": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]}


def oracle(grid: Any, settings: Settings = SETTINGS) -> Any:
    """The map of a grid, by the training loop itself."""
    points = [dict(zip(grid, values)) for values in product(*grid.values())]
    scores = [final_return(list(reinforce(dataclasses.replace(settings, **at)))) for at in points]
    return np.array(scores).reshape(*(len(values) for values in grid.values()), settings.runs)


@dataclass(frozen=True)
class Counted:
    """The final return; writes down each call, and ends the process that it runs in where it is told to."""

    folder: Path
    once: tuple[float, ...] = ()  # the gammas at which the first call ends the process
    always: tuple[float, ...] = ()  # and those at which every call does
    interrupted: float | None = None  # the gamma at which the user presses Ctrl-C

    def __call__(self, updates: Sequence[Update]) -> Any:
        gamma = updates[0].live["gamma"]
        first = gamma not in self.calls()
        with (self.folder / "calls").open("a") as file:
            file.write(f"{gamma}\n")
        if gamma in self.always or (gamma in self.once and first):
            os._exit(1)
        if gamma == self.interrupted:
            raise KeyboardInterrupt
        return final_return(updates)

    def calls(self) -> list[float]:
        """The gamma of each call so far, in every process."""
        path = self.folder / "calls"
        return [float(line) for line in path.read_text().splitlines()] if path.exists() else []


def wrong_shape(updates: Sequence[Update]) -> Any:
    """A number where the measure must give one for each run."""
    return final_return(updates).mean()


class Gate(gymnasium.Env[int, int]):
    """One step, with the action as its reward. An episode begins once the file `gate` exists, or else waits for it."""

    observation_space, action_space = gymnasium.spaces.Discrete(1), gymnasium.spaces.Discrete(2)

    def __init__(self, gate: str) -> None:
        self.gate = Path(gate)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        if not self.gate.exists():
            Path(f"{self.gate}.reached").touch()
        while not self.gate.exists():
            time.sleep(0.01)
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(action), True, False, {}


gymnasium.register("Gate-v0", Gate)
