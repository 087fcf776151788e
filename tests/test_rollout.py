"""Whole episodes: masks, ends and time-outs, clipping, spaces of every kind, and the sentence for each fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
from gymnasium import spaces
from torch import nn

from pglesson import Settings, make_policy, reinforce
from pglesson.analysis.rendering import render_episode, to_picture
from pglesson.envs.factory import make_envs
from pglesson.own_policies import SingleRunPolicy
from pglesson.policies import GaussianPolicy, SoftmaxPolicy
from pglesson.rollout import Episodes, play_episodes


def play(env: str, episodes: int) -> Episodes:
    settings = Settings(env=env, episodes=episodes, hidden=())
    envs = make_envs(env, episodes)
    policy = make_policy(settings, envs)
    return play_episodes(envs, policy, 1, max_steps=10, generator=torch.Generator().manual_seed(0), seed=0)


def test_discrete_spaces_that_do_not_start_at_zero() -> None:
    """Observations 5, 6, 7 become the three unit vectors; actions 0 and 1 reach the environment as -1 and 0."""
    played = play("tiny/Starts-v0", 8)
    assert played.observations.equal(torch.eye(3).expand(1, 8, 3, 3))
    assert set(played.actions.unique().tolist()) == {0, 1}
    assert played.rewards.equal(played.actions.float() - 1)


def test_boxes_with_two_axes() -> None:
    """Flattened for the policy, restored and clipped for the environment, which pays entry (0, 1)."""
    played = play("tiny/Matrix-v0", 8)
    torch.testing.assert_close(played.observations[0, 0, 0], torch.arange(6.0) / 10)
    assert played.actions.shape == (1, 8, 3, 4)
    assert (played.actions[..., 1].abs() > 1).any(), "no action was clipped: choose another seed"
    torch.testing.assert_close(played.rewards, played.actions[..., 1].clamp(-1, 1))


def test_ends_and_time_outs_in_one_batch() -> None:
    """The second action decides: 0 terminates, 1 truncates. Both end the episode, after two steps."""
    played = play("tiny/Ends-v0", 30)
    assert played.mask.equal(torch.ones(1, 30, 2))
    assert played.terminated.equal(played.actions[:, :, 1] == 0)
    assert played.terminated.any() and not played.terminated.all()


def test_a_box_of_few_whole_numbers_is_a_choice_among_them() -> None:
    played = play("tiny/WholeActions-v0", 60)
    assert sorted(played.actions.unique().tolist()) == [0, 1, 2, 3, 4, 5]
    assert played.rewards.equal(played.actions[..., 0].float() - 2)


@pytest.mark.parametrize("high", [997, np.iinfo(np.int64).max])
def test_a_box_of_many_whole_numbers_raises(high: int) -> None:
    gymnasium.register(
        f"tiny/Whole{high}-v0", tiny_envs.Scripted, kwargs={"actions": spaces.Box(-3, high, (1,), np.int64)}
    )
    with pytest.raises(ValueError, match="up to 1,000 options in all"):
        make_envs(f"tiny/Whole{high}-v0", 2)


def play_policy(env: str, policy: Any, episodes: int, max_steps: int = 20, seed: int = 0) -> Episodes:
    envs = make_envs(env, policy.runs * episodes)
    generator = torch.Generator().manual_seed(seed)
    return play_episodes(envs, policy, policy.runs, max_steps=max_steps, generator=generator, seed=seed)


def test_lengths_masks_and_rewards_follow_from_the_actions() -> None:
    """The oracle replays tiny/Fork-v0 from its table, one episode at a time, with the recorded actions."""
    played = play_policy("tiny/Fork-v0", SoftmaxPolicy(3, 2, runs=2), 20)
    lengths = set()
    for run, episode in np.ndindex(2, 20):
        state = t = 0
        while state != tiny_envs.END:
            action = int(played.actions[run, episode, t])
            assert played.observations[run, episode, t].equal(torch.eye(3)[state])
            assert played.rewards[run, episode, t] == tiny_envs.REWARDS[state, action]
            state, t = int(tiny_envs.FOLLOWING[state, action]), t + 1
        assert played.mask[run, episode].tolist() == [1.0] * t + [0.0] * (played.mask.shape[2] - t)
        assert played.rewards[run, episode, t:].eq(0).all()
        assert played.observations[run, episode, t:].eq(played.observations[run, episode, 0]).all()
        assert played.actions[run, episode, t:].eq(played.actions[run, episode, 0]).all()
        lengths.add(t)
    assert lengths == {1, 2, 3} and played.terminated.all()


def test_max_steps_truncates() -> None:
    played = play_policy("tiny/Endless-v0", SoftmaxPolicy(1, 2), 3, max_steps=7)
    assert played.mask.equal(torch.ones(1, 3, 7)) and not played.terminated.any()


def test_environment_gets_clipped_actions_and_episodes_keep_sampled_ones() -> None:
    """The reward of tiny/Echo-v0 is the action as it arrives, between -0.5 and 0.25."""
    played = play_policy("tiny/Echo-v0", GaussianPolicy(1, [-0.5], [0.25]), 20)
    assert (played.actions > 0.25).any() and (played.actions < -0.5).any()
    torch.testing.assert_close(played.rewards, played.actions[..., 0].clamp(-0.5, 0.25))


def test_a_seed_repeats_the_episodes() -> None:
    first, again, other = (play_policy("CartPole-v1", SoftmaxPolicy(4, 2), 3, seed=seed) for seed in (0, 0, 1))
    assert first.observations.equal(again.observations) and first.actions.equal(again.actions)
    assert not first.observations[:, :, 0].equal(other.observations[:, :, 0])


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ("CartPole-v77", "No environment is registered as 'CartPole-v77'"),
        ("Nonsense-v0", "No environment is registered as 'Nonsense-v0'"),
        ("nobody/Nonsense-v0", "No environment is registered as 'nobody/Nonsense-v0'"),
        ("tiny/GraphObservation-v0", "observations of the kind Graph"),
        ("tiny/TupleActions-v0", "actions of the kind Tuple"),
    ],
)
def test_unsupported_environment_raises(env: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_envs(env, 2)


@pytest.mark.parametrize(("env", "fault"), [("tiny/NanReward-v0", "reward"), ("tiny/NanObservation-v0", "observation")])
def test_nonfinite_reward_or_observation_raises(env: str, fault: str) -> None:
    with pytest.raises(ValueError, match=f"an? {fault} that is not a finite number, in run 0, episode 0, time step 1"):
        play_policy(env, SoftmaxPolicy(2 if fault == "observation" else 1, 2, runs=2), 3)


class Fixed(nn.Module):
    """Gives output(n) for n observations, whatever they are."""

    def __init__(self, output: Any) -> None:
        super().__init__()
        self.output = output

    def forward(self, observations: torch.Tensor) -> Any:
        return self.output(len(observations))


@pytest.mark.parametrize(
    ("env", "policy", "given", "wanted"),
    [
        ("CartPole-v1", SoftmaxPolicy(4, 3, runs=2), "(2, 5, 3)", "logits, one for each action, of shape (2, 5, 2)"),
        ("CartPole-v1", GaussianPolicy(4, [-1], [1]), "(1, 5, 1), (1, 5, 1)", "of shape (1, 5, 2)"),
        ("CartPole-v1", SingleRunPolicy(nn.Linear(4, 3)), "(1, 5, 3)", "leaves the run axis out"),
        ("CartPole-v1", SingleRunPolicy(Fixed(lambda n: torch.zeros(n))), "(1, 5)", "of shape (1, 5, 2)"),
        ("tiny/Echo-v0", SoftmaxPolicy(1, 1), "(1, 5, 1)", "a tuple (mu, log_sigma), of shape (1, 5, 1)"),
        ("tiny/Echo-v0", GaussianPolicy(1, [-1] * 2, [1] * 2), "(1, 5, 2), (1, 5, 2)", "of shape (1, 5, 1)"),
        (
            "tiny/Echo-v0",
            SingleRunPolicy(Fixed(lambda n: (torch.zeros(n, 1), torch.zeros(1)))),
            "(1, 5, 1), (1, 1)",
            "(mu",
        ),
    ],
)
def test_policy_output_of_wrong_shape_raises(env: str, policy: Any, given: str, wanted: str) -> None:
    with pytest.raises(ValueError, match="Check the size of its last layer") as error:
        play_policy(env, policy, 5)
    assert f"the policy gave {given}," in str(error.value) and wanted in str(error.value)


def test_steps_after_the_end_are_masked() -> None:
    """Episodes cut at the first step begin anew while others go on, and some of those terminate: not the cut ones."""
    played = play_policy("tiny/Reborn-v0", SoftmaxPolicy(1, 2), 60)
    cut = played.actions[:, :, 0] == 1
    assert played.mask.shape[2] == 6 and cut.any()
    assert played.terminated.equal(~cut) and played.mask[cut].sum(1).eq(1).all()
    assert played.rewards[cut].sum(1).eq(1).all()


class NanAtTheEnd(tiny_envs.Scripted):
    """Shows NaN after its last step, as an environment may: nobody acts on it."""

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return np.full_like(observation, np.nan) if terminated else observation, reward, terminated, truncated, info


def test_observations_after_the_end_reach_no_gradient() -> None:
    gymnasium.register(
        "tiny/NanAtTheEnd-v0",
        entry_point=NanAtTheEnd,
        disable_env_checker=True,
        kwargs={
            "observations": tiny_envs.number_box(),
            "observe": lambda t: tiny_envs.vector(0.5),
            "end": lambda t, action: (t == 5 or action == 0, False),
        },
    )
    *_, last = reinforce(Settings(env="tiny/NanAtTheEnd-v0", updates=3))
    assert np.isfinite(last.gradient_norm).all()


@pytest.mark.parametrize("env", ["Cart Pole", "CartPole", "Pendulum-v0"])
def test_unknown_ids_of_every_form_raise(env: str) -> None:
    with pytest.raises(ValueError, match=f"No environment is registered as {env!r}"):
        make_envs(env, 1)


def test_policy_of_wrong_input_size_raises() -> None:
    with pytest.raises(ValueError, match="Its first layer must take 4 inputs"):
        next(reinforce(Settings(), torch.nn.Linear(3, 2)))


def test_unknown_environment_options_raise() -> None:
    with pytest.raises(ValueError, match=r"could not be made with the options {'joint': 3} .*'joint'.*keyword"):
        make_envs("pglesson/PlanarArm-v0", 2, joint=3)
    with pytest.raises(ValueError, match="joints is 9"):  # what the environment itself refuses, in its own words
        make_envs("pglesson/PlanarArm-v0", 2, joints=9)


def test_nan_logits_raise_and_minus_infinity_does_not() -> None:
    with pytest.raises(FloatingPointError, match="The policy gave numbers that are not finite"):
        play_policy("CartPole-v1", SingleRunPolicy(Fixed(lambda n: torch.full((n, 2), torch.nan))), 5)
    never_left = SingleRunPolicy(Fixed(lambda n: torch.tensor([-torch.inf, 0.0]).expand(n, 2)))
    assert play_policy("CartPole-v1", never_left, 5).actions.eq(1).all()


def test_rendering_a_policy_that_does_not_fit_raises() -> None:
    with pytest.raises(ValueError, match="Check the size of its last layer"):
        list(render_episode("CartPole-v1", SoftmaxPolicy(4, 3)))


class OneAxis(nn.Linear):
    """A learner's own module, which counts on what `reinforce` promises: observations (n, observation_size)."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, _ = x.shape
        return super().forward(x).view(n, 2)


