"""Random tasks, compared with a slow reference: each environment keeps copies of what it showed, was given and paid.

Hypothesis draws spaces, bounds, types of numbers, autoreset modes, lengths and habits. The oracles: Gymnasium's own
flatten for what a policy sees, an action decoded by itself, and torch.distributions, one row and one choice at a time.
"""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.spaces.utils import flatten
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pglesson import Settings, make_envs, make_policy, play_episodes, reinforce
from pglesson.envs.spaces import observation_size
from pglesson.policies import distribution_at

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # of Gymnasium's, about a bound's precision

shapes = st.lists(st.integers(1, 3), max_size=2).map(tuple)
starts = st.integers(-3, 3)


@st.composite
def boxes(draw: Any, kinds: tuple[str, ...]) -> spaces.Box:
    """Of any type of number; floats with two bounds, one, or none, of any size."""
    shape, kind = draw(shapes), draw(st.sampled_from(kinds))
    if kind == "uint8":
        return spaces.Box(0, draw(st.sampled_from([1, 9, 255])), shape, np.uint8)
    if kind == "int64":
        low = draw(st.integers(-100, 100))
        return spaces.Box(low, low + draw(st.integers(1, 1000)), shape, np.int64)
    size = draw(st.sampled_from([1e-5, 0.3, 1.0, 40.0, 2e6]))
    low = draw(st.sampled_from([-np.inf, -1.0, 0.0, 3.0])) * size
    high = draw(st.sampled_from([np.inf, 3.5, 5.0])) * size
    return spaces.Box(low, high, shape, np.dtype(kind).type)


def discrete() -> Any:
    return st.builds(lambda n, start: spaces.Discrete(n, start=start), st.integers(1, 5), starts)


