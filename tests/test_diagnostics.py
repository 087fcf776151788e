"""What an update records: explained variance, policy change, loss and value, against independent formulas."""

from __future__ import annotations

import math
from copy import deepcopy

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import Tensor
from torch import distributions as torch_distributions

from pglesson import Settings, make_policy, reinforce, returns_to_go
from pglesson.distributions import Categorical, DiagGaussian
from pglesson.rollout import Episodes


def seeded(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_categorical_kl_equals_torch() -> None:
    one, two = seeded(7, 4), seeded(7, 4, seed=1)
    torch.testing.assert_close(
        Categorical(one).kl(Categorical(two)),
        torch_distributions.kl_divergence(
            torch_distributions.Categorical(logits=one), torch_distributions.Categorical(logits=two)
        ),
    )
    assert Categorical(one).kl(Categorical(one)).eq(0).all()
    ruled_out = torch.tensor([[0.0, 0.0, -torch.inf]])
    assert Categorical(ruled_out).kl(Categorical(ruled_out)).item() == 0
    torch.testing.assert_close(Categorical(ruled_out).kl(Categorical(torch.zeros(1, 3))).exp(), torch.tensor([1.5]))


def test_gaussian_kl_equals_torch() -> None:
    one, two = (seeded(7, 3), seeded(7, 3, seed=1)), (seeded(7, 3, seed=2), seeded(7, 3, seed=3))
    expected = torch_distributions.kl_divergence(
        torch_distributions.Normal(one[0], one[1].exp()), torch_distributions.Normal(two[0], two[1].exp())
    ).sum(-1)
    torch.testing.assert_close(DiagGaussian(*one).kl(DiagGaussian(*two)), expected)
    assert DiagGaussian(*one).kl(DiagGaussian(*one)).abs().max() < 1e-12


@pytest.mark.parametrize("env", ["CartPole-v1", "tiny/Echo-v0"])
def test_policy_change_is_the_mean_kl_in_the_states_played(env: str) -> None:
    settings = Settings(env=env, runs=2, episodes=4, measure_change=True, learning_rate=0.1)
    policy, seen = make_policy(settings), list[Episodes]()
    former = deepcopy(policy)

    def spy(episodes: Episodes, baseline: Tensor, b_next: Tensor) -> Tensor:
        seen.append(episodes)
        return returns_to_go(episodes.rewards, 0.99) - baseline

    update = next(reinforce(settings, policy, advantages=spy))
    observations, mask = seen[0].observations.flatten(1, 2), seen[0].mask.flatten(1)
    if env == "CartPole-v1":
        apart = torch_distributions.kl_divergence(
            torch_distributions.Categorical(logits=former(observations)),
            torch_distributions.Categorical(logits=policy(observations)),
        )
    else:
        (mu, log_sigma), (other_mu, other_log_sigma) = former(observations), policy(observations)
        apart = torch_distributions.kl_divergence(
            torch_distributions.Normal(mu, log_sigma.exp()), torch_distributions.Normal(other_mu, other_log_sigma.exp())
        ).sum(-1)
    expected = (apart * mask).sum(1) / mask.sum(1)
    assert update.policy_change is not None and (update.policy_change > 1e-4).all()
    np.testing.assert_allclose(update.policy_change, expected.detach().numpy(), rtol=1e-3)


def test_policy_change_is_measured_only_if_asked_for() -> None:
    settings = Settings(episodes=2, updates=2)
    updates = reinforce(settings)
    assert next(updates).policy_change is None
    settings.measure_change = True
    assert next(updates).policy_change is not None


@pytest.mark.parametrize("baseline", ["none", "time_mean", "value"])
def test_explained_variance_by_numpy(baseline: str) -> None:
    """Oracle: 1 - var(G - b) / var(G) over the played time steps, for the third update."""
    settings = Settings(runs=2, episodes=6, updates=3, baseline=baseline, value_learning_rate=0.1)
    seen = list[tuple[Episodes, Tensor]]()

    def spy(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        seen.append((episodes, b))
        return returns_to_go(episodes.rewards, 0.99) - b

    *_, last = reinforce(settings, advantages=spy)
    episodes, b = seen[-1]
    for run in range(2):
        played = episodes.mask[run].numpy() > 0
        returns, base = returns_to_go(episodes.rewards, 0.99)[run].numpy()[played], b[run].numpy()[played]
        expected = 1 - np.var((returns - base).astype(float)) / np.var(returns.astype(float))
        np.testing.assert_allclose(last.explained_variance[run], expected, atol=1e-4)
    if baseline == "none":
        assert np.abs(last.explained_variance).max() < 1e-6


def test_loss_of_a_uniform_policy_in_closed_form() -> None:
    """Every log pi is -log 2 and every entropy log 2: with advantages of 1, (1 - beta) log 2 for each played step."""
    settings = Settings(env="pglesson/TwoRooms-v0", runs=3, hidden=(), normalization="none", entropy_weight=0.25)
    update = next(reinforce(settings, advantages=lambda episodes, b, b_next: torch.ones_like(b)))
    np.testing.assert_allclose(update.loss, 0.75 * math.log(2) * update.lengths.mean(1), rtol=1e-5)


@pytest.mark.parametrize("episodes", [1, 5])
def test_value_step_by_hand(episodes: int) -> None:
    """Gradient descent on sum (G - v)^2 / (2 N), from a table of zeros: v(s) = rate * (sum of G in s) / N."""
    seen = list[tuple[Episodes, Tensor]]()

    def spy(played: Episodes, v: Tensor, b_next: Tensor) -> Tensor:
        seen.append((played, v))
        return v

    settings = Settings(env="pglesson/TwoRooms-v0", runs=2, episodes=episodes, updates=2, hidden=(), optimizer="sgd")
    settings.baseline, settings.value_steps, settings.value_learning_rate = "value", 1, 0.5
    list(reinforce(settings, advantages=spy))
    (first, _), (second, v) = seen
    G = returns_to_go(first.rewards, settings.gamma) * first.mask
    table = settings.value_learning_rate * torch.einsum("rnt,rnts->rs", G, first.observations) / episodes
    expected = torch.einsum("rs,rnts->rnt", table, second.observations)
    torch.testing.assert_close(v * second.mask, expected * second.mask)


@pytest.mark.parametrize("baseline", ["none", "value"])
def test_explained_variance_of_equal_returns_is_nan(baseline: str) -> None:
    """At gamma = 0 every return is the reward, which is 1, so their variance is 0."""
    *_, update = reinforce(Settings(gamma=0.0, updates=2, baseline=baseline))
    assert np.isnan(update.explained_variance).all()
