"""The lesson's environments against Gymnasium's checker, Gymnasium's own versions, tables and closed forms."""

import copy
import importlib
import itertools
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.envs.classic_control import PendulumEnv
from gymnasium.utils.env_checker import check_env

import pglesson.envs
from pglesson.envs.batch import BatchEnv
from pglesson.envs.cartpole import CartPoleVector
from pglesson.envs.coin_or_prize import CoinOrPrizeVector
from pglesson.envs.digits import EMPTY, EQUALS, DigitsVector
from pglesson.envs.factory import make_envs
from pglesson.envs.finite_mdp import FiniteMDP, FiniteMDPVector
from pglesson.envs.pendulum import PendulumVector
from pglesson.envs.planar_arm import MAX_SPEED, PlanarArmVector
from pglesson.envs.rock_paper_scissors import PAYOFF, RockPaperScissorsVector
from pglesson.envs.short_corridor import ShortCorridorVector, corridor_value
from pglesson.envs.two_hills import TwoHillsVector
from pglesson.envs.two_rooms import TwoRoomsVector

OWN = [
    ("pglesson/RockPaperScissors-v0", {"rounds": 3, "opponent": "counter"}),
    ("pglesson/RockPaperScissors-v0", {"opponent": (0.5, 0.25, 0.25)}),
    ("pglesson/ShortCorridor-v0", {}),
    ("pglesson/PlanarArm-v0", {"joints": 1}),
    ("pglesson/PlanarArm-v0", {"joints": 7}),
    ("pglesson/TwoRooms-v0", {}),
    ("pglesson/CoinOrPrize-v0", {}),
    ("pglesson/TwoHills-v0", {}),
    ("pglesson/Digits-v0", {"group_size": 2}),
    ("pglesson/Digits-v0", {"length": 2, "task": "reverse", "reward": "exact"}),
]
NOTHING_RANDOM = {"pglesson/ShortCorridor-v0", "pglesson/CoinOrPrize-v0", "pglesson/TwoHills-v0"}


