"""Every family of tasks that Gymnasium has, and MiniGrid, trains for ten updates, as a learner gets it by its id.

Families that are not installed are skipped. The oracle of what a policy sees is Gymnasium's own flatten.
"""

from __future__ import annotations

import importlib.util
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces.utils import flatten
from gymnasium.vector.utils import iterate

from pglesson import Settings, make_envs, reinforce
from pglesson.envs.spaces import encode_observations, observation_size

FAMILIES = {  # the packages that they need, the module in front of the id, and the ids
    "toy text": (
        [],
        "",
        ["Blackjack-v1", "FrozenLake-v1", "FrozenLake8x8-v1", "CliffWalking-v1", "CliffWalkingSlippery-v1", "Taxi-v4"],
    ),
    "classic control": (
        [],
        "",
        ["CartPole-v1", "Acrobot-v1", "MountainCar-v0", "MountainCarContinuous-v0", "Pendulum-v1"],
    ),
    "Box2D": (["Box2D"], "", ["LunarLander-v3", "LunarLanderContinuous-v3", "BipedalWalker-v3", "CarRacing-v3"]),
    "MuJoCo": (
        ["mujoco"],
        "",
        [
            "InvertedPendulum-v5",
            "InvertedDoublePendulum-v5",
            "Reacher-v5",
            "Pusher-v5",
            "Swimmer-v5",
            "Hopper-v5",
            "Walker2d-v5",
            "HalfCheetah-v5",
            "Ant-v5",
            "Humanoid-v5",
            "HumanoidStandup-v5",
        ],
    ),
    "MiniGrid": (["minigrid"], "minigrid:", ["MiniGrid-Empty-5x5-v0", "MiniGrid-DoorKey-5x5-v0", "BabyAI-GoToObj-v0"]),
}
TASKS = [pytest.param(module + name, needs, id=name) for needs, module, names in FAMILIES.values() for name in names]


@pytest.mark.parametrize(("env", "needs"), TASKS)
def test_ten_updates(env: str, needs: list[str]) -> None:
    for package in needs:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    settings = Settings(env=env, episodes=2, updates=10, max_steps=8, hidden=(8,), baseline="value")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tasks themselves, and of MiniGrid's mission, which has a test below
        try:
            updates = list(reinforce(settings))
        except gymnasium.error.DependencyNotInstalled as error:
            pytest.skip(str(error))
    assert len(updates) == 10
    assert all(np.isfinite(update.loss).all() and np.isfinite(update.gradient_norm).all() for update in updates)
    assert any(update.gradient_norm.any() for update in updates)


@pytest.mark.parametrize("env", ["Blackjack-v1", "Taxi-v4", "FrozenLake-v1", "MountainCar-v0"])
def test_a_policy_sees_what_gymnasium_flattens(env: str) -> None:
    """Ten steps of random actions, row by row."""
    envs = make_envs(env, 7)
    space = envs.single_observation_space
    observations, _ = envs.reset(seed=0)
    envs.action_space.seed(0)
    for _ in range(10):
        rows = iterate(envs.observation_space, observations)
        expected = np.array([flatten(space, row) for row in rows], dtype=np.float32)
        np.testing.assert_array_equal(encode_observations(space, observations), expected)
        assert expected.shape == (7, observation_size(space))
        observations = envs.step(envs.action_space.sample())[0]


def test_blackjack_learns_when_to_take_a_card() -> None:
    """Best play of the dealer's game loses 0.05 a game; random play loses 0.4. 300 updates: 16,000 games at most."""
    *_, last = updates = list(reinforce(Settings(env="Blackjack-v1", episodes=64, updates=200, learning_rate=0.01)))
    first, late = updates[0].returns.mean(), np.mean([update.returns.mean() for update in updates[-50:]])
    assert late > -0.15 > first, (first, late)
    assert last.steps > 64 * 200


def test_tasks_of_gymnasium_are_all_among_these() -> None:
    """Oracle: Gymnasium's registry, its newest versions, without those that need JAX."""
    listed = {name for _, _, names in FAMILIES.values() for name in names}
    newest = dict[str, str]()
    for spec in gymnasium.registry.values():
        point = str(spec.entry_point)
        if spec.namespace is None and point.startswith(("gymnasium.envs.toy_text", "gymnasium.envs.classic_control")):
            newest[spec.name] = spec.id if spec.version is None else f"{spec.name}-v{spec.version}"
    assert set(newest.values()) <= listed
