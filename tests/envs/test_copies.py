"""Copies of one environment: independent seeds, options of their own, what they keep and change, what they may give."""

from __future__ import annotations

import itertools
import random
import re
from typing import Any

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.vector.utils import batch_space
from tiny_envs import Scripted, number_box, vector

from pglesson import Settings, make_envs, make_policy, play_episodes, reinforce
from pglesson.envs.seeds import spawn_seeds
from pglesson.rollout import Episodes

_number = itertools.count()


def registered(make: Any, **options: Any) -> str:
    """A new id for an environment, or for a vectorized one."""
    env = f"copies/Task{next(_number)}-v0"
    is_vector = isinstance(make, type) and issubclass(make, gymnasium.vector.VectorEnv)
    point = {"vector_entry_point": make} if is_vector or options.pop("vector", False) else {"entry_point": make}
    gymnasium.register(env, disable_env_checker=True, **point, **options)
    return env


def play(env: str, episodes: int = 4, max_steps: int = 50, **options: Any) -> Episodes:
    envs = make_envs(env, episodes, **options)
    policy = make_policy(Settings(env=env, hidden=()), envs)
    generator = torch.Generator().manual_seed(0)
    return play_episodes(envs, policy, 1, max_steps=max_steps, generator=generator, seed=0)


class Noise(gymnasium.Env[Any, Any]):
    """One step, whose reward is N(0, 1) from the environment's own random numbers, whatever is done."""

    observation_space, action_space = spaces.Discrete(1), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(self.np_random.normal()), True, False, {}


def sync_vector(num_envs: int) -> SyncVectorEnv:
    return SyncVectorEnv([Noise] * num_envs)


@pytest.mark.parametrize("kind", ["single", "vectorized elsewhere"])
def test_seeds_are_independent(kind: str) -> None:
    """Returns of ten updates of ten runs, for seeds 0 to 19: 190 correlations of 640 numbers each.

    Oracle: independent correlations are N(0, 1/640), so the largest of 190 is below 0.18 but with probability 1e-3, and
    their mean square is 1/640 within a third but with probability 1e-3. Gymnasium's seed + i gives neighbours 0.9.
    """
    env = registered(Noise) if kind == "single" else registered(sync_vector, vector=True)
    paid = []
    for seed in range(20):
        settings = Settings(env=env, seed=seed, runs=10, episodes=16, updates=4, hidden=())
        paid.append(np.concatenate([update.returns for update in reinforce(settings)]).ravel())
    off = np.corrcoef(paid)[np.triu_indices(20, 1)]
    assert abs(off).max() < 0.18 and 2 / 3 / 640 < np.square(off).mean() < 4 / 3 / 640
    within = np.corrcoef(np.reshape(paid, (20, 4, 160))[0])[np.triu_indices(4, 1)]
    assert abs(within).max() < 0.35


def test_no_two_of_a_hundred_seeds_share_a_copys_seed() -> None:
    """160 copies each. Oracle: a set."""
    found = [seed for first in range(100) for seed in spawn_seeds(first, 160)]
    assert len(set(found)) == 100 * 160 and max(found) < 2**32


@pytest.mark.parametrize("env", ["MountainCar-v0", "Acrobot-v1", "CartPole-v1", "Pendulum-v1", "pglesson/PlanarArm-v0"])
def test_no_start_state_of_one_seed_is_anothers(env: str) -> None:
    starts = [make_envs(env, 40).reset(seed=seed)[0].reshape(40, -1) for seed in range(5)]
    assert len({row.tobytes() for rows in starts for row in rows}) == len({r.tobytes() for r in starts[0]}) * 5


def test_a_sweep_over_seeds_and_the_runs_of_one_training_are_independent() -> None:
    """Means over 40 episodes: equal ones would be the same random numbers."""
    from pglesson.sweeps import sweep

    base = Settings(env=registered(Noise), runs=5, episodes=8, updates=5, hidden=())
    scores = np.concatenate([point.score for point in sweep(base, {"seed": list(range(6))})])
    assert len(set(scores.tolist())) == 30


