"""Exact values and gradients against closed forms, enumeration, plain loops, autograd and simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

import pglesson.envs.short_corridor
from pglesson.analysis.exact import (
    action_values,
    discounted_visitation,
    expected_entropy,
    finite_differences,
    gaussian_mean,
    objective,
    policy_gradient,
    state_values,
)
from pglesson.envs.coin_or_prize import COIN_OR_PRIZE
from pglesson.envs.finite_mdp import FiniteMDP
from pglesson.envs.two_hills import FAR, NEAR, two_hills_reward
from pglesson.envs.two_rooms import TWO_ROOMS

CORRIDOR = FiniteMDP(  # Sutton & Barto (2018), Example 13.1: left, right; in state 1 they are switched
    transitions=[[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 0]], [[0, 1, 0], [0, 0, 0]]],
    rewards=-np.ones((3, 2)),
    start=[1, 0, 0],
)
SIZES = [(1, 2), (2, 2), (3, 4), (6, 3)]
GAMMAS = [0.0, 0.5, 0.9, 1.0]


def same(actual: Tensor, expected: Tensor, tolerance: float = 1e-10) -> None:
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def random_task(states: int, actions: int, keep: tuple[float, float], seed: int = 0) -> tuple[FiniteMDP, Tensor]:
    """A task that continues after a step with a probability within `keep`, and logits for its actions."""
    rng = np.random.default_rng(seed)
    transitions = rng.dirichlet(np.ones(states), (states, actions)) * rng.uniform(*keep, (states, actions, 1))
    task = FiniteMDP(transitions, rng.normal(size=(states, actions)), rng.dirichlet(np.ones(states)))
    return task, torch.from_numpy(rng.normal(size=(states, actions)))


def tables(task: FiniteMDP) -> tuple[Tensor, Tensor, Tensor]:
    return torch.tensor(task.transitions), torch.tensor(task.rewards), torch.tensor(task.start)


def two_rooms_policy(enter: float, search: float) -> Tensor:
    return torch.tensor([[1 - enter, enter], [1 - search, search]], dtype=torch.float64)


def state_chances(task: FiniteMDP, policy: Tensor, steps: int) -> list[Tensor]:
    """The oracle, one number at a time: Pr(S_t = s) for t = 0, 1, ..., each (states,)."""
    transitions, _, start = tables(task)
    chances = [start]
    for _ in range(steps - 1):
        following = torch.zeros_like(start)
        for s, a, t in itertools.product(range(len(start)), range(policy.shape[1]), range(len(start))):
            following[t] += chances[-1][s] * policy[s, a] * transitions[s, a, t]
        chances.append(following)
    return chances


@pytest.mark.parametrize("p", [0.05, 0.3, 2 - 2**0.5, 0.9])
def test_corridor_values_in_closed_form(p: float) -> None:
    """The oracle is Sutton & Barto's closed form (2018, Example 13.1)."""
    policy = torch.tensor([[1 - p, p]] * 3, dtype=torch.float64)
    expected = pglesson.envs.short_corridor.corridor_value(p)
    assert state_values(CORRIDOR, policy, 1.0)[0].item() == pytest.approx(expected, rel=1e-10)
    assert objective(CORRIDOR, policy, 1.0).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize(("p", "s"), [(0.0, 0.5), (0.3, 0.8), (0.6, 0.1), (1.0, 0.5), (1.0, 1.0)])
def test_two_rooms_values_by_hand(p: float, s: float, gamma: float) -> None:
    """By hand, entering with probability p and searching with s: the second equation, solved for w, in the first.

    Hall h = (1 - p) + p gamma w, study w = (1 - s) gamma h + s (2 + gamma w / 2).
    """
    expected = ((1 - p) * (2 - gamma * s) + 4 * gamma * p * s) / (2 - gamma * s - 2 * gamma**2 * p * (1 - s))
    assert objective(TWO_ROOMS, two_rooms_policy(p, s), gamma).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_coin_or_prize_value_by_hand(gamma: float) -> None:
    """By hand: the coin with probability 1 - p_0, the prize with the product of all p, six steps later."""
    going_on = torch.tensor([0.9, 0.5, 0.8, 0.7, 0.6, 0.9, 0.95], dtype=torch.float64)
    policy = torch.stack([1 - going_on, going_on], 1)
    expected = 0.1 * 1 + 0.9 * 0.5 * 0.8 * 0.7 * 0.6 * 0.9 * 0.95 * 10 * gamma**6
    assert objective(COIN_OR_PRIZE, policy, gamma).item() == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_values_by_enumeration(gamma: float) -> None:
    """The oracle sums over all sequences of actions and states of up to 8 steps.

    An episode continues with probability 0.05 at most, so that later steps add less than 5e-11 = 0.05^8 / 0.95 of the
    largest reward.
    """
    task, logits = random_task(2, 2, (0.03, 0.05))
    policy = logits.softmax(-1)
    p, r, pi = np.asarray(task.transitions), np.asarray(task.rewards), policy.numpy()
    q = np.zeros((2, 2))
    for steps in range(8):
        for s, a, *rest in itertools.product(range(2), repeat=2 * steps + 2):
            state, action, chance = s, a, 1.0
            for following, next_action in zip(rest[::2], rest[1::2]):
                chance *= p[state, action, following] * pi[following, next_action]
                state, action = following, next_action
            q[s, a] += chance * gamma**steps * r[state, action]
    assert np.abs(r).max() < 3, "the tolerance below assumes it"
    same(action_values(task, policy, gamma), torch.from_numpy(q), 2e-10)
    same(state_values(task, policy, gamma), torch.from_numpy((pi * q).sum(1)), 2e-10)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("size", SIZES)
