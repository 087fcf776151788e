"""The measurements of notebook 16 that take minutes: `python scripts/bench_comparisons.py FILE.json`.

For each of seven seeds, a transformer learns to sort three digits until it is half-way; it is the reference.
Comparisons of its answers train a reward model, which is then climbed by policy gradient with two prices on the KL
divergence; the same comparisons train by DPO. A control climbs the true reward. FILE gets, every LOOK updates, the
mean true reward (digits right, of three), the learned one, and the KL divergence from the reference, on 500 prompts.

Model, losses and loops are the notebooks': their cells are read from there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import bench_language
import torch
from torch import nn

from pglesson import reinforce

NOTEBOOK = bench_language.NOTEBOOK.with_name("16_learning_from_comparisons.ipynb")
OWN = ("model", "log-prob", "compare", "reward-model", "climb", "direct")
LOOK = 10  # updates
# (comparisons, prices on the KL of the climbs, prices of DPO)
PLAN = ((3000, (0.0, 0.3), (0.3,)), (10000, (0.0, 0.3), (0.3,)))
PROMPTS = 500


def reference(own: dict[str, Any], seed: int, updates: int) -> nn.Module:
    """The half-way agent of one seed."""
    torch.manual_seed(seed)
    policy: nn.Module = own["Transformer"](bench_language.LENGTH)
    settings = bench_language.settings("sort", seed, updates=updates, **bench_language.ESTIMATORS["GRPO"])
    for _ in reinforce(settings, policy):
        pass
    return policy


def follow(
    own: dict[str, Any],
    policies: Iterator[nn.Module],
    reference: nn.Module,
    learned: Callable[..., torch.Tensor] | None,
    prompts: torch.Tensor,
) -> dict[str, list[float]]:
    """The "right", the "learned" reward and the "kl" of the reference, and of every LOOK-th policy."""
    found: dict[str, list[float]] = {"right": [], "learned": [], "kl": []}

    def look(policy: nn.Module) -> None:
        answers = own["write"](policy, prompts, torch.Generator().manual_seed(0))
        with torch.no_grad():
            far = own["log_prob"](policy, prompts, answers) - own["log_prob"](reference, prompts, answers)
        values = {"right": own["right"](prompts, answers), "kl": far}
        values["learned"] = learned(prompts, answers) if learned else values["right"]
        for name, value in values.items():
            found[name].append(round(float(value.mean()), 4))

    look(reference)
    for number, policy in enumerate(policies, 1):
        if number % LOOK == 0:
            look(policy)
    return found


def measure(own: dict[str, Any], seed: int, half_way: int, lengths: dict[str, int]) -> dict[str, Any]:
    """All trainings of one seed, by name. lengths: "updates" of a climb and "steps" of DPO."""
    begin = reference(own, seed, half_way)
    prompts = torch.randint(10, (PROMPTS, 3), generator=torch.Generator().manual_seed(10**6))
    climbing, stepping = {"updates": lengths["updates"]}, {"steps": lengths["steps"]}
    true = own["climb"](begin, own["right"], 0.0, seed, **climbing)
    found = {"true reward, price 0": follow(own, true, begin, None, prompts)}
    for number, prices, prices_of_dpo in PLAN:
        comparisons = own["compare"](begin, number, torch.Generator().manual_seed(seed))
        model = own["fit"](comparisons, seed)
        for beta in prices:
            policies = own["climb"](begin, model, beta, seed, **climbing)
            found[f"{number} comparisons, price {beta:g}"] = follow(own, policies, begin, model, prompts)
        for beta in prices_of_dpo:
            policies = own["direct"](begin, comparisons, beta, seed, **stepping)
            found[f"{number} comparisons, DPO {beta:g}"] = follow(own, policies, begin, model, prompts)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures seed by seed, prints a line for each training, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--half-way", type=int, default=bench_language.HALF_WAY, help="updates of the reference")
    parser.add_argument("--updates", type=int, default=120, help="of a climb")
    parser.add_argument("--steps", type=int, default=300, help="of DPO")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    own = bench_language.cells(*OWN, path=NOTEBOOK)
    runs: dict[str, list[dict[str, list[float]]]] = {}
    for seed in range(options.seeds):
        lengths = {"updates": options.updates, "steps": options.steps}
        for name, run in measure(own, seed, options.half_way, lengths).items():
            runs.setdefault(name, []).append(run)
            print(
                f"seed {seed}, {name}: right {run['right'][0]:.2f} -> {max(run['right']):.2f} -> {run['right'][-1]:.2f}"
            )
        found = {"look": LOOK, "seeds": seed + 1, "runs": runs}
        options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
