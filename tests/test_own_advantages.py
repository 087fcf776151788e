"""What a learner may replace in the engine: the function for the advantages, the distribution."""

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
def test_own_advantages_of_return_minus_baseline_repeat_the_training(baseline: str) -> None:
    settings = Settings(**SETTINGS, baseline=baseline, baseline_constant=1.5)
    policies = make_policy(settings), make_policy(settings)

    def own(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        assert b.shape == episodes.rewards.shape
        return returns_to_go(episodes.rewards, 0.9) - b

    for a, b in zip(reinforce(settings, policies[0]), reinforce(settings, policies[1], advantages=own)):
        np.testing.assert_array_equal(a.loss, b.loss)
    assert weights(policies[0]).equal(weights(policies[1])) and weights(policies[0]).any()


def test_negated_advantages_negate_the_step() -> None:
    """Oracle: symmetry. One step of plain gradient ascent, from the same episodes."""
    settings = Settings(**SETTINGS, optimizer="sgd")
    up, down = make_policy(settings), make_policy(settings)
    next(reinforce(settings, up, advantages=lambda episodes, b, b_next: returns_to_go(episodes.rewards, 0.9) - b))
    next(reinforce(settings, down, advantages=lambda episodes, b, b_next: b - returns_to_go(episodes.rewards, 0.9)))
    torch.testing.assert_close(weights(up), -weights(down))
    assert weights(up).abs().max() > 1e-4


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda episodes, b, b_next: b[..., 0], r"shape \(2, 5\).*, but it must give .*\(2, 5, 3\)"),
        (lambda episodes, b, b_next: b.numpy(), "gave array.* must give a real tensor of shape"),
        (lambda episodes, b, b_next: b + 0j, "type torch.complex128, but it must give a real tensor"),
        (lambda episodes, b, b_next: None, "gave None"),
        (lambda episodes, b, b_next: b / 0 * 0, "not finite"),
    ],
)
def test_invalid_advantages_raise(function: Any, words: str) -> None:
    settings = Settings(**SETTINGS)
    policy = make_policy(settings)
    with pytest.raises(ValueError, match=words):
        next(reinforce(settings, policy, advantages=function))
    assert not weights(policy).any()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda episodes, b: b, r"cannot be called \(too many positional arguments\). Let it be advantages\(episodes"),
        (lambda episodes, b, b_next, more: b, "cannot be called .*'more'"),
        (3, "advantages is 3, but must be a function"),
    ],
)
def test_a_function_that_takes_other_arguments_raises_before_it_is_trained_with(function: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        next(reinforce(Settings(**SETTINGS), advantages=function))


def test_episodes_that_a_function_gets_may_be_changed() -> None:
    """Oracle: the same without a change. `episodes.rewards -= 1` sets the field, too."""

    def changes(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        episodes.rewards -= 1
        episodes.mask = torch.zeros(1)
        return returns_to_go(episodes.rewards + 1, 0.9) - b

    plain = lambda episodes, b, b_next: returns_to_go(episodes.rewards, 0.9) - b  # noqa: E731
    settings = Settings(**SETTINGS)
    for a, b in zip(reinforce(settings, advantages=changes), reinforce(settings, advantages=plain), strict=True):
        np.testing.assert_array_equal(a.loss, b.loss)
        np.testing.assert_array_equal(a.returns, b.returns)


def test_advantages_after_the_end_are_masked() -> None:
    settings = Settings(**SETTINGS, normalization="none")
    losses = []
    for after in (0.0, 7.0, torch.nan):
        own = lambda episodes, b, b_next, after=after: torch.where(episodes.mask > 0, 1.0, after)  # noqa: E731
        losses.append([update.loss for update in reinforce(settings, advantages=own)])
    np.testing.assert_array_equal(losses[0], losses[1])
    np.testing.assert_array_equal(losses[0], losses[2])


class Clipped(DiagGaussian):
    """Samples that are clipped to [-1, 1] before their log-probability: a mistake, which notebook 09 measures."""

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        return super().sample(generator).clamp(-1, 1)


@pytest.mark.filterwarnings("ignore:The second part of what the policy gives is constant")
def test_policy_with_its_own_distribution() -> None:
    """The episodes that the advantages function gets have clipped actions with it, and others without."""

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
                advantages=lambda episodes, b, b_next: largest.append(episodes.actions.abs().max()) or b,
            )
        )
    assert largest[0] > 1 and largest[1] == 1


class OneWidth(nn.Module):
    """A Gaussian whose log sigma is a scalar parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.mu, self.log_sigma = nn.Linear(3, 1), nn.Parameter(torch.tensor(0.0))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        mu = self.mu(observations)
        return mu, self.log_sigma.expand_as(mu)


def test_scalar_parameter_is_clipped_and_trained() -> None:
    """Plain gradient ascent with rate 1: the step is the clipped gradient."""
    policy = OneWidth()
    before = weights(policy)
    settings = Settings(env="Pendulum-v1", episodes=4, max_steps=5, optimizer="sgd", learning_rate=1.0)
    settings.max_grad_norm = 0.1
    assert next(reinforce(settings, policy)).gradient_norm > 0.1 and policy.log_sigma != 0
    torch.testing.assert_close((weights(policy) - before).norm(), torch.tensor(0.1))


def test_integer_baseline_constant_reaches_own_advantages_as_a_float() -> None:
    settings = Settings(**SETTINGS, baseline="constant", baseline_constant=1)
    next(reinforce(settings, advantages=lambda episodes, b, b_next: episodes.rewards - b.mean()))
