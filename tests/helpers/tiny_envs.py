"""Small Gymnasium environments whose answers are known: importing this file registers them as tiny/<Name>-v0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

# A task of one to three steps with deterministic transitions: FOLLOWING[state, action] is the next state, or END.
END = -1
FOLLOWING = np.array([[END, 1], [END, 2], [END, END]])
REWARDS = np.array([[1.0, 0.0], [-1.0, 2.0], [0.0, 3.0]])


def fork_trajectories() -> list[list[tuple[int, int, float]]]:
    """Every trajectory of tiny/Fork-v0, as lists of (state, action, reward)."""
    complete, unfinished = [], [([], 0)]
    while unfinished:
        path, state = unfinished.pop()
        for action in (0, 1):
            longer = [*path, (state, action, float(REWARDS[state, action]))]
            following = int(FOLLOWING[state, action])
            if following == END:
                complete.append(longer)
            else:
                unfinished.append((longer, following))
    return complete


class Fork(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Many copies of the task above as arrays. In every state action 0 ends the episode; one that ended begins anew."""

    metadata = {"autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs: int = 1) -> None:
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = spaces.Discrete(3), spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.state, self.over = np.zeros(self.num_envs, dtype=np.int64), np.zeros(self.num_envs, dtype=bool)
        return self.state.copy(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        rewards, following = REWARDS[self.state, actions], FOLLOWING[self.state, actions]
        ended = (following == END) & ~self.over
        rewards = np.where(self.over, 0.0, rewards)
        self.state = np.where(self.over | (following == END), 0, following)
        self.over = ended
        return self.state.copy(), rewards, ended, np.zeros_like(ended), {}


class OneShot(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """Many copies of a one-step task with Box actions: the reward is reward(actions (n, size)) -> (n,)."""

    metadata = {"autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP}

    def __init__(self, low: list[float], high: list[float], reward: Callable[[Any], Any], num_envs: int = 1) -> None:
        self.num_envs, self.reward = num_envs, reward
        self.single_observation_space = spaces.Discrete(1)
        self.single_action_space = spaces.Box(np.float32(low), np.float32(high))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return np.zeros(self.num_envs, dtype=np.int64), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        ended = np.ones(self.num_envs, dtype=bool)
        return np.zeros(self.num_envs, dtype=np.int64), self.reward(actions), ended, ~ended, {}


class Scripted(gymnasium.Env[Any, Any]):
    """An episode told by functions of the time step t (0 for the first) and of the action that the environment sees.

    observe(t) is what is seen before action t, reward(t, action) a number, end(t, action) is (terminated, truncated).
    """

    closed = 0  # how many were closed since the count was last set

    def __init__(
        self,
        observations: spaces.Space[Any] | None = None,
        actions: spaces.Space[Any] | None = None,
        observe: Callable[[int], Any] = lambda t: 0,
        reward: Callable[[int, Any], float] = lambda t, action: 1.0,
        end: Callable[[int, Any], tuple[bool, bool]] = lambda t, action: (t == 2, False),
        render_mode: str | None = None,
    ) -> None:
        self.observation_space, self.action_space = observations or spaces.Discrete(1), actions or spaces.Discrete(2)
        self.observe, self.reward, self.end, self.render_mode = observe, reward, end, render_mode

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self.observe(0), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        reward, (terminated, truncated) = self.reward(self.t, action), self.end(self.t, action)
        self.t += 1
        return self.observe(self.t), reward, terminated, truncated, {}

    def close(self) -> None:
        Scripted.closed += 1


def number_box(low: float = -1.0, high: float = 1.0, size: int = 1) -> spaces.Box:
    """A Box of `size` numbers between low and high."""
    return spaces.Box(low, high, (size,), np.float32)


def one_step(t: int, action: Any) -> tuple[bool, bool]:
    """An episode of a single step."""
    return True, False


def vector(value: float) -> np.ndarray[Any, Any]:
    """An observation of a single number."""
    return np.array([value], dtype=np.float32)


TARGET = (0.5, -1.0)  # the best action of tiny/Target-v0
SCRIPTED: dict[str, dict[str, Any]] = {
    # the second arm pays 1, the first 0: the return tells which arm was pulled
    "Bandit": {"reward": lambda t, action: float(action), "end": one_step},
    "Nothing": {"reward": lambda t, action: 0.0, "end": one_step},
    # never ends by itself
    "Endless": {"observations": number_box(), "observe": lambda t: vector(t / 100), "end": lambda t, a: (False, False)},
    # pays 1 at the third step, which is the last; each step has a state of its own
    "Chain": {
        "observations": spaces.Discrete(3),
        "observe": lambda t: min(t, 2),
        "reward": lambda t, action: float(t == 2),
    },
    # pays 1 a step, in a single state: without end, and until the third step
    "Stream": {"end": lambda t, action: (False, False)},
    "Three": {},
    # action 0 terminates the episode and action 1 truncates it, at the second step
    "Ends": {"end": lambda t, action: (t == 1 and action == 0, t == 1 and action == 1)},
    # action 1 truncates the first step and terminates the third; whoever takes neither ends at the sixth
    "Reborn": {"end": lambda t, action: (t == 5 or (t == 2 and action == 1), t == 0 and action == 1)},
    "Starts": {
        "observations": spaces.Discrete(3, start=5),
        "actions": spaces.Discrete(2, start=-1),
        "observe": lambda t: 5 + min(t, 2),
        "reward": lambda t, action: float(action),
    },
    # the reward is the action, as the environment sees it
    "Echo": {
        "observations": number_box(),
        "actions": number_box(-0.5, 0.25),
        "observe": lambda t: vector(0.1),
        "reward": lambda t, action: float(action[0]),
    },
    # pays the distance from 50; ends after one action in three, after the fifth step at the latest
    "Ragged": {
        "observations": number_box(0, 20),
        "actions": number_box(-100, 100),
        "observe": lambda t: vector(10),
        "reward": lambda t, action: abs(float(action[0]) - 50),
        "end": lambda t, action: (t == 4 or int(1000 * action[0]) % 3 == 0, False),
    },
    "Matrix": {
        "observations": spaces.Box(-1, 1, (2, 3), np.float32),
        "actions": spaces.Box(-1, 1, (2, 2), np.float32),
        "observe": lambda t: np.arange(6, dtype=np.float32).reshape(2, 3) / 10,
        "reward": lambda t, action: float(action[0, 1]),
    },
    "NanReward": {"reward": lambda t, action: float("nan") if t == 1 else 1.0},
    "NanObservation": {
        "observations": number_box(size=2),
        "observe": lambda t: np.float32([float("nan") if t == 1 else 0.0, 0.0]),
    },
    "Huge": {"reward": lambda t, action: 3e38 * float(action), "end": one_step},
    "GraphObservation": {"observations": spaces.Graph(spaces.Discrete(2), None)},
    "TupleActions": {"actions": spaces.Tuple([spaces.Discrete(2)])},
    # pays the number that is chosen
    "WholeActions": {"actions": spaces.Box(-2, 3, (1,), np.int64), "reward": lambda t, action: float(action[0])},
}

for _name, _script in SCRIPTED.items():
    if f"tiny/{_name}-v0" not in gymnasium.registry:
        # Gymnasium's own checker would warn of the NaN before the lesson's sentence is reached
        gymnasium.register(f"tiny/{_name}-v0", entry_point=Scripted, kwargs=_script, disable_env_checker=True)


class Anything(Scripted):
    """Takes an option of any kind, whose name make_envs has a parameter of, too."""

    def __init__(self, number: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.number = number


if "tiny/Anything-v0" not in gymnasium.registry:
    gymnasium.register("tiny/Anything-v0", entry_point=Anything, disable_env_checker=True)

if "tiny/Fork-v0" not in gymnasium.registry:
    gymnasium.register("tiny/Fork-v0", vector_entry_point=Fork)
    gymnasium.register(
        "tiny/Target-v0",
        vector_entry_point=OneShot,
        kwargs={
            "low": [-np.inf] * 2,
            "high": [np.inf] * 2,
            "reward": lambda actions: -np.square(actions - np.float32(TARGET)).sum(1),
        },
    )
    gymnasium.register(
        "tiny/Clipped-v0",
        vector_entry_point=OneShot,
        kwargs={"low": [-1.0], "high": [1.0], "reward": lambda actions: actions[:, 0]},
    )
