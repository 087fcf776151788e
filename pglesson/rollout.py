"""Playing whole episodes side by side, one batched policy call a time step."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson.policies import Family, PlainPolicy, device_of, family_of

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]


@dataclass(frozen=True)
class Episodes:
    """Whole episodes that started together, as tensors with axes (run, episode, time step), in the CPU's memory.

    observations: (runs, episodes, steps, observation_size), Discrete ones as one-hot vectors
    actions:      (runs, episodes, steps) int64, or (runs, episodes, steps, action_size) as sampled, before clipping
    rewards:      (runs, episodes, steps), 0 after an episode's end
    alive:        (runs, episodes, steps), 1.0 where a step was played, 0.0 after the end
    terminated:   (runs, episodes), True where the task itself ended, False where time ran out
    last_observations: (runs, episodes, observation_size), what was seen after the last step

    After an episode's end its first observation and action stand again, so that a policy can be asked of every step.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    alive: Tensor
    terminated: Tensor
    last_observations: Tensor


def make_envs(env: str, number: int, /, **options: Any) -> VectorEnv:
    """`number` copies of a registered environment, in its own vectorized form where it has one.

    Raises ValueError for an id that is not registered, for options that it does not take, and for spaces that the
    lesson's policies cannot serve.
    """
    has_vector = _spec(env).vector_entry_point is not None
    with _options_that_fit(env, options):
        envs = gymnasium.make_vec(env, number, "vector_entry_point" if has_vector else "sync", **options)
    check_spaces(env, envs.single_observation_space, envs.single_action_space)
    return envs


def _spec(env: str) -> EnvSpec:
    module, _, name = env.rpartition(":")
    try:
        if module:  # Gymnasium's own make imports it too, and its spec does not
            importlib.import_module(module)
        return gymnasium.spec(name)
    except (gymnasium.error.Error, ImportError) as error:
        raise ValueError(
            f"No environment is registered as {env!r} ({error}). Give a Gymnasium id such as 'CartPole-v1', "
            "or register your own with gymnasium.register."
        ) from error


@contextmanager
def _options_that_fit(env: str, options: dict[str, Any]) -> Iterator[None]:
    try:
        yield
    except TypeError as error:  # what Python raises for a keyword that a function does not know
        raise ValueError(
            f"{env} could not be made with the options {options} ({error}). Give env_options that it takes, as keyword "
            "arguments of its class."
        ) from error


def check_spaces(env: str, observations: spaces.Space[Any], actions: spaces.Space[Any]) -> None:
    """Raises ValueError unless both spaces are Discrete or (floating-point actions) Box."""
    if not isinstance(observations, (spaces.Box, spaces.Discrete)):
        raise ValueError(
            f"{env} has observations of the kind {observations}, but a policy here reads Box or Discrete ones. "
            "Wrap it with gymnasium.wrappers.FlattenObservation and register the result."
        )
    float_box = isinstance(actions, spaces.Box) and np.issubdtype(actions.dtype or float, np.floating)
    if not (isinstance(actions, spaces.Discrete) or float_box):
        raise ValueError(
            f"{env} has actions of the kind {actions}, but a policy here chooses Discrete actions (softmax) or "
            "floating-point Box ones (Gaussian). Choose another environment, or wrap its actions into one of those."
        )


def group_size(envs: VectorEnv) -> int:
    """How many copies beside each other start their episodes alike, which an environment says itself; 1 by default."""
    return int(getattr(envs.unwrapped, "group_size", 1))


def observation_size(space: spaces.Space[Any]) -> int:
    """Length of the vector that a policy sees: n for Discrete(n), the number of entries for Box."""
    return int(space.n) if isinstance(space, spaces.Discrete) else int(np.prod(space.shape or ()))


def encode_observations(space: spaces.Space[Any], observations: NDArray[Any]) -> NDArray[np.float32]:
    """A batch of observations as (n, observation_size) float32: one-hot for Discrete, flattened for Box."""
    if isinstance(space, spaces.Discrete):
        return np.eye(int(space.n), dtype=np.float32)[observations - space.start]
    return np.array(observations, dtype=np.float32).reshape(
        len(observations), -1
    )  # a copy: environments may reuse theirs


