"""The lesson's environments against Gymnasium's checker, Gymnasium's own versions, tables and closed forms."""

import itertools
import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from pglesson.envs.pendulum import PendulumVector
from pglesson.envs.planar_arm import MAX_SPEED, PlanarArmVector
from pglesson.envs.rock_paper_scissors import PAYOFF, RockPaperScissorsVector
from pglesson.envs.short_corridor import ShortCorridorVector, value

OWN = [
    ("pglesson/RockPaperScissors-v0", {"rounds": 3, "opponent": "counter"}),
    ("pglesson/RockPaperScissors-v0", {"opponent": (0.5, 0.25, 0.25)}),
    ("pglesson/ShortCorridor-v0", {}),
    ("pglesson/PlanarArm-v0", {"joints": 1}),
    ("pglesson/PlanarArm-v0", {"joints": 7}),
]


@pytest.mark.parametrize(("env", "options"), [*OWN, ("pglesson/Pendulum-v1", {})])
def test_passes_gymnasiums_checker(env, options):
    made = gymnasium.make(env, render_mode="rgb_array", **options)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Pendulum is Gymnasium's own, and its torque of +-2 is not normalized
        warnings.filterwarnings("ignore", message=".*we recommend using a symmetric and normalized space.*")
        check_env(made.unwrapped)


@pytest.mark.parametrize(("env", "options"), [*OWN, ("pglesson/Pendulum-v1", {})])
def test_the_vectorized_form_keeps_its_word(env, options):
    envs = gymnasium.make_vec(env, 5, vectorization_mode="vector_entry_point", **options)
    observations, _ = envs.reset(seed=1)
    envs.action_space.seed(1)
    for _ in range(60):
        assert envs.observation_space.contains(observations)
        observations, rewards, terminated, truncated, _ = envs.step(envs.action_space.sample())
        assert rewards.shape == terminated.shape == truncated.shape == (5,)
        assert terminated.dtype == truncated.dtype == bool


@pytest.mark.parametrize(("env", "options"), OWN)
def test_one_environment_equals_its_vectorized_form(env, options):
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
            _, rewards, ends, cuts, _ = many.step(np.asarray(action)[None])  # the step that only begins anew
            assert (rewards[0], ends[0], cuts[0]) == (0.0, False, False)
            (one, _), (batch, _) = single.reset(seed=t), many.reset(seed=t)


def test_vectorized_pendulum_equals_gymnasiums_step_for_step():
    """Observations bit for bit: 20 random states, 250 random torques each, a third of them beyond the limits."""
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
            assert record[t][1][k] == pytest.approx(reward, rel=1e-9)  # one float32 power may round either way
            assert not record[t][2][k] and not record[t][3][k] and not terminated and not truncated


def test_vectorized_pendulum_starts_like_gymnasiums():
    many, single = PendulumVector(1), gymnasium.make("Pendulum-v1")
    assert np.array_equal(many.reset(seed=5)[0][0], single.reset(seed=5)[0])


def test_beginning_anew_follows_gymnasiums_cartpole():
    """Where CartPole's flags and step counts go after an end, ours go too: one dead step, then a full episode."""
    ours, theirs = PendulumVector(2, 4), gymnasium.make_vec("CartPole-v1", 2, max_episode_steps=4)
    ours.reset(seed=0), theirs.reset(seed=0)
    for t in range(15):
        mine = ours.step(np.zeros((2, 1), dtype=np.float32))
        other = theirs.step(np.array([t % 2, t % 2]))
        assert np.array_equal(mine[3], other[3]) and np.array_equal(mine[1] == 0, other[1] == 0)


def test_corridor_by_its_table():
    """Sutton & Barto (2018), Example 13.1: state 1 is switched, and left at the wall stays."""
    table = {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 0, (2, 0): 1, (2, 1): 3}
    for (state, action), following in table.items():
        envs = ShortCorridorVector(1)
        envs.reset()
        envs.state[:] = state
        _, reward, terminated, truncated, _ = envs.step(np.array([action]))
        assert envs.state[0] == following and reward[0] == -1.0
        assert terminated[0] == (following == 3) and not truncated[0]


