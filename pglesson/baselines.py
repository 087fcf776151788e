"""Baselines b(s): what is subtracted from each return, as objects that predict returns and learn from them.

A baseline must not depend on the action that it judges, or the gradient is biased: so it learns from an update's
returns only after it has predicted them. Axes are (runs, episodes, steps).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from pglesson import errors
from pglesson.advantages import in_groups, masked_mean
from pglesson.networks import BatchedMLP
from pglesson.optimization import make_optimizer, step
from pglesson.policies import device_of, forward
from pglesson.rollout import Episodes
from pglesson.settings import Settings


def time_mean(returns: Tensor, mask: Tensor) -> Tensor:
    """The mean return of the *other* episodes of the batch at the same time step.

    An episode's own return is left out, since a baseline that depends on the action would bias the gradient.
    Where no other episode lasts that long, it is the mean over all time steps of the others, and 0 for a batch of
    one. It is the leave-one-out baseline of Kool, van Hoof & Welling (2019), taken per time step.
    """
    played, mask = returns.double() * mask, mask.double()
    others, number = played.sum(1, keepdim=True) - played, mask.sum(1, keepdim=True) - mask
    overall = others.sum(2, keepdim=True) / number.sum(2, keepdim=True).clamp_min(1)
    return torch.where(number > 0, others / number.clamp_min(1), overall)


def group_mean(returns: Tensor, mask: Tensor, size: int) -> Tensor:
    """The mean return of the others of an episode's group of `size` at the same time step.

    Where a whole episode earns one reward, at its end and with gamma 1, it is RLOO: Ahmadian et al. (2024). The mean
    with the episode's own return in it, as in GRPO (Shao et al. 2024), leaves (size - 1) / size of the advantages.
    """
    return time_mean(in_groups(returns, size), in_groups(mask, size)).view(returns.shape)


class Baseline:
    """No baseline, and the class that the others extend: one of your own has `predict`, and `learn` if it learns.

    is_critic: whether it estimates the value of states, which may stand for rewards to come: gae_lambda below 1.
    """

    is_critic = False

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        """b for each time step: (runs, episodes, steps), of which axes may have the length 1, or a number."""
        return torch.zeros_like(returns)

    def predict_final(self, episodes: Episodes) -> Tensor:
        """b after each episode's last step, 0 where the task itself ended: (runs, episodes).

        Here 0 at a time-out, too: what it expects there is not known.
        """
        if self.is_critic:
            raise errors.no_final_values(type(self))
        return torch.zeros(episodes.terminated.shape)

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        """One update. targets: (runs, episodes, steps), the returns, or the bootstrapped estimates of them."""


class ConstantBaseline(Baseline):
    """A number that you choose."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return torch.full_like(returns, self.value)

    def predict_final(self, episodes: Episodes) -> Tensor:
        return torch.where(episodes.terminated, 0.0, self.value)


class RunningMeanBaseline(Baseline):
    """The mean return of earlier batches: a plain average over the first ten, then one that forgets."""

    def __init__(self, runs: int) -> None:
        self.mean, self.batches = torch.zeros(runs, 1, 1), 0

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return self.mean.expand(returns.shape)

    def predict_final(self, episodes: Episodes) -> Tensor:
        return torch.where(episodes.terminated, 0.0, self.mean[..., 0])

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        self.batches += 1
        seen = masked_mean(targets, episodes.mask, (1, 2))
        self.mean = self.mean + (seen - self.mean) * max(1 / self.batches, 0.1)


class TimeMeanBaseline(Baseline):
    """`time_mean`: what the other episodes of the batch earned from the same time step on."""

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return time_mean(returns, episodes.mask)


class GroupMeanBaseline(Baseline):
    """`group_mean`: what the other episodes that started alike earned from the same time step on."""

    def __init__(self, size: int) -> None:
        self.size = size

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return group_mean(returns, episodes.mask, self.size)


