"""The measurements of notebooks 12 and 13 that take minutes: `python scripts/bench_actor_critic.py FILE.json`.

Ten seeds of each training, side by side on one thread. First, lambda varies: CartPole with a slow and with a quick
critic, and Pendulum with ten clipped epochs an update. Then the number of epochs varies: one, ten, and ten clipped
ones, on both tasks; on Pendulum also one with a higher learning rate, and ten with lower ones. Then come the controls
for Pendulum: one step with a higher learning rate, one and ten clipped ones on smaller batches, and more and fewer
steps of the critic. Last, lambda is 0.9999, which differs from 1 in the time-outs alone. FILE gets the settings of each
group and, for every training in it, the mean return of each run in each update, how far each update moved the policy
(in nats, the median over runs), and the processor seconds.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pglesson import Settings, reinforce

LAMBDAS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0)
CARTPOLE: dict[str, Any] = {"env": "CartPole-v1", "episodes": 16, "updates": 40, "baseline": "value"}
PENDULUM: dict[str, Any] = {
    "env": "Pendulum-v1",
    "episodes": 32,
    "updates": 40,
    "gamma": 0.95,
    "baseline": "value",
    "value_learning_rate": 0.05,
    "value_steps": 20,
    "learning_rate": 0.01,
    "max_grad_norm": 0.5,
}
SLOW: dict[str, Any] = {"value_learning_rate": 0.02, "value_steps": 5}
QUICK: dict[str, Any] = {"value_learning_rate": 0.05, "value_steps": 10}
TEN: dict[str, Any] = {"policy_epochs": 10}
CLIPPED: dict[str, Any] = {"policy_epochs": 10, "clip_ratio": 0.2}
ALONG_LAMBDA = {f"{value:g}": {"gae_lambda": value} for value in LAMBDAS}
# of each group: the settings that its trainings share, and those in which each of them differs
GROUPS: dict[str, tuple[dict[str, Any], dict[str, dict[str, Any]]]] = {
    "cartpole, slow critic": ({**CARTPOLE, **SLOW}, ALONG_LAMBDA),
    "cartpole, quick critic": ({**CARTPOLE, **QUICK}, ALONG_LAMBDA),
    "pendulum": ({**PENDULUM, **CLIPPED}, ALONG_LAMBDA),
    "cartpole, steps": (
        {**CARTPOLE, **QUICK, "gae_lambda": 0.98, "updates": 30},
        {"one step": {}, "ten steps": TEN, "ten clipped steps": CLIPPED},
    ),
    "pendulum, steps": (
        PENDULUM,
        {
            "one step": {"updates": 150},
            "one step, lambda 0.95": {"gae_lambda": 0.95, "updates": 150},
            "one step, lambda 0.95, alpha 0.03": {"gae_lambda": 0.95, "updates": 150, "learning_rate": 0.03},
            "ten steps, lambda 0.95": {**TEN, "gae_lambda": 0.95},
            "ten steps, lambda 0.95, alpha 0.003": {**TEN, "gae_lambda": 0.95, "learning_rate": 0.003},
            "ten steps, lambda 0.95, alpha 0.001": {**TEN, "gae_lambda": 0.95, "learning_rate": 0.001},
            "ten clipped steps": CLIPPED,
            "ten clipped steps, lambda 0.95": {**CLIPPED, "gae_lambda": 0.95},
        },
    ),
    # what else could explain the lead of clipped steps: a longer step, smaller batches, more steps of the critic
    "pendulum, controls": (
        {**PENDULUM, "gae_lambda": 0.95},
        {
            "alpha 0.02": {"learning_rate": 0.02, "updates": 150},
            "alpha 0.02, 80 critic steps": {"learning_rate": 0.02, "updates": 70, "value_steps": 80},
            "alpha 0.02, 8 episodes": {"learning_rate": 0.02, "episodes": 8, "updates": 600},
            "alpha 0.02, 8 episodes, 5 critic steps": {
                "learning_rate": 0.02,
                "episodes": 8,
                "updates": 600,
                "value_steps": 5,
            },
            "ten clipped steps, 8 episodes": {**CLIPPED, "episodes": 8, "updates": 160},
            "ten clipped steps, 8 episodes, 5 critic steps": {
                **CLIPPED,
                "episodes": 8,
                "updates": 160,
                "value_steps": 5,
            },
        },
    ),
    # as much noise as lambda 1, but time-outs are bootstrapped
    "lambda 0.9999": (
        {"gae_lambda": 0.9999},
        {
            "cartpole, quick critic": {**CARTPOLE, **QUICK},
            "pendulum": {**PENDULUM, **CLIPPED},
            "pendulum, one step": {**PENDULUM, "updates": 150},
        },
    ),
}


def measure(settings: dict[str, Any]) -> dict[str, Any]:
    """One training: mean returns (updates, runs), changes of the policy (updates,), and processor seconds."""
    started = time.process_time()
    updates = list(reinforce(Settings(**settings, measure_change=True)))
    changes = [update.policy_change for update in updates if update.policy_change is not None]
    return {
        "returns": [[round(float(x), 1) for x in update.returns.mean(1)] for update in updates],
        "change": [significant(float(np.median(change))) for change in changes],
        "seconds": round(time.process_time() - started, 1),
    }


def significant(x: float, digits: int = 2) -> float:
    """x, rounded to so many significant digits."""
    return round(float(x), digits - 1 - math.floor(math.log10(abs(x)))) if x and math.isfinite(x) else 0.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Trains every group, prints a line for each training, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--updates", type=int, help="of each training, instead of its own number")
    parser.add_argument("--only", help="train this group alone, and keep the others as FILE has them")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    found: dict[str, Any] = json.loads(options.file.read_text(encoding="utf-8")) if options.only else {}
    for group, (shared, variants) in GROUPS.items():
        if options.only in (None, group):
            settings = {**shared, "runs": options.runs}
            found[group] = {"settings": settings, "changes": variants, "trainings": {}}
            for name, changes in variants.items():
                own = {**settings, **changes, **({"updates": options.updates} if options.updates else {})}
                training = found[group]["trainings"][name] = measure(own)
                mean = np.mean(training["returns"])
                print(
                    f"{group}: {name}: mean return {mean:.0f} over the training, {training['seconds']:.0f} s",
                    flush=True,
                )
    options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
