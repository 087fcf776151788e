"""Exact values and gradients of small tasks, with which the lesson compares its estimates.

`policy` is a tensor (states, actions) of probabilities pi(a|s) throughout, gamma a number from 0 to 1. Everything
is differentiable, so that autograd through `objective` is the exact policy gradient of any parameterization. ValueError
for a policy of another shape, and for one whose episodes do not end, where that leaves nothing to compute.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from pglesson.envs.finite_mdp import FiniteMDP


def _tables(mdp: FiniteMDP, policy: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    transitions, rewards, start = (
        torch.as_tensor(x, dtype=policy.dtype) for x in (mdp.transitions, mdp.rewards, mdp.start)
    )
    if policy.shape != rewards.shape:
        raise ValueError(f"The policy has the shape {tuple(policy.shape)}, but the task needs {tuple(rewards.shape)}.")
    return transitions, rewards, start


def _solve(matrix: Tensor, known: Tensor) -> Tensor:
    # states that only lead to each other, at gamma 1, make the matrix singular; nearly so, rounding errors dominate
    sound = torch.linalg.cond(matrix.detach()) * torch.finfo(matrix.dtype).eps < 1e-3
    try:
        certain = bool(sound)
    except RuntimeError:  # under torch.func.vmap it has no single value; a singular matrix raises LinAlgError there
        certain = True
    if not certain:
        raise ValueError(
            "Under this policy some episode never ends, or so seldom that its value cannot be computed: use a policy "
            "that ends its episodes, gamma below 1, or float64 numbers."
        )
    return torch.linalg.solve(matrix, known)


def state_values(mdp: FiniteMDP, policy: Tensor, gamma: float) -> Tensor:
    """v(s) (states,), the solution of v = r_pi + gamma P_pi v: Sutton & Barto (2018), eq. 3.14."""
    transitions, rewards, _ = _tables(mdp, policy)
    p, r = torch.einsum("sa,sat->st", policy, transitions), (policy * rewards).sum(-1)
    return _solve(torch.eye(len(r), dtype=p.dtype) - gamma * p, r)


def action_values(mdp: FiniteMDP, policy: Tensor, gamma: float) -> Tensor:
    """q(s, a) (states, actions): the reward of a step, and what follows it under the policy."""
    transitions, rewards, _ = _tables(mdp, policy)
    return rewards + gamma * transitions @ state_values(mdp, policy, gamma)


def discounted_visitation(mdp: FiniteMDP, policy: Tensor, gamma: float) -> Tensor:
    """sum_t gamma^t Pr(S_t = s) (states,): how often an episode is in s, weighted by gamma^t."""
    transitions, _, start = _tables(mdp, policy)
    p = torch.einsum("sa,sat->st", policy, transitions)
    return _solve(torch.eye(len(start), dtype=p.dtype) - gamma * p.T, start)


def objective(mdp: FiniteMDP, policy: Tensor, gamma: float) -> Tensor:
    """J, the expected return of an episode, ()."""
    return _tables(mdp, policy)[2] @ state_values(mdp, policy, gamma)


def expected_entropy(mdp: FiniteMDP, policy: Tensor, gamma: float) -> Tensor:
    """The expected sum of gamma^t H(pi(.|S_t)) over an episode, (), in nats: what an entropy bonus adds to J.

    Raising J + beta times it is maximum entropy reinforcement learning: Ziebart (2010); the bonus of
    `policy_gradient_loss` leaves out that an action also changes the entropy of later states.
    """
    entropy = torch.special.entr(policy).sum(-1)
    return discounted_visitation(mdp, policy, gamma) @ entropy


def policy_gradient(mdp: FiniteMDP, logits: Tensor, gamma: float, *, discount_visits: bool = True) -> Tensor:
    """The gradient of J for softmax preferences (states, actions), by the policy gradient theorem, of their shape.

    d J / d theta(s, a) = d(s) pi(a|s) (q(s, a) - v(s)), with d the `discounted_visitation`: Sutton & Barto (2018),
    section 13.2; Sutton, McAllester, Singh & Mansour (2000). discount_visits=False weights all time steps
    equally, d with gamma 1: the direction of an implementation that leaves out the factor gamma^t.
    """
    policy = logits.softmax(-1)
    advantage = action_values(mdp, policy, gamma) - state_values(mdp, policy, gamma)[:, None]
    return discounted_visitation(mdp, policy, gamma if discount_visits else 1.0)[:, None] * policy * advantage


def finite_differences(function: Callable[[Tensor], Tensor], theta: Tensor, step: float = 1e-4) -> Tensor:
    """The gradient of a scalar function by central differences, with two evaluations for each number in theta."""
    gradient = torch.zeros(theta.shape, dtype=theta.dtype)
    for index in range(theta.numel()):
        move = torch.zeros(theta.numel(), dtype=theta.dtype)
        move[index] = step
        move = move.view(theta.shape)
        gradient.view(-1)[index] = (function(theta + move) - function(theta - move)) / (2 * step)
    return gradient


def gaussian_mean(function: Callable[[Tensor], Tensor], mu: Tensor, log_sigma: Tensor, points: int = 4001) -> Tensor:
    """E[function(a)] for a ~ N(mu, sigma^2), of the shape of mu, by the trapezoidal rule over 8 sigma to each side.

    Differentiable in mu and log_sigma, also where `function` has steps and kinks: the points are held fixed, and only
    the density depends on mu and log_sigma.
    """
    sigma = log_sigma.exp()
    offsets = torch.linspace(-8, 8, points, dtype=mu.dtype)
    actions = (mu[..., None] + sigma[..., None] * offsets).detach()
    z = (actions - mu[..., None]) / sigma[..., None]
    density = (-0.5 * z**2).exp() / (sigma[..., None] * math.sqrt(2 * math.pi))
    return torch.trapezoid(function(actions) * density, actions, dim=-1)
