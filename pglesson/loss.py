"""The loss whose gradient is minus the policy gradient, and the gradient of each episode on its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pglesson.policies import Family, device_of
from pglesson.rollout import Episodes


def policy_gradient_loss(
    log_prob: Tensor, advantages: Tensor, entropy: Tensor, *, entropy_weight: float, episodes: int
) -> Tensor:
    """-(1/N) sum over episodes and time of [log pi(a_t|s_t) A_t + beta H(pi(.|s_t))], one number a run: (runs,).

    log_prob, advantages, entropy: (runs, ...), the last two zero after an episode's end; entropy_weight: beta >= 0;
    episodes: N. Advantages carry no gradient. The sum runs over time and the mean over episodes, as in the policy
    gradient theorem: Sutton & Barto (2018), section 13.3; the entropy term is Williams & Peng's (1991).
    """
    objective = log_prob * advantages.detach()
    if entropy_weight:
        objective = objective + entropy_weight * entropy
    return -objective.flatten(1).sum(1) / episodes


def clipped_log_prob(log_prob: Tensor, log_prob_before: Tensor, advantages: Tensor, clip_ratio: float) -> Tensor:
    """What takes the place of log pi in the loss when one batch of episodes serves for several steps, of their shape.

    It is the ratio rho = pi / pi_before of each action's probability now and when it was played, limited to
    1 + clip_ratio where A > 0 and to 1 - clip_ratio from below where A < 0, so that rho A is PPO's
    min(rho A, clip(rho) A): Schulman, Wolski, Dhariwal, Radford & Klimov (2017), eq. 7. math.inf sets no limit.
    As long as rho = 1, its gradient is that of log pi.
    """
    ratio = (log_prob - log_prob_before).exp()
    return torch.where(advantages > 0, ratio.clamp_max(1 + clip_ratio), ratio.clamp_min(1 - clip_ratio))


def episode_gradients(policy: nn.Module, family: Family, episodes: Episodes, advantages: Tensor) -> Tensor:
    """The policy gradient that each episode alone would give: (episodes, runs, parameters of a run).

    advantages: (runs, episodes, steps), or (several, runs, episodes, steps) for several estimators on the same
    episodes, which gives (episodes, several, runs, parameters). Uses torch.func: one forward pass, and one backward
    pass an estimator, vectorized over episodes.
    """
    weights = {name: weight.detach() for name, weight in policy.named_parameters() if weight.requires_grad}

    def gradients(observations: Tensor, actions: Tensor, advantages: Tensor) -> dict[str, Tensor]:
        def log_prob(weights: dict[str, Tensor]) -> Tensor:
            return family.log_prob(torch.func.functional_call(policy, weights, (observations,)), actions)

        # runs share no weights, so the gradient of the sum over runs holds each run's own
        pull_back = torch.func.vjp(log_prob, weights)[1]
        if advantages.dim() == 2:
            return pull_back(advantages)[0]
        return torch.func.vmap(pull_back)(advantages)[0]

    device = device_of(policy)
    batch = [x.to(device) for x in (episodes.observations, episodes.actions, advantages.detach())]
    each = torch.func.vmap(gradients, (1, 1, -2), randomness="different")(*batch)
    return torch.cat(
        [g.reshape(*g.shape[: advantages.dim() - 2], len(episodes.rewards), -1) for g in each.values()], -1
    )


def total_variance(gradients: Tensor) -> Tensor:
    """The trace of the covariance of single-episode gradients (episodes, ..., parameters) -> (...).

    A mean over N independent episodes has 1/N of it. NaN for a single episode, whose spread is unknown.
    """
    if len(gradients) < 2:
        return gradients.new_full(gradients.shape[1:-1], torch.nan)
    return gradients.var(0).sum(-1)
