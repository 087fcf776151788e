"""Bootstrapping, several policy epochs, the KL penalty: functions and engine against oracles."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import Tensor, nn

from pglesson import Settings, make_policy, reinforce, returns_to_go
from pglesson.advantages import gae, next_values, td_errors
from pglesson.distributions import Categorical
from pglesson.envs.factory import make_envs
from pglesson.loss import clipped_gain
from pglesson.policies import to_distribution
from pglesson.rollout import Episodes, play_episodes

FORK: dict[str, Any] = {"env": "tiny/Fork-v0", "hidden": (), "runs": 2, "episodes": 6, "updates": 3, "gamma": 0.9}

CRITIC_ALONE: dict[str, Any] = {  # the critic learns, and the policy stays the same
    "hidden": (),
    "baseline": "value",
    "value_steps": 10,
    "updates": 60,
    "episodes": 4,
    "learning_rate": 1e-6,
}


def seeded(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def weights(policy: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in policy.parameters()])


def trained(policy: Any = None, advantages: Any = None, **changes: Any) -> tuple[Tensor, list[Any]]:
    settings = Settings(**(FORK | changes))
    policy = policy or make_policy(settings)
    updates = list(reinforce(settings, policy, advantages=advantages))
    return weights(policy), updates


# --- functions of the batch -------------------------------------------------------------------------------------------


def n_step_advantage(rewards: Any, values: Any, last: float, t: int, n: int, gamma: float) -> float:
    """R_{t+1} + ... + gamma^{n-1} R_{t+n} + gamma^n v(S_{t+n}) - v(S_t), with `last` beyond the end of one episode."""
    end = min(t + n, len(rewards))
    b_next = values[end] if end < len(rewards) else last
    total = sum(gamma ** (k - t) * rewards[k] for k in range(t, end))
    return float(total + gamma ** (end - t) * b_next - values[t])


@pytest.mark.parametrize("gamma", [0.0, 0.7, 1.0])
@pytest.mark.parametrize("gae_lambda", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("last", [0.0, 2.5])
def test_gae_is_the_weighted_mean_of_n_step_advantages(gamma: float, gae_lambda: float, last: float) -> None:
    """Oracle: its definition, (1 - lambda) sum_n lambda^{n-1} A^(n), in O(T^2); Schulman et al. (2016), eq. 16."""
    rng = np.random.default_rng(0)
    rewards, values = rng.normal(size=(2, 7))
    b_next = np.append(values[1:], last)
    errors = td_errors(*map(torch.tensor, (rewards, values, b_next)), gamma)
    ours = gae(errors, gamma, gae_lambda)
    for t in range(7):
        n_left = 7 - t  # longer ones all span the whole episode
        parts = [n_step_advantage(rewards, values, last, t, n, gamma) for n in range(1, n_left + 1)]
        shares = [(1 - gae_lambda) * gae_lambda ** (n - 1) for n in range(1, n_left)] + [gae_lambda ** (n_left - 1)]
        assert math.isclose(sum(shares), 1)
        assert float(ours[t]) == pytest.approx(float(np.dot(shares, parts)), abs=1e-12)


def test_gae_at_lambda_1_is_the_return_minus_the_value() -> None:
    rewards, values = torch.randn(2, 3, 4, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(9) < torch.tensor([[9, 4, 1, 6]] * 3)[..., None]).double()
    rewards = rewards * mask
    b_next = next_values(values, mask, torch.zeros(3, 4, dtype=torch.float64))
    errors = td_errors(rewards, values, b_next, 0.9) * mask
    advantages = gae(errors, 0.9, 1.0)
    torch.testing.assert_close(advantages, (returns_to_go(rewards, 0.9) - values) * mask)


def test_next_values_end_with_the_final_value() -> None:
    b = torch.tensor([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])
    mask = torch.tensor([[[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]])
    b_next = next_values(b, mask, torch.tensor([[-1.0, 0.0, -3.0]]))
    assert b_next.tolist() == [[[2.0, 3.0, -1.0], [5.0, 0.0, 0.0], [-3.0, 0.0, 0.0]]]


def test_clipped_gain_is_ppos_surrogate() -> None:
    """Oracle: where A favours a ratio beyond its limit, the value at the limit and no gradient."""
    old_log_prob = torch.zeros(60, dtype=torch.float64)
    log_prob = torch.linspace(-1, 1, 30, dtype=torch.float64).repeat(2).requires_grad_()
    advantages = torch.cat([torch.full((30,), 1.7), torch.full((30,), -0.6)]).double()
    for clip in (0.1, 0.2, 0.5, math.inf):
        ours = clipped_gain(log_prob, old_log_prob, advantages, clip).sum()
        ratio = log_prob.exp()
        ratio = torch.where(advantages > 0, ratio.clamp_max(1 + clip), ratio.clamp_min(1 - clip))
        theirs = (ratio * advantages).sum()
        torch.testing.assert_close(ours, theirs)
        torch.testing.assert_close(*(torch.autograd.grad(x, log_prob, retain_graph=True)[0] for x in (ours, theirs)))


@pytest.mark.parametrize("clip", [0.01, 0.2, math.inf])
def test_clipped_gain_at_ratio_1_has_the_gradient_of_reinforce(clip: float) -> None:
    """Oracle: the gradient of log pi A with respect to the logits, for advantages of either sign."""
    logits, advantages = seeded(40, 3).requires_grad_(), seeded(40, seed=1)
    actions = torch.arange(40) % 3
    log_prob = Categorical(logits).log_prob(actions)
    gain = clipped_gain(log_prob, log_prob.detach(), advantages, clip)
    assert gain.equal(advantages)
    ours, theirs = (torch.autograd.grad(x.sum(), logits, retain_graph=True)[0] for x in (gain, log_prob * advantages))
    torch.testing.assert_close(ours, theirs)
    assert theirs.abs().max() > 0.1


# --- episodes that end, and episodes that are cut ---------------------------------------------------------------------


def test_final_observations_follow_the_last_step() -> None:
    """Oracle: CartPole is deterministic after its reset, so a single environment replays each episode."""
    import gymnasium

    envs = make_envs("CartPole-v1", 12)
    policy = make_policy(Settings())
    played = play_episodes(envs, policy, 1, max_steps=16, generator=torch.Generator().manual_seed(0), seed=3)
    cut = ~played.terminated[0]
    assert cut.any() and played.terminated.any()
    one: Any = gymnasium.make("CartPole-v1").unwrapped
    for episode in range(12):
        one.reset(seed=0)
        one.state = played.observations[0, episode, 0].numpy().astype(np.float64)
        for t in range(int(played.mask[0, episode].sum())):
            observation, _, terminated, _, _ = one.step(int(played.actions[0, episode, t]))
        np.testing.assert_allclose(played.final_observations[0, episode], observation, atol=1e-5)
        assert terminated == bool(played.terminated[0, episode])


# --- the engine -------------------------------------------------------------------------------------------------------


def test_reinforce_uses_gae_below_lambda_1() -> None:
    """Oracle: the same formula as the learner's own function, on the baseline that the engine passes to it."""
    for gae_lambda in (0.0, 0.9):

        def own(episodes: Episodes, v: Tensor, v_next: Tensor, gae_lambda: float = gae_lambda) -> Tensor:
            errors = (episodes.rewards + 0.9 * v_next - v) * episodes.mask
            return returns_to_go(errors, 0.9 * gae_lambda)

        settings = {"baseline": "value", "updates": 1}
        ours, _ = trained(gae_lambda=gae_lambda, **settings)
        theirs, _ = trained(advantages=own, **settings)
        plain, _ = trained(**settings)
        assert ours.equal(theirs) and not ours.equal(plain)