class ValueBaseline(Baseline):
    """A network v(s, w) that learns the value of states: Sutton & Barto (2018), section 13.4.

    network: maps (runs, n, observation_size) to (runs, n, 1). An update is `steps` gradient steps on
    (1/2N) sum over episodes and time of (target - v(s))^2.
    """

    is_critic = True

    def __init__(self, network: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.network, self.optimizer = network, optimizer
        self.learning_rate, self.steps = 0.02, 5

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        observations = episodes.observations.flatten(1, 2).to(device_of(self.network))
        with torch.no_grad():
            return self.network(observations).view(returns.shape).cpu()

    def predict_final(self, episodes: Episodes) -> Tensor:
        with torch.no_grad():
            values = forward(self.network, episodes.final_observations)[..., 0]
        return torch.where(episodes.terminated, 0.0, values)

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        device, shape = device_of(self.network), targets.shape
        observations = episodes.observations.flatten(1, 2).to(device)
        targets, mask = targets.to(device), episodes.mask.to(device)
        for _ in range(self.steps):
            error = (targets - self.network(observations).view(shape)) * mask
            self.optimizer.zero_grad()
            (error.square().sum() / (2 * shape[1])).backward()
            step(self.optimizer, self.learning_rate)


class OwnBaseline(Baseline):
    """A learner's object with `predict`, and perhaps `learn`, `predict_final` and `is_critic`, and checks of it.

    As the baseline of `reinforce` it may wait for settings.baseline = 'own' until training runs.
    """

    def __init__(self, own: Any) -> None:
        self.own, self.is_critic = own, bool(getattr(own, "is_critic", False))

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        found = self.own.predict(episodes.copy(), returns.clone())  # copies, which it may change in place
        return self._checked(found, returns.shape, "predict").expand(returns.shape)

    def predict_final(self, episodes: Episodes) -> Tensor:
        if not hasattr(self.own, "predict_final"):
            return super().predict_final(episodes)
        shape = episodes.terminated.shape
        values = self._checked(self.own.predict_final(episodes.copy()), shape, "predict_final").expand(shape)
        return torch.where(episodes.terminated, 0.0, values)

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        if hasattr(self.own, "learn"):
            self.own.learn(episodes.copy(), targets.clone())

    @staticmethod
    def _checked(values: Any, shape: torch.Size, method: str) -> Tensor:
        errors.check_baseline_values(values, shape, method)
        numbers = torch.as_tensor(values).detach()
        return numbers if numbers.is_floating_point() else numbers.float()


class Baselines:
    """The baselines of one training, one of which is in force at each update.

    Which one may change while training runs. The running mean learns at every update, so that it is ready when it is
    chosen. The value network and a learner's own baseline learn only while they are chosen, since it takes time; one
    that is chosen again goes on from what it knew. The others have nothing to learn.
    """

    def __init__(
        self, settings: Settings, observation_size: int, group_size: int, own: object = None, scale: Any = None
    ) -> None:
        if not isinstance(own, OwnBaseline):  # one of these waits until it is chosen
            errors.check_own_baseline(own, settings.baseline)
        # a generator of its own: the sampled actions must not depend on this network's size
        generator = torch.Generator().manual_seed(settings.seed + 2)
        shape = settings.runs, observation_size, 1, settings.hidden, settings.activation
        network = BatchedMLP(*shape, generator, scale).to(settings.device)
        self.constant, self.running_mean = ConstantBaseline(), RunningMeanBaseline(settings.runs)
        self.value = ValueBaseline(network, make_optimizer(settings.optimizer, network))
        self.by_name: dict[str, Baseline] = {
            "none": Baseline(),
            "constant": self.constant,
            "running_mean": self.running_mean,
            "time_mean": TimeMeanBaseline(),
            "group_mean": GroupMeanBaseline(group_size),
            "value": self.value,
        }
        if own is not None:
            self.by_name["own"] = own if isinstance(own, OwnBaseline) else OwnBaseline(own)

    def choose(self, settings: Settings) -> Baseline:
        """The baseline that these settings ask for, with their numbers."""
        self.constant.value = settings.baseline_constant
        self.value.learning_rate, self.value.steps = settings.value_learning_rate, settings.value_steps
        if settings.baseline not in self.by_name:
            errors.check_own_baseline(None, settings.baseline)
        return self.by_name[settings.baseline]

    def learn(self, chosen: Baseline, episodes: Episodes, returns: Tensor, targets: Tensor) -> None:
        """After the policy's step: the running mean from the returns, the chosen one from its targets."""
        if chosen is not self.running_mean:
            self.running_mean.learn(episodes, returns)
        chosen.learn(episodes, targets)
