"""The training loop: repeatable bit for bit, learning, with clear errors. Its live settings: test_live_settings.py."""

from __future__ import annotations

import dataclasses
import math
from itertools import islice
from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import nn

from pglesson import Settings, Update, make_policy, reinforce
from pglesson.policies import SoftmaxPolicy


def recorded(update: Update) -> dict[str, Any]:
    """Everything in a record but the time."""
    return {name: value for name, value in vars(update).items() if name != "seconds"}


def train(settings: Settings) -> tuple[list[Update], torch.Tensor]:
    policy = make_policy(settings)
    updates = list(reinforce(settings, policy))
    return updates, torch.cat([weight.detach().flatten() for weight in policy.parameters()])


@pytest.mark.parametrize("baseline", ["time_mean", "value"])
@pytest.mark.parametrize("env", ["CartPole-v1", "tiny/Echo-v0"])
def test_the_same_seed_gives_the_same_updates_bit_for_bit(env: str, baseline: str) -> None:
    settings = Settings(env=env, runs=2, episodes=4, updates=4, baseline=baseline, measure_variance=True)
    torch.manual_seed(0)
    first, weights = train(settings)
    torch.manual_seed(1)  # the global generator must not matter
    second, same = train(settings)
    other, different = train(dataclasses.replace(settings, seed=1))
    assert weights.equal(same) and not weights.equal(different)
    for a, b, c in zip(first, second, other):
        np.testing.assert_equal(recorded(a), recorded(b))
        assert not np.array_equal(a.loss, c.loss)


def test_two_trainings_side_by_side_are_independent() -> None:
    settings = Settings(episodes=4, updates=3)
    for a, b in zip(reinforce(settings), reinforce(settings)):
        np.testing.assert_equal(recorded(a), recorded(b))


def test_learns_which_of_two_arms_pays() -> None:
    """From 1/2 to above 0.9 in each of five runs; every seed from 0 to 39 passed when this was written."""
    settings = Settings(env="tiny/Bandit-v0", hidden=(), runs=5, updates=60, learning_rate=0.1)
    policy = make_policy(settings)
    list(reinforce(settings, policy))
    assert (policy(torch.ones(5, 1, 1)).softmax(-1)[..., 1] > 0.9).all()


def test_learns_to_balance_a_pole() -> None:
    """From about 22 steps an episode to more than 150 in each of three runs."""
    first, *_, last = reinforce(Settings(runs=3, updates=40))
    assert (first.returns.mean(1) < 60).all() and (last.returns.mean(1) > 150).all()


def test_update_record() -> None:
    """Shapes, running totals, and CartPole's reward of 1 a step."""
    steps, seconds = 0, 0.0
    for number, update in enumerate(reinforce(Settings(runs=3, episodes=5, updates=3)), start=1):
        steps += int(update.lengths.sum())
        assert (update.number, update.steps) == (number, steps) and update.seconds > seconds
        seconds = update.seconds
        assert update.lengths.shape == (3, 5) and update.lengths.min() >= 1
        np.testing.assert_array_equal(update.returns, update.lengths)
        assert update.loss.shape == update.gradient_norm.shape == update.entropy.shape == (3,)
        assert (update.entropy > 0).all() and (update.entropy <= math.log(2) + 1e-6).all()
        assert update.gradient_variance is None
    assert number == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        update.steps = 0  # type: ignore[misc]


def test_returns_are_not_discounted() -> None:
    update = next(reinforce(Settings(env="tiny/Endless-v0", max_steps=4, gamma=0.1)))
    assert update.returns.tolist() == [[4.0] * 16] and update.lengths.tolist() == [[4] * 16]


def test_a_doubled_learning_rate_doubles_the_step() -> None:
    """Two trainings that differ only in the learning rate of the last update, by plain gradient ascent."""
    moves = []
    for rate in (1e-3, 2e-3):
        settings = Settings(env="tiny/Fork-v0", hidden=(), optimizer="sgd", learning_rate=0.1)
        policy = make_policy(settings)
        updates = reinforce(settings, policy)
        next(updates)
        before = policy.logits[0].weight.detach().double()
        settings.learning_rate = rate
        next(updates)
        moves.append(policy.logits[0].weight.detach().double() - before)
    assert moves[0].abs().max() > 1e-5
    torch.testing.assert_close(2 * moves[0], moves[1], atol=1e-7, rtol=0)


def test_max_grad_norm_clips_each_run_separately() -> None:
    """The oracle is the unclipped step from the same seed, scaled to the limit if it is longer."""
    moves, norms = [], []
    for limit in (math.inf, 1.3):
        settings = Settings(
            env="tiny/Fork-v0",
            hidden=(),
            optimizer="sgd",
            learning_rate=1.0,
            runs=8,
            episodes=3,
            normalization="none",
            max_grad_norm=limit,
        )
        policy = make_policy(settings)
        norms.append(next(reinforce(settings, policy)).gradient_norm)
        moves.append(policy.logits[0].weight.detach().flatten(1).numpy())
    free, limited = moves
    length = np.linalg.norm(free, axis=1, keepdims=True)
    assert (length > 1.3).any() and (length < 1.3).any()
    np.testing.assert_allclose(limited, free * np.minimum(1, 1.3 / np.maximum(length, 1e-9)), atol=1e-6)
    for norm in norms:
        np.testing.assert_allclose(norm, length[:, 0], atol=1e-6)


