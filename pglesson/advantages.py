"""Baselines b and normalization: from returns G_t to the advantages G_t - b that weigh each log-probability.

Axes are (runs, episodes, steps) throughout. `alive` is 1.0 where a time step was played and 0.0 after an episode's
end; advantages are zero there. Results are float64: sums of float32 returns are exact in it, so that equal returns
leave exactly nothing. In float32 they leave a rounding error, which normalization would blow up to full size.
"""

from __future__ import annotations

import torch
from torch import Tensor

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


def normalize(advantages: Tensor, alive: Tensor, over: str) -> Tensor:
    """Shifts and scales advantages to mean 0 and standard deviation 1 over each run's batch or over each episode.

    The standard deviation is the population's (divided by n), so that a single time step gives 0 and not NaN; equal
    advantages give 0. "episode" changes what the gradient points at, "batch" hardly: notebook 07 measures it.
    """
    advantages, alive = advantages.double(), alive.double()
    if over == "none":
        return advantages * alive
    dims = (1, 2) if over == "batch" else (2,)
    centred = advantages - masked_mean(advantages, alive, dims)
    deviation = masked_mean(centred**2, alive, dims).sqrt()
    return centred / (deviation + EPSILON) * alive
