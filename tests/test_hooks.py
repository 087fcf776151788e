"""What a learner may put in the engine's place: a function for the advantages, a distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import Tensor, nn

from pglesson import Settings, make_policy, reinforce, returns_to_go
from pglesson.distributions import DiagGaussian
from pglesson.rollout import Episodes

SETTINGS = {"env": "tiny/Fork-v0", "hidden": (), "runs": 2, "episodes": 5, "updates": 3, "gamma": 0.9}


def weights(policy: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in policy.parameters()])


@pytest.mark.parametrize("baseline", ["none", "constant", "running_mean", "time_mean", "value"])
def test_returns_minus_the_baseline_given_is_what_the_engine_does(baseline: str) -> None:
    settings = Settings(**SETTINGS, baseline=baseline, baseline_constant=1.5)
    policies = make_policy(settings), make_policy(settings)

    def own(episodes: Episodes, b: Tensor, ahead: Tensor) -> Tensor:
        assert b.shape == episodes.rewards.shape
        return returns_to_go(episodes.rewards, 0.9) - b

    for a, b in zip(reinforce(settings, policies[0]), reinforce(settings, policies[1], advantages=own)):
        np.testing.assert_array_equal(a.loss, b.loss)
    assert weights(policies[0]).equal(weights(policies[1])) and weights(policies[0]).any()


def test_minus_the_advantages_make_minus_the_step() -> None:
    """Oracle: symmetry. One step of plain gradient ascent, from the same episodes."""
    settings = Settings(**SETTINGS, optimizer="sgd")
    up, down = make_policy(settings), make_policy(settings)
    next(reinforce(settings, up, advantages=lambda episodes, b, ahead: returns_to_go(episodes.rewards, 0.9) - b))
    next(reinforce(settings, down, advantages=lambda episodes, b, ahead: b - returns_to_go(episodes.rewards, 0.9)))
    torch.testing.assert_close(weights(up), -weights(down))
    assert weights(up).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda episodes, b, ahead: b[..., 0], r"gave a tensor of shape \(2, 5\), but it must give .*\(2, 5, 3\)"),
        (lambda episodes, b, ahead: b.numpy(), "must give a tensor of shape"),
        (lambda episodes, b, ahead: None, "gave None"),
        (lambda episodes, b, ahead: b / 0 * 0, "not finite"),
    ],
)
def test_an_advantages_function_that_does_not_fit_is_refused(function: Any, words: str) -> None:
    settings = Settings(**SETTINGS)
    policy = make_policy(settings)
    with pytest.raises(ValueError, match=words):
        next(reinforce(settings, policy, advantages=function))
    assert not weights(policy).any()


def test_what_it_gives_after_an_episodes_end_does_not_count() -> None:
    settings = Settings(**SETTINGS, normalization="none")
    losses = []
    for after in (0.0, 7.0, torch.nan):
        own = lambda episodes, b, ahead, after=after: torch.where(episodes.mask > 0, 1.0, after)  # noqa: E731
        losses.append([update.loss for update in reinforce(settings, advantages=own)])
    np.testing.assert_array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])


class Clipped(DiagGaussian):
    """Samples that are clipped to [-1, 1] before anything else sees them: a mistake, which notebook 09 measures."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return super().sample(generator).clamp(-1, 1)


def test_a_policy_may_bring_its_distribution() -> None:
    """The episodes that a spy of an advantages function sees hold clipped actions with it, and others without."""

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mu = nn.Linear(1, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.mu(x), torch.full_like(self.mu(x), 1.0)

    largest = []
    for own in (False, True):
        policy: Any = Plain()
        if own:
            policy.distribution = Clipped
        next(
            reinforce(
                Settings(env="tiny/Echo-v0", episodes=64),
                policy,
                advantages=lambda episodes, b, ahead: largest.append(episodes.actions.abs().max()) or b,
            )
        )
    assert largest[0] > 1 and largest[1] == 1


class OneWidth(nn.Module):
    """A Gaussian whose width is a weight without any axis."""

    def __init__(self) -> None:
        super().__init__()
        self.mu, self.log_sigma = nn.Linear(3, 1), nn.Parameter(torch.tensor(0.0))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.mu(observations)
        return mu, self.log_sigma.expand_as(mu)


def test_a_weight_without_an_axis_is_clipped_and_trained_too() -> None:
    """Plain ascent with rate 1: the step is the gradient, and as long as it may be."""
    policy = OneWidth()
    before = weights(policy)
    settings = Settings(env="Pendulum-v1", episodes=4, max_steps=5, optimizer="sgd", learning_rate=1.0)
    settings.max_grad_norm = 0.1
    assert next(reinforce(settings, policy)).gradient_norm > 0.1 and policy.log_sigma != 0
    torch.testing.assert_close((weights(policy) - before).norm(), torch.tensor(0.1))


def test_a_constant_of_a_whole_number_is_a_number_like_others_to_a_function() -> None:
    settings = Settings(**SETTINGS, baseline="constant", baseline_constant=1)
    next(reinforce(settings, advantages=lambda episodes, b, ahead: episodes.rewards - b.mean()))