def test_entropy_bonus_alone_raises_the_entropy() -> None:
    """Without rewards only the bonus changes the policy; without the bonus nothing does."""
    entropies = {}
    for weight in (0.0, 0.5):
        settings = Settings(env="tiny/Nothing-v0", hidden=(), updates=80, learning_rate=0.05, entropy_weight=weight)
        policy = make_policy(settings)
        with torch.no_grad():
            policy.logits[0].weight.copy_(torch.tensor([1.5, -1.5]))
        entropies[weight] = [float(update.entropy[0]) for update in reinforce(settings, policy)]
    assert len(set(entropies[0.0])) == 1
    assert entropies[0.5][0] == entropies[0.0][0] < 0.3 and entropies[0.5][-1] > 0.98 * math.log(2)


@pytest.mark.parametrize("measure", [False, True])
def test_own_module_trains_like_the_packages_policy(measure: bool) -> None:
    """The oracle is the package's own linear policy with the same weights; only rounding may differ."""
    settings = Settings(env="tiny/Fork-v0", hidden=(), updates=5, measure_variance=measure)
    plain, own = nn.Linear(3, 2, bias=False), make_policy(settings)
    nn.init.zeros_(plain.weight)
    for a, b in zip(reinforce(settings, plain), reinforce(settings, own)):
        np.testing.assert_array_equal(a.returns, b.returns)
        np.testing.assert_allclose(a.loss, b.loss, atol=1e-5)
        if measure:
            np.testing.assert_allclose(a.gradient_variance, b.gradient_variance, rtol=1e-4)
    torch.testing.assert_close(plain.weight.T, own.logits[0].weight[0], atol=1e-5, rtol=1e-4)


def test_own_gaussian_module_learns() -> None:
    """The reward is the action, clipped to at most 0.25: the mean must rise."""

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mu, self.log_sigma = nn.Linear(1, 1), nn.Parameter(torch.tensor([-1.0]))
            nn.init.zeros_(self.mu.weight)
            nn.init.constant_(self.mu.bias, -0.3)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            mu = self.mu(x)
            return mu, self.log_sigma.expand_as(mu)

    policy = Plain()
    list(islice(reinforce(Settings(env="tiny/Echo-v0", updates=40), policy), 40))
    assert policy.mu(torch.tensor([[0.1]])).item() > 0


def test_nonfinite_gradient_raises_and_keeps_the_weights() -> None:
    """A reward of 3e38 is finite; the square of the gradient's norm is not."""
    settings = Settings(env="tiny/Huge-v0", hidden=(), optimizer="sgd", baseline="none", normalization="none")
    policy = make_policy(settings)
    with pytest.raises(FloatingPointError, match="run 0 is not a finite number"):
        next(reinforce(settings, policy))
    assert policy.logits[0].weight.eq(0).all()


class Detached(nn.Linear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).detach()


@pytest.mark.parametrize(
    ("policy", "runs", "kind", "words"),
    [
        ("tanh", 1, TypeError, "must be a torch.nn.Module"),
        (nn.Tanh(), 1, ValueError, "no parameters to learn"),
        (nn.Linear(4, 2).requires_grad_(False), 1, ValueError, "no parameters to learn"),
        (nn.Linear(4, 2), 3, ValueError, r"serves 1 run\(s\), but settings.runs is 3"),
        (SoftmaxPolicy(4, 2, runs=2), 3, ValueError, r"serves 2 run\(s\), but settings.runs is 3"),
        (nn.Linear(4, 3), 1, ValueError, "it must give logits"),
        (Detached(4, 2), 1, ValueError, "does not depend on its weights .* Leave .detach"),
    ],
)
def test_invalid_policy_raises(policy: Any, runs: int, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        next(reinforce(Settings(runs=runs, episodes=2), policy))


def test_settings_of_another_type_raise() -> None:
    with pytest.raises(TypeError, match="settings is 'CartPole-v1', but must be a Settings"):
        next(reinforce("CartPole-v1"))  # type: ignore[arg-type]


def test_thread_count_is_restored_between_updates() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for _ in islice(reinforce(Settings(episodes=2)), 2):
            assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


class Proportional(nn.Module):
    """mu = 5 x, and a small sigma: an action that is likely at x = 10 has next to no probability at x = 0."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.log_sigma = nn.Parameter(torch.tensor([5.0])), nn.Parameter(torch.tensor([-3.0]))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * self.w, self.log_sigma.expand_as(x)


class RulesOut(nn.Linear):
    """Gives action 1 the logit -inf where the cart is exactly in the middle, where no episode starts."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x).masked_fill((x[..., :1] == 0) & torch.tensor([False, True]), -torch.inf)


class Direction(nn.Linear):
    """Reads only the direction of an observation, so its output at zeros is NaN."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x / x.norm(dim=-1, keepdim=True))


@pytest.mark.parametrize("changes", [{}, {"policy_epochs": 10}, {"kl_weight": 0.1, "entropy_weight": 0.1}])
@pytest.mark.parametrize(
    ("env", "policy"),
    [
        ("tiny/Ragged-v0", Proportional),
        ("CartPole-v1", lambda: RulesOut(4, 2)),
        ("CartPole-v1", lambda: Direction(4, 2)),
    ],
)
def test_policy_outputs_after_the_end_do_not_count(env: str, policy: Any, changes: Any) -> None:
    """Episodes of different lengths, and policies whose outputs are finite in all states that were played."""
    torch.manual_seed(0)
    policy, settings = policy(), Settings(env=env, updates=3, measure_variance=True, measure_change=True, **changes)
    for update in reinforce(settings, policy):
        assert len(np.unique(update.lengths)) > 1
        for name in ("loss", "entropy", "gradient_norm", "gradient_variance", "policy_change"):
            assert np.isfinite(getattr(update, name)).all(), name
    assert all(bool(weight.isfinite().all()) for weight in policy.parameters())
