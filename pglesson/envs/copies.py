"""Many copies of one environment side by side, and the guard around a vectorized environment from elsewhere."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from pglesson import errors
from pglesson.envs.batch import BatchEnv
from pglesson.envs.seeds import Watch, spawn_seeds
from pglesson.envs.spaces import batch, checked_batch, one_observation, replace_row

Step = tuple[Any, NDArray[Any], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


def options_of_each(options: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The options of each copy, its own to change; a random generator among them becomes one of its own for each."""
    found = [dict(options) for _ in range(number)]
    for name, value in options.items():
        for own, mine in zip(found, _copies_of(value, number)):
            own[name] = mine
    return found


def _copies_of(value: Any, number: int) -> list[Any]:
    try:
        first = copy.deepcopy(value)
        if isinstance(first, np.random.Generator):
            return list(first.spawn(number))
        if isinstance(first, random.Random):
            return [type(first)(first.getrandbits(64)) for _ in range(number)]
        if isinstance(first, np.random.RandomState):
            return [np.random.RandomState(first.randint(0, 2**32, 8, np.uint32)) for _ in range(number)]
        return [first, *(copy.deepcopy(value) for _ in range(number - 1))]
    except (TypeError, ValueError, AttributeError, RuntimeError):  # such as an open file or a lock: shared
        return [value] * number


class Copies(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Copies of one environment, stepped one after the other.

    One whose episode is over waits for the next `reset`: until then it shows its last observation, pays 0, and takes
    no step. Infos are not read: nothing here needs them. What the environments give and get is copied, so that they
    may keep and change it.
    """

    def __init__(self, copies: Sequence[gymnasium.Env[Any, Any]]) -> None:
        first = copies[0]
        self.copies, self.num_envs, self.spec = copies, len(copies), first.spec
        self.metadata = {**first.metadata, "autoreset_mode": AutoresetMode.DISABLED}
        self.single_observation_space, self.single_action_space = first.observation_space, first.action_space
        for env in copies:
            errors.check_same_spaces(env, first)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._watch = Watch(first)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode in each. seed: from which each gets an independent one, and its spaces, too."""
        seeds: list[int | None] = [None] * self.num_envs
        if seed is not None:
            spawned = spawn_seeds(seed, 3 * self.num_envs)
            seeds = list(spawned[: self.num_envs])
            for env, *own in zip(self.copies, spawned[self.num_envs : 2 * self.num_envs], spawned[2 * self.num_envs :]):
                env.action_space.seed(own[0])  # some tasks sample from their spaces
                env.observation_space.seed(own[1])
        with self._watch.over(seeded=seed is not None):
            started = [env.reset(seed=own, options=options) for env, own in zip(self.copies, seeds)]
        self._rows = [self._read(errors.checked_reset(result)) for result in started]
        self._going_on = list(range(self.num_envs))
        return batch(self.single_observation_space, self._rows), {}

    def step(self, actions: Any) -> Step:
        if self._watch.on:
            with self._watch.over():
                return self._step(actions)
        return self._step(actions)

    def _step(self, actions: Any) -> Step:
        actions, rewards = np.array(actions), np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), dtype=bool)
        for index in self._going_on:
            try:
                observation, reward, ended, cut, _ = self.copies[index].step(actions[index])
            except ValueError as error:
                errors.check_step_form(error)
                raise
            self._rows[index] = self._read(observation)
            rewards[index] = reward if type(reward) is float else errors.checked_reward(reward)
            terminated[index] = ended if type(ended) is bool else errors.checked_flag("terminated", ended)
            truncated[index] = cut if type(cut) is bool else errors.checked_flag("truncated", cut)
        over = terminated | truncated
        if np.count_nonzero(over):
            self._going_on = [index for index in self._going_on if not over[index]]
        return batch(self.single_observation_space, self._rows), rewards, terminated, truncated, {}

    def _read(self, observation: Any) -> Any:
        try:
            return one_observation(self.single_observation_space, observation)
        except ValueError as error:
            raise errors.observation_of_another_form(error) from error

    def close_extras(self, **kwargs: Any) -> None:
        """Closes all of them, and then raises the first error that one of them raised."""
        failed = list[Exception]()
        for env in self.copies:
            try:
                env.close()
            except Exception as error:
                failed.append(error)
        if failed:
            raise failed[0]


class Guard(gymnasium.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """A vectorized environment from elsewhere, with independent seeds, and with the last observation of each episode.

    One that resets an episode within its last step (autoreset mode SAME_STEP) has that observation in its infos. It
    gets copies of the actions and gives copies of the rewards, so that it may change and keep its own; what it gives is
    held to one row for each copy, since NumPy would broadcast the rest.
    """

    def __init__(self, env: gymnasium.vector.VectorEnv[Any, Any, Any], mode: AutoresetMode) -> None:
        super().__init__(env)
        self._same_step, self._watch = mode == AutoresetMode.SAME_STEP, Watch(env)

    def reset(self, *, seed: Any = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        one_generator = isinstance(self.unwrapped, BatchEnv)  # for all its copies, so that any seed serves
        if isinstance(seed, (int, np.integer)) and not one_generator:
            seeds = spawn_seeds(int(seed), self.num_envs)
            seed = seeds if isinstance(self.unwrapped, (SyncVectorEnv, AsyncVectorEnv)) else seeds[0]
        with self._watch.over(seeded=seed is not None):
            result = self.env.reset(seed=seed, options=options)
        return self._read(errors.checked_reset(result)), {}

    def step(self, actions: Any) -> Step:
        try:
            with self._watch.over():
                observations, rewards, ended, cut, infos = self.env.step(np.array(actions))
        except ValueError as error:
            errors.check_step_form(error)
            raise
        observations = self._read(observations)
        rewards = errors.checked_row("rewards", rewards, self.num_envs, "biuf").copy()
        terminated = errors.checked_row("terminated", ended, self.num_envs, "b")
        truncated = errors.checked_row("truncated", cut, self.num_envs, "b")
        if self._same_step:
            for index in np.flatnonzero(terminated | truncated):
                final = self._read(errors.checked_final_observation(infos, int(index)), one=True)
                observations = replace_row(self.single_observation_space, observations, int(index), final)
        return observations, rewards, terminated, truncated, {}

    def _read(self, observations: Any, *, one: bool = False) -> Any:
        space = self.single_observation_space
        try:
            return one_observation(space, observations) if one else checked_batch(space, observations, self.num_envs)
        except ValueError as error:
            raise errors.observation_of_another_form(error) from error