def test_state_values_are_the_mean_of_action_values(size: tuple[int, int], gamma: float) -> None:
    task, logits = random_task(*size, (0.2, 0.95))
    policy = logits.softmax(-1)
    same(state_values(task, policy, gamma), (policy * action_values(task, policy, gamma)).sum(-1))
    assert action_values(task, policy, gamma).shape == size


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("size", SIZES)
def test_discounted_visitation_by_a_loop(size: tuple[int, int], gamma: float) -> None:
    """The oracle is the distribution of states over 60 steps; an episode continues with probability 0.6 at most, and
    0.6^60 is 5e-14. The visitation times the mean rewards is the objective.
    """
    task, logits = random_task(*size, (0.2, 0.6))
    policy = logits.softmax(-1)
    chances = state_chances(task, policy, 60)
    expected = torch.stack([gamma**t * chance for t, chance in enumerate(chances)]).sum(0)
    same(discounted_visitation(task, policy, gamma), expected)
    same(objective(task, policy, gamma), expected @ (policy * tables(task)[1]).sum(-1))


@pytest.mark.parametrize("gamma", GAMMAS)
def test_expected_entropy_by_a_loop(gamma: float) -> None:
    """The oracle is a sum over 60 steps, in which an action of probability 0 adds nothing."""
    task, logits = random_task(3, 4, (0.2, 0.6))
    policy = logits.softmax(-1)
    policy[1] = torch.tensor([0.25, 0.0, 0.75, 0.0])
    of_states = torch.tensor([-sum(p * math.log(p) for p in row if p > 0) for row in policy.tolist()]).double()
    expected = sum(gamma**t * chance @ of_states for t, chance in enumerate(state_chances(task, policy, 60)))
    same(expected_entropy(task, policy, gamma), expected, 1e-6)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("size", SIZES)
def test_policy_gradient_by_autograd_and_finite_differences(size: tuple[int, int], gamma: float) -> None:
    """The theorem against autograd through the linear system, and finite differences, whose error is about step^2."""
    task, logits = random_task(*size, (0.2, 0.95))
    theta = logits.clone().requires_grad_()
    (by_autograd,) = torch.autograd.grad(objective(task, theta.softmax(-1), gamma), theta)
    by_theorem = policy_gradient(task, logits, gamma)
    assert by_theorem.norm() > 1e-3, "nothing to compare"
    same(by_theorem, by_autograd)
    same(finite_differences(lambda x: objective(task, x.softmax(-1), gamma), logits), by_autograd, 1e-6)


def test_finite_differences_of_a_polynomial() -> None:
    """By hand: c x^2 has the derivative 2 c x; its central differences are exact but for rounding."""
    c, x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3), torch.full((2, 3), 0.7, dtype=torch.float64)
    same(finite_differences(lambda theta: (c * theta**2).sum(), x, step=0.1), 1.4 * c)
    assert x.eq(0.7).all(), "the point itself moved"


@pytest.mark.parametrize("gamma", GAMMAS)
def test_policy_gradient_without_discounted_visits(gamma: float) -> None:
    """The oracle adds up the time steps' terms, sum over a of q(S_t, a) grad pi(a|S_t), with gamma^t and without.

    60 steps, each with probability 0.6 at most of continuing: 0.6^60 is 5e-14.
    """
    task, logits = random_task(3, 4, (0.2, 0.6))
    theta = logits.clone().requires_grad_()
    policy = theta.softmax(-1)
    q = action_values(task, policy.detach(), gamma)
    discounted, plain = torch.zeros_like(logits), torch.zeros_like(logits)
    for t, chance in enumerate(state_chances(task, policy.detach(), 60)):
        (term,) = torch.autograd.grad((chance[:, None] * q * policy).sum(), theta, retain_graph=True)
        discounted += gamma**t * term
        plain += term
    same(policy_gradient(task, logits, gamma), discounted)
    same(policy_gradient(task, logits, gamma, discount_visits=False), plain)
    assert torch.allclose(plain, discounted) == (gamma == 1)


