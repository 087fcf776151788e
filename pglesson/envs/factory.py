"""Making vectorized environments from an id and options.

A task is stepped by its own vectorized code if it has some, else one environment after the other. Gymnasium's CartPole
and Pendulum, as they are registered and without options, are stepped by the package's own vectorized code, which is
faster; a test holds it equal to Gymnasium's, step for step.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import TransformAction
from gymnasium.wrappers.vector import TransformAction as VectorTransformAction

from pglesson import errors
from pglesson.envs.cartpole import CartPoleVector
from pglesson.envs.copies import Copies, Guard, options_of_each
from pglesson.envs.pendulum import PendulumVector
from pglesson.envs.spaces import as_choices, observation_size, unread_parts

VectorEnv = gymnasium.vector.VectorEnv[Any, Any, Any]
STEPPED_HERE: dict[Any, type[CartPoleVector] | type[PendulumVector]] = {  # by the class that Gymnasium registered
    "gymnasium.envs.classic_control.cartpole:CartPoleEnv": CartPoleVector,
    "gymnasium.envs.classic_control.pendulum:PendulumEnv": PendulumVector,
}


def make_envs(env: str, number: int, /, **options: Any) -> VectorEnv:
    """`number` copies of a registered environment, in its fastest vectorized form, with options of its own for each.

    Raises ValueError for an id that is not registered, for options that it does not take, and for spaces that the
    lesson's policies cannot handle. Warns of parts of an observation that they cannot read.
    """
    spec = find_spec(env)
    stepped_here = STEPPED_HERE.get(spec.entry_point)
    envs: VectorEnv
    if stepped_here and not (options or spec.kwargs or spec.additional_wrappers):
        envs = stepped_here(number, max_episode_steps=spec.max_episode_steps)
    elif spec.vector_entry_point is None:
        every = options_of_each({**spec.kwargs, **options}, number)
        with options_that_fit(env, options):
            envs = Copies([with_choices(gymnasium.make(env, **own)) for own in every])
    else:
        with options_that_fit(env, options):
            envs = gymnasium.make_vec(env, number, "vector_entry_point", **options_of_each(options, 1)[0])
        mode = errors.checked_autoreset(env, envs.metadata)
        errors.check_number(env, envs.num_envs, number)
        if (choices := as_choices(envs.single_action_space)) is not None:
            dtype = envs.single_action_space.dtype
            envs = VectorTransformAction(envs, lambda whole: whole.astype(dtype), batch_space(choices, number), choices)
        envs = envs if type(envs).__module__.startswith(__package__) else Guard(envs, mode)
    check_spaces(env, envs.single_observation_space, envs.single_action_space)
    return envs


def make_env(env: str, options: Mapping[str, Any]) -> gymnasium.Env[Any, Any]:
    """One environment, as Gymnasium makes it. Raises ValueError as `make_envs` does."""
    spec = find_spec(env)
    with options_that_fit(env, options):
        made = with_choices(gymnasium.make(env, **options_of_each({**spec.kwargs, **options}, 1)[0]))
    check_spaces(env, made.observation_space, made.action_space)
    return made


def with_choices(env: gymnasium.Env[Any, Any]) -> gymnasium.Env[Any, Any]:
    """The environment, with a Box of few whole numbers for actions as MultiDiscrete: the numbers stay what they are."""
    choices = as_choices(env.action_space)
    dtype = env.action_space.dtype
    return env if choices is None else TransformAction(env, lambda whole: whole.astype(dtype), choices)


def check_spaces(env: str, observations: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> None:
    """Raises ValueError for spaces that no policy here handles; warns of parts of an observation that are left out."""
    unread = unread_parts(observations)
    errors.check_spaces(env, observations, actions, observation_size(observations), unread)
    if unread:
        warnings.warn(errors.parts_left_out(env, unread), stacklevel=3)


def close(envs: VectorEnv | gymnasium.Env[Any, Any]) -> None:
    """Closes an environment. One that cannot be closed is no reason to lose what was learned: it is a warning."""
    try:
        envs.close()
    except Exception as error:
        warnings.warn(errors.not_closed(error), stacklevel=2)


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
def options_that_fit(env: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Turns the error of an option that an environment does not know into a ValueError, and lets any other through."""
    try:
        yield
    except TypeError as error:  # what Python raises for a keyword that a function does not know
        if errors.is_about_options(error, options):
            raise errors.unknown_options(env, options, error) from error
        raise


def group_size(envs: VectorEnv) -> int:
    """How many neighbouring copies start their episodes alike: the environment's attribute, 1 by default."""
    return int(getattr(envs.unwrapped, "group_size", 1))
