"""The variance microscope against synthetic gradients, enumeration, plain loops and the exact gradient."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pglesson import Settings, make_policy, reinforce, returns_to_go
from pglesson.analysis import exact
from pglesson.analysis import microscope as m
from pglesson.analysis.microscope import Estimate, estimate_gradients, fit_values
from pglesson.envs.rock_paper_scissors import PAYOFF
from pglesson.envs.two_rooms import TWO_ROOMS
from pglesson.reinforce import Advantages
from pglesson.rollout import Episodes
from pglesson.settings import BASELINES, NORMALIZATIONS
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.microscope_view import MicroscopeView, two_directions

ROOMS = {"env": "pglesson/TwoRooms-v0", "hidden": (), "gamma": 0.9}
# the gradient without gamma^t, at the policy that is uniform in both rooms
TRUTH = exact.policy_gradient(TWO_ROOMS, torch.zeros(2, 2, dtype=torch.float64), 0.9, discount_visits=False).flatten()


def synthetic(mean: Tensor, deviation: float, batches: int, batch: int, seed: int) -> Estimate:
    noise = torch.randn(batches, batch, len(mean), generator=torch.Generator().manual_seed(seed))
    return Estimate(mean + deviation * noise)


def test_estimate_of_known_gradients() -> None:
    """Mean (3, 4), unit signal 25, covariance 2^2 in each of 2 dimensions: trace 8. The trace of 2 x 1999 independent
    squares has a standard error of 8 / sqrt(1999) = 0.18; five of them have a probability below 1e-6."""
    estimate = synthetic(torch.tensor([3.0, 4.0]), 2.0, 2000, 4, seed=0)
    assert abs(estimate.variance - 8) < 5 * 0.18
    assert torch.allclose(estimate.mean, torch.tensor([3.0, 4.0]), atol=5 * 2 / math.sqrt(8000))
    assert math.isclose(estimate.signal, 25, rel_tol=0.05)
    assert math.isclose(estimate.signal_to_noise, 5 / math.sqrt(8), rel_tol=0.05)
    assert math.isclose(estimate.episodes_needed(0.1), 8 / (25 * 0.1**2), rel_tol=0.1)


def test_variance_includes_dependence_within_a_batch() -> None:
    """Two episodes of a batch that cancel: each has variance 1, their mean has variance 0."""
    noise = torch.randn(50, 1, 3, generator=torch.Generator().manual_seed(0))
    tied = Estimate(torch.cat([1 + noise, 1 - noise], 1))
    assert tied.variance == pytest.approx(0, abs=1e-10) and tied.signal_to_noise > 1e4


def test_episodes_needed_without_signal_are_infinite() -> None:
    nothing = Estimate(torch.zeros(4, 4, 2))
    assert nothing.signal_to_noise == 0 and nothing.episodes_needed() == math.inf
    noise = torch.randn(8, 1, 2, generator=torch.Generator().manual_seed(0))
    cancelling = Estimate(torch.cat([noise, -noise], 0))  # the mean is zero, the noise is not
    assert cancelling.signal == 0 and cancelling.needed_interval() == pytest.approx((math.nan, math.inf), nan_ok=True)


def test_coverage_of_needed_interval() -> None:
    """200 repetitions with truth V / (a^2 |g|^2) = 4 / (0.3^2 * 2); a true 95 % interval covers fewer than 88 % of them
    with probability below 1e-4."""
    truth, covered = 4 / (0.3**2 * 2), 0
    for seed in range(200):
        low, high = synthetic(torch.ones(2), math.sqrt(2), 60, 8, seed).needed_interval(0.3)
        covered += low <= truth <= high
    assert 0.88 * 200 < covered < 200


def test_baselines_are_unbiased_and_episode_normalization_is_not() -> None:
    """The oracle is the exact gradient. Per baseline and weight one z-score, 20 in all: an unbiased estimator exceeds
    the limit with probability 1e-4 (Bonferroni, two-sided)."""
    estimates = estimate_gradients(Settings(**ROOMS), episodes=16_000, batch=16)
    limit = NormalDist().inv_cdf(1 - 1e-4 / 20 / 2)

    def z(estimate: Estimate) -> float:
        of_batches = estimate.gradients.mean(1).double()
        error = of_batches.std(0) / len(of_batches) ** 0.5
        return float(((of_batches.mean(0) - TRUTH) / error).abs().max())

    assert all(z(estimates[baseline, "none"]) < limit for baseline in BASELINES)
    assert z(estimates["none", "episode"]) > 2 * limit
    assert float(torch.dot(estimates["none", "episode"].mean[:2].double(), TRUTH[:2])) < 0  # the opposite direction


def test_variance_of_a_bandit_by_enumeration() -> None:
    """Rock, paper, scissors against (0.5, 0.3, 0.2): the covariance's trace by enumeration of both moves. 2,048 single
    episodes measure it within 10 % with probability above 1 - 1e-4 (its own spread, from 200 other seeds, is 1.9 %)."""
    opponent = np.array([0.5, 0.3, 0.2])
    settings = Settings(env="pglesson/RockPaperScissors-v0", env_options={"opponent": tuple(opponent)}, hidden=())
    pushes = [((np.eye(3)[a] - 1 / 3) * PAYOFF[a, o], opponent[o] / 3) for a, o in product(range(3), range(3))]
    mean = sum(p * g for g, p in pushes)
    trace = sum(p * ((g - mean) ** 2).sum() for g, p in pushes)
    measured = estimate_gradients(settings, baselines=("none",), normalizations=("none",), batch=1)["none", "none"]
    assert measured.gradients.shape == (2048, 1, 3)
    assert measured.variance == pytest.approx(trace, rel=0.1)
    assert np.allclose(measured.mean, mean, atol=5 * math.sqrt(trace / 2048))


def test_each_gradient_is_that_of_its_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle is autograd on one episode at a time, of CartPole's different lengths, in pieces of a few episodes."""
    monkeypatch.setattr(m, "ROWS", 100)
    played = []
    original = m.play_episodes

    def remembered(*args: object, **kwargs: object) -> object:
        played.append(original(*args, **kwargs))  # type: ignore[arg-type]
        return played[-1]

    monkeypatch.setattr(m, "play_episodes", remembered)
    settings, policy = Settings(baseline_constant=7.0), make_policy(Settings())
    estimates = estimate_gradients(
        settings, policy, baselines=("constant",), normalizations=("none",), episodes=12, batch=4
    )
    gradients = estimates["constant", "none"].gradients.flatten(0, 1)
    episodes = played[-1]
    assert len({int(n) for n in episodes.mask[0].sum(-1)}) > 5
    for index in range(12):
        length = int(episodes.mask[0, index].sum())
        G, loss = 0.0, torch.zeros(())
        log_pi = policy(episodes.observations[:, index, :length]).log_softmax(-1)[0]
        for t in reversed(range(length)):
            G = float(episodes.rewards[0, index, t]) + 0.99 * G
            loss = loss + (G - 7.0) * log_pi[t, episodes.actions[0, index, t]]
        expected = torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(policy.parameters()))])
        torch.testing.assert_close(gradients[index], expected, rtol=1e-3, atol=1e-3)