def test_registering_again_does_not_warn():
    entries = {name: spec for name, spec in gymnasium.registry.items() if name.startswith("pglesson/")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(pglesson.envs)
    # one environment, and not many at once
    for_a_learners_own_loop = {f"pglesson/{name}-v0" for name in ("Signals", "RichSignals", "Levers")}
    assert set(entries) == {env for env, _ in OWN} | for_a_learners_own_loop
    assert all(gymnasium.registry[name] is spec for name, spec in entries.items())


SPACES = [  # id, options, observation shape, actions, time limit
    ("RockPaperScissors-v0", {}, (), spaces.Discrete(3), None),
    ("ShortCorridor-v0", {}, (), spaces.Discrete(2), 1000),
    ("PlanarArm-v0", {}, (6,), spaces.Box(-1, 1, (2,)), 50),
    ("PlanarArm-v0", {"joints": np.int64(7)}, (16,), spaces.Box(-1, 1, (7,)), 50),
    ("TwoRooms-v0", {}, (), spaces.Discrete(2), 200),
    ("CoinOrPrize-v0", {}, (), spaces.Discrete(2), None),
    ("TwoHills-v0", {}, (), spaces.Box(-5, 5, (1,)), None),
    ("Digits-v0", {"length": 3}, (6,), spaces.Discrete(10), None),
]


@pytest.mark.parametrize(("name", "options", "shape", "actions", "limit"), SPACES)
def test_spaces_and_time_limits(name, options, shape, actions, limit):
    one = gymnasium.make(f"pglesson/{name}", **options)
    many = gymnasium.make_vec(f"pglesson/{name}", 4, **options)
    assert isinstance(many, BatchEnv), "make_vec did not take the vectorized form"
    assert one.action_space == many.single_action_space == actions
    assert one.observation_space == many.single_observation_space
    assert one.spec.max_episode_steps == many.max_episode_steps == limit
    for observations in (many.reset(seed=0)[0], many.step(many.action_space.sample())[0]):
        assert observations.shape == (4, *shape)
        assert observations.dtype == (np.float32 if shape and "Digits" not in name else np.int64)
    assert one.reset(seed=0)[0].shape == shape


@pytest.mark.parametrize(("env", "options"), [*OWN, ("Pendulum-v1", {})])
def test_passes_gymnasiums_checker(env, options):
    made = gymnasium.make(env, render_mode="rgb_array", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # the torque of Gymnasium's own Pendulum, +-2, and the action of the two hills, +-5, are not normalized
        warnings.filterwarnings("ignore", message=".*we recommend using a symmetric and normalized space.*")
        check_env(made.unwrapped)


OFFICIAL = [("Pendulum-v1", {}), ("CartPole-v1", {})]


@pytest.mark.parametrize(("env", "options"), [*OWN, *OFFICIAL])
def test_vectorized_steps_are_valid_and_keep_the_old_state(env, options):
    envs = make_envs(env, 5, **options)
    observations, _ = envs.reset(seed=1)
    envs.action_space.seed(1)
    for _ in range(60):
        assert envs.observation_space.contains(observations)
        state, kept = envs.state, envs.state.copy()
        observations, rewards, terminated, truncated, _ = envs.step(envs.action_space.sample())
        assert np.array_equal(state, kept, equal_nan=True), "a step wrote into the state before it"
        assert rewards.shape == terminated.shape == truncated.shape == (5,)
        assert terminated.dtype == truncated.dtype == bool


@pytest.mark.parametrize(("env", "options"), OWN)
def test_single_environment_equals_its_vectorized_form(env, options):
    """Same seed, same actions: same observations, rewards and ends, over several episodes."""
    single = gymnasium.make(env, **options)
    many = gymnasium.make_vec(env, 1, vectorization_mode="vector_entry_point", **options)
    single.action_space.seed(0)
    one, _ = single.reset(seed=9)
    batch, _ = many.reset(seed=9)
    for t in range(120):
        assert np.array_equal(batch[0], one)
        action = single.action_space.sample()
        one, reward, terminated, truncated, _ = single.step(action)
        batch, rewards, ends, cuts, _ = many.step(np.asarray(action)[None])
        assert (rewards[0], ends[0], cuts[0]) == (reward, terminated, truncated)
        if terminated or truncated:
            _, rewards, ends, cuts, _ = many.step(np.asarray(action)[None])  # the step that only resets
            assert (rewards[0], ends[0], cuts[0]) == (0.0, False, False)
            (one, _), (batch, _) = single.reset(seed=t), many.reset(seed=t)


@pytest.mark.parametrize("env", ["pglesson/ShortCorridor-v0", "pglesson/PlanarArm-v0", "pglesson/TwoHills-v0"])
def test_vectorized_environments_are_independent(env):
    """Six at once from six states, against a single environment set to each of those states in turn."""
    many, single = gymnasium.make_vec(env, 6), gymnasium.make(env).unwrapped
    many.reset(seed=1), single.reset(seed=2)
    many.action_space.seed(3)
    if "Corridor" in env:
        many.state[:] = [0, 1, 2, 0, 1, 2]
    starts, actions = many.state.copy(), [many.action_space.sample() for _ in range(20)]
    record = [many.step(action) for action in actions]
    for k in range(6):
        single.reset()
        single.batch.state = starts[k : k + 1].copy()
        for action, (observations, rewards, terminated, truncated, _) in zip(actions, record):
            observation, reward, ended, cut, _ = single.step(action[k])
            assert np.array_equal(observations[k], observation) and rewards[k] == reward
            assert (terminated[k], truncated[k]) == (ended, cut)
            if ended:
                break


@pytest.mark.parametrize(("env", "options"), [*OWN, *OFFICIAL])
def test_same_seed_gives_the_same_episodes(env, options):
    def play(seed):
        envs = make_envs(env, 40, **options)
        envs.action_space.seed(0)
        played = [envs.reset(seed=seed)[0]]
        for _ in range(12):
            played += envs.step(envs.action_space.sample())[:4]
        return [*played, envs.reset()[0], envs.state]

    first, again, other = play(5), play(5), play(6)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again))
    if env not in NOTHING_RANDOM:
        assert not all(np.array_equal(a, b) for a, b in zip(first, other))


