"""Playing whole episodes side by side, one batched policy call a time step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from pglesson import checks, errors
from pglesson.distributions import TorchDistribution
from pglesson.envs.factory import VectorEnv
from pglesson.envs.spaces import action_width, decode_actions, encode_observations, outside, pixel_scale
from pglesson.policies import device_of, forward, is_ours, to_distribution
from pglesson.sampling import numpy_sampler
from pglesson.settings import Settings

PIECE_ROWS = 16_000  # time steps, over all runs, in one pass through a network: more would leave the processor's cache


@dataclass
class Episodes:
    """Whole episodes that started together, as tensors with axes (run, episode, time step), in the CPU's memory.

    observations: (runs, episodes, steps, observation_size), Discrete ones as one-hot vectors
    actions:      (runs, episodes, steps) int64, or (runs, episodes, steps, action_size) as sampled, before clipping
    rewards:      (runs, episodes, steps), 0 after an episode's end
    mask:         (runs, episodes, steps), 1.0 where a step was played, 0.0 after the end
    terminated:   (runs, episodes), True where the task itself ended, False where time ran out
    final_observations: (runs, episodes, observation_size), what was seen after the last step

    After an episode's end its first observation and action stand again, so that a policy can be asked of every step.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    mask: Tensor
    terminated: Tensor
    final_observations: Tensor

    def copy(self) -> Episodes:
        """The same in other tensors, for a learner's function, which may change them in place."""
        return Episodes(**{name: tensor.clone() for name, tensor in vars(self).items()})


def checked_forward(policy: nn.Module, observations: Tensor, space: spaces.Space[Any]) -> Any:
    """`forward`, held to what the actions need. Raises ValueError and FloatingPointError for what does not fit."""
    try:
        output = forward(policy, observations)
    except RuntimeError as error:
        if errors.is_about_shapes(error):
            raise errors.unreadable_observations(observations, error) from error
        raise
    if not isinstance(output, (torch.distributions.Distribution, TorchDistribution)):
        errors.check_policy_output(output, observations, space, action_width(space))
    return output


Act = Callable[[NDArray[np.float32]], NDArray[Any]]


def actor(
    policy: nn.Module, space: spaces.Space[Any], runs: int, generator: torch.Generator, *, new: bool = False
) -> Act:
    """A function from observations (runs * n, size) to sampled actions (runs, n[, action_size]), checked at first.

    new: whether a learner's own policy is also asked what `checks` asks.
    """
    asked, in_numpy = False, numpy_sampler(policy, generator)
    new = new and not is_ours(policy)
    on_cpu = in_numpy is None and device_of(policy).type == "cpu"  # which takes time to find out

    def ask(batch: Tensor) -> NDArray[Any]:
        nonlocal asked
        if new and not asked:
            checks.check_layers(policy)
            given = batch.clone()
        with torch.set_grad_enabled(new and not asked):  # the graph tells what an output is
            if asked:
                output = policy(batch) if on_cpu else forward(policy, batch)
            else:
                output = checked_forward(policy, batch, space)
            pi = to_distribution(policy, output)
            actions = pi.sample(generator).detach().cpu()
        if not asked and isinstance(pi, TorchDistribution):
            errors.check_torch_distribution(pi.inner, actions, batch.shape[1], space)
        if new and not asked:
            if not given.equal(batch):
                raise errors.changes_its_input()
            checks.check_meaning(policy, output, space)
            checks.check_rows(policy, batch, actions)
            checks.ASKED[policy] = checks.layers_of(policy)
        asked = True
        return actions.numpy()

    def act(observations: NDArray[np.float32]) -> NDArray[Any]:
        batch = observations.reshape(runs, -1, observations.shape[-1])
        return in_numpy(batch) if asked and in_numpy is not None else ask(torch.from_numpy(batch))

    return act


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
    episodes finish first instead would count short ones too often. `seed` restarts the environments' random numbers,
    and has a learner's own policy checked; it is checked again where its layers changed.
    Raises ValueError for a policy whose output has the wrong shape and for a reward or observation that is not finite,
    FloatingPointError for a policy that has diverged.
    """
    new = seed is not None or checks.has_changed(policy)
    act = actor(policy, envs.single_action_space, runs, generator, new=new)
    steps = list[tuple[NDArray[Any], ...]]()  # observations, actions, rewards and who played, at each time step

    def encoded(raw: Any, counts: NDArray[np.bool_]) -> NDArray[np.float32]:
        space = envs.single_observation_space
        found = encode_observations(space, raw)
        if not math.isfinite(np.vdot(found, found)):  # quick, and finite wherever all entries are
            errors.check_finite("observation", found, counts, len(steps), runs, lambda row: outside(space, raw, row))
        return found

    playing, terminated = np.ones(envs.num_envs, dtype=bool), np.zeros(envs.num_envs, dtype=bool)
    observations = encoded(envs.reset(seed=seed)[0], playing)
    final = np.empty_like(observations)
    if seed is not None and not is_ours(policy) and pixel_scale(envs.single_observation_space) is not None:
        checks.warn_of_pixels(policy, torch.from_numpy(observations).unflatten(0, (runs, -1)))
    going_on = True
    while going_on and len(steps) < max_steps:
        actions = act(observations)
        following, rewards, ended, cut, _ = envs.step(decode_actions(envs.single_action_space, actions))
        if not math.isfinite(np.vdot(rewards, rewards)):
            errors.check_finite("reward", rewards, playing, len(steps), runs)
        steps.append((observations, actions.reshape(len(playing), *actions.shape[2:]), rewards, playing))
        observations = encoded(following, playing & ~ended)
        over = playing & (ended | cut)
        if np.count_nonzero(over):  # a fourth of the time of any()
            final[over] = observations[over]
            terminated |= playing & ended
            playing = playing & ~over
            going_on = bool(playing.any())
    final[playing] = observations[playing]  # cut off by max_steps
    if going_on and max_steps == Settings.max_steps:  # a learner's own number is meant
        warnings.warn(errors.cut_off(max_steps), stacklevel=2)

    def by_episode(index: int) -> Tensor:  # (steps, runs * episodes, ...) -> (runs, episodes, steps, ...)
        stacked = torch.from_numpy(np.stack([step[index] for step in steps]))
        return stacked.unflatten(1, (runs, -1)).movedim(0, 2).contiguous()

    mask = by_episode(3).float()
    after = None if bool(mask.all()) else mask == 0

    def first_again(x: Tensor) -> Tensor:
        # after the end an environment may show anything, and a policy say anything of it, such as a log-probability of
        # -inf, which A = 0 does not take away; of the first step it says what it can say
        return x if after is None else torch.where(after.view(*mask.shape, *[1] * (x.dim() - 3)), x[:, :, :1], x)

    return Episodes(
        first_again(by_episode(0)),
        first_again(by_episode(1)),
        torch.where(mask > 0, by_episode(2).float(), 0.0),
        mask,
        torch.from_numpy(terminated).view(runs, -1),
        torch.from_numpy(final).unflatten(0, (runs, -1)),
    )


def in_pieces(device: torch.device, *batch: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Tensors (runs, episodes, steps, ...) side by side, as pieces (runs, n, ...) of PIECE_ROWS rows on a device.

    Pieces fit the processor's cache, and their gradients add up: faster than the whole batch, and in bounded memory.
    """
    rows = max(1, PIECE_ROWS // len(batch[0]))
    for pieces in zip(*(x.flatten(1, 2).split(rows, 1) for x in batch)):
        yield tuple(piece.to(device) for piece in pieces)
