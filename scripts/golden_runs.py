"""Has a change to the engine changed what it computes? Store the runs before it, compare after it.

    python scripts/golden_runs.py store golden.npz
    python scripts/golden_runs.py compare golden.npz

Trains a few updates for every task with every baseline and both optimizers, and once for every other setting of the
algorithm, and stores the weights and the records. On one machine they must stay equal bit for bit, unless a change is
meant to alter them. Another processor rounds differently, so the file is not kept in the repository.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pglesson import Settings, make_policy, reinforce, returns_to_go

TASKS: dict[str, dict[str, Any]] = {
    "CartPole-v1": {"max_steps": 100},
    "Acrobot-v1": {"max_steps": 30},
    "MountainCarContinuous-v0": {"max_steps": 30},
    "Pendulum-v1": {"max_steps": 60},
    "pglesson/RockPaperScissors-v0": {"hidden": ()},
    "pglesson/ShortCorridor-v0": {"hidden": (), "max_steps": 60},
    "pglesson/PlanarArm-v0": {"hidden": (16, 16), "activation": "relu"},
    "pglesson/TwoRooms-v0": {"hidden": ()},
    "pglesson/CoinOrPrize-v0": {"hidden": ()},
    "pglesson/TwoHills-v0": {"hidden": ()},
    "pglesson/Digits-v0": {"env_options": {"group_size": 4}},
}
BASELINES = ("none", "constant", "running_mean", "time_mean", "value")
RECORDED = ("returns", "lengths", "loss", "gradient_norm", "entropy", "explained_variance")
OTHERS: dict[str, dict[str, Any]] = {  # each on CartPole and on the arm
    "normalization none": {"normalization": "none"},
    "normalization episode": {"normalization": "episode"},
    "clipped": {"max_grad_norm": 0.1},
    "entropy": {"entropy_weight": 0.1},
    "pulled back": {"kl_weight": 0.3, "learning_rate": 0.1},
    "actor-critic": {"baseline": "value", "gae_lambda": 0.8},
    "ppo": {"baseline": "value", "gae_lambda": 0.9, "policy_epochs": 4, "clip_ratio": 0.1, "entropy_weight": 0.01},
    "measured": {"measure_variance": True, "measure_change": True},
    "one run": {"runs": 1},
}


class OwnPolicy(nn.Module):
    """What a learner writes: no run axis, logits or a pair."""

    def __init__(self, inputs: int, outputs: int, continuous: bool) -> None:
        super().__init__()
        self.body, self.continuous = nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, outputs)), continuous
        self.log_sigma = nn.Parameter(torch.zeros(outputs))
        generator = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for weight in self.body.parameters():
                weight.uniform_(-0.3, 0.3, generator=generator)

    def forward(self, x: Tensor) -> Any:
        out = self.body(x)
        return (out, self.log_sigma.expand_as(out)) if self.continuous else out


def train(settings: Settings, policy: nn.Module | None = None, **options: Any) -> dict[str, Any]:
    """The records of a training, an array each, and its weights at the end."""
    policy = make_policy(settings) if policy is None else policy
    updates = list(reinforce(settings, policy, **options))
    found = {name: np.stack([getattr(update, name) for update in updates]) for name in RECORDED}
    for name in ("gradient_variance", "policy_change"):
        if getattr(updates[0], name) is not None:
            found[name] = np.stack([getattr(update, name) for update in updates])
    return found | {f"weight {name}": weight.detach().numpy() for name, weight in policy.named_parameters()}


def golden_runs() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each run's name, and its arrays by name."""
    short: dict[str, Any] = {"runs": 2, "episodes": 4, "updates": 4}
    for (env, own), baseline, optimizer in product(TASKS.items(), BASELINES, ("adam", "sgd")):
        settings = Settings(env=env, **(short | own), baseline=baseline, optimizer=optimizer, baseline_constant=1.5)
        if optimizer == "sgd":  # returns of hundreds make plain steps long
            settings.learning_rate, settings.value_learning_rate = 0.003, 1e-5
        yield f"{env}, {baseline}, {optimizer}", train(settings)
    for env, (name, changed) in product(("CartPole-v1", "pglesson/PlanarArm-v0"), OTHERS.items()):
        yield f"{env}, {name}", train(Settings(env=env, **(short | TASKS[env] | changed)))
    for name, changed in {
        "group mean": {"baseline": "group_mean"},
        "normalized per group": {"baseline": "none", "normalization": "group"},
    }.items():
        env = "pglesson/Digits-v0"
        yield f"{env}, {name}", train(Settings(env=env, **(short | TASKS[env] | changed)))
    single = short | {"runs": 1}
    yield "own policy, discrete", train(Settings(env="CartPole-v1", **single), OwnPolicy(4, 2, False))
    yield "own policy, continuous", train(Settings(env="pglesson/PlanarArm-v0", **single), OwnPolicy(6, 2, True))
    settings = Settings(env="CartPole-v1", **short, baseline="value")

    def own_advantages(episodes: Any, b: Tensor, b_next: Tensor) -> Tensor:
        return returns_to_go(episodes.rewards, 0.9) - b + 0.1 * b_next

    yield "own advantages", train(settings, advantages=own_advantages)
    moved, updates = Settings(env="CartPole-v1", **(short | {"updates": 10})), list[Any]()
    policy = make_policy(moved)
    for update in reinforce(moved, policy):  # every baseline in turn, as if chosen in a dashboard
        updates.append(update)
        moved.baseline = BASELINES[update.number % len(BASELINES)]
    yield (
        "moved while it trained",
        {
            "loss": np.stack([update.loss for update in updates]),
            **{name: weight.detach().numpy() for name, weight in policy.named_parameters()},
        },
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("store", "compare"))
    parser.add_argument("file")
    given = parser.parse_args()
    arrays = {f"{run} | {name}": array for run, found in golden_runs() for name, array in found.items()}
    if given.what == "store":
        np.savez_compressed(given.file, **arrays)
        print(f"{len(arrays)} arrays stored")
        return 0
    with np.load(given.file) as stored:
        if stored.files != list(arrays):
            print("The runs or what they record are not the same: store them again, with the engine as it was.")
            return 1
        changed = [name for name in arrays if not np.array_equal(stored[name], arrays[name], equal_nan=True)]
        for name in changed:
            apart = np.abs(stored[name].astype(float) - arrays[name]).max() if arrays[name].size else 0
            print(f"changed: {name} (by {apart:.3g} at most)")
    print(f"{len(arrays) - len(changed)} of {len(arrays)} arrays are the same, bit for bit")
    return int(bool(changed))


if __name__ == "__main__":
    sys.exit(main())
