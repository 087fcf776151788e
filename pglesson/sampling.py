"""Sampling actions without a gradient, in NumPy: what makes playing fast."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pglesson.distributions import MultiCategorical
from pglesson.networks import BatchedMLP, forward_in_numpy
from pglesson.policies import GaussianPolicy, SoftmaxPolicy, is_ours

Sampler = Callable[[NDArray[np.float32]], NDArray[Any]]


def numpy_sampler(policy: nn.Module, generator: torch.Generator) -> Sampler | None:
    """A function from observations (runs, n, size) to sampled actions, in NumPy; None for all but the package's own.

    Playing needs no gradient, and a step of few small arrays spends its time in calls, of which NumPy's cost less: a
    sixth of torch's time with 16 episodes, under a third with ten runs of them (scripts/bench_distributions.py). It
    draws the same random numbers as `Categorical` and `DiagGaussian` do, and its actions are theirs but for rounding; a
    test holds it.
    """
    own = getattr(policy, "distribution", None)
    factors = own.keywords["factors"] if isinstance(own, functools.partial) and own.func is MultiCategorical else None
    if not is_ours(policy) or (own is not None and factors is None):
        return None
    network = forward_in_numpy(cast(BatchedMLP, policy.logits if isinstance(policy, SoftmaxPolicy) else policy.mu))
    if network is None:
        return None
    if isinstance(policy, SoftmaxPolicy):

        def sample_categorical(observations: NDArray[np.float32]) -> NDArray[Any]:
            logits = network(observations)
            if factors is not None:
                never_and_fixed = np.broadcast_to(np.array([-np.inf, 0], np.float32), (*logits.shape[:-1], 2))
                logits = np.concatenate([logits, never_and_fixed], -1)[..., factors]
            waiting_time = torch.empty(logits.shape, dtype=torch.float32).exponential_(generator=generator).numpy()
            logits -= np.log(waiting_time, out=waiting_time)
            return logits.argmax(-1)

        return sample_categorical
    assert isinstance(policy, GaussianPolicy)
    middle, half_range = policy.middle.numpy(), policy.half_range.numpy()
    sigma = policy.log_sigma.detach().exp().numpy()

    def sample_gaussian(observations: NDArray[np.float32]) -> NDArray[Any]:
        mu = middle + half_range * network(observations)
        return mu + sigma * torch.empty(mu.shape, dtype=torch.float32).normal_(generator=generator).numpy()

    return sample_gaussian