def decode_actions(space: spaces.Space[Any], actions: Tensor) -> NDArray[Any]:
    """Sampled actions (runs, n[, action_size]) as the environments take them (runs * n, ...), clipped to their bounds.

    Only the environment sees the clipped action: the log-probability belongs to the sampled one.
    """
    if isinstance(space, spaces.Discrete):
        return actions.reshape(-1).cpu().numpy() + space.start if space.start else actions.reshape(-1).cpu().numpy()
    assert isinstance(space, spaces.Box)
    return np.clip(actions.cpu().numpy().reshape(-1, *space.shape), space.low, space.high).astype(space.dtype)


def ask(policy: nn.Module, observations: Tensor) -> Any:
    """What a policy gives for observations (runs, n, size), computed where the policy is and brought to the CPU."""
    device = device_of(policy)
    if device.type == "cpu":
        return policy(observations)
    parameters = policy(observations.to(device))
    return tuple(p.cpu() for p in parameters) if isinstance(parameters, tuple) else parameters.cpu()


def first_parameters(policy: nn.Module, observations: Tensor, space: spaces.Space[Any]) -> Any:
    """What a policy gives for observations (runs, n, size). Raises ValueError unless it fits the action space.

    Raises FloatingPointError where it is not finite: training has diverged.
    """
    runs, number, size = observations.shape
    try:
        parameters = ask(policy, observations)
    except RuntimeError as error:  # what torch raises where shapes do not meet
        raise ValueError(
            f"The policy could not read {number} observations of {size} numbers each ({error}). "
            f"Its first layer must take {size} inputs, of the type float32."
        ) from error
    if isinstance(space, spaces.Discrete):
        width, wanted, pieces = int(space.n), "logits, one for each action", 1
    else:
        width, wanted, pieces = int(np.prod(space.shape or ())), "a tuple (mu, log_sigma)", 2
    given = parameters if isinstance(parameters, tuple) else (parameters,)
    shapes = [tuple(p.shape) if isinstance(p, Tensor) else type(p).__name__ for p in given]
    if shapes != [(runs, number, width)] * pieces:
        raise ValueError(
            f"For {number} observations in each of {runs} runs the policy gave {', '.join(map(str, shapes))}, but for "
            f"the actions {space} it must give {wanted}, of shape {(runs, number, width)} (a module of your own leaves "
            "the run axis out). Check the size of its last layer."
        )
    if not all(bool(p.isfinite().any(-1).all() and not p.isnan().any()) for p in given):
        raise FloatingPointError(
            "The policy gave numbers that are not finite for finite observations. Its weights, or something that it "
            "computes, is NaN or infinite: begin again with a lower learning_rate, or mend its forward."
        )
    return parameters