class Draws(Noise):
    """Pays what `draw` gives, which gets the environment; begins as `begin` says, which gets it and the seed."""

    def __init__(self, draw: Any, begin: Any = lambda env, seed: None) -> None:
        self.draw, self.begin = draw, begin
        self.observation_space, self.action_space = spaces.Discrete(1), spaces.Discrete(2)
        self.begin(self, None)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        if self.begin(self, seed) != "alone":
            super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(self.draw(self)), True, False, {}


def begin_rng(env: Any, seed: int | None) -> None:
    env.rng = np.random.default_rng(seed)


def keep_rng(env: Any, seed: int | None) -> None:
    env.rng = getattr(env, "rng", np.random.default_rng())


NOT_SEEDED = {
    "numpy's own": (lambda env: np.random.normal(), lambda env, seed: None, r"np\.random"),  # noqa: NPY002
    "python's own": (lambda env: random.random(), lambda env, seed: None, "Python's random,"),
    "torch's own": (lambda env: torch.rand(()), lambda env, seed: None, "torch's generator"),
    "no super": (lambda env: env.np_random.normal(), lambda env, seed: "alone", r"self\.np_random,"),
    "kept": (lambda env: env.rng.normal(), keep_rng, r"self\.rng"),
    "made at each reset": (lambda env: env.rng.normal(), begin_rng, r"self\.rng"),
}


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("name", NOT_SEEDED)
def test_random_numbers_that_no_seed_decides_are_told(name: str, vectorized: bool) -> None:
    """Once, in the first update, or in the second where only later resets have no seed."""
    draw, begin, words = NOT_SEEDED[name]
    make = lambda: Draws(draw, begin)  # noqa: E731
    env = registered(lambda num_envs: SyncVectorEnv([make] * num_envs), vector=True) if vectorized else registered(make)
    with pytest.warns(UserWarning) as told:
        list(reinforce(Settings(env=env, updates=3, hidden=())))
    assert len(told) == 1 and re.search(rf"draws random numbers from {words}.*self\.np_random", str(told[0].message))


@pytest.mark.parametrize("draw", [lambda env: env.action_space.sample(), lambda env: env.np_random.normal()])
def test_random_numbers_that_a_seed_decides_repeat(draw: Any) -> None:
    """Those of the spaces, too; and they are no other copy's."""
    env = registered(lambda: Draws(draw))
    first, again, other = (
        [update.returns.tolist() for update in reinforce(Settings(env=env, updates=4, seed=seed, hidden=()))]
        for seed in (1, 1, 2)
    )
    assert first == again != other and len({tuple(column) for column in zip(*(update[0] for update in first))}) > 4


class Keeps(Scripted):
    """Shows and pays from arrays of its own, which it reuses, and changes the action that it gets."""

    def __init__(self) -> None:
        super().__init__(number_box(0, 9), number_box(-1, 1), end=lambda t, action: (t == 3, False))
        self.seen, self.paid = np.zeros(1, dtype=np.float32), np.zeros(())

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.seen[:] = 0
        return self.seen, {}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        np.clip(action, -0.1, 0.1, out=action)
        self.t += 1
        self.seen[:], self.paid[()] = self.t, self.t
        return self.seen, self.paid, self.t == 4, False, {}


def test_an_environment_may_reuse_its_arrays_and_change_its_action() -> None:
    played = play(registered(Keeps))
    assert played.observations[..., 0].eq(torch.arange(4.0)).all() and played.final_observations.eq(4).all()
    assert played.rewards.eq(torch.arange(1.0, 5)).all() and played.actions.abs().max() > 0.1


