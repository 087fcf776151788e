"""Returns-to-go: what a learner of a policy is told after the fact."""

from __future__ import annotations

import torch
from torch import Tensor


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
