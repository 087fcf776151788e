"""The task on which a learner's whole agent is judged."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

import pglesson.envs  # noqa: F401 registers the environments


def test_the_shown_side_pays_and_the_other_costs() -> None:
    env = gymnasium.make("pglesson/Signals-v0")
    for right, wanted in ((True, 10.0), (False, -10.0)):
        observation, _ = env.reset(seed=0)
        total, over, steps = 0.0, False, 0
        while not over:
            shown = int(observation.argmax())
            observation, reward, over, _, _ = env.step(shown if right else 1 - shown)
            total, steps = total + float(reward), steps + 1
        assert (total, steps) == (wanted, 10)


def test_both_sides_are_shown_equally_often() -> None:
    """2,000 draws; a fair one leaves these limits in one of 10,000 tries. The seed is fixed."""
    env, shown = gymnasium.make("pglesson/Signals-v0").unwrapped, []
    for episode in range(200):
        shown.append(env.reset(seed=7 if episode == 0 else None)[0])
        shown += [env.step(0)[0] for _ in range(9)]
    assert abs(np.mean(shown, axis=0)[0] - 0.5) < 3.9 * 0.5 / len(shown) ** 0.5


def test_steps_without_an_episode_and_other_actions_are_refused() -> None:
    env = gymnasium.make("pglesson/Signals-v0").unwrapped
    with pytest.raises(RuntimeError, match="Call reset"):
        env.step(0)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="must be 0 or 1"):
        env.step(2)


def test_a_rich_episode_ends_with_30_more_than_a_poor_one_and_shows_it() -> None:
    env, totals = gymnasium.make("pglesson/RichSignals-v0"), []
    for wanted in (1.0, 0.0, 1.0):
        observation, _ = env.reset(seed=0)
        total, over = 0.0, False
        while not over:
            assert env.observation_space.contains(observation) and observation[2] == wanted
            observation, reward, over, _, _ = env.step(int(observation[:2].argmax()))
            total += float(reward)
        totals.append(total)
    assert totals == [25.0, -5.0, 25.0]
