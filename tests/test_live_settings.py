"""A changed live setting takes effect at the next update, and a changed fixed one raises; the engine by hand."""

from __future__ import annotations

import dataclasses
import importlib
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tiny_envs
import torch

from pglesson import Settings, make_policy, reinforce

FIELDS = {field.name: field for field in dataclasses.fields(Settings)}
LIVE = [name for name, field in FIELDS.items() if field.metadata["live"]]
FIXED = [name for name in FIELDS if name not in LIVE]
# another value for each field; a new field without one fails the tests below
OTHER: dict[str, Any] = {
    "env": "CartPole-v1",
    "env_options": {"x": 1},
    "runs": 2,
    "episodes": 3,
    "updates": 7,
    "max_steps": 5,
    "seed": 1,
    "hidden": (4,),
    "activation": "relu",
    "optimizer": "adam",
    "learning_rate": 0.3,
    "gamma": 0.5,
    "baseline": "none",
    "baseline_constant": 4.0,
    "normalization": "episode",
    "entropy_weight": 0.2,
    "gae_lambda": 0.5,
    "kl_weight": 0.5,
    "policy_epochs": 3,
    "clip_ratio": 0.001,
    "max_grad_norm": 0.01,
    "value_learning_rate": 0.5,
    "value_steps": 2,
    "measure_variance": True,
    "measure_change": True,
    "device": "cuda",
}
# other settings that a setting needs to have an effect on the weights
NEEDS: dict[str, dict[str, Any]] = {
    "baseline_constant": {"baseline": "constant", "normalization": "none"},
    "value_learning_rate": {"baseline": "value"},
    "value_steps": {"baseline": "value"},
    "gae_lambda": {"baseline": "value"},
    "clip_ratio": {"policy_epochs": 5},
}


def fork(**settings: Any) -> Settings:
    fixed = {"env": "tiny/Fork-v0", "hidden": (), "optimizer": "sgd", "updates": 4, "learning_rate": 0.1}
    return Settings(**(fixed | settings))


def weights_after(settings: Settings, moved: dict[str, Any]) -> tuple[list[dict[str, Any]], torch.Tensor]:
    """Three updates, with `moved` set after the first; the recorded live settings and the final weights."""
    policy = make_policy(settings)
    knobs = []
    for update in reinforce(settings, policy):
        knobs.append(update.live)
        if update.number == 3:
            break
        for name, value in moved.items():
            setattr(settings, name, value)
    return knobs, policy.logits[0].weight.detach().clone()


@pytest.mark.parametrize("name", LIVE)
def test_live_setting_is_recorded_and_takes_effect(name: str) -> None:
    """The oracle is the same training without the change, which must end with other weights."""
    start = fork(**NEEDS.get(name, {}))
    before, value = getattr(start, name), OTHER[name]
    assert value != before
    knobs, moved = weights_after(start, {name: value})
    assert [k[name] for k in knobs] == [before, value, value]
    _, unmoved = weights_after(fork(**NEEDS.get(name, {})), {})
    assert moved.equal(unmoved) == name.startswith("measure_")


@pytest.mark.parametrize("name", FIXED)
def test_changed_fixed_setting_raises(name: str) -> None:
    settings = fork()
    updates = reinforce(settings)
    next(updates)
    setattr(settings, name, OTHER[name])
    with pytest.raises(ValueError, match=rf"^{name} changed while training was running"):
        next(updates)


def test_env_options_are_compared_by_value() -> None:
    """Two dicts are compared by their entries; where == gives no single answer, as for arrays, they differ."""
    settings = Settings(env="pglesson/RockPaperScissors-v0", env_options={"opponent": "rock"}, episodes=2)
    updates = reinforce(settings)
    next(updates)
    settings.env_options = {"opponent": "rock"}
    next(updates)
    for other in ("paper", np.array([0.25, 0.5, 0.25])):
        settings.env_options = {"opponent": "rock"}
        changed = reinforce(settings)
        next(changed)
        settings.env_options = {"opponent": other}
        with pytest.raises(ValueError, match=r"^env_options changed while training was running"):
            next(changed)


@pytest.mark.parametrize(
    "option",
    [
        object(),
        math.nan,
        np.array([math.nan]),
        np.array([object()]),
        [np.arange(2)] * 2,
        torch.eye(2),
        {"a": [math.nan]},
    ],
    ids=["object", "nan", "array of nan", "array of objects", "arrays", "tensor", "dict"],
)
def test_the_same_env_option_is_no_change_whatever_its_type(option: Any) -> None:
    updates = reinforce(Settings(env="tiny/Anything-v0", hidden=(), episodes=2, env_options={"number": option}))
    assert next(updates).number + 1 == next(updates).number


