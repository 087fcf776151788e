"""Measures the noise of the policy gradient, for every baseline and normalization on the same episodes."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pglesson import errors
from pglesson.advantages import next_values, normalize, returns_to_go
from pglesson.baselines import (
    Baseline,
    ConstantBaseline,
    GroupMeanBaseline,
    OwnBaseline,
    RunningMeanBaseline,
    TimeMeanBaseline,
)
from pglesson.diagnostics import episode_gradients
from pglesson.envs.factory import group_size, make_envs
from pglesson.envs.spaces import observation_size
from pglesson.own_policies import copy_policy, with_run_axis
from pglesson.reinforce import Advantages, make_policy, one_thread
from pglesson.rollout import Episodes, play_episodes
from pglesson.settings import BASELINES, GROUPED, NORMALIZATIONS, OWN, Settings

ROWS = 20_000  # time steps in one backward pass: more would leave the processor's cache
PILOT = 256  # episodes from which the baselines learn, played before those that are measured


@dataclass(frozen=True)
class Estimate:
    """One estimator's gradients on many batches of episodes, all played by the same policy.

    gradients: (batches, episodes of a batch, parameters), what each episode contributes; a batch's gradient is the mean
    over its episodes. Batches are independent of each other; the contributions within a batch need not be.
    """

    gradients: Tensor

    @property
    def mean(self) -> Tensor:
        """The estimator's mean over all episodes, (parameters,): the gradient that it follows on average."""
        return self.gradients.mean((0, 1))

    @property
    def variance(self) -> float:
        """The trace of the covariance of one episode's contribution; a mean over N episodes has 1/N of it.

        Measured between batches, times their size: it includes the dependence that normalization creates in a batch.
        """
        return float(self.gradients.mean(1).var(0).sum() * self.gradients.shape[1])

    @property
    def signal(self) -> float:
        """|mean|^2 minus the part that noise adds to it, at least 0."""
        number = self.gradients.shape[0] * self.gradients.shape[1]
        return max(0.0, float(self.mean.square().sum()) - self.variance / number)

    @property
    def signal_to_noise(self) -> float:
        """The length of the mean over the standard deviation of one episode's contribution."""
        return math.sqrt(self.signal / self.variance) if self.variance > 0 else math.inf if self.signal > 0 else 0.0

    def episodes_needed(self, accuracy: float = 0.3) -> float:
        """How many episodes make the typical error of the gradient `accuracy` times its length; inf without signal."""
        return (accuracy * self.signal_to_noise) ** -2 if self.signal > 0 else math.inf

    def needed_interval(self, accuracy: float = 0.3) -> tuple[float, float]:
        """A 95 % interval of `episodes_needed`, by the jackknife over batches on its logarithm.

        Each batch is left out in turn: Efron & Tibshirani (1993), chapter 11. (nan, inf) if the signal is not
        above the noise.
        """
        batch_means = self.gradients.double().mean(1)
        number, size = self.gradients.shape[:2]
        mean = (batch_means.sum(0) - batch_means) / (number - 1)
        lengths = batch_means.square().sum(1)
        variance = (lengths.sum() - lengths - (number - 1) * mean.square().sum(1)) / (number - 2)
        signal = mean.square().sum(1) - variance / (number - 1)
        if self.signal == 0 or number < 3 or not bool((signal > 0).all()):
            return math.nan, math.inf
        needed = (variance * size / signal).log()
        error = math.sqrt((number - 1) / number * float((needed - needed.mean()).square().sum()))
        middle = self.episodes_needed(accuracy)
        return middle * math.exp(-1.96 * error), middle * math.exp(1.96 * error)


def first_run(policy: nn.Module) -> nn.Module:
    """A copy of a policy with its first run only, on the CPU."""
    copied = copy_policy(policy).cpu()
    if getattr(copied, "runs", 1) > 1:
        for weight in copied.parameters():
            weight.data = weight.data[:1].clone()
        copied.runs = 1  # type: ignore[assignment]
    return copied


