"""REINFORCE as a generator: one `Update` a gradient step, for many independent runs at once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson.advantages import (
    baseline_ahead,
    generalized_advantages,
    group_mean_baseline,
    masked_mean,
    normalize,
    td_errors,
    time_mean_baseline,
)
from pglesson.loss import clipped_log_prob, episode_gradients, policy_gradient_loss, total_variance
from pglesson.policies import Family, GaussianPolicy, PlainPolicy, RunNetwork, SoftmaxPolicy, device_of, family_of
from pglesson.returns import returns_to_go
from pglesson.rollout import Episodes, VectorEnv, ask, group_size, make_envs, observation_size, play_episodes
from pglesson.settings import GROUPED, Settings, same

BATCH_ROWS = 8_000  # time steps, over all runs, in one backward pass
FloatArray = NDArray[np.floating[Any]]
Advantages = Callable[[Episodes, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Update:
    """What happened in one gradient step, in plain numbers and small arrays, one entry a run."""

    number: int  # 1 for the first
    returns: FloatArray  # (runs, episodes), sum of the rewards of each episode, not discounted
    lengths: NDArray[np.int64]  # (runs, episodes), in time steps
    loss: FloatArray  # (runs,), of the first step: with log pi, at the policy that played, whatever policy_steps is
    gradient_norm: FloatArray  # (runs,), before clipping
    entropy: FloatArray  # (runs,), of the policy, mean over time steps, in nats
    explained_variance: FloatArray  # (runs,), share of the returns' variance that the baseline takes away; 1 at most
    gradient_variance: FloatArray | None  # (runs,), trace of one episode's gradient covariance, where it was asked for
    policy_change: FloatArray | None  # (runs,), KL(before || after), mean over time steps, in nats, where asked for
    steps: int  # environment steps so far, all runs together
    seconds: float  # of training so far, without the time that the consumer of the updates took
    knobs: dict[str, Any]  # the live settings that were in force


def moved_knobs(updates: Sequence[Update]) -> dict[int, dict[str, tuple[Any, Any]]]:
    """The live settings that moved while training ran: {index of the first update under them: {name: (old, new)}}."""
    found = {}
    for index, (before, after) in enumerate(pairwise(updates), start=1):
        if moved := {n: (before.knobs[n], new) for n, new in after.knobs.items() if before.knobs[n] != new}:
            found[index] = moved
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps torch to one thread. Networks this small lose time, and bit-for-bit repeatability, to several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
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
        envs.close()  # its spaces are all that is needed
    generator = torch.Generator().manual_seed(settings.seed)
    size, space = observation_size(envs.single_observation_space), envs.single_action_space
    if isinstance(space, spaces.Discrete):
        return SoftmaxPolicy(
            size,
            int(space.n),
            hidden=settings.hidden,
            activation=settings.activation,
            runs=settings.runs,
            generator=generator,
        ).to(device)
    assert isinstance(space, spaces.Box)
    return GaussianPolicy(
        size,
        space.low.ravel().tolist(),
        space.high.ravel().tolist(),
        hidden=settings.hidden,
        activation=settings.activation,
        runs=settings.runs,
        generator=generator,
    ).to(device)


def find_device(name: str) -> torch.device:
    """The device of that name. Raises ValueError for one that torch does not have here."""
    try:
        torch.empty(0, device=name)  # what fails, and how, differs from build to build
    except Exception as error:
        raise ValueError(
            f"device is {name!r}, but torch cannot compute there ({str(error).splitlines()[0]}). Set device to 'cpu', "
            "or to a GPU that torch sees on this machine."
        ) from error
    return torch.device(name)


def with_run_axis(policy: nn.Module, runs: int) -> nn.Module:
    """The policy itself, or a learner's own module as one run. Raises TypeError or ValueError for what cannot learn."""
    if not isinstance(policy, nn.Module):
        raise TypeError(
            f"The policy is {policy!r}, but it must be a torch.nn.Module; see pglesson.make_policy for one."
        )
    if not any(weight.requires_grad for weight in policy.parameters()):
        raise ValueError("The policy has no parameters to learn. Give it a layer, such as torch.nn.Linear.")
    own = getattr(policy, "runs", None)
    if own is None and runs == 1:
        return PlainPolicy(policy)
    if own != runs:
        raise ValueError(
            f"The policy serves {own or 1} run(s), but settings.runs is {runs}. Set runs to {own or 1}, "
            "or build the policy with pglesson.make_policy(settings)."
        )
    return policy


def _optimizer(settings: Settings, module: nn.Module) -> torch.optim.Optimizer:
    kind = torch.optim.Adam if settings.optimizer == "adam" else torch.optim.SGD
    return kind(module.parameters(), lr=settings.learning_rate)