def test_corridor_value_by_closed_form_and_by_play():
    """4,000 episodes at p = 0.3 within 4 standard errors: fails by chance with probability 6e-5."""
    best = 2 - 2**0.5
    assert value(best) == pytest.approx(-6 - 4 * 2**0.5)
    assert max(np.linspace(0.01, 0.99, 999), key=value) == pytest.approx(best, abs=1e-3)
    random, envs = np.random.default_rng(1), ShortCorridorVector(4000, None)
    envs.reset(seed=1)
    returns, alive = np.zeros(4000), np.ones(4000, dtype=bool)
    while alive.any():
        _, rewards, terminated, _, _ = envs.step((random.random(4000) < 0.3).astype(int))
        returns += rewards * alive
        alive &= ~terminated
    assert abs(returns.mean() - value(0.3)) < 4 * returns.std() / 4000**0.5


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, float("nan")])
def test_corridor_value_refuses_a_policy_that_never_arrives(p):
    with pytest.raises(ValueError, match="p_right is"):
        value(p)


def test_payoffs_of_all_nine_pairs():
    beats = {(0, 2), (1, 0), (2, 1)}  # rock beats scissors, paper rock, scissors paper
    for own, other in itertools.product(range(3), repeat=2):
        envs = RockPaperScissorsVector(1, opponent=np.eye(3)[other])
        envs.reset(seed=0)
        _, rewards, terminated, _, _ = envs.step(np.array([own]))
        assert rewards[0] == PAYOFF[own, other] == ((own, other) in beats) - ((other, own) in beats)
        assert terminated[0]


def test_an_opponent_plays_its_probabilities():
    """20,000 replies, chi-square with 2 degrees of freedom: fails by chance with probability 1e-4."""
    envs = RockPaperScissorsVector(20_000, opponent=(0.5, 0.3, 0.2), rounds=2)
    envs.reset(seed=2)
    envs.step(np.zeros(20_000, dtype=int))
    counts, expected = np.bincount(envs.state[:, 4], minlength=3), 20_000 * np.array([0.5, 0.3, 0.2])
    assert ((counts - expected) ** 2 / expected).sum() < 18.42


def test_the_counter_opponent_exploits_a_habit():
    envs = RockPaperScissorsVector(300, opponent="counter", rounds=5)
    envs.reset(seed=3)
    results = np.array([envs.step(np.full(300, 1))[1] for _ in range(5)])
    assert set(results[0]) == {-1.0, 0.0, 1.0}  # it knows nothing yet
    assert (results[1:] == -1).all()


@pytest.mark.parametrize("joints", range(1, 8))
def test_the_hand_by_complex_numbers(joints):
    """The sum of unit vectors exp(i * heading) / joints, an independent forward kinematics."""
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
    _, rewards, _, _, _ = envs.step(np.full((50, joints), 9.0))  # beyond the limits: counts as 1
    moved = np.exp(1j * np.cumsum(angles + MAX_SPEED, 1)).sum(1) / joints
    assert np.allclose(rewards, -np.abs(target - moved), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (PlanarArmVector, {"joints": 0}, "joints is 0"),
        (PlanarArmVector, {"joints": 8}, "from 1 to 7"),
        (PlanarArmVector, {"joints": 2.5}, "joints is 2.5"),
        (RockPaperScissorsVector, {"opponent": "lizard"}, "opponent is 'lizard'"),
        (RockPaperScissorsVector, {"opponent": (0.5, 0.6, -0.1)}, "not negative and sum to 1"),
        (RockPaperScissorsVector, {"opponent": (0.5, 0.5)}, "three probabilities"),
        (RockPaperScissorsVector, {"opponent": (float("nan"), 0.5, 0.5)}, "opponent is"),
        (RockPaperScissorsVector, {"rounds": 0}, "rounds is 0"),
    ],
)
def test_a_wrong_option_gets_a_sentence(kind, options, words):
    with pytest.raises(ValueError, match=words):
        kind(3, **options)
