"""Baselines as objects: what each expects by hand, the rules of live switching, and a learner's own in the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_envs  # noqa: F401  registers the environments
import torch
from torch import Tensor, nn

from pglesson import Baseline, Settings, make_policy, reinforce
from pglesson.analysis import estimate_gradients
from pglesson.baselines import (
    Baselines,
    ConstantBaseline,
    GroupMeanBaseline,
    OwnBaseline,
    RunningMeanBaseline,
    TimeMeanBaseline,
    ValueBaseline,
    time_mean,
)
from pglesson.optimization import make_optimizer
from pglesson.rollout import Episodes

FORK: dict[str, Any] = {"env": "tiny/Fork-v0", "hidden": (), "runs": 2, "episodes": 5, "updates": 6, "gamma": 0.9}


def two_episodes() -> Episodes:
    """Lengths 3 and 1 in each of two runs; states one-hot, the time step."""
    mask = torch.tensor([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]]).repeat(2, 1, 1)
    observations = torch.eye(3).repeat(2, 2, 1, 1)
    final = torch.tensor([[[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]]).repeat(2, 1, 1)
    terminated = torch.tensor([[True, False]]).repeat(2, 1)
    return Episodes(observations, torch.zeros(2, 2, 3, dtype=torch.int64), mask.clone(), mask, terminated, final)


RETURNS = torch.tensor([[[3.0, 2.0, 1.0], [7.0, 0.0, 0.0]], [[6.0, 4.0, 2.0], [0.0, 0.0, 0.0]]])


def weights(policy: nn.Module) -> Tensor:
    return torch.cat([weight.detach().flatten() for weight in policy.parameters()])


def test_predictions_by_hand() -> None:
    episodes = two_episodes()
    assert Baseline().predict(episodes, RETURNS).eq(0).all()
    assert ConstantBaseline(1.5).predict(episodes, RETURNS).eq(1.5).all()
    assert ConstantBaseline(1.5).predict_final(episodes).tolist() == [[0.0, 1.5]] * 2  # the first episode terminated
    assert TimeMeanBaseline().predict_final(episodes).eq(0).all()
    # the other episode at that time step; beyond its end, its mean
    expected = [[[7.0, 7.0, 7.0], [3.0, 2.0, 1.0]], [[0.0, 0.0, 0.0], [6.0, 4.0, 2.0]]]
    assert TimeMeanBaseline().predict(episodes, RETURNS).tolist() == expected
    assert GroupMeanBaseline(2).predict(episodes, RETURNS).tolist() == expected


def test_the_running_mean_averages_ten_batches_and_then_forgets() -> None:
    """Oracle: NumPy, over the played steps of twenty batches, of each run by itself."""
    episodes, baseline, means = two_episodes(), RunningMeanBaseline(runs=2), np.zeros(2)
    assert baseline.predict(episodes, RETURNS).eq(0).all()
    for batch in range(1, 21):
        returns = RETURNS * batch
        baseline.learn(episodes, returns)
        played = np.array([(returns[r] * episodes.mask[r]).sum() / 4 for r in range(2)])
        means += (played - means) * max(1 / batch, 0.1)
        found = baseline.predict(episodes, returns)
        np.testing.assert_allclose(found[:, 0, 0].numpy(), means, rtol=1e-5)
        assert found.shape == RETURNS.shape
        np.testing.assert_allclose(baseline.predict_final(episodes).numpy(), [[0, means[0]], [0, means[1]]], rtol=1e-5)


def value_baseline(runs: int = 2) -> ValueBaseline:
    class Table(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(runs, 3, 1))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight

    table = Table()
    return ValueBaseline(table, make_optimizer("sgd", table))


def test_a_step_of_the_value_by_hand() -> None:
    """w <- w + alpha (1/N) sum (G - v(s)): from zero, state 0 gets alpha (3 + 7) / 2, and state 1 alpha 2 / 2."""
    episodes, baseline = two_episodes(), value_baseline()
    baseline.steps, baseline.learning_rate = 1, 0.1
    baseline.learn(episodes, RETURNS)
    torch.testing.assert_close(baseline.predict(episodes, RETURNS)[0, 0], torch.tensor([0.5, 0.1, 0.05]))
    torch.testing.assert_close(baseline.predict(episodes, RETURNS)[1, 0], torch.tensor([0.3, 0.2, 0.1]))
    # after the last step: 0 where the task ended, the value of what was seen where it was cut
    torch.testing.assert_close(baseline.predict_final(episodes), torch.tensor([[0.0, 0.5], [0.0, 0.3]]))


def chosen_then_learned(names: list[str]) -> tuple[Baselines, list[Tensor]]:
    """The values' weights after each of several updates under these baselines, on the same episodes."""
    settings, episodes, kept = Settings(**FORK, seed=3), two_episodes(), list[Tensor]()
    baselines = Baselines(settings, observation_size=3, group_size=1)
    for name in names:
        settings.baseline = name
        chosen = baselines.choose(settings)
        baselines.learn(chosen, episodes, RETURNS, RETURNS)
        kept.append(weights(baselines.value.network).clone())
    return baselines, kept


