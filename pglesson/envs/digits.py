"""Digits to sort or to reverse, written one token a time step: a language model's task, seen as an environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from pglesson.envs.batch import Array, BatchEnv, SingleEnv

EQUALS, EMPTY = 10, 11  # the tokens besides the ten digits: before the answer, and not written yet


def share_in_order(answers: Array) -> NDArray[np.float64]:
    """The share of neighbouring digits of each answer (n, length) of which the second is not smaller: (n,)."""
    return np.asarray((np.diff(answers) >= 0).mean(1))


class DigitsVector(BatchEnv):
    """A prompt of digits, and an answer to write after it: the same digits, sorted or reversed.

    Observation: Box (2 * length,), the tokens of the prompt, an equals sign (10) and what is written of the answer;
    11 where nothing is written yet. Action: Discrete(10), the next digit of the answer. The reward comes with the last
    one: the share of its digits that are right ("tokens"), 1 for an answer without a mistake ("exact"), or
    `share_in_order` ("order"), which an agent can earn without reading the prompt. `group_size` neighbouring copies get
    the same prompt. Raises ValueError for other options.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = None,
        *,
        length: int = 4,
        task: str = "sort",
        reward: str = "tokens",
        group_size: int = 8,
        render_mode: str | None = None,
    ) -> None:
        if (
            not all(isinstance(number, (int, np.integer)) for number in (length, group_size))
            or length < 2
            or group_size < 1
            or task not in ("sort", "reverse")
            or reward not in ("tokens", "exact", "order")
        ):
            raise ValueError(
                f"length is {length!r}, task {task!r}, reward {reward!r} and group_size {group_size!r}, but length "
                "must be a whole number from 2 up, task 'sort' or 'reverse', reward 'tokens', 'exact' or 'order', and "
                "group_size a whole number from 1 up."
            )
        self.length, self.task, self.reward, self.group_size = length, task, reward, group_size
        observations = spaces.Box(0, EMPTY, (2 * length,), np.int64)
        super().__init__(observations, spaces.Discrete(10), num_envs, max_episode_steps, render_mode)

    def solution(self, prompts: Array) -> Array:
        """The right answers to prompts (n, length)."""
        return np.sort(prompts, 1) if self.task == "sort" else prompts[:, ::-1]

    def _start(self, number: int) -> Array:
        prompts = self.np_random.integers(10, size=(-(-number // self.group_size), self.length))
        state = np.full((number, 2 * self.length + 1), EMPTY)
        state[:, : self.length] = prompts.repeat(self.group_size, 0)[:number]
        state[:, self.length] = EQUALS
        return state

    def _advance(self, state: Array, actions: Array) -> tuple[Array, Array, Array]:
        state, row = state.copy(), np.arange(len(state))
        state[row, (state < EMPTY).sum(1) % state.shape[1]] = actions  # after a full answer the next prompt replaces it
        over = (state < EMPTY).all(1)
        return state, np.where(over, self._earned(state), 0.0), np.asarray(over)

    def _earned(self, state: Array) -> Array:
        answers = state[:, self.length + 1 :]
        if self.reward == "order":
            return share_in_order(answers)
        right = answers == self.solution(state[:, : self.length])
        return right.all(1).astype(float) if self.reward == "exact" else right.mean(1)

    def _observe(self, state: Array) -> Array:
        return state[:, :-1].copy()

    def draw(self, axes: Any, state: Array) -> None:
        """The prompt and the answer so far; a wrong digit is struck through."""
        axes.set(xlim=(-0.6, len(state) - 0.4), ylim=(-1, 1))
        right = np.append(np.full(self.length + 1, -1), self.solution(state[None, : self.length])[0])
        for x, (token, wanted) in enumerate(zip(state, right)):
            if token == EMPTY:
                axes.text(x, 0, "_", ha="center", va="center", fontsize=18, color="#666666")
                continue
            axes.text(x, 0, "=" if token == EQUALS else str(token), ha="center", va="center", fontsize=18)
            if x > self.length and token != wanted:
                axes.plot([x - 0.35, x + 0.35], [-0.16, 0.16], color="#D55E00", linewidth=2)


class Digits(SingleEnv):
    __doc__ = DigitsVector.__doc__
    batch_type = DigitsVector
