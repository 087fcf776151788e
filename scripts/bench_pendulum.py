"""The two measurements of notebook 09 that take minutes: `python scripts/bench_pendulum.py [--arm] FILE.json`.

Pendulum-v1 by plain REINFORCE, ten seeds one after the other. Each trains alone, on one thread, for at most 30 seconds
of processor time; then ten more train with a mistake, the log-probability of the clipped action. FILE gets the
settings, and for each seed the seconds so far and the mean return of every update.

With --arm instead: the planar arm with 1, 3, 5 and 7 joints, five runs side by side for 45 seconds, with a Gaussian
policy and with a softmax policy over all combinations of three velocities for each joint. FILE gets the mean return of
each run in each interval of three seconds. Seconds depend on the processor and its other work.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from torch import Tensor

from pglesson import Settings, make_policy, reinforce
from pglesson.distributions import DiagGaussian
from pglesson.envs.planar_arm import PlanarArmVector

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
ARM: dict[str, Any] = {
    "env": "pglesson/PlanarArm-v0",
    "runs": 5,
    "episodes": 32,
    "gamma": 0.7,
    "baseline": "value",
    "value_learning_rate": 0.05,
    "learning_rate": 0.01,
}
LISTED: dict[str, Any] = {**ARM, "env": "bench/ListedArm-v0", "learning_rate": 0.03}  # the better of 0.01 and 0.03
JOINTS, SPAN = (1, 3, 5, 7), 3.0  # seconds over which returns are averaged


class Clipped(DiagGaussian):
    """The mistake: samples are clipped to the torque's bounds before their log-probability is computed."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return super().sample(generator).clamp(-2, 2)


class ListedArm(PlanarArmVector):
    """The arm with a Discrete action: one of all combinations of the velocities -1, 0 and 1."""

    def __init__(self, num_envs: int = 1, max_episode_steps: int | None = 50, **options: Any) -> None:
        super().__init__(num_envs, max_episode_steps, **options)
        self.moves = np.array(list(itertools.product((-1.0, 0.0, 1.0), repeat=self.joints)))
        self.single_action_space = gymnasium.spaces.Discrete(len(self.moves))
        self.action_space = batch_space(self.single_action_space, num_envs)

    def _advance(self, state: NDArray[Any], actions: NDArray[Any]) -> tuple[Any, Any, Any]:
        return super()._advance(state, self.moves[actions])


if "bench/ListedArm-v0" not in gymnasium.registry:
    gymnasium.register("bench/ListedArm-v0", vector_entry_point=ListedArm)


def train_arm(joints: int, limit: float, settings: dict[str, Any]) -> list[list[float | None]]:
    """The mean return of each run (run, span) in each SPAN of the `limit` processor seconds; None in an empty one."""
    spans: list[list[NDArray[Any]]] = [[] for _ in range(round(limit / SPAN))]
    started = time.process_time()
    for update in reinforce(Settings(**settings, updates=10**6, env_options={"joints": joints})):
        used = time.process_time() - started
        if used >= len(spans) * SPAN:
            break
        spans[int(used / SPAN)].append(update.returns.mean(1))
    means = [np.mean(span, axis=0) if span else np.full(settings["runs"], np.nan) for span in spans]
    return [[None if np.isnan(x) else round(float(x), 2) for x in run] for run in np.transpose(means)]


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
    parser.add_argument("--seconds", type=float, help="of each training, instead of 30, or 45 for the arm")
    parser.add_argument("--arm", action="store_true")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    next(reinforce(Settings(episodes=2)))  # a warm-up that is not measured
    found = measure_arm(options.seconds or 45.0) if options.arm else measure(options.seeds, options.seconds or 30.0)
    options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


def measure_arm(limit: float) -> dict[str, Any]:
    """The arm's curves, by policy and joints."""
    curves: dict[str, dict[int, Any]] = {"gaussian": {}, "softmax": {}}
    for joints in JOINTS:
        for name, settings in (("gaussian", ARM), ("softmax", LISTED)):
            curves[name][joints] = train_arm(joints, limit, settings)
            print(f"{joints} joints, {name}: last returns {[run[-1] for run in curves[name][joints]]}")
    return {"settings": {"gaussian": ARM, "softmax": LISTED}, "span": SPAN, **curves}


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