def test_direction_without_discounted_visits_differs() -> None:
    """Two rooms with p = s = 0.3 and gamma 0.5: more weight to the study, which is visited later."""
    logits = two_rooms_policy(0.3, 0.3).log()
    right, other = (policy_gradient(TWO_ROOMS, logits, 0.5, discount_visits=flag) for flag in (True, False))
    assert torch.cosine_similarity(right.flatten(), other.flatten(), dim=0) < 0.95
    assert (other[1] / right[1] > 1.01 * other[0] / right[0]).all()
    undiscounted = policy_gradient(TWO_ROOMS, logits, 1.0)
    assert undiscounted.equal(policy_gradient(TWO_ROOMS, logits, 1.0, discount_visits=False))


@pytest.mark.parametrize(("enter", "search"), [(0.6, 0.3), (0.9, 0.8)])
def test_two_rooms_by_simulation(enter: float, search: float) -> None:
    """20,000 episodes within 4 standard errors: fails by chance with probability 6e-5 a case.

    All of them are shorter than 200 steps, so that the time limit adds no bias.
    """
    number = 20_000
    envs, random = gymnasium.make_vec("pglesson/TwoRooms-v0", number), np.random.default_rng(1)
    rooms, _ = envs.reset(seed=2)  # another seed: with the same one, both would use the same random numbers
    returns, mask = np.zeros(number), np.ones(number, dtype=bool)
    while mask.any():
        actions = (random.random(number) < np.array([enter, search])[rooms]).astype(int)
        rooms, rewards, terminated, truncated, _ = envs.step(actions)
        returns += rewards * mask
        mask &= ~terminated
        assert not (truncated & mask).any()
    expected = objective(TWO_ROOMS, two_rooms_policy(enter, search), 1.0).item()
    assert abs(returns.mean() - expected) < 4 * returns.std() / number**0.5


def gaussians() -> tuple[Tensor, Tensor]:
    """Five means and logarithms of standard deviations, with gradients."""
    mu = torch.tensor([-2.0, -0.5, 0.0, 0.7, 3.0], dtype=torch.float64, requires_grad=True)
    return mu, torch.tensor([0.1, 1.0, 0.5, 2.0, 0.3], dtype=torch.float64).log().requires_grad_()


def test_gaussian_mean_of_moments() -> None:
    """1, mu and mu^2 + sigma^2; the last has the derivatives 2 mu and, with respect to log sigma, 2 sigma^2."""
    mu, log_sigma = gaussians()
    sigma = log_sigma.exp()
    same(gaussian_mean(torch.ones_like, mu, log_sigma), torch.ones_like(mu))
    same(gaussian_mean(lambda a: a, mu, log_sigma), mu)
    second = gaussian_mean(torch.square, mu, log_sigma)
    same(second, mu**2 + sigma**2)
    slopes = torch.autograd.grad(second.sum(), (mu, log_sigma))
    same(torch.cat(slopes), torch.cat([2 * mu, 2 * sigma**2]))


def test_gaussian_mean_of_a_step() -> None:
    """The normal distribution function at z = mu / sigma; its derivatives are phi(z) / sigma and -z phi(z).

    Grid points lie 0.004 sigma apart, and the trapezoidal rule misplaces the step by half of that at most: an error
    up to 0.002 of the integrand there, phi(z) for the mean and phi(z) |z| or phi(z) |z^2 - 1| for the derivatives, all
    below 0.4.
    """
    mu, log_sigma = gaussians()
    sigma = log_sigma.exp()
    mean = gaussian_mean(lambda a: (a > 0).double(), mu, log_sigma)
    along_mu, along_log_sigma = torch.autograd.grad(mean.sum(), (mu, log_sigma))
    z = mu / sigma
    density = (-0.5 * z**2).exp() / math.sqrt(2 * math.pi)
    same(mean, 0.5 * (1 + torch.erf(z / 2**0.5)), 8e-4)
    same(along_mu * sigma, density, 8e-4)
    same(along_log_sigma, -z * density, 8e-4)