def test_rules_of_live_switching() -> None:
    """The running mean learns whatever is chosen; the value only while it is, and goes on from what it knew."""
    baselines, values = chosen_then_learned(["none", "value", "time_mean", "value", "constant"])
    assert baselines.running_mean.batches == 5
    changed = [not a.equal(b) for a, b in zip([torch.zeros_like(values[0]), *values], values)]
    assert changed == [False, True, False, True, False]
    alone = chosen_then_learned(["value", "value"])[1]
    assert alone[-1].equal(values[-1])


class MeanOfLast:
    """A learner's baseline: the mean return of the batch before, of each run."""

    def __init__(self) -> None:
        self.mean: Any = 0.0

    def predict(self, episodes: Episodes, returns: Tensor) -> Any:
        return self.mean

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        mask = episodes.mask
        self.mean = (targets * mask).sum((1, 2), keepdim=True) / mask.sum((1, 2), keepdim=True)


class Copied(Baseline):
    """The package's time mean, as a learner would write it."""

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return time_mean(returns, episodes.mask)


def test_an_own_baseline_that_does_the_same_makes_the_same_training() -> None:
    """Oracle: the package's own, bit for bit."""
    ended = []
    for name, own in (("time_mean", None), ("own", Copied())):
        settings = Settings(**FORK, baseline=name)
        policy = make_policy(settings)
        losses = [update.loss for update in reinforce(settings, policy, baseline=own)]
        ended.append((weights(policy), losses))
    assert ended[0][0].equal(ended[1][0]) and ended[0][0].any()
    np.testing.assert_array_equal(ended[0][1], ended[1][1])


def test_an_own_baseline_learns_last_and_only_while_it_is_chosen() -> None:
    settings, own = Settings(**FORK, baseline="own", normalization="none"), MeanOfLast()
    seen = []
    for update in reinforce(settings, baseline=own):
        seen.append(float(np.asarray(own.mean).mean()))
        assert update.live["baseline"] == settings.baseline
        settings.baseline = ["own", "none", "none", "own", "own", "own"][update.number - 1]
    assert seen[0] != 0 and seen[1] != seen[0] and seen[2] == seen[3] == seen[1] != seen[4]


class Critic(Baseline):
    """A learner's critic: a table of what followed each state, moved half-way to the targets."""

    is_critic = True

    def __init__(self) -> None:
        self.values = torch.zeros(2, 3)

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return torch.einsum("rets,rs->ret", episodes.observations, self.values)

    def predict_final(self, episodes: Episodes) -> Tensor:
        return torch.einsum("res,rs->re", episodes.final_observations, self.values)

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        seen = episodes.observations * episodes.mask[..., None]
        mean = torch.einsum("rets,ret->rs", seen, targets.float()) / seen.sum((1, 2)).clamp_min(1)
        self.values += 0.5 * (mean - self.values)


def test_own_critic_bootstraps() -> None:
    """With lambda 0 its table comes to the values of the policy: state 2 of the fork is worth its expected reward."""
    settings = Settings(**(FORK | {"updates": 40, "episodes": 200}), baseline="own", gae_lambda=0.0, learning_rate=1e-9)
    own = Critic()
    list(reinforce(settings, baseline=own))
    # an undecided policy: v(2) = (0 + 3) / 2, v(1) = (-1 + 2 + 0.9 v(2)) / 2, v(0) = (1 + 0.9 v(1)) / 2; standard
    # errors below 0.1, so that 0.5 is passed with a probability below 1e-6
    v2 = 1.5
    v1 = (-1 + 2 + 0.9 * v2) / 2
    torch.testing.assert_close(own.values, torch.tensor([[(1 + 0.9 * v1) / 2, v1, v2]] * 2), atol=0.5, rtol=0)


