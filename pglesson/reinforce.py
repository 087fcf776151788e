"""REINFORCE as a generator: one `Update` after another, for many independent runs at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson import errors
from pglesson.advantages import gae, next_values, normalize, returns_to_go, td_errors
from pglesson.baselines import Baseline, Baselines
from pglesson.diagnostics import episode_gradients, explained_variance, policy_change, total_variance
from pglesson.distributions import ActionDistribution, factors_of
from pglesson.envs.factory import VectorEnv, close, group_size, make_envs
from pglesson.envs.spaces import action_width, observation_size, pixel_scale
from pglesson.loss import clipped_gain, policy_gradient_loss
from pglesson.optimization import clip_grad_norm, make_optimizer, step
from pglesson.own_policies import copy_policy, with_run_axis
from pglesson.policies import GaussianPolicy, SoftmaxPolicy, device_of, distribution_at
from pglesson.rollout import Episodes, in_pieces, play_episodes
from pglesson.settings import Settings

FloatArray = NDArray[np.floating[Any]]
Advantages = Callable[[Episodes, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Update:
    """What happened in one update, in plain numbers and small arrays, one entry a run."""

    number: int  # 1 for the first
    returns: FloatArray  # (runs, episodes), sum of the rewards of each episode, not discounted
    lengths: NDArray[np.int64]  # (runs, episodes), in time steps
    loss: FloatArray  # (runs,), of the first epoch, as are the next two: of the policy that played
    gradient_norm: FloatArray  # (runs,), before clipping
    entropy: FloatArray  # (runs,), mean over time steps, in nats
    explained_variance: FloatArray  # (runs,), share of the returns' variance that the baseline takes away; 1 at most
    gradient_variance: FloatArray | None  # (runs,), trace of one episode's gradient covariance, where it was asked for
    policy_change: FloatArray | None  # (runs,), KL(old || new), mean over time steps, in nats, where it was asked for
    steps: int  # environment steps so far, all runs together
    seconds: float  # of training so far, without the time that the consumer of the updates took
    live: dict[str, Any]  # the live settings that were in force


def reinforce(
    settings: Settings | None = None,
    policy: nn.Module | None = None,
    *,
    advantages: Advantages | None = None,
    baseline: object = None,
) -> Iterator[Update]:
    """Trains `policy` in place by REINFORCE and yields an `Update` after each update, settings.updates of them.

    Each update plays settings.episodes whole episodes a run, turns returns-to-go into advantages (minus the baseline,
    then normalized), and follows the gradient of (1/N) sum log pi(a_t|s_t) A_t, plus the entropy bonus, minus the KL
    penalty: Williams (1992); Sutton & Barto (2018), sections 13.3 and 13.4. With policy_epochs above 1 it goes on
    with PPO's clipped ratio. The factor gamma^t of the discounted theorem is left out, as
    in almost every implementation. With gae_lambda below 1, the 'value' baseline stands for the rewards to come, and
    learns from its own estimates: an actor-critic method, Sutton & Barto (2018), section 13.5.

    policy: any torch.nn.Module that maps observations (n, observation_size) to logits (n, actions), to a pair
    (mu, log_sigma), or to a torch.distributions.Distribution, each with or without a value behind it, which is not
    used; without one, `make_policy(settings)`. It must be a function of each row by itself: `checks` asks it.
    advantages(episodes, b, b_next) replaces G_t - b, and GAE: it gets the `Episodes`, the baseline that the
    settings ask for, (runs, episodes, steps), and the same of the state that follows each step, and gives a tensor of
    that shape, which is then normalized. After the last step b_next is 0 where the task itself ended; where time ran
    out, it is what the baseline expects of the last observation, and 0 if it has nothing to say of that ('none',
    'time_mean', 'group_mean').
    baseline: an object of your own, such as a `Baseline`, that settings.baseline = 'own' chooses.

    Live settings may change between two updates. The same seed on the same machine gives the same updates, bit for bit.
    Raises TypeError for settings, a policy or a baseline of another kind, ValueError for settings, environments,
    policies and baselines that do not fit together, and FloatingPointError for a gradient or an output of the policy
    that is not finite; what was learned until then stays in `policy`.
    """
    settings = Settings() if settings is None else settings
    errors.check_settings(settings, Settings)
    if advantages is not None:
        errors.check_own_advantages(advantages)
    device = find_device(settings.device)
    envs = make_envs(settings.env, settings.runs * settings.episodes, **settings.env_options)
    try:
        seen, group = envs.single_observation_space, group_size(envs)
        with one_thread():
            if policy is not None:
                policy = with_run_axis(policy, settings.runs, observation_size(seen), envs.single_action_space)
            else:
                policy = make_policy(settings, envs)
            baselines = Baselines(settings, observation_size(seen), group, baseline, pixel_scale(seen))
        yield from _updates(settings, envs, policy.to(device), baselines, group, advantages)
    finally:
        close(envs)


def _updates(
    settings: Settings,
    envs: VectorEnv,
    policy: nn.Module,
    baselines: Baselines,
    group: int,
    own_advantages: Advantages | None,
) -> Iterator[Update]:
    generator = torch.Generator().manual_seed(settings.seed + 1)
    with one_thread():
        optimizer, first_policy = make_optimizer(settings.optimizer, policy), copy_policy(policy)
    first_settings = settings.snapshot()
    steps, stopwatch = 0, Stopwatch()
    for number in range(1, settings.updates + 1):
        s = _in_force(settings, first_settings, group)  # a snapshot: live settings count from here
        with stopwatch, one_thread():
            # 1. Play whole episodes, all started together.
            seed = s.seed if number == 1 else None
            episodes = play_episodes(envs, policy, s.runs, max_steps=s.max_steps, generator=generator, seed=seed)
            mask = episodes.mask
            weights = errors.checked_weights(policy, optimizer)

            # 2. Advantages: returns-to-go minus a baseline. Of its returns it may use other episodes' alone: one that
            # knew the return of the action that it judges would bias the gradient.
            G = returns_to_go(episodes.rewards, s.gamma)
            baseline = baselines.choose(s)
            b = baseline.predict(episodes, G)
            A = (G - b) * mask
            explained = explained_variance(G, A, mask)  # of the returns by the baseline, whatever A becomes below
            targets = G  # what a critic will learn
            if baseline.is_critic and s.gae_lambda < 1:
                b_next = next_values(b, mask, baseline.predict_final(episodes))
                A = gae(td_errors(episodes.rewards, b, b_next, s.gamma) * mask, s.gamma, s.gae_lambda)
                targets = A + b
            if own_advantages is not None:
                A = _asked(own_advantages, episodes, b, baseline)
            A = normalize(A, mask, s.normalization, group).float()

            # 3. Climb. One step is REINFORCE; several on the same episodes, with a clipped ratio, are PPO.
            variance = total_variance(episode_gradients(policy, episodes, A)) if s.measure_variance else None
            old_policy = copy_policy(policy) if s.measure_change else None
            pieces = list(in_pieces(device_of(policy), episodes.observations, episodes.actions, A, mask))
            old_log_probs, record = list[Tensor](), Record(s.runs)
            for epoch in range(s.policy_epochs):
                optimizer.zero_grad()
                for index, (observations, actions, advantage, played) in enumerate(pieces):  # in pieces for speed alone
                    pi = distribution_at(policy, observations)
                    log_prob, entropy = _checked(pi.log_prob(actions)), _entropy(pi, s.entropy_weight) * played
                    if epoch == 0:  # the ratio is 1, and log pi has its gradient
                        old_log_probs.append(log_prob.detach())
                        gain = log_prob * advantage
                    else:
                        gain = clipped_gain(log_prob, old_log_probs[index], advantage, s.clip_ratio)
                    # minus the sum over time, and the mean over episodes, of gain + beta H
                    loss = policy_gradient_loss(gain, entropy, entropy_weight=s.entropy_weight, episodes=s.episodes)
                    if s.kl_weight:
                        kl = pi.kl(_without_gradient(first_policy, observations)) * played
                        loss = loss + s.kl_weight * kl.sum(1) / s.episodes
                    loss.sum().backward()  # runs share no weights; the gradients of the pieces add up
                    record.add(epoch, loss, entropy)
                record.add_norm(epoch, clip_grad_norm(weights, s.runs, s.max_grad_norm))
                step(optimizer, s.learning_rate)
            change = policy_change(old_policy, policy, episodes) if old_policy is not None else None

            # 4. The baseline learns. It has predicted before: fitted to these returns, it would know their actions.
            baselines.learn(baseline, episodes, G, targets)

        lengths = mask.sum(2)
        steps += int(lengths.sum())
        yield Update(
            number=number,
            returns=episodes.rewards.sum(2).numpy(),
            lengths=lengths.numpy().astype(np.int64),
            loss=record.loss.numpy(),
            gradient_norm=record.gradient_norm.numpy(),
            entropy=(record.entropy / mask.sum((1, 2))).numpy(),
            explained_variance=explained.numpy(),
            gradient_variance=None if variance is None else variance.float().cpu().numpy(),
            policy_change=None if change is None else change.numpy(),
            steps=steps,
            seconds=stopwatch.seconds,
            live=s.live(),
        )


def _in_force(settings: Settings, first: Settings, group: int) -> Settings:
    """The settings as they are now. Raises ValueError for a fixed one that has changed, and for groups that fail."""
    s = settings.snapshot()
    if changed := s.fixed_changes(first):
        raise errors.fixed_settings_changed(changed)
    errors.check_groups(s.baseline, s.normalization, s.env, s.episodes, group)
    return s


def _asked(own: Advantages, episodes: Episodes, b: Tensor, baseline: Baseline) -> Tensor:
    """What a learner's function gives for advantages, 0 after an episode's end."""
    b_next = next_values(b, episodes.mask, baseline.predict_final(episodes))
    return errors.checked_advantages(own(episodes.copy(), b.clone(), b_next), episodes.mask)


def _checked(log_prob: Tensor) -> Tensor:
    errors.check_depends_on_weights(log_prob)
    return log_prob


def _entropy(pi: ActionDistribution, weight: float) -> Tensor:
    """In nats, with a gradient only where it is used. Raises ValueError where it would be, and there is none."""
    with torch.set_grad_enabled(weight > 0):
        entropy = pi.entropy()
    errors.check_entropy(entropy, weight)
    return entropy


@torch.no_grad()
def _without_gradient(policy: nn.Module, observations: Tensor) -> ActionDistribution:
    return distribution_at(policy, observations)


class Record:
    """Loss, entropy (a sum over time steps) and gradient norm of the first epoch, (runs,): the policy's that played."""

    def __init__(self, runs: int) -> None:
        self.loss, self.entropy, self.gradient_norm = torch.zeros(3, runs)

    def add(self, epoch: int, loss: Tensor, entropy: Tensor) -> None:
        """loss: (runs,), of a piece; entropy: (runs, n), of its time steps."""
        if epoch == 0:
            self.loss = self.loss + loss.detach().cpu()
            self.entropy = self.entropy + entropy.detach().sum(1).cpu()

    def add_norm(self, epoch: int, norm: Tensor) -> None:
        """norm: (runs,), before clipping."""
        if epoch == 0:
            self.gradient_norm = norm


