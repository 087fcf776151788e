"""The measurements of notebooks 14 and 15 that take minutes: `python scripts/bench_language.py FILE.json`.

A small transformer learns from scratch, by reward alone, to sort and to reverse three digits, with each of five
estimators of the gradient and each of ten seeds, one after the other, on one thread. The two called GRPO go on until
nine of ten tokens are right, or for 60 seconds of processor time. FILE gets the share of tokens right, averaged over
every ten updates, and the seconds. Then the ten policies that learned to sort with GRPO, as they were half-way and as
they are at the end, continue with a reward that can be gamed, with and without a KL penalty, and FILE gets the shares.

The transformer is the notebook's: its cells are read from there. Seconds depend on the processor and its other work.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pglesson import Settings, reinforce
from pglesson.envs.digits import EMPTY, EQUALS, share_in_order

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "14_language_models.ipynb"
LENGTH = 3
SETTINGS: dict[str, Any] = {
    "env": "pglesson/Digits-v0",
    "gamma": 1.0,
    "episodes": 128,
    "learning_rate": 0.005,
    "max_grad_norm": 1.0,
}
ESTIMATORS: dict[str, dict[str, Any]] = {
    "none": {"baseline": "none", "normalization": "none"},
    "batch mean": {"baseline": "time_mean", "normalization": "none"},
    "RLOO": {"baseline": "group_mean", "normalization": "none"},
    "GRPO": {"baseline": "group_mean", "normalization": "group"},
    "GRPO, beta 0.1": {"baseline": "group_mean", "normalization": "group", "entropy_weight": 0.1},
}
GOES_ON = ("GRPO", "GRPO, beta 0.1")  # they train until they have reached BAR
TASKS = ("sort", "reverse")
OWN = ("attention", "transformer", "write")  # the cells that define the model and its writing
BAR, WINDOW = 0.9, 10  # share of tokens right, and the updates over which it is averaged
HALF_WAY = 60  # updates
KL_WEIGHTS = (0.0, 0.1)


def cells(*ids: str, path: Path = NOTEBOOK, **known: Any) -> dict[str, Any]:
    """What the notebook's cells with these ids define, by name; known: what they import besides."""
    sources = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    names: dict[str, Any] = {"math": math, "torch": torch, "nn": nn, "EMPTY": EMPTY, "EQUALS": EQUALS, **known}
    names["deepcopy"] = copy.deepcopy
    for name in ids:
        exec(sources[name], names)
    return names


def settings(task: str, seed: int, **changes: Any) -> Settings:
    """The settings of one training."""
    options = {"length": LENGTH, "task": task, "reward": changes.pop("reward", "tokens")}
    return Settings(**{**SETTINGS, "env_options": options, "seed": seed, **changes})


def train(
    policy: nn.Module, task: str, seed: int, updates: int, limit: float = 0.0, **changes: Any
) -> tuple[dict[str, Any], nn.Module]:
    """Trains `policy` for `updates`, and then until the BAR is reached or `limit` processor seconds have passed.

    Returns the share of tokens "right" in every WINDOW updates, the "seconds" until then, and at which update the mean
    of the last WINDOW was first above BAR ("reached", None if it never was); and the policy as it was HALF_WAY.
    """
    half_way = policy
    right, seconds, recent, reached = list[float](), list[float](), list[float](), None
    started = time.process_time()
    for update in reinforce(settings(task, seed, updates=10**6, **changes), policy):
        used = time.process_time() - started
        recent.append(float(update.returns.mean()))
        if update.number == HALF_WAY:
            half_way = copy.deepcopy(policy)
        if reached is None and update.number >= WINDOW and np.mean(recent[-WINDOW:]) > BAR:
            reached = update.number
        if update.number % WINDOW == 0:
            right.append(round(float(np.mean(recent[-WINDOW:])), 3))
            seconds.append(round(used, 2))
            if update.number >= updates and (reached is not None or used > limit):
                break
    return {"right": right, "seconds": seconds, "reached": reached}, half_way


def game(
    policy: nn.Module, seed: int, updates: int, prompts: torch.Tensor, write: Callable[..., torch.Tensor], **knobs: Any
) -> dict[str, list[float]]:
    """Trains a copy of `policy` with the reward 'order'; shares on `prompts` before and every WINDOW updates."""
    agent = copy.deepcopy(policy)
    found = {"right": list[float](), "order": list[float]()}

    def look() -> None:
        answers: NDArray[Any] = write(agent, prompts, torch.Generator().manual_seed(0)).numpy()
        found["right"].append(round(float((answers == np.sort(prompts.numpy(), 1)).mean()), 3))
        found["order"].append(round(float(share_in_order(answers).mean()), 3))

    look()
    for update in reinforce(settings("sort", seed, updates=updates, reward="order", **knobs), agent):
        if update.number % WINDOW == 0:
            look()
    return found


def measure(seeds: int, updates: int, gaming: int, limit: float) -> dict[str, Any]:
    """Everything that the file holds."""
    own = cells(*OWN)
    curves: dict[str, dict[str, list[dict[str, Any]]]] = {task: {name: [] for name in ESTIMATORS} for task in TASKS}
    starts = ("half-way", "trained")
    gamed: dict[str, dict[str, list[Any]]] = {start: {f"{w:g}": [] for w in KL_WEIGHTS} for start in starts}
    prompts = torch.as_tensor(np.random.default_rng(0).integers(10, size=(500, LENGTH)))
    for seed, task, name in itertools.product(range(seeds), TASKS, ESTIMATORS):
        torch.manual_seed(seed)
        policy = own["Transformer"](LENGTH)
        longest = limit if name in GOES_ON else 0.0
        run, half_way = train(policy, task, seed, updates, longest, **ESTIMATORS[name])
        curves[task][name].append(run)
        print(f"seed {seed}, {task}, {name}: {run['right'][-1]} after {run['seconds'][-1]} s, bar at {run['reached']}")
        if (task, name) != ("sort", "GRPO"):
            continue
        for (start, agent), weight in itertools.product(zip(starts, (half_way, policy)), KL_WEIGHTS):
            knobs = {**ESTIMATORS[name], "kl_weight": weight}
            gamed[start][f"{weight:g}"].append(game(agent, 100 + seed, gaming, prompts, own["write"], **knobs))
            found = gamed[start][f"{weight:g}"][-1]
            print(f"    gamed from {start}, KL weight {weight:g}: {found['right'][0]} -> {found['right'][-1]} right")
    return {
        "settings": SETTINGS,
        "length": LENGTH,
        "estimators": ESTIMATORS,
        "updates": updates,
        "window": WINDOW,
        "bar": BAR,
        "limit": limit,
        "curves": curves,
        "gamed": gamed,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures, prints a line for each training, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--updates", type=int, default=200)
    parser.add_argument("--gaming", type=int, default=80, help="updates with the reward that can be gamed")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of a training that has not reached the bar")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    next(reinforce(Settings(episodes=2)))  # a warm-up that is not measured
    found = measure(options.seeds, options.updates, options.gaming, options.limit)
    options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
