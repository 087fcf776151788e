"""Baselines b and normalization: from returns G_t to the advantages G_t - b that weigh each log-probability.

Axes are (runs, episodes, steps) throughout. `alive` is 1.0 where a time step was played and 0.0 after an episode's
end; advantages are zero there. Results are float64: sums of float32 returns are exact in it, so that equal returns
leave exactly nothing. In float32 they leave a rounding error, which normalization would blow up to full size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from pglesson.returns import returns_to_go

EPSILON = 1e-8


def masked_mean(x: Tensor, alive: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Mean of x over the played time steps, keeping the reduced axes with length 1."""
    return (x * alive).sum(dims, keepdim=True) / alive.sum(dims, keepdim=True).clamp_min(1)


def time_mean_baseline(returns: Tensor, alive: Tensor) -> Tensor:
    """The mean return of the *other* episodes of the batch at the same time step.

    An episode's own return is left out, since a baseline that depends on the action would bias the gradient.
    Where no other episode lasts that long, it is the mean over all time steps of the others, and 0 for a batch of
    one. It is the leave-one-out baseline of Kool, van Hoof & Welling (2019), taken per time step.
    """
    played, alive = returns.double() * alive, alive.double()
    others, number = played.sum(1, keepdim=True) - played, alive.sum(1, keepdim=True) - alive
    overall = others.sum(2, keepdim=True) / number.sum(2, keepdim=True).clamp_min(1)
    return torch.where(number > 0, others / number.clamp_min(1), overall)


def _in_groups(x: Tensor, size: int) -> Tensor:
    return x.reshape(-1, size, x.shape[-1])  # (runs, episodes, steps) -> (runs * groups, size, steps)


def group_mean_baseline(returns: Tensor, alive: Tensor, size: int) -> Tensor:
    """The mean return of the others of an episode's group of `size` at the same time step.

    Where a whole episode earns one reward, at its end and with gamma 1, it is RLOO: Ahmadian et al. (2024). The mean
    with the episode's own return in it, as in GRPO (Shao et al. 2024), leaves (size - 1) / size of the advantages.
    """
    return time_mean_baseline(_in_groups(returns, size), _in_groups(alive, size)).view(returns.shape)


def baseline_ahead(baseline: Tensor, alive: Tensor, last: Tensor) -> Tensor:
    """What the baseline says of the state that follows each time step: (runs, episodes, steps).

    baseline: b(S_t), (runs, episodes, steps); last: (runs, episodes), what it says after an episode's last step, 0
    where the task itself has ended.
    """
    still = torch.zeros_like(alive)
    still[..., :-1] = alive[..., 1:]
    ahead = torch.zeros_like(baseline)
    ahead[..., :-1] = baseline[..., 1:]
    return torch.where(still > 0, ahead, last[..., None]) * alive


def td_errors(rewards: Tensor, values: Tensor, values_ahead: Tensor, gamma: float) -> Tensor:
    """delta_t = R_{t+1} + gamma v(S_{t+1}) - v(S_t): Sutton & Barto (2018), eq. 6.5. All of the same shape.

    v(S_{t+1}) is 0 after the end of the task; where mere time ran out, it is v of the last observation.
    """
    return rewards + gamma * values_ahead - values


def generalized_advantages(errors: Tensor, gamma: float, gae_lambda: float) -> Tensor:
    """A_t = sum_k (gamma lambda)^k delta_{t+k} (..., steps), from TD errors that are zero after an episode's end.

    gae_lambda 0 is the TD error itself, 1 the return minus the value. Schulman, Moritz, Levine, Jordan & Abbeel
    (2016), "High-dimensional continuous control using generalized advantage estimation", eq. 16.
    """
    return returns_to_go(errors, gamma * gae_lambda)


def normalize(advantages: Tensor, alive: Tensor, over: str, group_size: int = 1) -> Tensor:
    """Shifts and scales advantages to mean 0 and standard deviation 1 over each run's batch, each of its groups of
    `group_size` episodes beside each other, or each episode.

    The standard deviation is the population's (divided by n), so that a single time step gives 0 and not NaN; equal
    advantages give 0. "episode" and "group" change what the gradient points at, "batch" hardly: notebooks 07 and 13
    measure it.
    """
    if over == "group":
        grouped = normalize(_in_groups(advantages, group_size), _in_groups(alive, group_size), "batch")
        return grouped.view(advantages.shape)
    advantages, alive = advantages.double(), alive.double()
    if over == "none":
        return advantages * alive
    dims = (1, 2) if over == "batch" else (2,)
    centred = advantages - masked_mean(advantages, alive, dims)
    deviation = masked_mean(centred**2, alive, dims).sqrt()
    return centred / (deviation + EPSILON) * alive