def test_lambda_changes_nothing_without_a_critic() -> None:
    assert trained(gae_lambda=0.3)[0].equal(trained()[0])


def test_critic_learns_the_values_of_a_chain_by_bootstrapping() -> None:
    """Oracle: v(s) = gamma^(2-s) of a corridor of three states that pays 1 at its end, learned from TD errors alone.

    The policy has a very small learning rate and a single action to choose from, so that v is exact.
    """
    seen: list[Tensor] = []

    def spy(episodes: Episodes, v: Tensor, v_next: Tensor) -> Tensor:
        seen.append(v)
        return v

    settings = Settings(env="tiny/Chain-v0", gamma=0.9, gae_lambda=0.0, value_learning_rate=0.05, **CRITIC_ALONE)
    list(reinforce(settings, advantages=spy))
    torch.testing.assert_close(seen[-1][0, 0], torch.tensor([0.81, 0.9, 1.0]), atol=0.01, rtol=0)
    assert seen[0].abs().max() < 0.01


def test_time_outs_are_bootstrapped_and_ends_are_not() -> None:
    """Oracle: rewards of 1 without end have the value 1 / (1 - gamma) = 5, though they are cut after 3 steps."""
    values = {}
    for env in ("tiny/Stream-v0", "tiny/Three-v0"):
        seen: list[Tensor] = []
        critic = {"gamma": 0.8, "gae_lambda": 0.5, "value_learning_rate": 0.1}
        settings = Settings(env=env, max_steps=3, **critic, **CRITIC_ALONE)
        list(reinforce(settings, advantages=lambda e, v, b_next, seen=seen: seen.append(v) or v))
        values[env] = seen[-1][0, 0, 0].item()
    assert values["tiny/Stream-v0"] == pytest.approx(5, abs=0.1)
    assert values["tiny/Three-v0"] < 2.6  # one state for all time steps: between 1 and 1 + 0.8 + 0.64


