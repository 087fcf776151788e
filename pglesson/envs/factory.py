"""Making vectorized environments, encoding their observations and decoding actions for them.

A task is stepped by its own vectorized code if it has some, else one environment after the other. Gymnasium's CartPole
and Pendulum, as they are registered and without options, are stepped by the package's own vectorized code, which is
faster; a test holds it equal to Gymnasium's, step for step.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from pglesson import errors
from pglesson.envs.cartpole import CartPoleVector
from pglesson.envs.pendulum import PendulumVector

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]
STEPPED_HERE: dict[Any, type[CartPoleVector] | type[PendulumVector]] = {  # by the class that Gymnasium registered
    "gymnasium.envs.classic_control.cartpole:CartPoleEnv": CartPoleVector,
    "gymnasium.envs.classic_control.pendulum:PendulumEnv": PendulumVector,
}


def make_envs(env: str, number: int, /, **options: Any) -> VectorEnv:
    """`number` copies of a registered environment, in its fastest vectorized form.

    Raises ValueError for an id that is not registered, for options that it does not take, and for spaces that the
    lesson's policies cannot handle.
    """
    spec = find_spec(env)
    stepped_here = STEPPED_HERE.get(spec.entry_point)
    envs: VectorEnv
    if stepped_here and not (options or spec.kwargs or spec.additional_wrappers):
        envs = stepped_here(number, max_episode_steps=spec.max_episode_steps)
    else:
        with options_that_fit(env, options):
            mode = "sync" if spec.vector_entry_point is None else "vector_entry_point"
            envs = gymnasium.make_vec(env, number, mode, **options)
    errors.check_spaces(env, envs.single_observation_space, envs.single_action_space)
    errors.check_autoreset(env, envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
    return envs


def find_spec(env: str) -> EnvSpec:
    """What Gymnasium knows of an id. Raises ValueError for one that is not registered."""
    module, _, name = env.rpartition(":")
    try:
        if module:  # Gymnasium's own make imports it too, and its spec does not
            importlib.import_module(module)
        return gymnasium.spec(name)
    except (gymnasium.error.Error, ImportError) as error:
        raise errors.unknown_environment(env, error) from error


@contextmanager
def options_that_fit(env: str, options: dict[str, Any]) -> Iterator[None]:
    """Turns the error of an option that an environment does not know into a ValueError."""
    try:
        yield
    except TypeError as error:  # what Python raises for a keyword that a function does not know
        raise errors.unknown_options(env, options, error) from error


def group_size(envs: VectorEnv) -> int:
    """How many neighbouring copies start their episodes alike: the environment's attribute, 1 by default."""
    return int(getattr(envs.unwrapped, "group_size", 1))


def observation_size(space: spaces.Space[Any]) -> int:
    """Length of the vector that a policy sees: n for Discrete(n), the number of entries for Box."""
    return int(space.n) if isinstance(space, spaces.Discrete) else int(np.prod(space.shape or ()))


def encode_observations(space: spaces.Space[Any], observations: NDArray[Any]) -> NDArray[np.float32]:
    """A batch of observations as (n, observation_size) float32: one-hot for Discrete, flattened for Box."""
    if isinstance(space, spaces.Discrete):
        return np.eye(int(space.n), dtype=np.float32)[observations - space.start]
    # a copy: environments may reuse theirs
    return np.array(observations, dtype=np.float32, order="C").reshape(len(observations), -1)


def decode_actions(space: spaces.Space[Any], actions: NDArray[Any]) -> NDArray[Any]:
    """Sampled actions (runs, n[, action_size]) as the environments take them (runs * n, ...), clipped to their bounds.

    Only the environment gets the clipped action: the log-probability is that of the sampled one.
    """
    if isinstance(space, spaces.Discrete):
        whole = actions.reshape(-1).astype(np.int64, copy=False)
        return whole + space.start if space.start else whole
    assert isinstance(space, spaces.Box)
    return np.clip(actions.reshape(-1, *space.shape), space.low, space.high).astype(space.dtype)
