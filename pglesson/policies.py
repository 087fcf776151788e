"""Policies pi(a|s, theta): networks that turn observations into the parameters of a distribution.

Every network here carries a leading run axis: `runs` independent copies with their own weights, computed as one
batched product, which is why ten runs cost about twice what one does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from gymnasium import spaces
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU}


class RunLinear(nn.Module):
    """One affine map per run: (runs, n, inputs) -> (runs, n, outputs), y = x W + b.

    Weights start uniform in +-scale/sqrt(inputs) and the bias at zero; scale 0 starts the map at zero.
    """

    def __init__(
        self, runs: int, inputs: int, outputs: int, *, bias: bool, scale: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        weight = torch.empty(runs, inputs, outputs).uniform_(-1, 1, generator=generator)
        self.weight = nn.Parameter(weight * scale / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(runs, 1, outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight if self.bias is None else torch.baddbmm(self.bias, x, self.weight)


class RunNetwork(nn.Sequential):
    """A multilayer perceptron per run; `hidden=()` makes it linear, and a table where observations are one-hot.

    A linear map starts at zero (every action equally likely, no preference to unlearn) and has no bias, so that
    its weights are the table of Sutton & Barto's action preferences. The last layer of a deeper one starts small,
    for the same reason.
    """

    def __init__(
        self,
        runs: int,
        inputs: int,
        outputs: int,
        hidden: Sequence[int],
        activation: str,
        generator: torch.Generator | None,
    ) -> None:
        sizes, layers = [inputs, *hidden], list[nn.Module]()
        for size, following in zip(sizes, hidden):
            layers += [RunLinear(runs, size, following, bias=True, scale=math.sqrt(3), generator=generator)]
            layers += [ACTIVATIONS[activation]()]
        scale = 0.1 if hidden else 0.0
        layers += [RunLinear(runs, sizes[-1], outputs, bias=bool(hidden), scale=scale, generator=generator)]
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self._modules.values():
            x = layer.forward(x)  # not layer(x): without hooks to run, a call per time step costs a tenth of the speed
        return x


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
        self.logits = RunNetwork(runs, observation_size, actions, hidden, activation, generator)

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
        self.mu = RunNetwork(runs, observation_size, len(self.middle), hidden, activation, generator)
        self.log_sigma = nn.Parameter(self.half_range.log().repeat(runs, 1, 1))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.middle + self.half_range * self.mu(observations)
        return mu, self.log_sigma.expand_as(mu)


class PlainPolicy(nn.Module):
    """A learner's own module as one run: it sees (n, observation_size), with no run axis."""

    runs = 1

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        if hasattr(module, "family"):
            self.family = module.family

    def forward(self, observations: Tensor) -> Any:
        output = self.module(observations[0])
        if isinstance(output, tuple):
            return tuple(part[None] for part in output)
        return output[None] if isinstance(output, Tensor) else output


class Family(Protocol):
    """A kind of distribution over actions, from the `parameters` (runs, n, ...) that a policy gives.

    A policy with a `family` of its own, an object with these four functions, is trained with it. Its parameters must
    have the shapes of those below: logits (runs, n, actions) for Discrete actions, two tensors (runs, n, action_size)
    for Box ones.
    """

    def sample(self, parameters: Any, generator: torch.Generator | None = None) -> Tensor:
        """Actions (runs, n[, action_size])."""
        ...

    def log_prob(self, parameters: Any, actions: Tensor) -> Tensor:
        """The log-probability, or log-density, of each action (runs, n)."""
        ...

    def entropy(self, parameters: Any) -> Tensor:
        """How undecided each distribution is (runs, n), in nats."""
        ...

    def divergence(self, parameters: Any, others: Any) -> Tensor:
        """KL(parameters || others) (runs, n), in nats."""
        ...


class Softmax:
    """The categorical distribution, from logits (..., actions); actions are int64 (...)."""

    @staticmethod
    def sample(logits: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Draws one action a row: argmax_a pi(a) / E_a with E_a ~ Exp(1), which picks a with probability pi(a)."""
        waiting_time = torch.empty_like(logits).exponential_(generator=generator)
        return (logits - waiting_time.log_()).argmax(-1)

    @staticmethod
    def log_prob(logits: Tensor, actions: Tensor) -> Tensor:
        """log pi(a|s) (...), through log-softmax: finite where a probability underflows to zero."""
        return logits.log_softmax(-1).gather(-1, actions[..., None])[..., 0]

    @staticmethod
    def entropy(logits: Tensor) -> Tensor:
        """-sum_a pi(a) log pi(a) (...), in nats; between 0 and log(actions)."""
        log_probs = logits.log_softmax(-1)
        # 0 * log 0 counts as 0: a logit of -inf is an action that is ruled out
        return -(log_probs.exp() * log_probs.clamp_min(torch.finfo(logits.dtype).min)).sum(-1)

    @staticmethod
    def divergence(logits: Tensor, others: Tensor) -> Tensor:
        """KL(pi || other) = sum_a pi(a) (log pi(a) - log other(a)) (...), in nats; 0 for equal policies."""
        log_probs, log_others = logits.log_softmax(-1), others.log_softmax(-1)
        apart = torch.where(log_probs > -math.inf, log_probs - log_others, 0.0)  # 0 * log 0 counts as 0 here too
        return (log_probs.exp() * apart).sum(-1)


class Gaussian:
    """Independent normal distributions, from (mu, log_sigma), each (..., action_size); actions are floats alike."""

    @staticmethod
    def sample(parameters: tuple[Tensor, Tensor], generator: torch.Generator | None = None) -> Tensor:
        """mu + sigma * noise, with standard normal noise."""
        mu, log_sigma = parameters
        return mu + log_sigma.exp() * torch.empty_like(mu).normal_(generator=generator)

    @staticmethod
    def log_prob(parameters: tuple[Tensor, Tensor], actions: Tensor) -> Tensor:
        """log pi(a|s) (...), a density: summed over the action axis alone, never over the batch."""
        mu, log_sigma = parameters
        distance = (actions - mu) * (-log_sigma).exp()
        return -(0.5 * distance**2 + log_sigma + 0.5 * math.log(2 * math.pi)).sum(-1)

    @staticmethod
    def entropy(parameters: tuple[Tensor, Tensor]) -> Tensor:
        """sum over dimensions of log sigma + log(2 pi e) / 2 (...), in nats; it may be negative."""
        return (parameters[1] + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    @staticmethod
    def divergence(parameters: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor]) -> Tensor:
        """KL = sum over dimensions of log(sigma'/sigma) + (sigma^2 + (mu - mu')^2) / (2 sigma'^2) - 1/2 (...), nats."""
        (mu, log_sigma), (other_mu, other_log_sigma) = parameters, others
        spread = (2 * (log_sigma - other_log_sigma)).exp() + ((mu - other_mu) * (-other_log_sigma).exp()) ** 2
        return (other_log_sigma - log_sigma + 0.5 * (spread - 1)).sum(-1)


def family_of(action_space: spaces.Space[Any], policy: nn.Module | None = None) -> Family:
    """The policy's own family, or the one that fits the actions: `Softmax` for Discrete, `Gaussian` for Box."""
    own: Family | None = getattr(policy, "family", None)
    return own or (Softmax if isinstance(action_space, spaces.Discrete) else Gaussian)


def device_of(policy: nn.Module) -> torch.device:
    """Where a policy computes: the device of its first weight; the CPU where it has none."""
    return next((weight.device for weight in policy.parameters()), torch.device("cpu"))
