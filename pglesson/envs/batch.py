"""One description of a task, two Gymnasium interfaces: many environments as whole arrays, or a single one."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

Array = NDArray[Any]
Info = dict[str, Any]


class BatchEnv(gymnasium.vector.VectorEnv[Array, Array, Array]):
    """Many copies of one task. A subclass gives the two single spaces, `_start`, `_advance` and `_observe`.

    States are arrays whose first axis is the environment. After the end of an episode, the next step resets that
    environment; its action, reward and flags do not count, as in Gymnasium's own vectorized CartPole (autoreset mode
    NEXT_STEP).
    """

    metadata: dict[str, Any] = {
        "render_modes": ["rgb_array"],
        "render_fps": 20,
        "autoreset_mode": gymnasium.vector.AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        num_envs: int,
        max_episode_steps: int | None,
        render_mode: str | None = None,
    ) -> None:
        self.num_envs, self.max_episode_steps, self.render_mode = num_envs, max_episode_steps, render_mode
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.steps = np.zeros(num_envs, dtype=np.int64)
        self._prev_done = np.zeros(num_envs, dtype=bool)
        self._canvas: Any = None

    def _start(self, number: int) -> Array:
        """Start states of `number` episodes, drawn from self.np_random: (number, ...)."""
        raise NotImplementedError

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        """One time step: next states (a new array), rewards (n,) and whether each episode terminates (n,)."""
        raise NotImplementedError

    def _observe(self, state: Array) -> Array:
        """The observations of the states."""
        raise NotImplementedError

    def draw(self, axes: Any, state: Array) -> None:
        """Draws the state of one environment into a cleared Matplotlib Axes."""
        raise NotImplementedError

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Array, Info]:
        super().reset(seed=seed)
        self.state = self._start(self.num_envs)
        self.steps[:], self._prev_done[:] = 0, False
        return self._observe(self.state), {}

    def step(self, actions: Array) -> tuple[Array, Array, Array, Array, Info]:
        """Raises ValueError for actions of the wrong shape and for a discrete action that does not exist."""
        assert hasattr(self, "state"), "Call reset before step."
        actions, kind = np.asarray(actions), self.single_action_space
        if actions.shape != self.action_space.shape or not self._known(actions):
            raise ValueError(f"actions are {actions!r}, but must be {self.num_envs} of {kind}, one each.")
        self.state, rewards, terminated = self._advance(self.state, actions)
        self.steps += 1
        truncated = self.steps >= (self.max_episode_steps or np.inf)
        if np.count_nonzero(self._prev_done):  # a fourth of the time of any()
            self.state[self._prev_done] = self._start(int(self._prev_done.sum()))
            self.steps[self._prev_done] = 0
            rewards = np.where(self._prev_done, 0.0, rewards)
            terminated, truncated = terminated & ~self._prev_done, truncated & ~self._prev_done
        self._prev_done = terminated | truncated
        return self._observe(self.state), rewards, terminated, truncated, {}

    def _known(self, actions: Array) -> bool:
        kind = self.single_action_space
        if not isinstance(kind, gymnasium.spaces.Discrete):
            return True  # a real number beyond its bounds is clipped
        # what action_space.contains says, in a fourth of its time, which would be a tenth of a step's
        return actions.dtype.kind in "iu" and bool(kind.start <= actions.min() and actions.max() < kind.start + kind.n)

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """The current states as pictures (200, 300, 3), one each, for render_mode="rgb_array"."""
        if self.render_mode != "rgb_array":
            return None
        if self._canvas is None:
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure

            self._canvas = FigureCanvasAgg(Figure(figsize=(3, 2), dpi=100))
            self._canvas.figure.add_axes((0, 0, 1, 1))
        return tuple(map(self._picture, self.state))

    def _picture(self, state: Array) -> NDArray[np.uint8]:
        axes = self._canvas.figure.axes[0]
        axes.clear()
        axes.set_axis_off()
        self.draw(axes, state)
        self._canvas.draw()
        return np.asarray(self._canvas.buffer_rgba())[..., :3].copy()


class SingleEnv(gymnasium.Env[Any, Any]):
    """One environment of a batched task as a gymnasium.Env; its time limit is Gymnasium's wrapper."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 20}
    batch_type: type[BatchEnv]

    def __init__(self, render_mode: str | None = None, **options: Any) -> None:
        # max_episode_steps=None: only the wrapper applies the time limit
        self.batch = self.batch_type(num_envs=1, max_episode_steps=None, render_mode=render_mode, **options)
        self.observation_space = self.batch.single_observation_space
        self.action_space = self.batch.single_action_space
        self.render_mode = render_mode

    def reset(self, *, seed: int | None = None, options: Info | None = None) -> tuple[Any, Info]:
        super().reset(seed=seed)
        self.batch.np_random = self.np_random
        observations, _ = self.batch.reset()
        return observations[0], {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, Info]:
        observations, rewards, terminated, _, _ = self.batch.step(np.asarray(action)[None])
        return observations[0], float(rewards[0]), bool(terminated[0]), False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """The current state as a picture (200, 300, 3), for render_mode="rgb_array"."""
        pictures = self.batch.render()
        return pictures[0] if pictures else None