def test_gaussian_mean_of_two_hills() -> None:
    """A hill is a Gaussian of variance v = 1/4, whose mean under another one has a closed form, and so its gradient.

    sqrt(v / (v + sigma^2)) exp(-(mu - top)^2 / (2 (v + sigma^2))) times the hill's height, without the clip.
    """
    mu, log_sigma = gaussians()
    variance = 0.25 + (2 * log_sigma).exp()
    tops = ((1, NEAR), (2, FAR))
    hills = [height * (-((mu - top) ** 2) / (2 * variance)).exp() for height, top in tops]
    expected = (0.25 / variance).sqrt() * (hills[0] + hills[1])
    mean = gaussian_mean(lambda a: torch.from_numpy(two_hills_reward(a.numpy())), mu, log_sigma)
    same(mean, expected)
    slopes = [torch.autograd.grad(x.sum(), (mu, log_sigma)) for x in (mean, expected)]
    same(torch.cat(slopes[0]), torch.cat(slopes[1]))


def test_gaussian_mean_of_a_clipped_action_by_finite_differences() -> None:
    """The gradient with respect to mu and log sigma where the kinks of the function matter."""
    mu, log_sigma = gaussians()

    def mean(theta: Tensor) -> Tensor:
        return gaussian_mean(lambda a: a.clamp(-1, 1), theta[0], theta[1]).sum()

    theta = torch.stack([mu, log_sigma]).detach()
    slopes = torch.autograd.grad(mean(torch.stack([mu, log_sigma])), (mu, log_sigma))
    same(finite_differences(mean, theta), torch.stack(slopes), 1e-5)


FINE: dict[str, Any] = {
    "transitions": [[[0.5, 0.2], [0, 0]], [[1, 0], [0, 1]]],
    "rewards": np.zeros((2, 2)),
    "start": [0.5, 0.5],
}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"transitions": np.zeros((2, 2, 3))}, r"shapes \(2, 2, 3\), \(2, 2\) and \(2,\), but must have"),
        ({"transitions": np.zeros((2, 3, 2))}, r"shapes \(2, 3, 2\), \(2, 2\)"),
        ({"rewards": np.zeros(2)}, r"\(2, 2, 2\), \(2,\) and \(2,\)"),
        ({"start": [1, 0, 0]}, r"\(2, 2\) and \(3,\)"),
        ({"transitions": [[[0.5, 0.6], [0, 0]], [[1, 0], [0, 1]]]}, "must hold probabilities"),
        ({"transitions": [[[-0.1, 0.6], [0, 0]], [[1, 0], [0, 1]]]}, "None may be negative: the smallest here is -"),
        ({"transitions": np.full((2, 2, 2), np.nan)}, "transitions and start"),
        ({"start": [0.5, 0.4]}, "start must sum to 1: here it sums to"),
        ({"start": [1.5, -0.5]}, "None may be negative: the smallest here is -"),
    ],
)
def test_invalid_mdp_raises(wrong: dict[str, Any], words: str) -> None:
    FiniteMDP(**FINE)
    with pytest.raises(ValueError, match=words):
        FiniteMDP(**{**FINE, **wrong})


def test_policy_of_the_wrong_shape_raises() -> None:
    policy, words = torch.full((3, 2), 0.5), r"policy has the shape \(3, 2\), but the task needs \(2, 2\)"
    for function in (state_values, action_values, discounted_visitation, objective, policy_gradient):
        with pytest.raises(ValueError, match=words):
            function(TWO_ROOMS, policy, 0.9)


@pytest.mark.parametrize("search", [0.0, 1e-15])
def test_policy_without_end_raises(search: float) -> None:
    """From hall to study and back for ever has no value at gamma 1, but one at gamma 0.9 or if some search ends it."""
    policy = two_rooms_policy(1.0, search)
    for function in (state_values, action_values, discounted_visitation, objective):
        with pytest.raises(ValueError, match="some episode never ends, or so seldom"):
            function(TWO_ROOMS, policy, 1.0)
    with pytest.raises(ValueError, match="never ends"):
        policy_gradient(TWO_ROOMS, torch.tensor([[-50.0, 50.0], [50.0, -50.0]]), 0.9, discount_visits=False)
    assert objective(TWO_ROOMS, policy, 0.9).item() == pytest.approx(0.0, abs=1e-12)
    assert objective(TWO_ROOMS, two_rooms_policy(1.0, 1e-6), 1.0).item() == pytest.approx(4.0, rel=1e-6)


def test_finite_differences_of_a_transposed_theta() -> None:
    """The oracle is 2 theta, the gradient of the sum of squares."""
    theta = torch.arange(6, dtype=torch.float64).reshape(2, 3).T
    same(finite_differences(lambda x: (x**2).sum(), theta), 2 * theta, 1e-8)
