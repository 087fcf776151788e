"""Distributions over actions, as objects with the shape of torch.distributions: sample, log_prob, entropy, kl.

A policy gives logits, a pair (mu, log_sigma), or a torch.distributions.Distribution of its own. The first two become
the classes below and not torch's own, for three reasons, which tests/test_distributions.py and
scripts/bench_distributions.py hold:

- sampling takes a generator, so that a training does not depend on what else draws random numbers;
- KL and its gradient are finite where an action is ruled out by a logit of -inf; torch's gradient is NaN there;
- making one and sampling, or taking log-probabilities, costs a seventh to a ninth of what torch's takes at 16 states.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from pglesson import errors


class ActionDistribution(Protocol):
    """pi(.|s) at many states side by side: (runs, n) of them."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Actions (runs, n[, action_size])."""
        ...

    def log_prob(self, actions: Tensor) -> Tensor:
        """The log-probability, or log-density, of each action (runs, n)."""
        ...

    def entropy(self) -> Tensor:
        """The entropy of each distribution (runs, n), in nats."""
        ...

    def kl(self, other: Any) -> Tensor:
        """KL(self || other) (runs, n), in nats, for another of the same kind."""
        ...


def _empty(like: Tensor) -> Tensor:
    # not empty_like: which number goes where must not depend on how the tensor lies in memory
    return torch.empty(like.shape, dtype=like.dtype, device=like.device)


class Categorical:
    """pi(a|s) = softmax(logits)_a, from logits (..., actions); actions are int64 (...)."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @functools.cached_property
    def log_probs(self) -> Tensor:
        """log pi of every action (..., actions), through log-softmax: finite where a probability underflows to zero."""
        # with the actions in front, since torch is ten times slower over a last axis that is short
        return self.logits.movedim(-1, 0).log_softmax(0).movedim(0, -1)

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Draws one action a row: argmax_a pi(a) / E_a with E_a ~ Exp(1), which picks a with probability pi(a)."""
        waiting_time = _empty(self.logits).exponential_(generator=generator)
        return (self.logits - waiting_time.log_()).argmax(-1)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log pi(a|s) (...)."""
        return self.log_probs.gather(-1, actions[..., None])[..., 0]

    def entropy(self) -> Tensor:
        """-sum_a pi(a) log pi(a) (...), in nats; between 0 and log(actions)."""
        # 0 * log 0 counts as 0: a logit of -inf is an action that is ruled out
        return -(self.log_probs.exp() * self.log_probs.clamp_min(torch.finfo(self.logits.dtype).min)).sum(-1)

    def kl(self, other: Categorical) -> Tensor:
        """KL(pi || other) = sum_a pi(a) (log pi(a) - log other(a)) (...), in nats; 0 for equal policies."""
        apart = torch.where(self.log_probs > -math.inf, self.log_probs - other.log_probs, 0.0)
        return (self.log_probs.exp() * apart).sum(-1)


class MultiCategorical:
    """Several choices at once, independent given the state: a product, whose logarithm is a sum over the action axis.

    logits: (..., of all choices side by side); factors: (choices, options of each), which logits belong together, from
    `factors_of`; actions: int64 (..., choices).
    """

    def __init__(self, logits: Tensor, factors: NDArray[np.int64]) -> None:
        never, fixed = logits.new_full((*logits.shape[:-1], 1), -math.inf), logits.new_zeros((*logits.shape[:-1], 1))
        self.each = Categorical(torch.cat([logits, never, fixed], -1)[..., torch.from_numpy(factors)])

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """One option of each choice (..., choices)."""
        return self.each.sample(generator)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log pi(a|s) = sum over choices of log pi_i(a_i|s) (...)."""
        return self.each.log_prob(actions).sum(-1)

    def entropy(self) -> Tensor:
        """The sum of the choices' entropies (...), in nats."""
        return self.each.entropy().sum(-1)

    def kl(self, other: MultiCategorical) -> Tensor:
        """The sum of the choices' KL divergences (...), in nats."""
        return self.each.kl(other.each).sum(-1)