def test_first_policy_epoch_is_a_step_of_reinforce() -> None:
    """Oracle: a single epoch, which is not clipped. A second one changes the weights, but not the record."""
    plain, updates = trained(updates=1, clip_ratio=0.01)
    assert plain.equal(trained(updates=1)[0])
    for clip_ratio in (0.01, math.inf):
        moved, others = trained(updates=1, policy_epochs=2, clip_ratio=clip_ratio)
        np.testing.assert_allclose(others[0].gradient_norm, updates[0].gradient_norm, rtol=1e-5)
        np.testing.assert_allclose(others[0].loss, updates[0].loss, rtol=1e-5)
        assert not moved.equal(plain)


def test_policy_epochs_follow_the_clipped_surrogate() -> None:
    """Oracle: the loop written with torch only, on the episodes that the engine played."""
    record: list[tuple[Episodes, Tensor]] = []

    def spy(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        advantages = returns_to_go(episodes.rewards, 0.9) - b
        record.append((episodes, advantages * episodes.mask))
        return advantages

    changes = {"updates": 1, "optimizer": "sgd", "learning_rate": 0.5, "normalization": "none"}
    for clip in (0.05, math.inf):
        ours, _ = trained(advantages=spy, policy_epochs=6, clip_ratio=clip, **changes)
        episodes, advantages = record[-1]
        w = torch.zeros(2, episodes.observations.shape[-1], 2, requires_grad=True)
        old_log_prob = None
        for _ in range(6):
            log_pi = torch.einsum("rets,rsa->reta", episodes.observations, w).log_softmax(-1)
            log_prob = log_pi.gather(-1, episodes.actions[..., None])[..., 0]
            old_log_prob = log_prob.detach() if old_log_prob is None else old_log_prob
            ratio = (log_prob - old_log_prob).exp()
            limited = ratio.clamp(1 - clip, 1 + clip)
            objective = torch.minimum(ratio * advantages, limited * advantages).sum() / 6
            (gradient,) = torch.autograd.grad(objective, w)
            w = (w + 0.5 * gradient).detach().requires_grad_()
        torch.testing.assert_close(ours, w.detach().flatten(), atol=1e-5, rtol=1e-4)


def test_clip_ratio_limits_the_policy_change() -> None:
    common = {"policy_epochs": 40, "learning_rate": 0.05, "measure_change": True}
    near, far = (trained(clip_ratio=clip, **common)[1] for clip in (0.05, math.inf))
    assert np.all(near[0].policy_change < 0.5 * far[0].policy_change)


@pytest.mark.parametrize("env", ["tiny/Fork-v0", "tiny/Echo-v0"])
def test_kl_penalty_has_the_exact_gradient(env: str) -> None:
    """Oracle: finite differences of KL(pi || start) in the states played, for a second update without any reward.

    The first update changes the policy; in the second all advantages are 0.
    """
    settings = Settings(**(FORK | {"env": env, "optimizer": "sgd", "normalization": "none", "updates": 2, "runs": 1}))
    policy, record = make_policy(settings), list[Episodes]()

    def own(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        record.append(episodes)
        return returns_to_go(episodes.rewards, 0.9) * (len(record) == 1)

    settings.learning_rate = 0.3
    training = reinforce(settings, policy, advantages=own)
    start = {name: weight.detach().clone().double() for name, weight in policy.named_parameters()}
    next(training)
    moved = {name: weight.detach().clone().double() for name, weight in policy.named_parameters()}
    settings.kl_weight, settings.learning_rate = 0.7, 0.01
    next(training)
    stepped = {name: weight.detach().clone().double() for name, weight in policy.named_parameters()}

    episodes = record[1]
    flat = replace(episodes, observations=episodes.observations.double()).observations.flatten(1, 2)

    def penalty(theta: dict[str, Tensor]) -> float:
        outputs = (torch.func.functional_call(policy.double(), w, (flat,)) for w in (theta, start))
        ours, others = (to_distribution(policy, output) for output in outputs)
        return float((ours.kl(others) * episodes.mask.flatten(1)).sum() / episodes.mask.shape[1])

    assert penalty(moved) > 1e-3 and penalty(start) == 0
    for name, weight in moved.items():
        for index in range(weight.numel()):
            shift = torch.zeros(weight.numel(), dtype=torch.float64)
            shift[index] = 1e-5
            up, down = (penalty(moved | {name: weight + s * shift.view(weight.shape)}) for s in (1, -1))
            expected = -0.01 * 0.7 * (up - down) / 2e-5
            assert float((stepped[name] - weight).flatten()[index]) == pytest.approx(expected, abs=2e-6)


# --- groups of episodes that start alike ------------------------------------------------------------------------------

DIGITS: dict[str, Any] = {
    "env": "pglesson/Digits-v0",
    "env_options": {"length": 2, "group_size": 4},
    "hidden": (),
    "runs": 2,
    "episodes": 8,
    "updates": 2,
    "gamma": 1.0,
}


@pytest.mark.parametrize("baseline", ["none", "group_mean"])
@pytest.mark.parametrize("normalization", ["none", "group"])
def test_group_estimators_are_rloo_and_grpo(baseline: str, normalization: str) -> None:
    """Oracle: the papers' formulas, in plain Python, one episode at a time, as the learner's own function."""

    def own(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        advantages = torch.zeros_like(episodes.rewards)
        for run in range(2):
            rewards = episodes.rewards[run].sum(1).tolist()
            for i, reward in enumerate(rewards):
                group = rewards[i // 4 * 4 : i // 4 * 4 + 4]
                if normalization == "group":
                    spread = float(np.std(group))
                    advantage = (reward - np.mean(group)) / spread if spread else 0.0
                elif baseline == "group_mean":
                    advantage = reward - (sum(group) - reward) / 3
                else:
                    advantage = reward
                advantages[run, i] = advantage
        return advantages

    settings = Settings(**DIGITS, baseline=baseline, normalization=normalization, optimizer="sgd", learning_rate=0.5)
    policy, other = make_policy(settings), make_policy(settings)
    list(reinforce(settings, policy))
    settings.baseline = settings.normalization = "none"
    list(reinforce(settings, other, advantages=own))
    torch.testing.assert_close(weights(policy), weights(other), atol=1e-5, rtol=1e-4)
    assert weights(policy).abs().max() > 0.01


@pytest.mark.parametrize("knob", [{"baseline": "group_mean"}, {"normalization": "group"}])
def test_group_estimators_need_grouped_episodes(knob: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="CartPole-v1 does not start its episodes in groups"):
        next(reinforce(Settings(**knob)))
    with pytest.raises(ValueError, match=r"in groups of 4\. Set episodes to a multiple of 4"):
        next(reinforce(Settings(**(DIGITS | {"episodes": 6}), **knob)))