def test_seconds_count_training_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is a clock that only the test advances: no time in training, an hour between two updates."""
    now = [0.0]
    clock = SimpleNamespace(perf_counter=lambda: now[0])
    monkeypatch.setattr(importlib.import_module("pglesson.reinforce"), "time", clock)
    for update in reinforce(fork()):
        assert update.seconds == 0.0
        now[0] += 3600


def test_make_policy_closes_its_environments() -> None:
    tiny_envs.Scripted.closed = 0
    make_policy(Settings(env="tiny/Chain-v0"))
    assert tiny_envs.Scripted.closed == 1


def test_leaving_the_loop_closes_the_environments() -> None:
    tiny_envs.Scripted.closed = 0
    updates = reinforce(Settings(env="tiny/Bandit-v0", episodes=5))
    next(updates)
    assert tiny_envs.Scripted.closed == 0
    updates.close()  # type: ignore[attr-defined]
    assert tiny_envs.Scripted.closed == 5


def test_small_pieces_of_the_batch_give_the_same_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is the batch in one piece; sums in another order differ by rounding only."""
    found = []
    for rows in (1_000_000, 7):
        monkeypatch.setattr(importlib.import_module("pglesson.rollout"), "PIECE_ROWS", rows)
        settings = fork(runs=3, entropy_weight=0.1)
        policy = make_policy(settings)
        update = next(reinforce(settings, policy))
        found.append([policy.logits[0].weight.detach().numpy().copy(), update.loss, update.entropy])
    for whole, pieces in zip(*found):
        np.testing.assert_allclose(whole, pieces, atol=1e-6)


@pytest.mark.parametrize(("baseline", "normalization"), [("none", "none"), ("time_mean", "batch")])
@pytest.mark.parametrize("beta", [0.0, 0.3])
def test_a_step_by_hand_on_two_arms(baseline: str, normalization: str, beta: float) -> None:
    """theta + alpha [(1/N) sum (onehot(a) - pi) A - beta pi (log pi + H)], in NumPy.

    An arm pays its own number, so the returns tell which arms were pulled.
    """
    settings = Settings(
        env="tiny/Bandit-v0",
        hidden=(),
        optimizer="sgd",
        learning_rate=0.7,
        baseline=baseline,
        normalization=normalization,
        entropy_weight=beta,
        episodes=9,
    )
    policy, theta = make_policy(settings), np.array([0.4, -0.3])
    with torch.no_grad():
        policy.logits[0].weight.copy_(torch.from_numpy(theta))
    returns = next(reinforce(settings, policy)).returns[0].astype(float)
    advantages = returns - (returns.sum() - returns) / 8 if baseline == "time_mean" else returns
    if normalization == "batch":
        advantages = (advantages - advantages.mean()) / advantages.std()
    pi = np.exp(theta) / np.exp(theta).sum()
    entropy = -(pi * np.log(pi)).sum()
    gradient = ((np.eye(2)[returns.astype(int)] - pi) * advantages[:, None]).mean(0)
    expected = theta + 0.7 * (gradient - beta * pi * (np.log(pi) + entropy))
    np.testing.assert_allclose(policy.logits[0].weight.detach().numpy()[0, 0], expected, atol=1e-6)


def test_running_mean_by_hand() -> None:
    """Fifteen updates on two arms, in NumPy: it starts at 0, averages ten batches, then weights the newest by 0.1."""
    settings = Settings(
        env="tiny/Bandit-v0",
        hidden=(),
        optimizer="sgd",
        learning_rate=0.2,
        baseline="running_mean",
        normalization="none",
        updates=15,
    )
    policy, theta, mean = make_policy(settings), np.zeros(2), 0.0
    for update in reinforce(settings, policy):
        returns = update.returns[0].astype(float)
        pi = np.exp(theta) / np.exp(theta).sum()
        theta = theta + 0.2 * ((np.eye(2)[returns.astype(int)] - pi) * (returns - mean)[:, None]).mean(0)
        mean += (returns.mean() - mean) * max(1 / update.number, 0.1)
        np.testing.assert_allclose(policy.logits[0].weight.detach().numpy()[0, 0], theta, atol=1e-5)