def factors_of(space: spaces.MultiDiscrete | spaces.MultiBinary) -> NDArray[np.int64]:
    """Which logit is which option of which choice: (choices, options), as places in [*logits, -inf, 0].

    A choice of MultiDiscrete has a logit for each option; where others have more, -inf fills up. A switch of
    MultiBinary has one logit, for on, beside a 0 for off, which makes it a sigmoid.
    """
    if isinstance(space, spaces.MultiBinary):
        number = int(np.prod(space.shape))
        return np.stack([np.full(number, number + 1), np.arange(number)], 1)
    sizes = space.nvec.ravel().astype(np.int64)
    option = np.arange(sizes.max())
    first = np.concatenate([[0], sizes.cumsum()[:-1]])[:, None]
    return np.where(option < sizes[:, None], first + option, sizes.sum())


class DiagGaussian:
    """Independent normal distributions, from mu and log_sigma, each (..., action_size); actions are floats alike."""

    def __init__(self, mu: Tensor, log_sigma: Tensor) -> None:
        self.mu, self.log_sigma = mu, log_sigma

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """mu + sigma * noise, with standard normal noise."""
        return self.mu + self.log_sigma.exp() * _empty(self.mu).normal_(generator=generator)

    def log_prob(self, actions: Tensor) -> Tensor:
        """log pi(a|s) (...), a density: summed over the action axis alone, never over the batch."""
        distance = (actions - self.mu) * (-self.log_sigma).exp()
        return -(0.5 * distance**2 + self.log_sigma + 0.5 * math.log(2 * math.pi)).sum(-1)

    def entropy(self) -> Tensor:
        """sum over dimensions of log sigma + log(2 pi e) / 2 (...), in nats; it may be negative."""
        return (self.log_sigma + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def kl(self, other: DiagGaussian) -> Tensor:
        """KL = sum over dimensions of log(sigma'/sigma) + (sigma^2 + (mu - mu')^2) / (2 sigma'^2) - 1/2 (...), nats."""
        spread = (2 * (self.log_sigma - other.log_sigma)).exp()
        spread = spread + ((self.mu - other.mu) * (-other.log_sigma).exp()) ** 2
        return (other.log_sigma - self.log_sigma + 0.5 * (spread - 1)).sum(-1)


class TorchDistribution:
    """A learner's own torch.distributions.Distribution, with the run axis that it may lack, and with a generator.

    run_axis: whether its batch shape is (runs, n); otherwise it is (n,), one run's. Where it keeps the dimensions of an
    action apart, as a Normal without Independent does, they are taken as independent.
    """

    def __init__(self, inner: torch.distributions.Distribution, *, run_axis: bool) -> None:
        self.inner, self.run_axis = inner, run_axis
        if (extra := len(inner.batch_shape) - (2 if run_axis else 1)) > 0:
            self.inner = torch.distributions.Independent(inner, extra, validate_args=False)

    def _with_run_axis(self, x: Tensor) -> Tensor:
        return x if self.run_axis else x[None]

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """torch samples from its global generator alone: it is seeded from ours, and put back where it was."""
        seed = int(torch.randint(2**62, (), generator=generator))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return self._with_run_axis(self.inner.sample())

    def log_prob(self, actions: Tensor) -> Tensor:
        """log pi(a|s) (runs, n)."""
        return self._with_run_axis(self.inner.log_prob(actions if self.run_axis else actions[0]))

    def entropy(self) -> Tensor:
        """In nats (runs, n); NaN where torch knows no formula."""
        try:
            return self._with_run_axis(self.inner.entropy())
        except NotImplementedError:
            return self._with_run_axis(torch.full(self.inner.batch_shape, torch.nan))

    def kl(self, other: TorchDistribution) -> Tensor:
        """KL(self || other) (runs, n), in nats. Raises ValueError where torch knows no formula."""
        try:
            return self._with_run_axis(torch.distributions.kl_divergence(self.inner, other.inner))
        except NotImplementedError as error:
            raise errors.no_kl(type(self.inner)) from error
