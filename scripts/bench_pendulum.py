"""The measurements of notebook 09 that take minutes: `python scripts/bench_pendulum.py [--agent] FILE.json`.

Pendulum-v1 by plain REINFORCE, ten seeds one after the other. Each trains alone, on one thread, for at most 30 seconds
of processor time; then ten more train with a mistake, the log-probability of the clipped action. FILE gets the
settings, and for each seed the seconds so far and the mean return of every update. Seconds depend on the processor
and its other work.

With --agent instead: the solution of the exercise gaussian_agent, on Pendulum-v1, three seeds. FILE gets the mean
return of each eight episodes, which are one update.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pglesson import Settings, make_policy, reinforce
from pglesson.distributions import DiagGaussian
from pglesson.exercises.by_notebook.nb09_continuous_control import GAUSSIAN_AGENT

SETTINGS: dict[str, Any] = {
    "env": "Pendulum-v1",
    "runs": 1,
    "episodes": 32,
    "hidden": (32,),
    "gamma": 0.95,
    "baseline": "value",
    "value_learning_rate": 0.1,
    "learning_rate": 0.01,
    "max_grad_norm": 0.5,
}
BAR, WINDOW = -200.0, 10  # a return, and the updates over which it is averaged
EPISODES, BATCH = 3000, 8  # of the exercise's solution, for each seed and for each update


class Clipped(DiagGaussian):
    """The mistake: samples are clipped to the torque's bounds before their log-probability is computed."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return super().sample(generator).clamp(-2, 2)


def train(seed: int, limit: float, *, clipped: bool = False, **changes: Any) -> dict[str, Any]:
    """One training of `limit` processor seconds: its seed, and the seconds and mean return of each update."""
    settings = Settings(**{**SETTINGS, "updates": 10**6, **changes, "seed": seed})
    policy: Any = make_policy(settings)
    if clipped:
        policy.distribution = Clipped
    seconds, returns, started = list[float](), list[float](), time.process_time()
    for update in reinforce(settings, policy):
        used = time.process_time() - started
        if used > limit:
            break
        seconds.append(round(used, 2))
        returns.append(round(float(update.returns.mean()), 1))
    return {"seed": seed, "seconds": seconds, "returns": returns}


def reached(run: dict[str, Any]) -> float | None:
    """Seconds until the mean of the last WINDOW updates was first above BAR; None if it never was."""
    if len(run["returns"]) < WINDOW:
        return None
    above = np.convolve(run["returns"], np.full(WINDOW, 1 / WINDOW), "valid") > BAR
    return float(run["seconds"][int(above.argmax()) + WINDOW - 1]) if above.any() else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains every seed, prints a line for each, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, help="of each training, instead of 30")
    parser.add_argument("--agent", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    next(reinforce(Settings(episodes=2)))  # a warm-up that is not measured
    if options.agent:
        found = measure_agent(min(options.seeds, 3), EPISODES)
    else:
        found = measure(options.seeds, options.seconds or 30.0)
    options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


def measure_agent(seeds: int, episodes: int) -> dict[str, Any]:
    """The curves of the exercise's solution: a mean return for each update."""
    scope: dict[str, Any] = {}
    exec(GAUSSIAN_AGENT.solution, scope)
    runs = []
    for seed in range(seeds):
        returns = np.array(scope["train"]("Pendulum-v1", episodes, seed), dtype=float)
        updates = [round(float(batch.mean()), 1) for batch in np.split(returns, range(BATCH, episodes, BATCH))]
        runs.append({"seed": seed, "returns": updates})
        print(f"seed {seed}: {np.mean(returns[-400:]):.0f} in the last 400 episodes")
    return {"env": "Pendulum-v1", "episodes": episodes, "batch": BATCH, "runs": runs}


def measure(seeds: int, limit: float) -> dict[str, Any]:
    """The pendulum's curves, without and with the mistake."""
    groups: dict[str, list[dict[str, Any]]] = {"sampled": [], "clipped": []}
    for name, runs in groups.items():
        for seed in range(seeds):
            runs.append(train(seed, limit, clipped=name == "clipped"))
            returns = runs[-1]["returns"]
            last = f"{np.mean(returns[-WINDOW:]):.0f} at the end" if returns else "no time for one"
            print(f"{name}, seed {seed}: {len(returns)} updates, {last}; above the bar after {reached(runs[-1])} s")
    return {"settings": SETTINGS, "limit": limit, "bar": BAR, "window": WINDOW, **groups}


if __name__ == "__main__":
    main()