def test_vectorized_pendulum_equals_gymnasiums_step_for_step():
    """Observations bit for bit: 20 states, 250 random torques each, a third of them beyond the limits.

    Rewards within 1e-9: Gymnasium squares a float32 scalar by a power function, which in about one of a thousand cases
    rounds the last bit differently than the square of an array.
    """
    random = np.random.default_rng(0)
    many, single = PendulumVector(20, None), gymnasium.make("Pendulum-v1").unwrapped
    many.reset(seed=0)
    many.state = random.uniform([-10, -8], [10, 8], (20, 2))
    starts, torques = many.state.copy(), random.uniform(-3, 3, (250, 20, 1)).astype(np.float32)
    record = [many.step(torque)[:4] for torque in torques]
    for k in range(20):
        single.reset()
        single.state = starts[k].copy()
        for t in range(250):
            observation, reward, terminated, truncated, _ = single.step(torques[t, k])
            assert np.array_equal(record[t][0][k], observation)
            assert record[t][1][k] == pytest.approx(reward, rel=0, abs=1e-9)
            assert not record[t][2][k] and not record[t][3][k] and not terminated and not truncated


def test_vectorized_pendulum_starts_like_gymnasiums():
    many, single = PendulumVector(1), gymnasium.make("Pendulum-v1")
    assert np.array_equal(many.reset(seed=5)[0][0], single.reset(seed=5)[0])


@pytest.mark.parametrize("limit", [25, 500])
def test_vectorized_cartpole_equals_gymnasiums_step_for_step(limit):
    """Same seed and actions, over ends, time-outs and resets: everything that step returns, bit for bit."""
    ours, theirs = CartPoleVector(8, limit), gymnasium.make_vec("CartPole-v1", 8, max_episode_steps=limit)
    assert ours.metadata["autoreset_mode"] == theirs.metadata["autoreset_mode"]
    assert ours.single_observation_space == theirs.single_observation_space
    random, seen = np.random.default_rng(0), np.zeros(2, dtype=int)
    observations = ours.reset(seed=0)[0]
    assert np.array_equal(observations, theirs.reset(seed=0)[0])
    for t in range(3000):
        # mostly pushed to the side to which the pole leans, so that episodes last, and sometimes at random
        leans, chance = observations[:, 2] + observations[:, 3] > 0, random.random(8)
        actions = np.where(chance < 0.1 if limit == 500 else chance < 0.8, random.integers(0, 2, 8), leans)
        mine, other = ours.step(actions), theirs.step(actions)
        assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(mine[:4], other[:4])), t
        assert np.array_equal(ours.steps, theirs.unwrapped.steps)
        observations, seen = mine[0], np.add(seen, (other[2].sum(), other[3].sum()))
    assert seen.min() > 5, "too few ends or time-outs to tell them apart"


def test_vectorized_cartpole_equals_gymnasiums_single_one():
    """From the same state with the same actions, until the pole falls."""
    many, single = CartPoleVector(1), gymnasium.make("CartPole-v1")
    many.reset(seed=4), single.reset(seed=4)
    many.state = np.array([single.unwrapped.state])
    for action in [0, 1, 1, 0, 0, 1] * 50:
        (batch, rewards, ends, _, _), (one, reward, ended, _, _) = many.step(np.array([action])), single.step(action)
        assert np.array_equal(batch[0], one) and (rewards[0], ends[0]) == (reward, ended)
        if ended:
            break
    assert ended