def test_own_module_can_be_rendered() -> None:
    policy = OneAxis(4, 2)
    next(reinforce(Settings(episodes=2), policy))
    assert [total for _, total in render_episode("CartPole-v1", policy, max_steps=3)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("env", "options", "words"),
    [
        ("Nonsense-v0", {}, "No environment is registered as 'Nonsense-v0'"),
        ("CartPole-v1", {"joints": 3}, "could not be made with the options {'joints': 3}"),
        ("tiny/TupleActions-v0", {}, "actions of the kind Tuple"),
        ("tiny/Chain-v0", {}, "cannot draw itself"),
    ],
)
def test_rendering_an_environment_that_cannot_draw_raises(env: str, options: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        next(render_episode(env, SoftmaxPolicy(4, 2), options=options))


def test_an_id_may_name_the_module_that_registers_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Gymnasium's own make takes it: a worker process knows of an environment in no other way."""
    (tmp_path / "own_tasks.py").write_text(
        "import gymnasium, tiny_envs\ngymnasium.register('Own-v0', tiny_envs.Scripted, disable_env_checker=True)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        assert next(reinforce(Settings(env="own_tasks:Own-v0", hidden=(), episodes=2))).lengths.tolist() == [[3, 3]]
    finally:
        gymnasium.registry.pop("Own-v0", None)
    with pytest.raises(ValueError, match=r"No environment is registered as 'no_tasks:Own-v0' .*No module named"):
        make_envs("no_tasks:Own-v0", 2)


def test_rendering_with_render_mode_in_the_options() -> None:
    options = {"render_mode": "rgb_array"}
    assert next(render_episode("CartPole-v1", SoftmaxPolicy(4, 2), options=options))[0].ndim == 3


def test_episodes_cut_off_by_the_default_of_max_steps_are_remarked_on() -> None:
    """A number of the learner's own is not: warnings are errors here."""
    with pytest.warns(UserWarning, match="cut off after 1000 time steps, before they had ended"):
        next(reinforce(Settings(env="tiny/Endless-v0", hidden=(), episodes=1)))
    next(reinforce(Settings(env="tiny/Endless-v0", hidden=(), episodes=1, max_steps=7)))


@pytest.mark.parametrize(
    ("rendered", "pixel"),
    [
        (np.full((2, 3, 3), 0.5), 127),
        (np.full((2, 3, 3), 0.5, np.float32), 127),
        (np.full((2, 3, 3), 200.0), 200),
        (np.full((2, 3, 4), 9, np.uint8), 9),
        (np.full((2, 3), 300), 255),
        (np.ones((2, 3, 3), bool), 255),
        ([[[1.0] * 3] * 3] * 2, 255),
    ],
)
def test_pictures_of_every_kind_are_shown(rendered: Any, pixel: int) -> None:
    """Floats between 0 and 1 would be black, and numbers above 255 would wrap around."""
    picture = to_picture(rendered)
    assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8 and (picture == pixel).all()


@pytest.mark.parametrize("rendered", [None, "drawn", np.zeros((2, 3, 7)), np.zeros(3)])
def test_what_is_no_picture_raises(rendered: Any) -> None:
    with pytest.raises(ValueError, match="a picture is an array"):
        to_picture(rendered)