class NoFinal(Critic):
    predict_final = Baseline.predict_final


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            type("A", (), {"predict": lambda self, e, r: r[..., 0]})(),
            r"predict gave shape \(2, 5\) .*, but .*\(2, 5, 3\)",
        ),
        (
            type("B", (), {"predict": lambda self, e, r: None})(),
            "predict gave None, but must give a number or a real tensor",
        ),
        (type("C", (), {"predict": lambda self, e, r: r / 0 * 0})(), "predict gave a number that is not finite"),
        (NoFinal(), "says is_critic = True, but has no predict_final"),
        # of fewer axes: each would be broadcast where there are as many steps, or runs, as episodes
        (
            type("D", (), {"predict": lambda self, e, r: r[0, 0]})(),
            r"predict gave shape \(3,\) .* of which an axis may",
        ),
        (type("E", (), {"predict": lambda self, e, r: r[0]})(), r"predict gave shape \(5, 3\) .*keepdim=True"),
        (type("F", (), {"predict": lambda self, e, r: r + 0j})(), "of type torch.complex64, but must give a number"),
        (
            type("G", (Critic,), {"predict_final": lambda self, e: torch.zeros(5)})(),
            r"predict_final gave shape \(5,\) .*of shape \(2, 5\)",
        ),
    ],
)
def test_own_baseline_with_wrong_output_raises(own: Any, words: str) -> None:
    settings = Settings(**FORK, baseline="own", gae_lambda=0.5)
    policy = make_policy(settings)
    with pytest.raises(ValueError, match=words):
        next(reinforce(settings, policy, baseline=own))
    assert not weights(policy).any()


@pytest.mark.parametrize(
    "number", [1, True, 1.0, np.float32(1), np.array(1), torch.tensor(1), torch.ones(1, 1, 1), np.ones((2, 1, 1), int)]
)
def test_own_baseline_gives_a_number_or_axes_of_length_one(number: Any) -> None:
    """Oracle: the constant baseline of 1."""
    own = type("Ones", (), {"predict": lambda self, episodes, returns: number})()
    settings = Settings(**FORK, normalization="none")
    expected = next(reinforce(Settings(**FORK, normalization="none", baseline="constant", baseline_constant=1)))
    settings.baseline = "own"
    np.testing.assert_allclose(next(reinforce(settings, baseline=own)).loss, expected.loss, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "own", "error", "words"),
    [
        ("own", None, ValueError, "baseline is 'own', but none was given"),
        ("time_mean", MeanOfLast(), ValueError, "settings.baseline is 'time_mean', so it would not be used"),
        ("own", 3.0, TypeError, "must be an object with a method predict"),
        ("own", MeanOfLast, TypeError, "must be an object with a method predict"),
    ],
)
def test_own_baseline_that_would_not_be_used_raises(name: str, own: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        next(reinforce(Settings(**FORK, baseline=name), baseline=own))


def test_switching_to_own_without_an_object_raises() -> None:
    settings = Settings(**FORK)
    training = reinforce(settings)
    next(training)
    settings.baseline = "own"
    with pytest.raises(ValueError, match="baseline is 'own', but none was given"):
        next(training)


def test_the_microscope_measures_an_own_baseline() -> None:
    """Oracle: the package's time mean, which the learner's is a copy of."""
    settings = Settings(**(FORK | {"runs": 1}))
    found = estimate_gradients(
        settings, baselines=("time_mean", "own"), normalizations=("none",), own_baseline=Copied(), episodes=100, batch=5
    )
    assert found["own", "none"].gradients.equal(found["time_mean", "none"].gradients)
    with pytest.raises(ValueError, match="none was given"):
        estimate_gradients(settings, baselines=("own",), episodes=100, batch=5)


def test_a_wrapped_own_baseline_waits_until_it_is_chosen() -> None:
    settings, own = Settings(**FORK, normalization="none"), MeanOfLast()
    training = reinforce(settings, baseline=OwnBaseline(own))
    next(training)
    assert own.mean == 0.0
    settings.baseline = "own"
    next(training)
    assert np.asarray(own.mean).any()