def _step(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()


def _clip(module: nn.Module, runs: int, longest: float) -> Tensor:
    """Shortens each run's gradient to the norm `longest`, in place; returns the norms before (runs,)."""
    gradients = [weight.grad for weight in module.parameters() if weight.grad is not None]
    norm = torch.stack([g.reshape(runs, -1).square().sum(1) for g in gradients]).sum(0).sqrt()
    if not bool(norm.isfinite().all()):
        run = int((~norm.isfinite()).nonzero()[0])
        raise FloatingPointError(
            f"The gradient of run {run} is not a finite number, so this update was not made. Its weights, or those of "
            "the 'value' baseline, have grown too large: start again with a lower learning_rate (or "
            "value_learning_rate), or with max_gradient_norm=1."
        )
    for gradient in gradients:
        factor = (longest / norm.clamp_min(longest)).nan_to_num(1.0)
        gradient.mul_(factor.view(runs, *[1] * (gradient.dim() - 1)) if gradient.dim() else factor[0])
    return norm


def _backward(
    policy: nn.Module,
    family: Family,
    episodes: Episodes,
    advantages: Tensor,
    knobs: Mapping[str, Any],
    before: Tensor | None,
    reference: nn.Module,
) -> tuple[Tensor, Tensor]:
    """Leaves the loss's gradient in policy.parameters(); returns the loss and the entropy summed over steps (runs,).

    before: the actions' log-probabilities when they were played (runs, episodes, steps), where a step has moved the
    policy since. The batch is taken in pieces that fit the processor's cache, whose gradients add up: faster, and in
    bounded memory.
    """
    runs, number, device = *advantages.shape[:2], device_of(policy)
    loss, total_entropy = torch.zeros(2, runs, device=device)
    batch = episodes.observations, episodes.actions, advantages, episodes.alive
    played = torch.zeros_like(advantages) if before is None else before
    for observations, actions, weights, alive, log_prob_before in _pieces(device, *batch, played):
        parameters = policy(observations)
        with torch.set_grad_enabled(knobs["entropy_weight"] > 0):
            entropy = family.entropy(parameters) * alive
        log_prob = family.log_prob(parameters, actions)
        if not log_prob.requires_grad:
            raise ValueError(
                "What the policy gives does not depend on its weights as far as torch knows, so there is no gradient. "
                "Leave .detach(), .numpy(), .item() and torch.no_grad() out of its forward."
            )
        if before is not None:
            log_prob = clipped_log_prob(log_prob, log_prob_before, weights, knobs["clip_ratio"])
        piece = policy_gradient_loss(
            log_prob, weights, entropy, entropy_weight=knobs["entropy_weight"], episodes=number
        )
        if knobs["kl_weight"]:
            with torch.no_grad():
                others = reference(observations)
            distance = (family.divergence(parameters, others) * alive).sum(1)
            piece = piece + knobs["kl_weight"] * distance / number
        piece.sum().backward()
        loss += piece.detach()
        total_entropy += entropy.detach().sum(1)
    return loss.cpu(), total_entropy.cpu()


@torch.inference_mode()
def _log_probs(policy: nn.Module, family: Family, episodes: Episodes) -> Tensor:
    """log pi(a_t|s_t) of what was played, (runs, episodes, steps)."""
    pieces = _pieces(device_of(policy), episodes.observations, episodes.actions)
    log_probs = [family.log_prob(policy(observations), actions).cpu() for observations, actions in pieces]
    return torch.cat(log_probs, 1).view(episodes.alive.shape)


def _pieces(device: torch.device, *batch: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """The batch's tensors (runs, episodes, steps, ...) side by side, as pieces (runs, n, ...) of BATCH_ROWS rows."""
    rows = max(1, BATCH_ROWS // len(batch[0]))
    for pieces in zip(*(x.flatten(1, 2).split(rows, 1) for x in batch)):
        yield tuple(piece.to(device) for piece in pieces)


@torch.inference_mode()
def _change(policy: nn.Module, former: nn.Module, family: Family, episodes: Episodes) -> Tensor:
    """KL(former || policy) in the states of these episodes, mean over their time steps: (runs,), in nats."""
    total = torch.zeros(len(episodes.alive))
    for observations, alive in _pieces(device_of(policy), episodes.observations, episodes.alive):
        total += (family.divergence(former(observations), policy(observations)) * alive).sum(1).cpu()
    return total / episodes.alive.sum((1, 2))


def _explained_variance(returns: Tensor, centred: Tensor, alive: Tensor) -> Tensor:
    """1 - var(G - b) / var(G) over the played time steps (runs,); NaN where all returns are equal."""

    def variance(x: Tensor) -> Tensor:
        return masked_mean((x - masked_mean(x, alive, (1, 2))) ** 2, alive, (1, 2)).flatten()

    spread, size = variance(returns), masked_mean(returns**2, alive, (1, 2)).flatten()
    return torch.where(spread > 1e-10 * size, 1 - variance(centred) / spread, torch.nan)  # less is rounding alone


def checked_advantages(advantages: object, alive: Tensor) -> Tensor:
    """What a learner's function gave for advantages. Raises ValueError unless it fits the episodes."""
    if not isinstance(advantages, Tensor) or advantages.shape != alive.shape:
        given = f"a tensor of shape {tuple(advantages.shape)}" if isinstance(advantages, Tensor) else repr(advantages)
        raise ValueError(
            f"Your advantages function gave {given}, but it must give a tensor of shape {tuple(alive.shape)}: (runs, "
            "episodes, steps), like episodes.rewards."
        )
    if not bool((advantages.isfinite() | (alive == 0)).all()):
        raise ValueError(
            "Your advantages function gave a number that is not finite. Look for a division by zero, such as a "
            "standard deviation of equal returns."
        )
    return torch.where(alive > 0, advantages.detach(), 0.0)


def _last_values(value: nn.Module, episodes: Episodes, baseline: str) -> Tensor:
    """v(S) after the last step, 0 where the task itself ended or the baseline does not see states: (runs, episodes)."""
    if baseline != "value":
        return torch.zeros(episodes.terminated.shape)
    with torch.no_grad():
        judged = ask(value, episodes.last_observations)[..., 0]
    return torch.where(episodes.terminated, 0.0, judged)


def _check_groups(settings: Settings, size: int) -> None:
    """Raises ValueError where groups of episodes are to be compared that do not start alike, or are cut apart."""
    if settings.baseline not in GROUPED and settings.normalization not in GROUPED:
        return
    if size < 2:
        raise ValueError(
            f"baseline is {settings.baseline!r} and normalization {settings.normalization!r}, but {settings.env} does "
            "not start its episodes in groups that are alike. Choose others, or an environment with a group_size."
        )
    if settings.episodes % size:
        raise ValueError(
            f"episodes is {settings.episodes}, but {settings.env} starts them in groups of {size}. Set episodes to a "
            f"multiple of {size}."
        )


def reinforce(
    settings: Settings | None = None, policy: nn.Module | None = None, *, advantages: Advantages | None = None
) -> Iterator[Update]:
    """Trains `policy` in place by REINFORCE and yields one `Update` a gradient step, settings.updates of them.

    Each update plays settings.episodes whole episodes a run, turns returns-to-go into advantages (minus the baseline,
    then normalized), and follows the gradient of (1/N) sum log pi(a_t|s_t) A_t, plus the entropy bonus: Williams
    (1992); Sutton & Barto (2018), sections 13.3 and 13.4. The factor gamma^t of the discounted theorem is left out, as
    in almost every implementation. With gae_lambda below 1, the 'value' baseline speaks for the rewards to come, and
    learns from its own word: an actor-critic method, Sutton & Barto (2018), section 13.5. `policy` is any
    torch.nn.Module that maps observations (n, observation_size) to logits (n, actions), or to a pair (mu, log_sigma);
    without one, `make_policy(settings)`.

    `advantages(episodes, b, b_ahead)` takes the place of G_t - b: it gets the `Episodes`, the baseline that the
    settings ask for, (runs, episodes, steps), and the same of the state that follows each step (0 where the task
    itself ended), and gives a tensor of that shape, which is then normalized.

    Live settings may change between two updates. The same seed on the same machine gives the same updates, bit for bit.
    Raises TypeError for settings or a policy of another kind, ValueError for settings, environments and policies that
    do not fit together, and FloatingPointError for a gradient or an output of the policy that is not finite; what was
    learned until then stays in `policy`.
    """
    settings = Settings() if settings is None else settings
    if not isinstance(settings, Settings):
        raise TypeError(f"settings is {settings!r}, but must be a Settings, such as Settings(env='CartPole-v1').")
    device = find_device(settings.device)
    envs = make_envs(settings.env, settings.runs * settings.episodes, **settings.env_options)
    try:
        policy = with_run_axis(policy, settings.runs) if policy is not None else make_policy(settings, envs)
        yield from _updates(settings, envs, policy.to(device), advantages)
    finally:
        envs.close()


def _updates(
    settings: Settings, envs: VectorEnv, policy: nn.Module, own_advantages: Advantages | None
) -> Iterator[Update]:
    runs, structure, family = settings.runs, settings.structure(), family_of(envs.single_action_space, policy)
    generator = torch.Generator().manual_seed(settings.seed + 1)
    size = observation_size(envs.single_observation_space)
    own = torch.Generator().manual_seed(settings.seed + 2)  # the sampled actions do not depend on this network's size
    value = RunNetwork(runs, size, 1, settings.hidden, settings.activation, own).to(device_of(policy))
    policy_optimizer, value_optimizer = _optimizer(settings, policy), _optimizer(settings, value)
    running_mean = torch.zeros(runs, 1, 1)
    reference, grouped = copy.deepcopy(policy), group_size(envs)
    steps, seconds = 0, 0.0
    for number in range(1, settings.updates + 1):
        if not same(settings.structure(), structure):
            changed = [name for name, setting in settings.structure().items() if not same(setting, structure[name])]
            raise ValueError(
                f"{', '.join(changed)} changed while training was running, but a run keeps its structure from start to "
                "end. Set it back, or begin a new reinforce(settings)."
            )
        started, knobs = time.perf_counter(), settings.knobs()
        _check_groups(settings, grouped)
        with one_thread():
            episodes = play_episodes(
                envs,
                policy,
                runs,
                max_steps=settings.max_steps,
                generator=generator,
                seed=settings.seed if number == 1 else None,
            )
            alive, shape = episodes.alive, episodes.alive.shape
            observations = episodes.observations.flatten(1, 2).to(device_of(policy))
            returns = returns_to_go(episodes.rewards, knobs["gamma"])

            baseline: Tensor | float = 0.0
            if knobs["baseline"] == "constant":
                baseline = float(knobs["constant"])
            elif knobs["baseline"] == "running_mean":
                baseline = running_mean
            elif knobs["baseline"] == "time_mean":
                baseline = time_mean_baseline(returns, alive)
            elif knobs["baseline"] == "group_mean":
                baseline = group_mean_baseline(returns, alive, grouped)
            elif knobs["baseline"] == "value":
                baseline = value(observations).view(shape).detach().cpu()
            centred = (returns - baseline) * alive
            explained, target = _explained_variance(returns, centred, alive), returns
            bootstraps = knobs["baseline"] == "value" and knobs["gae_lambda"] < 1
            if bootstraps or own_advantages is not None:
                b = torch.as_tensor(baseline).expand(shape)
                ahead = baseline_ahead(b, alive, _last_values(value, episodes, knobs["baseline"]))
                if bootstraps:
                    errors = td_errors(episodes.rewards, b, ahead, knobs["gamma"]) * alive
                    centred = generalized_advantages(errors, knobs["gamma"], knobs["gae_lambda"])
                    target = centred + b
                if own_advantages is not None:
                    centred = checked_advantages(own_advantages(episodes, b, ahead), alive)
            advantages = normalize(centred, alive, knobs["normalization"], grouped).float()

            variance = (
                total_variance(episode_gradients(policy, family, episodes, advantages))
                if knobs["measure_variance"]
                else None
            )
            former = copy.deepcopy(policy) if knobs["measure_change"] else None
            before = _log_probs(policy, family, episodes) if knobs["policy_steps"] > 1 else None
            for step in range(knobs["policy_steps"]):
                policy_optimizer.zero_grad()
                since = before if step else None  # where the ratio is 1, log pi has its gradient, and is what to record
                measured = _backward(policy, family, episodes, advantages, knobs, since, reference)
                clipped = _clip(policy, runs, knobs["max_gradient_norm"]).cpu()
                if step == 0:  # what is recorded is the policy's that played
                    (loss, entropy), norm = measured, clipped
                _step(policy_optimizer, knobs["learning_rate"])
            change = None if former is None else _change(policy, former, family, episodes)

            # the baselines learn last: what they know must not depend on the actions that they judge
            # a plain average over the first ten batches, then one that forgets
            running_mean += (masked_mean(returns, alive, (1, 2)) - running_mean) * max(1 / number, 0.1)
            if knobs["baseline"] == "value":
                target, played = target.to(observations.device), alive.to(observations.device)
                for _ in range(knobs["value_steps"]):
                    error = (target - value(observations).view(shape)) * played
                    value_optimizer.zero_grad()
                    (error.square().sum() / (2 * shape[1])).backward()
                    _step(value_optimizer, knobs["value_learning_rate"])

        lengths = alive.sum(2)
        steps += int(lengths.sum())
        seconds += time.perf_counter() - started
        yield Update(
            number=number,
            returns=episodes.rewards.sum(2).numpy(),
            lengths=lengths.numpy().astype(np.int64),
            loss=loss.numpy(),
            gradient_norm=norm.numpy(),
            entropy=(entropy / alive.sum((1, 2))).numpy(),
            explained_variance=explained.numpy(),
            gradient_variance=None if variance is None else variance.cpu().numpy(),
            policy_change=None if change is None else change.numpy(),
            steps=steps,
            seconds=seconds,
            knobs=knobs,
        )
