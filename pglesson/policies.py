"""Policies pi(a|s, theta): networks that turn observations into a distribution over actions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson.distributions import ActionDistribution, Categorical, DiagGaussian, MultiCategorical, TorchDistribution
from pglesson.networks import BatchedMLP


class SoftmaxPolicy(nn.Module):
    """pi(a|s, theta) = softmax(f(s, theta))_a over `actions` discrete actions.

    forward: observations (runs, n, observation_size) -> logits (runs, n, actions). Sutton & Barto (2018), eq. 13.2.
    factors: for several choices at once, as `factors_of` gives them; `actions` then counts the logits of all of them.
    scale: what brings each entry of an observation to the size of 1, such as 1/255 for pixels.
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
        factors: NDArray[np.int64] | None = None,
        scale: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.runs = runs
        self.logits = BatchedMLP(runs, observation_size, actions, hidden, activation, generator, scale)
        if factors is not None:
            self.distribution = functools.partial(MultiCategorical, factors=factors)

    def forward(self, observations: Tensor) -> Tensor:
        logits: Tensor = self.logits(observations)
        return logits


class GaussianPolicy(nn.Module):
    """pi(a|s, theta) = N(mu(s, theta), sigma^2), independent over action dimensions, in the environment's units.

    forward: observations (runs, n, observation_size) -> (mu, log_sigma), both (runs, n, action_size).
    `log_sigma` is a learned parameter that does not depend on the state. `low` and `high` (action_size,) are the
    action's bounds: mu starts near their middle and sigma at half their distance, so that a learning rate means the
    same for a torque of 2 Nm as for one of 200; with one bound, see `start_of_actions`. scale: as in `SoftmaxPolicy`.
    Sutton & Barto (2018), eq. 13.19.
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
        scale: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.runs = runs
        middle, half_range = start_of_actions(low, high)
        self.middle: Tensor
        self.half_range: Tensor
        self.register_buffer("middle", middle)
        self.register_buffer("half_range", half_range)
        self.mu = BatchedMLP(runs, observation_size, len(self.middle), hidden, activation, generator, scale)
        self.log_sigma = nn.Parameter(self.half_range.log().repeat(runs, 1, 1))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.middle + self.half_range * self.mu(observations)
        return mu, self.log_sigma.expand_as(mu)


def start_of_actions(low: Sequence[float], high: Sequence[float]) -> tuple[Tensor, Tensor]:
    """Where mu and sigma of a Gaussian policy start, from the actions' bounds, each (action_size,).

    Between two bounds: their middle, and half their distance. From one bound on: its absolute value, or 1, away from
    it, and as wide. Without bounds: 0 and 1. A bound beyond 1e12 stands for none; where low is high, sigma is 1, and
    every action is cut to it.
    """
    bounds = torch.as_tensor([list(low), list(high)], dtype=torch.float32)
    finite = bounds.abs() < 1e12
    one_sided = torch.where(finite, bounds, 0.0).sum(0)  # the bound that there is
    width = torch.where(finite.any(0), one_sided.abs().clamp_min(1), 1.0)
    middle = torch.where(finite[0], one_sided + width, torch.where(finite[1], one_sided - width, 0.0))
    distance = (bounds[1] - bounds[0]) / 2
    half_range = torch.where(finite.all(0), torch.where(distance > 0, distance, 1.0), width)
    return torch.where(finite.all(0), bounds.mean(0), middle), half_range


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
    own: Callable[..., ActionDistribution] | None = getattr(policy, "distribution", None)
    kind = own or (DiagGaussian if isinstance(output, tuple) else Categorical)
    return kind(*parameters)


def is_ours(policy: nn.Module) -> bool:
    """Whether a policy is one of the two above, as they are."""
    return type(policy) in (SoftmaxPolicy, GaussianPolicy)


def forward(policy: nn.Module, observations: Tensor) -> Any:
    """What a network gives for observations (runs, n, size), computed where the network is and brought to the CPU."""
    device = device_of(policy)
    if device.type == "cpu":
        return policy(observations)
    output = policy(observations.to(device))
    if isinstance(output, Tensor):
        return output.cpu()
    return tuple(part.cpu() for part in output) if isinstance(output, tuple) else output


def distribution_at(policy: nn.Module, observations: Tensor) -> ActionDistribution:
    """pi(.|s) at observations (runs, n, observation_size)."""
    return to_distribution(policy, policy(observations))


def device_of(policy: nn.Module) -> torch.device:
    """Where a policy computes: the device of its first weight; the CPU where it has none."""
    return next((weight.device for weight in policy.parameters()), torch.device("cpu"))
