"""Independent seeds for many environments, and the random numbers of an environment that no seed decides."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import torch

from pglesson import errors


def spawn_seeds(seed: int, number: int) -> list[int]:
    """Independent seeds for copies of an environment, by NumPy's SeedSequence, of the 32 bits that all of them take.

    Gymnasium's own `seed + i` gives most copies of seed 1 the random numbers of a copy of seed 0.
    """
    return [int(state) for state in np.random.SeedSequence(seed).generate_state(number)]


class Watch:
    """Warns, once, of an environment that draws random numbers which the seed of a training does not decide.

    It is on from a reset with a seed until after the next one without: some tasks make a generator anew at each.
    """

    def __init__(self, env: gymnasium.Env[Any, Any] | gymnasium.vector.VectorEnv[Any, Any, Any]) -> None:
        self.env, self.on = env, False

    @contextmanager
    def over(self, *, seeded: bool | None = None) -> Iterator[None]:
        """Around a reset (seeded: whether it got a seed) or a step (None)."""
        self.on = self.on or bool(seeded)
        before = _shared() if self.on else {}
        yield
        if not self.on:
            return
        after = _shared()
        names = [name for name in before if before[name] != after[name]] + _begun_at_random(self.env.unwrapped)
        self.on = seeded is not False and not names
        if names:
            warnings.warn(errors.not_seeded(names), stacklevel=3)


def _shared() -> dict[str, Any]:
    """The states of the generators that all code of a process shares."""
    numpys = np.random.get_state(legacy=False)["state"]  # noqa: NPY002
    torchs = torch.get_rng_state().numpy().tobytes()
    return {"Python's random": random.getstate(), "np.random": str(numpys), "torch's generator": torchs}


def _begun_at_random(env: Any) -> list[str]:
    """The names of NumPy's generators that an environment keeps, and that the system's own entropy began: 128 bits."""
    one = env.envs[0].unwrapped if isinstance(env, gymnasium.vector.SyncVectorEnv) else env
    kept = [(name.lstrip("_"), value) for name, value in vars(one).items() if isinstance(value, np.random.Generator)]
    begun = [(name, getattr(value.bit_generator.seed_seq, "entropy", None)) for name, value in kept]
    return [f"self.{name}" for name, entropy in begun if isinstance(entropy, int) and entropy >= 2**64]