def _check_finite(name: str, values: NDArray[Any], alive: NDArray[np.bool_], step: int, runs: int) -> None:
    # the sum is a quick way to see that there is nothing to look for; values: (runs * episodes, ...)
    if not math.isfinite(values.sum()):
        bad = alive & ~np.isfinite(values).reshape(len(values), -1).all(1)
        if bad.any():
            run, episode = divmod(int(bad.argmax()), len(values) // runs)
            raise ValueError(
                f"The environment gave a {name} that is not a finite number, in run {run}, episode {episode}, time "
                f"step {step}. Every {name} must be finite: look for a division by zero or an overflow in its step."
            )


@torch.inference_mode()
def _play(
    envs: VectorEnv,
    policy: nn.Module,
    family: Family,
    runs: int,
    max_steps: int,
    generator: torch.Generator,
    seed: int | None,
) -> tuple[
    list[NDArray[np.float32]],
    list[Tensor],
    list[NDArray[Any]],
    list[NDArray[np.bool_]],
    NDArray[np.bool_],
    NDArray[np.float32],
]:
    def encoded(observation: Any, matters: NDArray[np.bool_]) -> NDArray[np.float32]:
        found = encode_observations(envs.single_observation_space, observation)
        _check_finite("observation", found, matters, len(rewards), runs)
        return found

    observations, actions, rewards, lives = [], [], list[NDArray[Any]](), []
    alive, terminated = np.ones(envs.num_envs, dtype=bool), np.zeros(envs.num_envs, dtype=bool)
    seen = encoded(envs.reset(seed=seed)[0], alive)
    last = np.empty_like(seen)
    while alive.any() and len(rewards) < max_steps:
        observations.append(seen)
        batch = torch.from_numpy(seen).view(runs, -1, seen.shape[-1])
        parameters = ask(policy, batch) if rewards else first_parameters(policy, batch, envs.single_action_space)
        actions.append(family.sample(parameters, generator))
        observation, reward, ended, cut, _ = envs.step(decode_actions(envs.single_action_space, actions[-1]))
        _check_finite("reward", reward, alive, len(rewards), runs)
        rewards.append(reward)
        lives.append(alive)
        seen = encoded(observation, alive & ~ended)
        last[alive] = seen[alive]  # of an episode that goes on, until its next step
        terminated |= ended & alive
        alive = alive & ~(ended | cut)
    return observations, actions, rewards, lives, terminated, last


def play_episodes(
    envs: VectorEnv,
    policy: nn.Module,
    runs: int,
    *,
    max_steps: int,
    generator: torch.Generator,
    seed: int | None = None,
) -> Episodes:
    """One whole episode in each environment, all started together: envs.num_envs / runs of them a run.

    An environment that is done is stepped on until the last one is, and what it does then is masked: taking whatever
    episodes finish first instead would count short ones too often. `seed` restarts the environments' random numbers.
    Raises ValueError for a policy whose output has the wrong shape and for a reward or observation that is not finite,
    FloatingPointError for a policy that has diverged.
    """
    played = _play(envs, policy, family_of(envs.single_action_space, policy), runs, max_steps, generator, seed)
    observations, actions, rewards, lives, terminated, last = played

    def by_episode(steps: Any) -> Tensor:  # (steps, runs * episodes, ...) -> (runs, episodes, steps, ...)
        return torch.as_tensor(steps).unflatten(1, (runs, -1)).movedim(0, 2).contiguous()

    alive = by_episode(np.stack(lives)).float()

    def first_again(x: Tensor) -> Tensor:
        # after the end an environment may show anything, and a policy say anything of it, such as a log-probability of
        # -inf, which A = 0 does not take away; of the first step it says what it can say
        return torch.where(alive.view(*alive.shape, *[1] * (x.dim() - 3)) > 0, x, x[:, :, :1])

    return Episodes(
        first_again(by_episode(np.stack(observations))),
        first_again(torch.stack(actions, 2)),
        torch.where(alive > 0, by_episode(np.stack(rewards).astype(np.float32)), 0.0),
        alive,
        torch.as_tensor(terminated).view(runs, -1),
        torch.from_numpy(last).unflatten(0, (runs, -1)),
    )


def watch_episode(
    env: str, policy: nn.Module, *, options: dict[str, Any] | None = None, seed: int = 0, max_steps: int = 1000
) -> Generator[tuple[NDArray[np.uint8], float], None, None]:
    """Plays one episode with the first run of `policy` and yields (picture (height, width, 3), return so far) a step.

    policy: as `reinforce` takes it, a module of one's own without the run axis. The same seed gives the same start and
    the same luck. Raises ValueError as `make_envs` does, for an environment that cannot draw itself and for a policy
    that does not fit it, FloatingPointError for a policy that has diverged.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its greeting would end up in the notebook
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # pictures need no screen, which a server does not have
    _spec(env)
    with _options_that_fit(env, options or {}):
        made = gymnasium.make(env, **(options or {}))
    modes = made.metadata.get("render_modes", [])
    made.close()
    check_spaces(env, made.observation_space, made.action_space)
    if "rgb_array" not in modes:
        raise ValueError(f"{env} cannot draw itself: its render_modes are {modes}, but watching needs 'rgb_array'.")
    made = gymnasium.make(env, **{**(options or {}), "render_mode": "rgb_array"})
    runs = getattr(policy, "runs", None)
    if runs is None:
        runs, policy = 1, PlainPolicy(policy)
    family, generator, total = family_of(made.action_space, policy), torch.Generator().manual_seed(seed), 0.0
    try:
        observation, _ = made.reset(seed=seed)
        for _ in range(max_steps):
            yield np.asarray(made.render(), dtype=np.uint8), total
            seen = torch.from_numpy(encode_observations(made.observation_space, np.asarray(observation)[None]))
            with torch.inference_mode():
                parameters = first_parameters(policy, seen.expand(runs, 1, -1), made.action_space)
                action = family.sample(parameters, generator)
            observation, reward, terminated, truncated, _ = made.step(decode_actions(made.action_space, action[:1])[0])
            total += float(reward)
            if terminated or truncated:
                break
        yield np.asarray(made.render(), dtype=np.uint8), total
    finally:
        made.close()