class KeepsVector(gymnasium.vector.VectorEnv[Any, Any, Any]):
    """The same, vectorized: one set of arrays, filled anew at each step; actions are shifted in place."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}

    def __init__(self, num_envs: int = 1, mode: Any = AutoresetMode.NEXT_STEP, late: bool = True) -> None:
        self.num_envs, self.late = num_envs, late
        self.metadata = {"autoreset_mode": mode} if mode else {}
        self.single_observation_space, self.single_action_space = number_box(0, 9), spaces.Discrete(3)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.seen, self.paid = np.zeros((num_envs, 1), dtype=np.float32), np.zeros(num_envs)
        self.over, self.cut = np.zeros((2, num_envs), dtype=bool)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.t, self.seen[:] = 0, 0
        return self.seen, {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        actions -= 1
        if self.t == 4:
            self.t, self.seen[:], self.paid[:], self.over[:] = 0, 0, 0, False
            return self.seen, self.paid, self.over, self.cut, {}
        self.t += 1
        self.seen[:], self.paid[:], self.over[:] = self.t, actions, self.t == 4
        return self.seen, self.paid, self.over, self.cut, {}


def test_a_vectorized_environment_may_do_so_too() -> None:
    played = play(registered(KeepsVector))
    assert played.observations[..., 0].eq(torch.arange(4.0)).all() and played.final_observations.eq(4).all()
    assert played.rewards.equal(played.actions.float() - 1) and played.rewards.unique().numel() == 3


class Ragged(gymnasium.Env[Any, Any]):
    """Counts its steps, in a Dict beside a state; lasts 3 to 8 of them, and is then cut off."""

    observation_space = spaces.Dict(count=number_box(0, 9), state=spaces.Discrete(2, start=4))
    action_space = spaces.Discrete(2)

    def seen(self) -> dict[str, Any]:
        return {"count": vector(self.t), "state": 4 + self.t % 2}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t, self.last = 0, int(self.np_random.integers(3, 9))
        return self.seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        return self.seen(), 1.0, False, self.t >= self.last, {}


@pytest.mark.parametrize("mode", [None, AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_final_observations_in_every_mode(mode: AutoresetMode | None) -> None:
    """Oracle: an episode of n steps ends on n, one-hot beside it. None: single environments, as registered."""
    if mode is None:
        env = registered(Ragged)
    else:
        env = registered(lambda num_envs: SyncVectorEnv([Ragged] * num_envs, autoreset_mode=mode), vector=True)
    played = play(env, episodes=20)
    lengths = played.mask.sum(2)
    assert played.final_observations[..., 0].equal(lengths) and len(lengths.unique()) > 3
    assert played.final_observations[..., 2].equal(lengths % 2) and not played.terminated.any()
    counted = torch.arange(played.mask.shape[2]).expand_as(played.mask)
    assert (played.observations[..., 0] * played.mask).equal(counted * played.mask)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": AutoresetMode.DISABLED}, "the autoreset mode DISABLED"),
        ({"mode": "NextStep"}, None),
        ({"mode": "soon"}, "does not say when it begins an episode anew"),
        ({"mode": None}, "does not say when it begins an episode anew"),
        ({"mode": AutoresetMode.SAME_STEP}, r"without infos\['final_obs'\]"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*VectorEnv.*")
def test_autoreset_modes_that_are_refused(options: Any, words: str | None) -> None:
    env = registered(KeepsVector)
    if words is None:
        assert play(env, **options).final_observations.eq(4).all()
        return
    with pytest.raises(ValueError, match=words):
        play(env, **options)


def rows_of(number: int, change: Any, mode: AutoresetMode = AutoresetMode.NEXT_STEP) -> Any:
    """A vectorized environment of four steps whose rows are changed before they are given."""

    class Rows(KeepsVector):
        def step(self, actions: Any) -> Any:
            names = ("seen", "paid", "over", "cut", "infos")
            now = dict(zip(names, super().step(np.array(actions)), strict=True))
            now["paid"] = np.arange(self.num_envs) + 1.0
            now.update(change(now, self.num_envs))
            return tuple(now.values())

    return Rows(number, mode)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda now, n: {"paid": now["paid"][:, None]}, r"gave rewards array.* one real number for each copy"),
        (lambda now, n: {"paid": 1.0}, "gave rewards 1.0"),
        (lambda now, n: {"paid": np.ones(1)}, "gave rewards array"),
        (lambda now, n: {"paid": np.ones((n, 2))}, "gave rewards"),
        (lambda now, n: {"paid": now["paid"] + 0j}, "gave rewards"),
        (lambda now, n: {"paid": ["1"] * n}, "gave rewards"),
        (lambda now, n: {"paid": torch.ones(n, requires_grad=True)}, "gave rewards"),
        (lambda now, n: {"over": bool(now["over"][0])}, "gave terminated False, but must give one True or False"),
        (lambda now, n: {"over": now["over"][:, None]}, "gave terminated"),
        (lambda now, n: {"over": now["over"] - 1}, "gave terminated"),
        (lambda now, n: {"cut": None}, "gave truncated None"),
        (lambda now, n: {"seen": now["seen"].T}, r"shape \(1, 4\) is not 4 of Box"),
        (lambda now, n: {"seen": np.repeat(now["seen"], 2, 1)}, r"shape \(4, 2\) is not 4 of Box"),
        (lambda now, n: {"seen": now["seen"][:1]}, r"shape \(1, 1\) is not 4 of Box"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_rows_of_another_shape_raise(change: Any, words: str) -> None:
    """NumPy would broadcast them: a column of rewards pays each copy what all of them earned."""
    with pytest.raises(ValueError, match=words):
        play(registered(lambda num_envs: rows_of(num_envs, change), vector=True))


@pytest.mark.parametrize(
    "change",
    [
        lambda now, n: {"paid": now["paid"].tolist(), "over": now["over"].tolist()},
        lambda now, n: {"paid": torch.tensor(now["paid"]), "seen": torch.tensor(now["seen"])},
        lambda now, n: {"over": now["over"].astype(int), "cut": now["cut"].astype(np.float32)},
        lambda now, n: {"seen": now["seen"][:, 0], "infos": [{}] * n},
    ],
)
def test_rows_of_every_type_are_read(change: Any) -> None:
    played = play(registered(lambda num_envs: rows_of(num_envs, change), vector=True))
    assert played.rewards.equal(torch.arange(1.0, 5)[None, :, None].expand(1, 4, 4))
    assert played.final_observations.eq(4).all() and played.terminated.all()


@pytest.mark.parametrize(
    "infos", [[{}] * 4, {"final_obs": np.ones((1, 1))}, {"final_obs": None}, {"final_info": {"final_obs": 1}}]
)
def test_final_observations_that_are_not_there_raise(infos: Any) -> None:
    change = lambda now, n: {"infos": infos, "over": np.arange(n) == 2}  # noqa: E731
    env = registered(lambda num_envs: rows_of(num_envs, change, AutoresetMode.SAME_STEP), vector=True)
    with pytest.raises(ValueError, match=r"without infos\['final_obs'\].* with a row for each copy"):
        play(env)


def test_a_final_observation_of_another_shape_raises() -> None:
    change = lambda now, n: {"infos": {"final_obs": np.ones((n, 2))}, "over": np.ones(n, dtype=bool)}  # noqa: E731
    env = registered(lambda num_envs: rows_of(num_envs, change, AutoresetMode.SAME_STEP), vector=True)
    with pytest.raises(ValueError, match=r"shape \(2,\) is not of Box"):
        play(env)


@pytest.mark.parametrize("made", [1, 5])
def test_another_number_of_copies_raises(made: int) -> None:
    env = registered(lambda num_envs: KeepsVector(made), vector=True)
    with pytest.raises(ValueError, match=f"made {made} copies, where 4 were asked for"):
        make_envs(env, 4)


def test_an_episode_that_is_over_is_not_stepped_on() -> None:
    """Resets and steps are counted by the environment itself."""
    counts = {"resets": 0, "steps": 0}

    class Counts(Ragged):
        def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
            counts["resets"] += 1
            return super().reset(**options)

        def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
            counts["steps"] += 1
            return super().step(action)

    *_, last = reinforce(Settings(env=registered(Counts), episodes=8, updates=5, hidden=()))
    assert counts == {"resets": 40, "steps": last.steps}


class Changes(Noise):
    """Changes what it was made with, as some tasks do with their settings, and pays from a generator among them."""

    made = list[Any]()

    def __init__(self, config: Any = None, levels: Any = None, rng: Any = None, lock: Any = None) -> None:
        self.config, self.levels, self.rng = config, levels, rng
        Changes.made.append(self)

    def reset(self, **options: Any) -> tuple[int, dict[str, Any]]:
        if self.config is not None:
            self.config["seen"].append(len(self.config["seen"]))
        if self.levels is not None:
            self.levels[0] += 1
        return super().reset(**options)

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, float(self.rng.random()) if self.rng else 1.0, True, False, {}


@pytest.mark.filterwarnings("ignore:.*An exception occurred .cannot pickle '_thread.lock'")
def test_options_that_an_environment_changes_are_its_own() -> None:
    import threading

    options = {"config": {"seen": []}, "levels": np.zeros(3), "lock": threading.Lock()}
    Changes.made.clear()
    updates = list(reinforce(Settings(env=registered(Changes), env_options=options, episodes=4, updates=3, hidden=())))
    assert len(updates) == 3 and options["config"] == {"seen": []} and not options["levels"].any()
    assert [env.config["seen"] for env in Changes.made[-4:]] == [[0, 1, 2]] * 4


@pytest.mark.parametrize("make", [np.random.default_rng, random.Random, np.random.RandomState])
def test_a_generator_among_the_options_is_one_for_each_copy_and_repeats(make: Any) -> None:
    settings = Settings(env=registered(Changes), env_options={"rng": make(3)}, episodes=16, updates=2, hidden=())
    first, again = ([update.returns.tolist() for update in reinforce(settings)] for _ in range(2))
    assert first == again and len({value for update in first for value in update[0]}) == 32


def test_an_environment_that_cannot_be_closed_costs_no_update() -> None:
    class Stays(Noise):
        def close(self) -> None:
            raise OSError("the window is gone")

    with pytest.warns(UserWarning, match="could not be closed .OSError: the window is gone.*not lost"):
        assert len(list(reinforce(Settings(env=registered(Stays), updates=3, hidden=())))) == 3


def test_infos_are_not_read() -> None:
    class Infos(Ragged):
        def step(self, action: Any) -> Any:
            *result, _ = super().step(action)
            return *result, {"path": np.zeros(self.t), "kind": "a" if self.t % 2 else 1, "none": None}

    assert play(registered(Infos), episodes=20).mask.sum() > 60


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (lambda o: (o, "1.0", False, False, {}), "the reward '1.0', but a reward must be one real number"),
        (lambda o: (o, None, False, False, {}), "the reward None"),
        (lambda o: (o, np.ones(2), False, False, {}), "the reward .*a weighted sum"),
        (lambda o: (o, 1 + 0j, False, False, {}), "must be one real number"),
        (lambda o: (o, torch.ones((), requires_grad=True), False, False, {}), "must be one real number"),
        (lambda o: (o, 1.0, "False", False, {}), "terminated = 'False', but it must be True or False"),
        (lambda o: (o, 1.0, False, None, {}), "truncated = None"),
        (lambda o: (o, 1.0, 2, False, {}), "terminated = 2"),
        (lambda o: (np.ones(1), 1.0, False, False, {}), r"shape \(1,\) is not of Box"),
        (lambda o: (None, 1.0, False, False, {}), "None is not a number"),
        (lambda o: ("left", 1.0, False, False, {}), "'left' is not a number"),
        (lambda o: (o, 1.0, True), "gave 3 values, but must give five"),
        (lambda o: (o, 1.0, True, False, {}, 0), "gave (more|6) values, but must give five"),
        (lambda o: (np.zeros((3, 1, 2)), 1.0, True, False, {}), r"shape \(3, 1, 2\) is not of Box"),
    ],
)
def test_what_no_step_may_give(step: Any, words: str) -> None:
    class Gives(Scripted):
        def step(self, action: Any) -> Any:
            return step(np.zeros(3, dtype=np.float32))

    env = registered(
        Gives, order_enforce=False, kwargs={"observations": number_box(size=3), "observe": lambda t: np.zeros(3)}
    )
    with pytest.raises(ValueError, match=words):
        play(env)


@pytest.mark.parametrize("options", [{"max_episode_steps": 9}, {"order_enforce": False}, {}])
def test_a_step_of_four_values_behind_gymnasiums_wrappers_is_told(options: dict[str, Any]) -> None:
    class Older(Scripted):
        def step(self, action: Any) -> Any:
            return 0, 1.0, True, {}

    with pytest.raises(ValueError, match=r"gave 4 values, but must give five: .*The older form with a single done"):
        play(registered(Older, **options))


def test_a_value_error_of_a_steps_own_code_is_its_own() -> None:
    class Unpacks(Scripted):
        def step(self, action: Any) -> Any:
            left, right, up, down, wait = np.arange(4)
            return left, right, up, down, wait

    with pytest.raises(ValueError, match=r"^not enough values to unpack"):
        play(registered(Unpacks))


@pytest.mark.parametrize("result", [np.zeros(2, dtype=np.float32), (np.zeros(2), {}, 0), None])
def test_a_reset_of_another_form_is_told(result: Any) -> None:
    class Older(Scripted):
        def reset(self, **options: Any) -> Any:
            return result

    with pytest.raises(ValueError, match=r"reset gave .*, but must give two values: observation, info"):
        play(registered(Older, order_enforce=False, kwargs={"observations": number_box(size=2)}))


@pytest.mark.parametrize(
    ("name", "spaces_of"),
    [
        ("observation_space", lambda n: {"observations": number_box(size=2 + n % 2)}),
        ("observation_space", lambda n: {"observations": spaces.Discrete(3, start=n % 2)}),
        ("action_space", lambda n: {"actions": spaces.Discrete(2 + n % 2)}),
        ("action_space", lambda n: {"actions": number_box(high=1 + n % 2)}),
    ],
)
def test_copies_with_other_spaces_raise(name: str, spaces_of: Any) -> None:
    """Read as the first's, a state would be another one, and an action cut to other bounds."""
    made = itertools.count()
    env = registered(lambda: Scripted(**spaces_of(next(made))), vector=False)
    with pytest.raises(ValueError, match=f"Copies of the environment differ: the {name} of the first is"):
        make_envs(env, 4)


