"""Many runs at once on the CPU and on a GPU: `python scripts/bench_device.py [DEVICE ...]`, by default cpu and cuda.

Trains CartPole-v1 with 10, 100 and 1000 runs side by side and prints environment steps per second. The environments
stay on the CPU, so a GPU can only make the networks faster.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice

import torch

from pglesson import Settings, reinforce

RUNS, UPDATES, HIDDEN = (10, 100, 1000), 12, ((32,), (256, 256))


def steps_per_second(device: str, runs: int, hidden: tuple[int, ...], updates: int = UPDATES) -> float:
    """Environment steps per second over the last two thirds of the updates: the first third is for warming up."""
    settings = Settings(runs=runs, hidden=hidden, updates=updates, device=device)
    records = list(islice(reinforce(settings), updates))
    first, last = records[updates // 3 - 1], records[-1]
    return (last.steps - first.steps) / (last.seconds - first.seconds)


def main(devices: Sequence[str] = (), runs: Sequence[int] = RUNS, updates: int = UPDATES) -> None:
    """Measures and prints a table with a row for each network and number of runs, and a column for each device."""
    devices = devices or ("cpu", *["cuda"] * torch.cuda.is_available())
    print(f"{'hidden':12}{'runs':>6}" + "".join(f"{device:>14}" for device in devices) + "   steps/s")
    for hidden in HIDDEN:
        for number in runs:
            rates = [steps_per_second(device, number, hidden, updates) for device in devices]
            print(f"{hidden!s:12}{number:6}" + "".join(f"{rate:14,.0f}" for rate in rates), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