def test_fit_values_of_one_hot_states_are_mean_returns() -> None:
    states = torch.tensor([0, 0, 1, 2, 2, 2])
    returns = torch.tensor([1.0, 3.0, -4.0, 10.0, 20.0, 30.0])
    values = fit_values(torch.eye(3)[states], returns)(torch.eye(3))
    torch.testing.assert_close(values, torch.tensor([2.0, -4.0, 20.0]), rtol=1e-3, atol=1e-2)


def test_first_run_is_measured_and_the_policy_unchanged() -> None:
    settings = Settings(**ROOMS, runs=3, updates=5)
    policy = make_policy(settings)
    list(reinforce(settings, policy))
    before = [weight.detach().clone() for weight in policy.parameters()]
    gradients = [None if weight.grad is None else weight.grad.clone() for weight in policy.parameters()]
    many = estimate_gradients(settings, policy, episodes=64)["time_mean", "none"].gradients
    one = make_policy(Settings(**ROOMS))
    next(one.parameters()).data = before[0][:1]
    assert torch.equal(many, estimate_gradients(settings, one, episodes=64)["time_mean", "none"].gradients)
    assert all(torch.equal(a, b) for a, b in zip(before, policy.parameters()))
    assert all(a is None or torch.equal(a, b.grad) for a, b in zip(gradients, policy.parameters()))