def test_official_ids_without_options_use_the_packages_vectorized_code():
    assert type(make_envs("CartPole-v1", 2)) is CartPoleVector and type(make_envs("Pendulum-v1", 2)) is PendulumVector
    assert make_envs("CartPole-v0", 2).max_episode_steps == 200  # the older id has a time limit of its own
    for env, options in (("CartPole-v1", {"sutton_barto_reward": True}), ("Pendulum-v1", {"g": 9.0})):
        assert not isinstance(make_envs(env, 2, **options), BatchEnv)
    spec = gymnasium.registry["CartPole-v1"]
    try:
        gymnasium.registry["CartPole-v1"] = copy.deepcopy(spec)
        gymnasium.registry["CartPole-v1"].entry_point = PendulumEnv  # the learner's own environment under that id
        gymnasium.registry["CartPole-v1"].vector_entry_point = None
        assert not isinstance(make_envs("CartPole-v1", 2), BatchEnv)
    finally:
        gymnasium.registry["CartPole-v1"] = spec


def test_terminated_and_truncated():
    """In the corridor right, right, right visits 1, 0, 1; right, left, right reaches the goal in step 3."""
    envs = ShortCorridorVector(2, max_episode_steps=3)
    envs.reset()
    flags = [envs.step(np.array(actions))[1:4] for actions in ([1, 1], [1, 0], [1, 1], [1, 1])]
    assert [f[0].tolist() for f in flags] == [[-1, -1], [-1, -1], [-1, -1], [0, 0]]
    assert [f[1].tolist() for f in flags] == [[False, False], [False, False], [False, True], [False, False]]
    assert [f[2].tolist() for f in flags] == [[False, False], [False, False], [True, True], [False, False]]
    for limit, ended, cut in ((1, False, True), (2, True, True), (3, True, False)):
        single = gymnasium.make("pglesson/RockPaperScissors-v0", rounds=2, max_episode_steps=limit)
        single.reset(seed=0)
        last = [single.step(0)[2:4] for _ in range(min(limit, 2))][-1]
        assert last == (ended, cut)


def test_corridor_transitions():
    """Sutton & Barto (2018), Example 13.1: actions are switched in state 1, and left in state 0 has no effect."""
    table = {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 0, (2, 0): 1, (2, 1): 3}
    for (state, action), following in table.items():
        envs = ShortCorridorVector(1)
        envs.reset()
        envs.state[:] = state
        _, reward, terminated, truncated, _ = envs.step(np.array([action]))
        assert envs.state[0] == following and reward[0] == -1.0
        assert terminated[0] == (following == 3) and not truncated[0]


def test_corridor_value_by_closed_form_and_by_simulation():
    """4,000 episodes at p = 0.3 within 4 standard errors: fails by chance with probability 6e-5."""
    best = 2 - 2**0.5
    assert corridor_value(best) == pytest.approx(-6 - 4 * 2**0.5)
    assert max(np.linspace(0.01, 0.99, 999), key=corridor_value) == pytest.approx(best, abs=1e-3)
    random, envs = np.random.default_rng(1), ShortCorridorVector(4000, None)
    envs.reset(seed=1)
    returns, mask = np.zeros(4000), np.ones(4000, dtype=bool)
    while mask.any():
        _, rewards, terminated, _, _ = envs.step((random.random(4000) < 0.3).astype(int))
        returns += rewards * mask
        mask &= ~terminated
    assert abs(returns.mean() - corridor_value(0.3)) < 4 * returns.std() / 4000**0.5


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, float("nan")])
def test_corridor_value_of_a_policy_without_end_raises(p):
    with pytest.raises(ValueError, match="p_right is"):
        corridor_value(p)


def test_rewards_of_all_nine_pairs_of_moves():
    beats = {(0, 2), (1, 0), (2, 1)}  # rock beats scissors, paper rock, scissors paper
    for own, other in itertools.product(range(3), repeat=2):
        envs = RockPaperScissorsVector(1, opponent=np.eye(3)[other])
        envs.reset(seed=0)
        _, rewards, terminated, _, _ = envs.step(np.array([own]))
        assert rewards[0] == PAYOFF[own, other] == ((own, other) in beats) - ((other, own) in beats)
        assert terminated[0]