class Stopwatch:
    """Adds up the seconds spent inside `with stopwatch:`."""

    seconds = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._started


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps torch to one thread. Networks this small lose time, and bit-for-bit repeatability, to several threads.

    Gradients are on, whatever a learner has switched off around it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def make_policy(settings: Settings, envs: VectorEnv | None = None) -> SoftmaxPolicy | GaussianPolicy:
    """The policy that `reinforce(settings)` starts from: softmax for Discrete actions, Gaussian for Box ones.

    envs: copies of settings.env that exist already, whose spaces are read. Raises ValueError for an environment that
    `make_envs` refuses and for a device that torch does not have here.
    """
    device = find_device(settings.device)
    if envs is None:
        envs = make_envs(settings.env, 1, **settings.env_options)
        close(envs)  # its spaces are all that is needed
    size, space = observation_size(envs.single_observation_space), envs.single_action_space
    shape: dict[str, Any] = {"hidden": settings.hidden, "activation": settings.activation, "runs": settings.runs}
    shape["generator"] = torch.Generator().manual_seed(settings.seed)
    shape["scale"] = pixel_scale(envs.single_observation_space)
    if isinstance(space, spaces.Discrete):
        return SoftmaxPolicy(size, int(space.n), **shape).to(device)
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        return SoftmaxPolicy(size, action_width(space), factors=factors_of(space), **shape).to(device)
    assert isinstance(space, spaces.Box)
    return GaussianPolicy(size, space.low.ravel().tolist(), space.high.ravel().tolist(), **shape).to(device)


def find_device(name: str) -> torch.device:
    """The device of that name. Raises ValueError for one that torch does not have here."""
    try:
        torch.zeros(1, device=name).tolist()  # what fails, and how, differs from build to build
    except Exception as error:
        raise errors.no_such_device(name, error) from error
    return torch.device(name)
