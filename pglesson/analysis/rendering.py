"""An episode as pictures."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any, cast

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pglesson import errors
from pglesson.envs.factory import decode_actions, encode_observations, find_spec, options_that_fit
from pglesson.policies import SingleRunPolicy
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
    find_spec(env)
    with options_that_fit(env, options or {}):
        made = gymnasium.make(env, **(options or {}))
    made.close()
    errors.check_spaces(env, made.observation_space, made.action_space)
    errors.check_draws(env, made.metadata.get("render_modes", []))
    made = gymnasium.make(env, **{**(options or {}), "render_mode": "rgb_array"})
    policy = policy if hasattr(policy, "runs") else SingleRunPolicy(policy)
    runs, total, terminated = cast(int, policy.runs), 0.0, False
    act = actor(policy, made.action_space, runs, torch.Generator().manual_seed(seed))
    try:
        observation, _ = made.reset(seed=seed)
        for _ in range(max_steps):
            yield np.asarray(made.render(), dtype=np.uint8), total
            seen = encode_observations(made.observation_space, np.asarray(observation)[None])
            action = act(np.repeat(seen, runs, 0))[run : run + 1]
            observation, reward, terminated, truncated, _ = made.step(decode_actions(made.action_space, action)[0])
            total += float(reward)
            if terminated or truncated:
                break
        yield np.asarray(made.render(), dtype=np.uint8), total
        return bool(terminated)
    finally:
        made.close()