@st.composite
def multi_discrete(draw: Any) -> spaces.MultiDiscrete:
    sizes = np.array(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    start = np.array(draw(st.lists(starts, min_size=len(sizes), max_size=len(sizes))))
    shape = (2, 2) if len(sizes) == 4 else sizes.shape
    return spaces.MultiDiscrete(sizes.reshape(shape), start=start.reshape(shape))


def multi_binary() -> Any:
    return st.sampled_from([1, 3, (2, 2)]).map(spaces.MultiBinary)


leaves = st.one_of(boxes(("float32", "float64", "uint8", "int64")), discrete(), multi_discrete(), multi_binary())
observation_spaces = st.one_of(
    leaves,
    st.lists(leaves, min_size=1, max_size=3).map(spaces.Tuple),
    st.dictionaries(st.sampled_from("abc"), leaves, min_size=1).map(spaces.Dict),
    st.builds(lambda a, b: spaces.Dict(inner=spaces.Tuple([a, b]), outer=a), leaves, leaves),
)
action_spaces = st.one_of(boxes(("float32", "float64")), discrete(), multi_discrete(), multi_binary())


@st.composite
def whole_boxes(draw: Any) -> spaces.Box:
    """Of few whole numbers, each entry with bounds of its own."""
    kind, shape = draw(st.sampled_from(["int64", "int8", "uint8", "bool"])), draw(shapes)
    low = np.array(draw(st.lists(starts, min_size=9, max_size=9)))[: int(np.prod(shape))].reshape(shape)
    low = np.zeros(shape, dtype=int) if kind in ("uint8", "bool") else low
    more = 1 if kind == "bool" else draw(st.integers(1, 9))
    return spaces.Box(low.astype(kind), (low + more).astype(kind), shape, np.dtype(kind).type)


class Kept(gymnasium.Env[Any, Any]):
    """Shows samples of its space for 1 to 5 steps, and keeps copies; it may reuse its arrays and change its action."""

    made = list["Kept"]()

    def __init__(self, seen: Any, actions: Any, habits: frozenset[str]) -> None:
        self.observation_space, self.action_space, self.habits = copy.deepcopy(seen), copy.deepcopy(actions), habits
        self.paid, self.episodes = np.zeros(()), list[dict[str, list[Any]]]()
        Kept.made.append(self)

    def look(self) -> Any:
        new = self.observation_space.sample()
        self.now["seen"].append(copy.deepcopy(new))
        if "reuses its observation" in self.habits and isinstance(new, np.ndarray) and len(self.now["seen"]) > 1:
            self.shown[...] = new
        else:
            self.shown = new
        return self.shown

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        self.now: dict[str, list[Any]] = {"seen": [], "given": [], "paid": [], "over": []}
        self.episodes.append(self.now)
        self.left, self.ends = int(self.np_random.integers(1, 6)), bool(self.np_random.integers(2))
        return self.look(), {"nothing": self.left}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self.now["given"].append(np.array(action))
        reward = float(self.np_random.normal())
        self.now["paid"].append(reward)
        if "changes its action" in self.habits and isinstance(action, np.ndarray):
            action[...] = 0
        self.paid[()] = reward
        self.left -= 1
        over, ends = self.left == 0, self.ends
        self.now["over"].append((over and ends, over and not ends))
        pays = self.paid if "reuses its reward" in self.habits else reward
        return (
            self.look(),
            pays,
            over and ends,
            over and not ends,
            {"left": "none" if over and "infos of changing kinds" in self.habits else self.left},
        )


HABITS = ("reuses its observation", "reuses its reward", "changes its action", "infos of changing kinds")


def register(seen: Any, actions: Any, habits: frozenset[str], mode: str) -> str:
    """tests/Any-v0 anew: single environments, or Gymnasium's vectorization of them in one of its modes."""
    gymnasium.registry.pop("tests/Any-v0", None)
    Kept.made.clear()
    make = lambda: Kept(seen, actions, habits)  # noqa: E731
    if mode == "single":
        gymnasium.register("tests/Any-v0", make, disable_env_checker=True)
    else:
        how = {"autoreset_mode": AutoresetMode[mode.removesuffix(" in its own arrays")], "copy": "own" not in mode}
        gymnasium.register("tests/Any-v0", vector_entry_point=lambda num_envs: SyncVectorEnv([make] * num_envs, **how))
    return "tests/Any-v0"


def as_given(space: Any, action: Any) -> Any:
    """One sampled action as an environment must get it."""
    if isinstance(space, spaces.Box) and space.dtype.kind != "f":
        return action.reshape(space.shape) + space.low.astype(int)  # the first option is the lowest number
    if isinstance(space, spaces.Box):
        return np.minimum(np.maximum(action.reshape(space.shape), space.low), space.high)
    return action.reshape(space.shape) + (0 if isinstance(space, spaces.MultiBinary) else space.start)


MODES = ("single", "NEXT_STEP", "SAME_STEP", "NEXT_STEP in its own arrays")


@settings(max_examples=80, deadline=None, derandomize=True, database=None)
@given(
    observation_spaces,
    st.one_of(action_spaces, whole_boxes()),
    st.sets(st.sampled_from(HABITS)).map(frozenset),
    st.sampled_from(MODES),
)
def test_episodes_are_what_the_environments_kept(seen: Any, actions: Any, habits: frozenset[str], mode: str) -> None:
    if mode != "single":
        habits -= {"infos of changing kinds"}  # which Gymnasium's own vectorization cannot store
    env = register(seen, actions, habits, mode)
    envs = make_envs(env, 6)
    copies = Kept.made[-6:]
    policy = make_policy(Settings(env=env, runs=2, hidden=(4,)), envs)
    played = play_episodes(envs, policy, 2, max_steps=50, generator=torch.Generator().manual_seed(1), seed=3)
    assert played.observations.shape[-1] == observation_size(seen)
    for index, kept in enumerate(copies):
        run, episode = divmod(index, 3)
        first = kept.episodes[0]
        length = len(first["paid"])
        assert played.mask[run, episode].tolist() == [1.0] * length + [0.0] * (played.mask.shape[2] - length)
        for t in range(length):
            expected = np.asarray(flatten(seen, first["seen"][t]), dtype=np.float32).ravel()
            np.testing.assert_array_equal(played.observations[run, episode, t].numpy(), expected)
            chosen = as_given(actions, played.actions[run, episode, t].numpy())
            np.testing.assert_array_equal(chosen.astype(actions.dtype), first["given"][t])
            assert first["given"][t].dtype == actions.dtype
            assert played.rewards[run, episode, t].item() == np.float32(first["paid"][t])
        last = np.asarray(flatten(seen, first["seen"][length]), dtype=np.float32).ravel()
        np.testing.assert_array_equal(played.final_observations[run, episode].numpy(), last)
        assert bool(played.terminated[run, episode]) == first["over"][-1][0] and any(first["over"][-1])
        assert played.rewards[run, episode, length:].eq(0).all()


def one_by_one(space: Any, output: Any, action: Tensor) -> Tensor:
    """The log-probability of one action by torch.distributions, choice by choice."""
    normal = torch.distributions.Normal
    if isinstance(space, spaces.Box):
        mu, log_sigma = output
        return sum(normal(m, s.exp()).log_prob(a) for m, s, a in zip(mu, log_sigma, action))
    if isinstance(space, spaces.MultiBinary):
        return sum(torch.distributions.Bernoulli(logits=x).log_prob(a.float()) for x, a in zip(output, action))
    sizes = space.nvec.ravel().tolist() if isinstance(space, spaces.MultiDiscrete) else [int(space.n)]
    parts = zip(output.split(sizes), action.reshape(-1))
    return sum(torch.distributions.Categorical(logits=x).log_prob(a) for x, a in parts)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(action_spaces, st.integers(0, 1000))
def test_log_probabilities_are_those_of_each_row_by_itself(actions: Any, seed: int) -> None:
    env = register(spaces.Box(-1, 1, (3,), np.float32), actions, frozenset(), "single")
    policy = make_policy(Settings(env=env, runs=2, hidden=(4,)))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in policy.parameters():
            weight += 0.3 * torch.randn(weight.shape, generator=generator)
        observations = torch.randn(2, 4, 3, generator=generator)
        pi, output = distribution_at(policy, observations), policy(observations)
        drawn = pi.sample(generator)
        found, entropy = pi.log_prob(drawn), pi.entropy()
    assert found.shape == entropy.shape == (2, 4) and entropy.isfinite().all()
    for run, row in np.ndindex(2, 4):
        part = tuple(x[run, row] for x in output) if isinstance(output, tuple) else output[run, row]
        torch.testing.assert_close(found[run, row], one_by_one(actions, part, drawn[run, row]), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(pi.kl(pi), torch.zeros(2, 4), atol=1e-5, rtol=0)


class Own(nn.Module):
    """A learner's: an output for each number that is chosen, and in-place changes of what it is shown."""

    def __init__(self, size: int, outputs: int, pair: bool, in_place: bool) -> None:
        super().__init__()
        self.net, self.pair, self.in_place = nn.Linear(size, outputs), pair, in_place
        self.log_sigma = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Any:
        out = self.net(x.clamp_(-3, 3) if self.in_place else x.clamp(-3, 3))
        return (out, self.log_sigma.expand_as(out)) if self.pair else out


free = st.builds(lambda shape: spaces.Box(-np.inf, np.inf, shape, np.float32), shapes)


@settings(max_examples=15, deadline=None, derandomize=True, database=None)
@given(observation_spaces, st.one_of(free, discrete(), multi_discrete(), multi_binary()), st.integers(1, 4))
def test_a_policy_that_changes_its_input_trains_as_one_that_copies(seen: Any, actions: Any, episodes: int) -> None:
    env = register(seen, actions, frozenset(HABITS), "single")
    pair = isinstance(actions, spaces.Box)
    sizes = {spaces.Discrete: lambda: actions.n, spaces.MultiDiscrete: lambda: actions.nvec.sum()}
    outputs = int(sizes.get(type(actions), lambda: np.prod(actions.shape))())
    losses = []
    for in_place in (False, True):
        torch.manual_seed(0)
        policy = Own(observation_size(seen), outputs, pair, in_place)
        chosen = Settings(env=env, episodes=episodes, updates=2, policy_epochs=2, baseline="value", hidden=(4,))
        losses.append([update.loss.tolist() for update in reinforce(chosen, policy)])
    assert losses[0] == losses[1]