def test_opponent_plays_its_probabilities():
    """20,000 replies, chi-square with 2 degrees of freedom: fails by chance with probability 1e-4."""
    envs = RockPaperScissorsVector(20_000, opponent=(0.5, 0.3, 0.2), rounds=2)
    envs.reset(seed=2)
    envs.step(np.zeros(20_000, dtype=int))
    assert chi_square(envs.state[:, 4], [0.5, 0.3, 0.2]) < 18.42


def chi_square(draws, probabilities):
    expected = len(draws) * np.array(probabilities)
    return ((np.bincount(draws, minlength=len(expected)) - expected) ** 2 / expected).sum()


def test_named_opponents():
    """Pure ones play one move only; "uniform" by 20,000 replies: fails by chance with probability 1e-4."""
    for move, name in enumerate(["rock", "paper", "scissors"]):
        envs = RockPaperScissorsVector(50, opponent=name)
        envs.reset(seed=1)
        envs.step(np.zeros(50, dtype=int))
        assert (envs.state[:, 4] == move).all()
    envs = RockPaperScissorsVector(20_000, opponent="uniform")
    envs.reset(seed=1)
    envs.step(np.zeros(20_000, dtype=int))
    assert chi_square(envs.state[:, 4], np.full(3, 1 / 3)) < 18.42


def test_counter_opponent_beats_a_constant_move():
    envs = RockPaperScissorsVector(300, opponent="counter", rounds=5)
    envs.reset(seed=3)
    results = np.array([envs.step(np.full(300, 1))[1] for _ in range(5)])
    assert set(results[0]) == {-1.0, 0.0, 1.0}  # in the first round all responses are equally good
    assert (results[1:] == -1).all()


@pytest.mark.parametrize("habit", [counts for counts in itertools.product(range(4), repeat=3) if sum(counts)])
def test_the_counter_opponent_plays_every_best_response(habit):
    """By wins minus losses; 60 replies do not contain one of three best ones with probability 1e-10."""
    worth = [habit[(move - 1) % 3] - habit[(move + 1) % 3] for move in range(3)]  # paper, 1, beats rock, 0
    envs = RockPaperScissorsVector(60, opponent="counter", rounds=20)
    envs.reset(seed=4)
    envs.state[:, :3] = habit
    envs.step(np.zeros(60, dtype=int))
    assert set(envs.state[:, 4]) == {move for move in range(3) if worth[move] == max(worth)}


@pytest.mark.parametrize("joints", range(1, 8))
def test_hand_position_by_complex_numbers(joints):
    """Oracle: the sum of unit vectors exp(i * heading) / joints, an independent forward kinematics."""
    envs = PlanarArmVector(50, joints=joints)
    observations, _ = envs.reset(seed=4)
    angles = np.arctan2(observations[:, joints : 2 * joints], observations[:, :joints])
    hand = np.exp(1j * np.cumsum(angles, 1)).sum(1) / joints
    target = envs.state[:, joints] + 1j * envs.state[:, joints + 1]
    to_target = observations[:, -2] + 1j * observations[:, -1]
    assert np.allclose(hand + to_target, target, atol=1e-5)
    assert (np.abs(hand) <= 1 + 1e-6).all() and (np.abs(target) <= 1 + 1e-6).all()
    if joints == 1:
        assert np.allclose(np.abs(target), 1)
    ends = np.cumsum(np.exp(1j * np.cumsum(angles, 1)), 1) / joints
    assert np.allclose(envs.elbows(angles), np.stack([ends.real, ends.imag], -1), atol=1e-5)
    _, rewards, _, _, _ = envs.step(np.full((50, joints), 9.0))  # beyond the limits: counts as 1
    moved = np.exp(1j * np.cumsum(angles + MAX_SPEED, 1)).sum(1) / joints
    assert np.allclose(rewards, -np.abs(target - moved), atol=1e-5)


