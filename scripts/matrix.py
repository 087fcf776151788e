"""Are the stored outputs true on other machines? `python scripts/matrix.py [--times 1]`.

Runs nbval over all notebooks, in random order, for every kind of vector instructions that this processor has and
PyTorch knows, each with 1, 2 and 4 threads, and prints a line for each. It takes about an hour on two cores. By
themselves the tests run one of these points: no vector instructions, and two threads, as solved_notebooks.py says.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
LEVELS = ("default", "avx2", "avx512")  # each has those before it


def capabilities() -> tuple[str, ...]:
    """The levels of ATEN_CPU_CAPABILITY that this processor has."""
    best = torch.backends.cpu.get_cpu_capability().lower()
    return LEVELS[: LEVELS.index(best) + 1] if best in LEVELS else ("default",)


def check(capability: str, threads: int, seed: int) -> tuple[bool, str, float]:
    """Whether every output was as stored, pytest's last line, and the seconds it took."""
    notebooks = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "notebooks").glob("*.ipynb"))
    random.Random(seed).shuffle(notebooks)
    environment = dict(os.environ) | {"ATEN_CPU_CAPABILITY": capability, "OMP_NUM_THREADS": str(threads)}
    started = time.perf_counter()
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *notebooks], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    lines = found.stdout.strip().splitlines() or [found.stderr]
    failed = [line for line in lines if line.startswith("FAILED")]
    return found.returncode == 0, "\n".join([*failed, lines[-1]]), time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    sound = True
    for seed in range(options.times):
        for capability in capabilities():
            for threads in (1, 2, 4):
                passed, said, seconds = check(capability, threads, seed)
                sound &= passed
                print(f"{capability:8} {threads} threads, order {seed}: {said} ({seconds:.0f} s)", flush=True)
    sys.exit(not sound)


if __name__ == "__main__":
    main()