def test_own_module_gives_the_same_estimate_twice() -> None:
    policy = nn.Linear(4, 2)
    first, again, other = (
        estimate_gradients(Settings(), policy, episodes=64, seed=seed)["none", "none"].gradients for seed in (0, 0, 1)
    )
    assert first.shape == (4, 16, 10)
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_steps_limit_the_number_of_episodes() -> None:
    estimates = estimate_gradients(Settings(), normalizations=("none",), steps=2000)
    number = estimates["none", "none"].gradients.shape[0] * 16
    assert 32 <= number < 200  # about 22 steps each


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"baselines": ("nonne",)}, "'nonne' was asked for, but there are 'none'"),
        ({"normalizations": ("run",)}, "'run' was asked for, but there are 'none', 'batch', 'episode'"),
        ({"batch": 0}, "batch is 0"),
        ({"batch": 64, "episodes": 100}, "set episodes to 128 or more"),
    ],
)
def test_invalid_arguments_raise(options: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        estimate_gradients(Settings(**ROOMS), **options)  # type: ignore[arg-type]


def test_two_directions_of_a_known_cloud() -> None:
    """A cloud stretched along (0, 1, 0), with the first direction (1, 0, 0); the oracle is its construction."""
    cloud = torch.randn(500, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([9.0, 3.0, 0.5])
    along, across = two_directions(cloud, torch.tensor([2.0, 0.0, 0.0]))
    assert torch.allclose(along, torch.tensor([1.0, 0.0, 0.0]))
    assert abs(float(across[1])) > 0.99 and abs(float(along @ across)) < 1e-6


def test_view_measures_on_the_button_and_redraws_on_a_choice() -> None:
    view = MicroscopeView(Settings(**ROOMS), exact=TRUTH.float(), episodes=512)
    first, picture = view.estimates, view.image.value
    assert "512 episodes: variance" in view.status.value and "from the exact gradient" in view.status.value
    view.normalization.value, view.baseline.value = "episode", "none"
    assert view.estimates is first and view.image.value != picture
    angle = float(view.status.value.split("The mean lies ")[1].split("°")[0])
    assert angle > 20  # normalized per episode, the mean has another direction
    view.look_button.click()
    assert view.estimates is not first
    assert repr(view) == "<Microscope>"


def test_presses_while_it_looks_ask_for_nothing_more() -> None:
    waiting: list[Callable[[], object]] = []  # for the main loop to be free
    view = MicroscopeView(Settings(**ROOMS), episodes=64, call=waiting.append)
    for _ in range(3):
        view.look_button.click()
    assert len(waiting) == 1 and "Looking" in view.status.value
    waiting.pop()()
    view.look_button.click()
    assert len(waiting) == 1 and view._seed == 2


def test_view_shows_an_error_and_keeps_its_picture() -> None:
    policy: list[nn.Module | None] = [None]
    view = MicroscopeView(lambda: (Settings(**ROOMS), policy[0]), episodes=64)
    before, policy[0] = view.image.value, nn.Linear(5, 2)
    view.look_button.click()
    assert "could not read" in view.status.value and view.image.value == before
    policy[0] = nn.Linear(2, 2)
    view.look_button.click()
    assert "64 episodes: variance" in view.status.value and view.image.value != before


def test_view_and_dashboard_show_errors_of_their_settings() -> None:
    view = MicroscopeView(lambda: (Settings(**ROOMS), {}["policy"]))
    assert "policy" in view.status.value and view.estimates == {}
    dashboard = Dashboard(Settings(env="Nonsense-v0"), microscope=True)
    for status in (dashboard.status, dashboard.microscope.status):
        assert "No environment is registered as &#x27;Nonsense-v0&#x27;" in status.value


def test_dashboard_shows_the_variance_and_its_microscope_the_current_policy() -> None:
    with pytest.raises(ValueError, match="watch is 'noise', but must be one of 'entropy', 'gradient_variance'"):
        Dashboard(watch="noise")
    settings = Settings(**ROOMS, runs=2, episodes=8, learning_rate=0.3, normalization="none")
    dashboard = Dashboard(settings, environments=(), watch="gradient_variance", microscope=True)
    untrained = dashboard.microscope.estimates["none", "none"].mean
    for _ in range(5):
        assert dashboard.step()
    variance = dashboard.updates[-1].gradient_variance
    assert variance is not None and (variance > 0).all()
    axes = dashboard.plots[1].axes
    assert axes.get_yscale() == "log" and all(
        abs(math.log10(limit) - round(math.log10(limit))) < 0.06 for limit in axes.get_ylim()
    )
    dashboard.settings.gamma = 0.5
    dashboard.microscope.look_button.click()
    expected = estimate_gradients(dashboard.settings, dashboard.policy, seed=1)["none", "none"].mean
    assert torch.equal(dashboard.microscope.estimates["none", "none"].mean, expected)
    assert not torch.allclose(expected, untrained, rtol=0.1)


def test_view_offers_only_what_it_measures() -> None:
    view = MicroscopeView(Settings(**ROOMS), normalizations=("none",), episodes=64)
    assert {normalization for _, normalization in view.estimates} == {"none"}
    assert view.normalization not in view.children[0].children and view.baseline in view.children[0].children
    view.baseline.value = "value"
    assert "64 episodes: variance" in view.status.value


GROUPS = {"env": "pglesson/Digits-v0", "env_options": {"length": 2, "group_size": 4}, "hidden": ()}


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (ROOMS, {"baselines": ("none", "value")}),
        (ROOMS, {"baselines": ("time_mean",), "normalizations": ("batch",)}),
        (ROOMS, {"baselines": (), "estimators": {"twice": lambda episodes, b, b_next: 2 * episodes.rewards - b}}),
        (GROUPS, {"baselines": ("group_mean",), "normalizations": ("none", "group")}),
    ],
)
def test_view_offers_everything_that_it_measures(settings: dict[str, Any], options: dict[str, Any]) -> None:
    view = MicroscopeView(Settings(**settings), episodes=64, **options)
    baselines, normalizations = ([v for _, v in control.options] for control in (view.baseline, view.normalization))
    assert set(baselines) == {"none", *options["baselines"], *options.get("estimators", ())}
    assert set(normalizations) == {"none", *options.get("normalizations", NORMALIZATIONS)}
    assert set(view.estimates) == set(product(baselines, normalizations))
    for chosen in product(baselines, normalizations):
        view.baseline.value, view.normalization.value = chosen
        left, right = view.figure.axes
        name = "no baseline" if chosen[0] == "none" else chosen[0].replace("_", " ")
        assert name in [line.get_label() for line in left.lines] and len(right.get_yticks()) == len(baselines)
        assert "64 episodes: variance" in view.status.value