@pytest.mark.parametrize("joints", range(1, 8))
def test_every_target_can_be_reached_in_eleven_steps(joints):
    """Oracle: a controller that knows the target's angles, which the environment draws after the start angles."""
    envs = PlanarArmVector(200, joints=joints)
    envs.reset(seed=6)
    start, goal = np.random.Generator(np.random.PCG64(np.random.SeedSequence(6))).uniform(
        -np.pi, np.pi, (2, 200, joints)
    )
    assert np.array_equal(envs.state[:, :joints], start)
    for _ in range(11):
        turn = (goal - envs.state[:, :joints] + np.pi) % (2 * np.pi) - np.pi
        observations, rewards, terminated, truncated, _ = envs.step(turn / MAX_SPEED)
        assert (np.linalg.norm(envs.elbows(envs.state[:, :joints])[:, -1], axis=1) <= 1 + 1e-12).all()
        assert envs.observation_space.contains(observations) and not (terminated | truncated).any()
    assert (rewards > -1e-9).all()


def test_two_rooms_transitions():
    """Only the end of a search is random: 20,000 within 4 standard errors; fails by chance with 6e-5."""
    table = {  # (state, action): reward, probability of the hall, of the study; the rest ends the episode
        (0, 0): (1, 0, 0),
        (0, 1): (0, 0, 1),
        (1, 0): (0, 1, 0),
        (1, 1): (2, 0, 0.5),
    }
    for (state, action), (reward, *chances) in table.items():
        envs = TwoRoomsVector(20_000)
        assert not envs.reset(seed=5)[0].any(), "an episode starts in the hall"
        envs.state[:] = state
        following, rewards, terminated, truncated, _ = envs.step(np.full(20_000, action))
        assert (rewards == reward).all() and not truncated.any()
        for room, chance in enumerate(chances):
            error = abs((~terminated & (following == room)).mean() - chance)
            assert error <= 4 * (chance * (1 - chance) / 20_000) ** 0.5


def test_finite_mdp_follows_its_probabilities():
    """Three states; 20,000 draws of the start and of each row, four chi-squares: fail by chance with 4e-4."""
    rows = np.array([[0.2, 0.4, 0.1], [0.3, 0.3, 0.3], [0.05, 0.15, 0.25]])
    start = [0.5, 0.3, 0.2]

    class Table(FiniteMDPVector):
        mdp = FiniteMDP(rows[:, None], [[1.0], [2.0], [3.0]], start)

    for state in range(3):
        envs = Table(20_000)
        observations, _ = envs.reset(seed=6)
        assert chi_square(observations, start) < 18.42  # 2 degrees of freedom
        envs.state[:] = state
        observations, rewards, terminated, _, _ = envs.step(np.zeros(20_000, dtype=int))
        outcomes = np.where(terminated, 3, observations)
        assert chi_square(outcomes, [*rows[state], 1 - rows[state].sum()]) < 21.11  # 3 degrees of freedom
        assert (rewards == state + 1).all() and (observations[terminated] == state).all()
        assert envs.single_observation_space == spaces.Discrete(3) and envs.single_action_space == spaces.Discrete(1)


def test_coin_or_prize_by_all_action_sequences():
    """All 128 sequences of seven actions: the first 0 ends the episode, with the coin if it is the first action."""
    plans = np.array(list(itertools.product((0, 1), repeat=7)))
    envs, mask = CoinOrPrizeVector(128), np.ones(128, dtype=bool)
    cells, total, length = envs.reset(seed=0)[0], np.zeros(128), np.zeros(128, dtype=int)
    for step in range(7):
        assert (cells[mask] == step).all()
        cells, rewards, terminated, truncated, _ = envs.step(plans[:, step])
        total, length, mask = total + rewards * mask, length + mask, mask & ~terminated
        assert not truncated.any()
    assert not mask.any()
    assert total.tolist() == [1 if plan[0] == 0 else 10 if plan.all() else 0 for plan in plans]
    assert length.tolist() == [(*plan, 0).index(0) + 1 if not plan.all() else 7 for plan in plans]


