"""The loss whose gradient is minus the policy gradient."""

from __future__ import annotations

import torch
from torch import Tensor


def policy_gradient_loss(gain: Tensor, entropy: Tensor, *, entropy_weight: float, episodes: int) -> Tensor:
    """-(1/N) sum over episodes and time of [log pi(a_t|s_t) A_t + beta H(pi(.|s_t))], one number a run: (runs,).

    gain: log pi(a_t|s_t) A_t, or `clipped_gain`; gain and entropy: (runs, ...), zero after an episode's end;
    entropy_weight: beta >= 0; episodes: N. The sum runs over time and the mean over episodes, as in the policy
    gradient theorem: Sutton & Barto (2018), section 13.3; the entropy term is Williams & Peng's (1991).
    """
    objective = gain + entropy_weight * entropy if entropy_weight else gain
    return -objective.flatten(1).sum(1) / episodes


def clipped_gain(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, clip_ratio: float) -> Tensor:
    """min(rho A, clip(rho, 1 - epsilon, 1 + epsilon) A), with rho = pi(a|s) / pi_old(a|s), of their shape.

    It replaces log pi A when one batch of episodes serves for several steps: PPO's clipped surrogate,
    Schulman, Wolski, Dhariwal, Radford & Klimov (2017), eq. 7. clip_ratio: epsilon; math.inf sets no limit. As long as
    rho = 1, its gradient is that of log pi A.
    """
    ratio = (log_prob - old_log_prob).exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1 - clip_ratio, 1 + clip_ratio) * advantages)