@pytest.mark.parametrize(
    ("given", "reward"),
    [(1, 1), (True, 1), (np.float32(0.5), 0.5), (np.array([2.0]), 2), (torch.tensor(3), 3), (np.uint8(200), 200)],
)
def test_numbers_of_every_kind_are_rewards(given: Any, reward: float) -> None:
    env = registered(Scripted, kwargs={"reward": lambda t, action: given, "end": tiny_envs.one_step})
    assert play(env).rewards.eq(reward).all()


@pytest.mark.parametrize(
    ("space", "given", "seen"),
    [
        (number_box(size=3), [0.5, 0.25, 1], [0.5, 0.25, 1]),
        (number_box(size=3), torch.full((3,), 0.5), [0.5] * 3),
        (number_box(size=3), np.full((1, 3), 0.5), [0.5] * 3),
        (spaces.Box(-1, 1, (1, 3), np.float32), np.full(3, 0.5), [0.5] * 3),
        (spaces.Box(-1, 1, (), np.float32), 0.5, [0.5]),
        (spaces.Box(-9, 9, (2,), np.int64), np.full(2, 0.75), [0.75] * 2),
        (spaces.Box(0, 255, (2,), np.uint8), np.full(2, 300), [300] * 2),
        (spaces.Box(-1, 1, (2, 1, 3), np.float32), np.arange(6).reshape(2, 3) / 8, np.arange(6) / 8),
        (spaces.Discrete(3), 1.0, [0, 1, 0]),
        (spaces.Discrete(3), np.array([1]), [0, 1, 0]),
        (spaces.Discrete(3, start=-1), -1, [1, 0, 0]),
        (spaces.MultiBinary(3), [1, 0, 1], [1, 0, 1]),
    ],
)
def test_observations_are_read_as_what_they_are(space: Any, given: Any, seen: list[float]) -> None:
    """Gymnasium's own vectorization would cut 0.75 to 0 and 300 to 44."""
    env = registered(Scripted, kwargs={"observations": space, "observe": lambda t: given})
    assert play(env).observations[0, 0, 0].tolist() == list(seen)