def test_two_hills_by_hand():
    """Heights 1 and 2, plus the other hill's value; half a unit off, a factor exp(-1/2); beyond +-5 counts as +-5."""
    foot = np.exp(-18)  # three units off
    actions = [-1.0, 2.0, -1.5, 2.5, 5.0, -5.0, 9.0, -7.0]
    heights = [1 + 2 * foot, 2 + foot, np.exp(-0.5), 2 * np.exp(-0.5), 2 * foot, np.exp(-32), 2 * foot, np.exp(-32)]
    envs = TwoHillsVector(8)
    assert not envs.reset(seed=0)[0].any()
    for first in (True, False, True):  # every second step only resets
        observations, rewards, terminated, truncated, _ = envs.step(np.array(actions, dtype=np.float32)[:, None])
        assert rewards == pytest.approx(heights if first else np.zeros(8), rel=1e-5, abs=0)
        assert (terminated == first).all() and not truncated.any() and not observations.any()


@pytest.mark.parametrize(("env", "options"), OWN)
def test_rendered_pictures(env, options):
    """The right size and three colours; a new state looks different, and the next picture does not change the last."""
    single = gymnasium.make(env, render_mode="rgb_array", **options)
    single.action_space.seed(0)
    single.reset(seed=0)
    before = single.render()
    kept = before.copy()
    single.step(single.action_space.high if single.action_space.shape else 1)
    after = single.render()
    assert before.shape == after.shape == (200, 300, 3) and before.dtype == np.uint8
    assert np.array_equal(before, kept) and not np.array_equal(before, after)
    assert len(np.unique(after.reshape(-1, 3), axis=0)) >= 3
    assert gymnasium.make(env, **options).unwrapped.render() is None
    many = gymnasium.make_vec(env, 2, render_mode="rgb_array", **options)
    many.reset(seed=0)
    assert [picture.shape for picture in many.render()] == [(200, 300, 3)] * 2


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (PlanarArmVector, {"joints": 0}, "joints is 0, but must be a whole number from 1 to 7, such as 2"),
        (PlanarArmVector, {"joints": 8}, "from 1 to 7"),
        (PlanarArmVector, {"joints": 2.5}, "joints is 2.5"),
        (RockPaperScissorsVector, {"opponent": "lizard"}, "opponent is 'lizard'"),
        (RockPaperScissorsVector, {"opponent": (0.5, 0.6, -0.1)}, "not negative and sum to 1"),
        (RockPaperScissorsVector, {"opponent": (0.5, 0.5)}, "three probabilities"),
        (RockPaperScissorsVector, {"opponent": (float("nan"), 0.5, 0.5)}, "opponent is"),
        (RockPaperScissorsVector, {"opponent": (0.5, 0.3, 0.1)}, "such as"),
        (RockPaperScissorsVector, {"opponent": None}, "opponent is None"),
        (RockPaperScissorsVector, {"rounds": 0}, "rounds is 0, but must be a whole number from 1 up"),
        (RockPaperScissorsVector, {"rounds": 1.5}, "rounds is 1.5"),
    ],
)
def test_invalid_option_raises(kind, options, words):
    with pytest.raises(ValueError, match=words):
        kind(3, **options)


@pytest.mark.parametrize(
    ("kind", "actions", "words"),
    [
        (RockPaperScissorsVector, [0, -1], r"\[ 0, -1\]\), but must be 2 of Discrete\(3\), one each"),
        (RockPaperScissorsVector, [0, 3], "one each"),
        (ShortCorridorVector, [0, 2], "one each"),
        (ShortCorridorVector, 1, "one each"),
        (PlanarArmVector, [1.0, 1.0], "but must be 2 of Box"),
        (TwoRoomsVector, [0, 2], r"but must be 2 of Discrete\(2\), one each"),
        (TwoHillsVector, [1.0, 1.0], "but must be 2 of Box"),
    ],
)
def test_invalid_actions_raise(kind, actions, words):
    envs = kind(2)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=words):
        envs.step(np.array(actions))


