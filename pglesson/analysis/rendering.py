"""An episode as pictures."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pglesson import errors
from pglesson.envs.factory import close, make_env
from pglesson.envs.spaces import batch, decode_actions, encode_observations, one_observation
from pglesson.own_policies import for_actions
from pglesson.rollout import actor


def render_episode(
    env: str,
    policy: nn.Module,
    *,
    options: dict[str, Any] | None = None,
    seed: int = 0,
    max_steps: int = 1000,
    run: int = 0,
) -> Generator[tuple[NDArray[np.uint8], float], None, bool]:
    """Plays one episode with one run of `policy` and yields (picture (height, width, 3), return so far) a step.

    Returns whether the task itself ended the episode, and not the time. policy: as `reinforce` takes it, a module of
    one's own without the run axis. The same seed gives the same start and the same random numbers. Raises ValueError as
    `make_envs` does, for an environment that cannot draw itself and for a policy that does not fit it,
    FloatingPointError for a policy that has diverged.
    """
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # otherwise it prints a line into the notebook
    os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # drawing pictures needs no screen, and a server has none
    made = make_env(env, options or {})
    close(made)
    errors.check_draws(env, made.metadata.get("render_modes", []))
    made = make_env(env, {**(options or {}), "render_mode": "rgb_array"})
    policy = for_actions(policy, made.action_space)
    runs, total, terminated = cast(int, policy.runs), 0.0, False
    act = actor(policy, made.action_space, runs, torch.Generator().manual_seed(seed))
    try:
        observation, _ = made.reset(seed=seed)
        for _ in range(max_steps):
            yield to_picture(made.render()), total
            rows = batch(made.observation_space, [one_observation(made.observation_space, observation)])
            seen = encode_observations(made.observation_space, rows)
            action = act(np.repeat(seen, runs, 0))[run : run + 1]
            observation, reward, terminated, truncated, _ = made.step(decode_actions(made.action_space, action)[0])
            total += float(reward)
            if terminated or truncated:
                break
        yield to_picture(made.render()), total
        return bool(terminated)
    finally:
        close(made)


def to_picture(rendered: Any) -> NDArray[np.uint8]:
    """What an environment drew, as (height, width, 3) of 0 to 255: floats may lie between 0 and 1, grey has no colours.

    Raises ValueError for what is no picture.
    """
    picture = np.asarray(rendered)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, 2)
    if picture.dtype.kind not in "biuf" or picture.ndim != 3 or picture.shape[2] not in (3, 4):
        raise errors.no_picture(rendered)
    if (picture.dtype.kind == "f" and picture.size and picture.max() <= 1) or picture.dtype.kind == "b":
        picture = picture * 255.0
    return np.clip(np.nan_to_num(picture[..., :3]), 0, 255).astype(np.uint8)
