"""Policies pi(a|s, theta): networks that turn observations into a distribution over actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson import errors
from pglesson.distributions import ActionDistribution, Categorical, DiagGaussian, TorchDistribution
from pglesson.networks import BatchedMLP, forward_in_numpy


class SoftmaxPolicy(nn.Module):
    """pi(a|s, theta) = softmax(f(s, theta))_a over `actions` discrete actions.

    forward: observations (runs, n, observation_size) -> logits (runs, n, actions). Sutton & Barto (2018), eq. 13.2.
    """

    def __init__(
        self,
        observation_size: int,
        actions: int,
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        runs: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.runs = runs
        self.logits = BatchedMLP(runs, observation_size, actions, hidden, activation, generator)

    def forward(self, observations: Tensor) -> Tensor:
        logits: Tensor = self.logits(observations)
        return logits


class GaussianPolicy(nn.Module):
    """pi(a|s, theta) = N(mu(s, theta), sigma^2), independent over action dimensions, in the environment's units.

    forward: observations (runs, n, observation_size) -> (mu, log_sigma), both (runs, n, action_size).
    `log_sigma` is a learned parameter that does not depend on the state. `low` and `high` (action_size,) are the
    action's bounds: where they are finite, mu starts near their middle and sigma at half their distance, so that a
    learning rate means the same for a torque of 2 Nm as for one of 200. Sutton & Barto (2018), eq. 13.19.
    """

    def __init__(
        self,
        observation_size: int,
        low: Sequence[float],
        high: Sequence[float],
        *,
        hidden: Sequence[int] = (),
        activation: str = "tanh",
        runs: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.runs = runs
        bounds = torch.as_tensor([list(low), list(high)], dtype=torch.float32)
        finite = (bounds.abs() < 1e6).all(0)  # a bound further out stands for none
        self.middle: Tensor
        self.half_range: Tensor
        self.register_buffer("middle", torch.where(finite, bounds.mean(0), 0.0))
        self.register_buffer("half_range", torch.where(finite, (bounds[1] - bounds[0]) / 2, 1.0))
        self.mu = BatchedMLP(runs, observation_size, len(self.middle), hidden, activation, generator)
        self.log_sigma = nn.Parameter(self.half_range.log().repeat(runs, 1, 1))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.middle + self.half_range * self.mu(observations)
        return mu, self.log_sigma.expand_as(mu)


class SingleRunPolicy(nn.Module):
    """A learner's own module as one run: it sees (n, observation_size), with no run axis."""

    runs = 1

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        if hasattr(module, "distribution"):
            self.distribution = module.distribution

    def forward(self, observations: Tensor) -> Any:
        output = self.module(observations[0])
        if isinstance(output, torch.distributions.Distribution):
            return TorchDistribution(output, run_axis=False)
        if isinstance(output, tuple):
            return tuple(part[None] for part in output)
        return output[None] if isinstance(output, Tensor) else output


def with_run_axis(policy: nn.Module, runs: int) -> nn.Module:
    """The policy itself, or a learner's own module as one run. Raises TypeError or ValueError for what cannot learn."""
    errors.check_policy(policy, runs)
    return policy if hasattr(policy, "runs") else SingleRunPolicy(policy)


def to_distribution(policy: nn.Module, output: Any) -> ActionDistribution:
    """The distribution that a policy's output stands for: logits, (mu, log_sigma), or one of torch's own.

    A policy with an attribute `distribution`, a class such as `Categorical` or `DiagGaussian`, has it made from its
    output instead.
    """
    if isinstance(output, torch.distributions.Distribution):
        return TorchDistribution(output, run_axis=True)
    if isinstance(output, TorchDistribution):
        return output
    parameters = output if isinstance(output, tuple) else (output,)
    own: type[ActionDistribution] | None = getattr(policy, "distribution", None)
    kind = own or (DiagGaussian if isinstance(output, tuple) else Categorical)
    return kind(*parameters)


Sampler = Callable[[NDArray[np.float32]], NDArray[Any]]


def numpy_sampler(policy: nn.Module, generator: torch.Generator) -> Sampler | None:
    """A function from observations (runs, n, size) to sampled actions, in NumPy; None for all but the package's own.

    Playing needs no gradient, and a step of few small arrays spends its time in calls, of which NumPy's cost less: a
    sixth of torch's time with 16 episodes, under a third with ten runs of them (scripts/bench_distributions.py). It
    draws the same random numbers as `Categorical` and `DiagGaussian` do, and its actions are theirs but for rounding; a
    test holds it.
    """
    if type(policy) not in (SoftmaxPolicy, GaussianPolicy) or hasattr(policy, "distribution"):
        return None
    network = forward_in_numpy(cast(BatchedMLP, policy.logits if isinstance(policy, SoftmaxPolicy) else policy.mu))
    if network is None:
        return None
    if isinstance(policy, SoftmaxPolicy):

        def sample_categorical(observations: NDArray[np.float32]) -> NDArray[Any]:
            logits = network(observations)
            waiting_time = torch.empty(logits.shape).exponential_(generator=generator).numpy()
            logits -= np.log(waiting_time, out=waiting_time)
            return logits.argmax(-1)

        return sample_categorical
    assert isinstance(policy, GaussianPolicy)
    middle, half_range = policy.middle.numpy(), policy.half_range.numpy()
    sigma = policy.log_sigma.detach().exp().numpy()

    def sample_gaussian(observations: NDArray[np.float32]) -> NDArray[Any]:
        mu = middle + half_range * network(observations)
        return mu + sigma * torch.empty(mu.shape).normal_(generator=generator).numpy()

    return sample_gaussian


def distribution_at(policy: nn.Module, observations: Tensor) -> ActionDistribution:
    """pi(.|s) at observations (runs, n, observation_size)."""
    return to_distribution(policy, policy(observations))


def device_of(policy: nn.Module) -> torch.device:
    """Where a policy computes: the device of its first weight; the CPU where it has none."""
    return next((weight.device for weight in policy.parameters()), torch.device("cpu"))
