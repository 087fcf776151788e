"""From rewards to the weights of each log-probability: returns-to-go, TD errors, GAE, normalization.

Axes are (runs, episodes, steps) throughout, unless said otherwise. `mask` is 1.0 where a time step was played and 0.0
after an episode's end; advantages are zero there. Sums over returns are float64: sums of float32 returns are exact in
it, so that equal returns leave exactly nothing. In float32 they leave a rounding error, which normalization would blow
up to full size.
"""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-8


def returns_to_go(rewards: Tensor, gamma: float) -> Tensor:
    """The discounted return that follows each time step, G_t = R_{t+1} + gamma * G_{t+1}.

    rewards: (..., steps), zero after an episode's end; gamma: 0 to 1. Returns G of the same shape, in one backward
    pass over time, O(steps). Sutton & Barto (2018), eq. 3.9.
    """
    rewards = rewards if rewards.is_floating_point() else rewards.float()
    following = torch.zeros_like(rewards[..., 0])
    backward = []
    for reward in reversed(rewards.unbind(-1)):
        following = torch.add(reward, following, alpha=gamma)
        backward.append(following)
    return torch.stack(backward[::-1], -1)


def next_values(values: Tensor, mask: Tensor, final_values: Tensor) -> Tensor:
    """Baseline at the next state, b(S_{t+1}) for each time step: (runs, episodes, steps).

    values: b(S_t), (runs, episodes, steps); final_values: (runs, episodes), the baseline at what was seen after an
    episode's last step, 0 where the task itself has ended.
    """
    goes_on = torch.zeros_like(mask)
    goes_on[..., :-1] = mask[..., 1:]
    following = torch.zeros_like(values)
    following[..., :-1] = values[..., 1:]
    return torch.where(goes_on > 0, following, final_values[..., None]) * mask


def td_errors(rewards: Tensor, values: Tensor, next_values: Tensor, gamma: float) -> Tensor:
    """delta_t = R_{t+1} + gamma v(S_{t+1}) - v(S_t): Sutton & Barto (2018), eq. 6.5. All of the same shape.

    v(S_{t+1}) is 0 after the end of the task; where mere time ran out, it is v of the last observation.
    """
    return rewards + gamma * next_values - values


def gae(td_errors: Tensor, gamma: float, gae_lambda: float) -> Tensor:
    """Generalized advantages A_t = sum_k (gamma lambda)^k delta_{t+k} (..., steps), from TD errors.

    td_errors: zero after an episode's end. gae_lambda 0 is the TD error itself, 1 the return minus the value. Schulman,
    Moritz, Levine, Jordan & Abbeel (2016), "High-dimensional continuous control using generalized advantage
    estimation", eq. 16.
    """
    return returns_to_go(td_errors, gamma * gae_lambda)


def masked_mean(x: Tensor, mask: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Mean of x over the played time steps, keeping the reduced axes with length 1."""
    return (x * mask).sum(dims, keepdim=True) / mask.sum(dims, keepdim=True).clamp_min(1)


def in_groups(x: Tensor, size: int) -> Tensor:
    """(runs, episodes, steps) -> (runs * groups, size, steps), groups of episodes beside each other."""
    return x.reshape(-1, size, x.shape[-1])


def normalize(advantages: Tensor, mask: Tensor, over: str, group_size: int = 1) -> Tensor:
    """Shifts and scales advantages to mean 0 and standard deviation 1 over each run's batch, each of its groups of
    `group_size` episodes beside each other, or each episode.

    The standard deviation is the population's (divided by n), so that a single time step gives 0 and not NaN; equal
    advantages give 0. "episode" and "group" change what the gradient points at, "batch" hardly: notebooks 07 and 15
    measure it.
    """
    if over == "group":
        grouped = normalize(in_groups(advantages, group_size), in_groups(mask, group_size), "batch")
        return grouped.view(advantages.shape)
    advantages, mask = advantages.double(), mask.double()
    if over == "none":
        return advantages * mask
    dims = (1, 2) if over == "batch" else (2,)
    centred = advantages - masked_mean(advantages, mask, dims)
    deviation = masked_mean(centred**2, mask, dims).sqrt()
    return centred / (deviation + EPSILON) * mask