@pytest.mark.parametrize("shape", [(3, 2), (6,), (2, 3, 2)])
def test_an_array_with_its_axes_in_another_order_raises(shape: tuple[int, ...]) -> None:
    """Reshaped, its numbers would be others': a picture with its channels in front, for one with them behind."""
    env = registered(
        Scripted, kwargs={"observations": spaces.Box(-1, 1, (2, 3), np.float32), "observe": lambda t: np.zeros(shape)}
    )
    with pytest.raises(ValueError, match=r"is not of Box\(-1.0, 1.0, \(2, 3\)"):
        play(env)


@pytest.mark.parametrize(
    ("space", "given", "words"),
    [
        (
            spaces.Discrete(4, start=1),
            0,
            r"0, which is none of Discrete\(4, start=1\), in run 0, episode 0, time step 0",
        ),
        (spaces.Discrete(3), -1, "-1, which is none of"),
        (spaces.Discrete(3), 3, "3, which is none of"),
        (spaces.Discrete(3), 1.5, "1.5, which is none of"),
        (spaces.Discrete(3), np.nan, "nan, which is none of"),
        (spaces.MultiDiscrete([2, 3]), [0, 3], r"\[0 3\], which is none of"),
        (spaces.MultiDiscrete([2, 3], start=[1, 1]), [0, 1], r"\[0 1\], which is none of"),
        (spaces.Dict(a=number_box(), b=spaces.Discrete(2)), {"a": vector(0), "b": 2}, "2, which is none of Discrete"),
        (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(3)]), (0, 7), "7, which is none of Discrete"),
        (spaces.Dict(a=spaces.Discrete(2)), {"b": 0}, "has not the parts of Dict"),
    ],
)
def test_a_state_that_its_space_does_not_have_raises(space: Any, given: Any, words: str) -> None:
    env = registered(Scripted, kwargs={"observations": space, "observe": lambda t: given})
    with pytest.raises(ValueError, match=words):
        play(env)