def fit_values(observations: Tensor, returns: Tensor) -> Callable[[Tensor], Tensor]:
    """v(s) by least squares on (n, size) observations and (n,) returns: maps (..., size) to (...).

    Linear in 1, the observation and 64 random tanh features of it, so a table where observations are one-hot.
    """
    generator = torch.Generator().manual_seed(0)
    size, scale = observations.shape[1], observations.std() + 1e-6
    weights, shifts = torch.randn(size, 64, generator=generator), torch.randn(64, generator=generator)

    def features(x: Tensor) -> Tensor:
        return torch.cat([torch.ones_like(x[..., :1]), x, (x / scale @ weights + shifts).tanh()], -1).double()

    columns = features(observations)
    ridge = 1e-6 * len(columns) * torch.eye(columns.shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(columns.T @ columns + ridge, columns.T @ returns.double())
    return lambda x: (features(x) @ solution).float()


class FittedValueBaseline(Baseline):
    """v(s) by least squares, fitted once: the best value of this form for one fixed policy.

    During training, the 'value' baseline is a network that follows a changing policy.
    """

    is_critic = True

    def predict(self, episodes: Episodes, returns: Tensor) -> Tensor:
        return self._value(episodes.observations)

    def predict_final(self, episodes: Episodes) -> Tensor:
        return torch.where(episodes.terminated, 0.0, self._value(episodes.final_observations))

    def learn(self, episodes: Episodes, targets: Tensor) -> None:
        played = episodes.mask > 0
        self._value = fit_values(episodes.observations[played], targets[played])


def estimate_gradients(
    settings: Settings,
    policy: nn.Module | None = None,
    *,
    baselines: Sequence[str] = BASELINES,
    normalizations: Sequence[str] = NORMALIZATIONS,
    estimators: Mapping[str, Advantages] | None = None,
    own_baseline: object = None,
    episodes: int = 2048,
    batch: int | None = None,
    steps: int = 150_000,
    seed: int = 0,
) -> dict[tuple[str, str], Estimate]:
    """The gradients of each (baseline, normalization) on the same episodes, played by the first run of `policy`.

    settings: the task, gamma, the constant baseline; policy: by default the untrained `make_policy(settings)`.
    batch: the episodes that a baseline and a normalization see together, by default settings.episodes. Plays about
    `episodes` of them in whole batches, fewer where they would take more than `steps` time steps, 2 batches at least.
    Baselines learn from other episodes, played before these in one batch. estimators: functions of your own by
    name, as `reinforce` takes them for advantages; the baseline that they get is settings.baseline. own_baseline: the
    object that is measured as the baseline "own". Returns the Estimates by (baseline or estimator, normalization).
    Raises ValueError for an unknown name, a batch below 1 and episodes below twice the batch.
    """
    batch = settings.episodes if batch is None else batch
    estimators = dict(estimators or {})
    chosen = [(b, n) for b in (*baselines, *estimators) for n in normalizations]
    if batch < 1 or episodes < 2 * batch:
        raise ValueError(
            f"batch is {batch} and episodes is {episodes}, but a batch needs 1 episode or more, and the noise between "
            f"batches shows from two of them on: set episodes to {2 * max(batch, 1)} or more."
        )
    for given, allowed in ((baselines, (*BASELINES, GROUPED[0], OWN)), (normalizations, (*NORMALIZATIONS, GROUPED[1]))):
        if unknown := [name for name in given if name not in allowed]:
            raise ValueError(f"{unknown[0]!r} was asked for, but there are {', '.join(map(repr, allowed))}.")
    if OWN in baselines:
        errors.check_own_baseline(own_baseline, OWN)
    if policy is None:
        policy = make_policy(settings)
    else:
        envs = make_envs(settings.env, 1, **settings.env_options)
        size, actions = observation_size(envs.single_observation_space), envs.single_action_space
        policy = with_run_axis(policy, getattr(policy, "runs", 1), size, actions)
    with one_thread():
        return _estimate(settings, first_run(policy), chosen, estimators, own_baseline, episodes, batch, steps, seed)


def _estimate(
    settings: Settings,
    policy: nn.Module,
    chosen: Sequence[tuple[str, str]],
    estimators: Mapping[str, Advantages],
    own_baseline: object,
    episodes: int,
    batch: int,
    steps: int,
    seed: int,
) -> dict[tuple[str, str], Estimate]:
    pilot, group = _play(settings, policy, PILOT, 2 * seed + 1)
    if any(name in GROUPED for pair in chosen for name in pair) and (group < 2 or batch % group):
        raise ValueError(
            f"A group's mean was asked for, but {settings.env} starts its episodes in groups of {group}, and batch is "
            f"{batch}. It takes groups of two or more, and whole groups in a batch."
        )
    batches = max(2, min(episodes, int(steps * PILOT / pilot.mask.sum())) // batch)
    played, _ = _play(settings, policy, batches * batch, 2 * seed)
    by_batch = Episodes(**{name: x.reshape(batches, batch, *x.shape[2:]) for name, x in vars(played).items()})
    returns, mask = returns_to_go(by_batch.rewards, settings.gamma), by_batch.mask

    made: dict[str, Baseline] = {
        "none": Baseline(),
        "constant": ConstantBaseline(float(settings.baseline_constant)),
        "running_mean": RunningMeanBaseline(runs=1),
        "time_mean": TimeMeanBaseline(),
        "group_mean": GroupMeanBaseline(group),
        "value": FittedValueBaseline(),
        "own": OwnBaseline(copy.deepcopy(own_baseline)),
    }
    pilot_returns = returns_to_go(pilot.rewards, settings.gamma)
    measured = {b for b, _ in chosen} - estimators.keys()
    for name in measured | ({settings.baseline} if estimators else set()):
        made[name].learn(pilot, pilot_returns)
    centred = {name: (returns - made[name].predict(by_batch, returns)) * mask for name in measured}
    if estimators:
        given = made[settings.baseline]
        b = given.predict(by_batch, returns)
        b_next = next_values(b, mask, given.predict_final(by_batch))
        centred |= {n: errors.checked_advantages(own(by_batch, b, b_next), mask) for n, own in estimators.items()}
    weights = [normalize(centred[b], mask, n, group).float().view(1, batches * batch, -1) for b, n in chosen]
    each = _gradients(policy, played, torch.stack(weights))
    return {name: Estimate(g.unflatten(0, (batches, batch))) for name, g in zip(chosen, each.unbind(1))}


def _play(settings: Settings, policy: nn.Module, number: int, seed: int) -> tuple[Episodes, int]:
    envs = make_envs(settings.env, number, **settings.env_options)
    try:
        generator = torch.Generator().manual_seed(seed)
        played = play_episodes(envs, policy, 1, max_steps=settings.max_steps, generator=generator, seed=seed)
        return played, group_size(envs)
    finally:
        envs.close()


def _gradients(policy: nn.Module, played: Episodes, advantages: Tensor) -> Tensor:
    # (episodes, estimators, parameters), in pieces of similar lengths: less time goes into masked steps
    lengths = played.mask[0].sum(-1).long()
    order, start, pieces = lengths.argsort(descending=True), 0, []
    while start < len(order):
        longest = int(lengths[order[start]])
        piece = order[start : start + max(1, ROWS // longest)]
        start += len(piece)
        cut = Episodes(
            played.observations[:, piece, :longest],
            played.actions[:, piece, :longest],
            played.rewards[:, piece, :longest],
            played.mask[:, piece, :longest],
            played.terminated[:, piece],
            played.final_observations[:, piece],
        )
        pieces.append(episode_gradients(policy, cut, advantages[:, :, piece, :longest])[:, :, 0])
    return torch.cat(pieces)[order.argsort()]
