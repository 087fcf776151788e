"""What our distributions save beside torch's own, and NumPy beside torch: python scripts/bench_distributions.py

Microseconds of one call on one thread, and the ratio to the line above it. Nothing here passes or fails.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from pglesson.distributions import Categorical, DiagGaussian
from pglesson.networks import Tanh
from pglesson.policies import SoftmaxPolicy, distribution_at
from pglesson.sampling import numpy_sampler


def microseconds(call: Callable[[], object], calls: int = 2000) -> float:
    """The mean of the fastest of five rounds of calls."""
    rounds = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(calls // 5):
            call()
        rounds.append((time.perf_counter() - started) / (calls // 5) * 1e6)
    return min(rounds)


def print_row(name: str, theirs: Callable[[], object], ours: Callable[[], object]) -> None:
    before, after = microseconds(theirs), microseconds(ours)
    print(f"{name:52}{before:9.1f}{after:9.1f}{before / after:9.1f}")


def main() -> None:
    torch.set_num_threads(1)
    generator, normal = torch.Generator().manual_seed(0), torch.distributions.Normal
    print(f"{'':52}{'torch':>9}{'ours':>9}{'ratio':>9}")
    with torch.inference_mode():
        logits, mu, log_sigma = torch.randn(1, 16, 2), torch.randn(1, 16, 2), torch.zeros(1, 16, 2)
        for checks, words in ((None, ""), (False, ", validate_args=False")):
            print_row(
                f"Categorical, 16 states: make and sample{words}",
                lambda checks=checks: torch.distributions.Categorical(logits=logits, validate_args=checks).sample(),
                lambda: Categorical(logits).sample(generator),
            )
        actions = Categorical(logits).sample(generator)
        print_row(
            "Categorical, 16 states: make and take log_prob",
            lambda: torch.distributions.Categorical(logits=logits).log_prob(actions),
            lambda: Categorical(logits).log_prob(actions),
        )
        print_row(
            "Normal, 16 states: make and sample",
            lambda: torch.distributions.Independent(normal(mu, log_sigma.exp()), 1).sample(),
            lambda: DiagGaussian(mu, log_sigma).sample(generator),
        )
        for runs in (1, 10, 32):
            policy, observations = SoftmaxPolicy(4, 2, runs=runs, hidden=(32,)), torch.randn(runs, 16, 4)
            sampler, array = numpy_sampler(policy, generator), observations.numpy()
            assert sampler is not None
            print_row(
                f"{runs} runs of 16 states: network and sample, in NumPy",
                lambda policy=policy, x=observations: distribution_at(policy, x).sample(generator),
                lambda sampler=sampler, array=array: sampler(array),
            )
    z, tanh = torch.randn(8000, 32), Tanh()
    print_row("tanh of 8,000 x 32", lambda: torch.tanh(z), lambda: tanh(z))


if __name__ == "__main__":
    main()