def test_view_seed_is_that_of_the_first_measurement() -> None:
    settings = Settings(**ROOMS)
    view = MicroscopeView(settings, seed=3, episodes=64)
    for seed in (3, 4):
        expected = estimate_gradients(settings, seed=seed, episodes=64)["time_mean", "batch"].gradients
        assert torch.equal(view.estimates["time_mean", "batch"].gradients, expected)
        view.look()


# --- own estimators, and groups ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", ["none", "time_mean", "value"])
def test_own_estimator_equals_the_built_in_one_that_it_repeats(baseline: str) -> None:
    settings = Settings(**ROOMS, baseline=baseline)

    def own(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        return returns_to_go(episodes.rewards, 0.9) - b

    seen = estimate_gradients(settings, baselines=(baseline,), estimators={"own": own}, episodes=256)
    assert set(seen) == {(b, n) for b in (baseline, "own") for n in ("none", "batch", "episode")}
    for normalization in ("none", "batch", "episode"):
        first, second = seen[baseline, normalization].gradients, seen["own", normalization].gradients
        torch.testing.assert_close(first, second, atol=1e-5, rtol=1e-4)


def test_td_errors_of_the_true_values_are_unbiased_and_of_wrong_ones_are_not() -> None:
    """Oracle: the exact gradient. With v exact, the TD error's mean is the advantage: Sutton & Barto (2018), eq. 13.14.

    z-scores of 4 weights beyond 5 have a probability of 3e-6 together where the estimate is unbiased.
    """
    v = exact.state_values(TWO_ROOMS, torch.full((2, 2), 0.5, dtype=torch.float64), 0.9).float()

    def errors(offset: float) -> Advantages:
        def function(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
            values = episodes.observations @ (v + torch.tensor([0.0, offset]))
            still = torch.cat([episodes.mask[..., 1:], torch.zeros_like(b_next[..., :1])], -1)
            following = torch.cat([values[..., 1:], torch.zeros_like(b_next[..., :1])], -1) * still
            return (episodes.rewards + 0.9 * following - values) * episodes.mask

        return function

    estimators = {"true": errors(0.0), "wrong": errors(-2.0)}
    seen = estimate_gradients(
        Settings(**ROOMS), baselines=(), normalizations=("none",), estimators=estimators, episodes=20_000, batch=10
    )
    z = {}
    for (name, _), estimate in seen.items():
        batch_means = estimate.gradients.mean(1).double()
        z[name] = (batch_means.mean(0) - TRUTH) / (batch_means.std(0) / len(batch_means) ** 0.5)
    assert z["true"].abs().max() < 5 < z["wrong"].abs().max()


def test_group_mean_is_that_of_the_groups_others() -> None:
    """Oracle: the group's other returns, one episode at a time."""
    settings = Settings(env="pglesson/Digits-v0", env_options={"length": 2, "group_size": 4}, hidden=(), gamma=1.0)

    def own(episodes: Episodes, b: Tensor, b_next: Tensor) -> Tensor:
        earned = episodes.rewards.sum(2).unflatten(1, (-1, 4))
        others = torch.stack([earned[..., [j for j in range(4) if j != i]].mean(-1) for i in range(4)], -1)
        return (earned - others).flatten(1)[..., None].expand_as(episodes.rewards)

    names = ("group_mean",)
    seen = estimate_gradients(
        settings, baselines=names, normalizations=("none",), estimators={"own": own}, episodes=64, batch=16
    )
    torch.testing.assert_close(seen["group_mean", "none"].gradients, seen["own", "none"].gradients)
    for wrong in ({"batch": 6}, {"settings": Settings(**ROOMS)}):
        with pytest.raises(ValueError, match="It takes groups of two or more, and whole groups in a batch"):
            estimate_gradients(**({"settings": settings, "baselines": names, "batch": 16} | wrong))
