"""The measurements of notebook 17 that take minutes: `python scripts/bench_grpo.py FILE.json`.

A transformer imitates right answers for a while; then it learns by reward, with GRPO and with each of the changes that
the notebook makes to it, until it has written 10,240 answers, with seven seeds. FILE gets, for every update: the number
of answers written so far, the share of them that is right, the share of groups that are all right or all wrong, the
mean lengths of right and of wrong answers (None where there are none), the entropy and the share of clipped tokens.

Task, model, losses and loop are the notebooks': their cells are read from there.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bench_language
import torch

NOTEBOOK = bench_language.NOTEBOOK.with_name("17_after_grpo.ipynb")
OWN = ("model", "task", "policy", "pretrain", "grpo-loss", "changes", "groups", "learn")


def look(drawn: dict[str, torch.Tensor], change: dict[str, Any]) -> dict[str, float | None]:
    """One update in numbers. "clipped": the share of tokens at which the minimum takes the clipped gain, at the end."""
    of_groups, written, right = drawn["drawn"].mean(1), drawn["written"], drawn["R"].flatten() == 1
    lengths = written.sum(1)
    log_ratio, low, high = drawn["log_ratio"], 0.2, change.get("high", 0.2)
    if "ratios" in change:
        log_ratio = change["ratios"](log_ratio, written).log().expand_as(written)
    group_mean = drawn["R"].mean(1, keepdim=True)
    A = (drawn["R"] - group_mean).flatten()[:, None]
    clipped = ((A > 0) & (log_ratio.exp() > 1 + high)) | ((A < 0) & (log_ratio.exp() < 1 - low))
    found = {
        "right": float(of_groups.mean()),
        "silent": float(((of_groups == 0) | (of_groups == 1)).double().mean()),
        "length if right": float(lengths[right].mean()) if right.any() else None,
        "length if wrong": float(lengths[~right].mean()) if not right.all() else None,
        "entropy": float(-(drawn["log_old"] * written).sum() / written.sum()),
        "clipped": float((clipped * written).sum() / written.sum()),
    }
    return {name: None if value is None else round(value, 4) for name, value in found.items()}


def measure(own: dict[str, Any], seed: int, answers: int, imitation: int) -> dict[str, dict[str, list[Any]]]:
    """The trainings of one seed, by the change."""
    start, found = own["pretrain"](seed, imitation), dict[str, dict[str, list[Any]]]()
    for name, change in own["CHANGES"].items():
        run: dict[str, list[Any]] = {"answers": []}
        for _, drawn in own["learn"](start, seed, answers, **change):
            run["answers"].append((run["answers"] or [0])[-1] + drawn["drawn"].numel())
            for key, value in look(drawn, change).items():
                run.setdefault(key, []).append(value)
        found[name] = run
        print(f"seed {seed}, {name}: right {run['right'][0]:.2f} -> {run['right'][-1]:.2f}", flush=True)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures seed by seed, prints a line for each training, and writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=7)
    parser.add_argument("--answers", type=int, default=10_240, help="written in a training")
    parser.add_argument("--imitation", type=int, default=75, help="steps before it")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    own = bench_language.cells(*OWN, path=NOTEBOOK, itertools=itertools)
    runs: dict[str, list[dict[str, list[Any]]]] = {}
    for seed in range(options.seeds):
        for name, run in measure(own, seed, options.answers, options.imitation).items():
            runs.setdefault(name, []).append(run)
    found = {"answers": options.answers, "runs": runs}
    options.file.write_text(json.dumps(found) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