def test_a_state_outside_the_space_is_allowed_where_nobody_acts_on_it() -> None:
    """A grid world may show -1 after its end."""
    observe = lambda t: -1 if t == 3 else t  # noqa: E731
    env = registered(Scripted, kwargs={"observations": spaces.Discrete(3), "observe": observe})
    *_, last = reinforce(Settings(env=env, updates=3, hidden=(), baseline="value"))
    assert np.isfinite(last.gradient_norm).all() and last.lengths.max() == 3


def test_what_no_vector_can_hold_is_left_out_and_said() -> None:
    space = spaces.Dict(a=spaces.Discrete(2), graph=spaces.Graph(spaces.Discrete(2), None))
    env = registered(Scripted, kwargs={"observations": space, "observe": lambda t: {"a": 1, "graph": None}})
    with pytest.warns(UserWarning, match=r"has \['graph'\] Graph.* which no vector can hold"):
        assert play(env).observations[0, 0, 0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (spaces.Sequence(spaces.Discrete(2)), "Sequence.* which no vector can hold.*TransformObservation"),
        (spaces.Dict(a=spaces.Graph(spaces.Discrete(2), None)), r"\['a'\] Graph"),
        (spaces.Box(-1, 1, (0,), np.float32), "no numbers in them"),
        (spaces.Discrete(2**40), "1,000,000 is the most"),
    ],
)
def test_observations_that_are_refused(space: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_envs(registered(Scripted, kwargs={"observations": space}), 2)


def test_many_states_take_memory_for_what_is_seen_alone() -> None:
    """20,000 states; their whole identity matrix would take 1.6 GB, and seconds a step."""
    env = registered(Scripted, kwargs={"observations": spaces.Discrete(20_000), "observe": lambda t: 19_999 - t})
    played = play(env, episodes=2)
    assert played.observations.shape == (1, 2, 3, 20_000) and played.observations.argmax(-1)[0, 0].tolist() == [
        19_999,
        19_998,
        19_997,
    ]


def test_a_type_error_of_the_environments_own_code_is_its_own() -> None:
    class Broken(Noise):
        def __init__(self, size: int = 3) -> None:
            len(size)  # type: ignore[arg-type]

    with pytest.raises(TypeError, match="has no len"):
        make_envs(registered(Broken), 2)
    with pytest.raises(ValueError, match=r"could not be made with the options {'sise': 4}"):
        make_envs(registered(Broken), 2, sise=4)