def test_step_before_reset_raises():
    with pytest.raises(AssertionError, match="Call reset before step"):
        ShortCorridorVector(1).step(np.array([1]))


# --- digits to sort or to reverse -------------------------------------------------------------------------------------


def write(envs, answers):
    """Writes one answer (digits) in each environment; returns the rewards (n, steps) and the last observation."""
    rewards = []
    for digits in np.asarray(answers).T:
        observations, reward, terminated, _, _ = envs.step(digits)
        rewards.append(reward)
    assert terminated.all()
    return np.array(rewards).T, observations


def test_digits_observations():
    envs = DigitsVector(1, length=3)
    envs.reset(seed=0)
    envs.state[0, :3] = [5, 0, 5]
    seen = [envs.step(np.array([digit]))[0][0].tolist() for digit in (7, 0, 9)]
    assert seen == [[5, 0, 5, EQUALS, 7, EMPTY], [5, 0, 5, EQUALS, 7, 0], [5, 0, 5, EQUALS, 7, 0]]


@pytest.mark.parametrize(
    ("task", "reward", "earned"),
    [  # for the prompt 3 1 2, the rewards of the answers 1 2 3, 2 1 3 and 0 0 0
        ("sort", "tokens", [1, 1 / 3, 0]),
        ("reverse", "tokens", [1 / 3, 1, 0]),
        ("sort", "exact", [1, 0, 0]),
        ("reverse", "exact", [0, 1, 0]),
        ("sort", "order", [1, 1 / 2, 1]),
    ],
)
def test_digits_rewards_by_hand(task, reward, earned):
    envs = DigitsVector(3, length=3, task=task, reward=reward)
    envs.reset(seed=0)
    envs.state[:, :3] = [3, 1, 2]
    rewards, _ = write(envs, [[1, 2, 3], [2, 1, 3], [0, 0, 0]])
    np.testing.assert_allclose(rewards, [[0, 0, last] for last in earned])


def test_digits_solutions_equal_pythons():
    envs = DigitsVector(64, length=6, task="sort", group_size=1)
    prompts = envs.reset(seed=3)[0][:, :6]
    assert len(np.unique(prompts, axis=0)) > 60
    for task, solve in (("sort", sorted), ("reverse", lambda digits: digits[::-1])):
        envs.task = task
        envs.reset(seed=3)
        rewards, _ = write(envs, [solve(prompt.tolist()) for prompt in prompts])
        assert (rewards[:, -1] == 1).all() and not rewards[:, :-1].any()


@pytest.mark.parametrize("number", [1, 8, 12, 16])
def test_groups_share_their_prompt_in_every_episode(number):
    envs = DigitsVector(number, length=4, group_size=8)
    for observations in (
        envs.reset(seed=5)[0],
        write(envs, np.zeros((number, 4), int)) and envs.step(np.zeros(number, int))[0],
    ):
        prompts = observations[:, :4]
        assert observations[:, 4:].tolist() == [[EQUALS, EMPTY, EMPTY, EMPTY]] * number
        for start in range(0, number, 8):
            assert (prompts[start : start + 8] == prompts[start]).all()
        assert number < 9 or (prompts[0] != prompts[8]).any()


@pytest.mark.parametrize(
    "options",
    [{"length": 1}, {"length": 4.0}, {"task": "shuffle"}, {"reward": "taste"}, {"group_size": 0}, {"group_size": 2.5}],
    ids=str,
)
def test_digits_invalid_options_raise(options):
    with pytest.raises(ValueError, match="but length must be a whole number from 2 up, task 'sort' or 'reverse'"):
        DigitsVector(**options)
