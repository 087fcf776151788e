"""The agents that can be watched, and environments that cannot draw, or raise."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import re

import gymnasium
import numpy as np
import pytest
import tiny_envs
import torch
from PIL import Image
from waiting import until

from pglesson import Settings, reinforce
from pglesson.analysis.rendering import render_episode
from pglesson.reinforce import make_policy
from pglesson.widgets.agent_view import Episode
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.playground import Playground
from pglesson.widgets.training_session import TrainingSession


def film(dashboard: Dashboard) -> list[tuple[bytes, str, float]]:
    """The frames that go to the browser from now on."""
    sent: list[tuple[bytes, str, float]] = []
    dashboard.agent.film.play = sent.extend
    return sent


SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard(Settings(**SMALL))


def test_the_agent_can_be_watched_and_stopped(dashboard: Dashboard) -> None:
    async def drive() -> None:
        played = film(dashboard)
        dashboard.agent.now.click()
        await until(lambda: len(played) > 3)
        assert dashboard.agent.now.description == "Stop" and dashboard.agent.before.description == "Watch before"
        dashboard.agent.now.click()
        await until(lambda: not dashboard.agent.playing)
        assert dashboard.agent.now.description == "Watch now"
        assert all("Before training, run" in words for _, words, _ in played)

    asyncio.run(drive())


def test_a_reset_takes_the_last_agent_off_the_screen(dashboard: Dashboard) -> None:
    """The film's own frames replaced picture and words in the browser, so the same ones must be sent to it again."""
    sent: list[tuple[str, object]] = []
    dashboard.agent.film.observe(lambda change: sent.append((change["name"], change["new"])), ["still", "words"])
    still = dashboard.agent.film.still
    dashboard.reset()
    assert dict(sent) == {"still": still, "words": "Here an agent plays."} and still


def test_a_film_ends_with_how_the_episode_ended(dashboard: Dashboard) -> None:
    """Oracle: the episode, played by hand with the same random numbers. An untrained agent drops the pole."""

    async def drive() -> None:
        played = film(dashboard)
        dashboard.agent.before.click()
        await until(lambda: not dashboard.agent.playing)
        run = (dashboard.settings.runs - 1) // 2
        by_hand = list(render_episode("CartPole-v1", dashboard.session.marks[0], seed=0, run=run))
        assert played[-1][1].endswith(f"the task ended it after {len(by_hand) - 1} steps. Return: {by_hand[-1][1]:.0f}")
        assert len(played) == len(by_hand) + 1 and played[-1][0] == played[-2][0]

    asyncio.run(drive())


@pytest.mark.parametrize(("limit", "words"), [(3, "3 steps. Return: 3.0"), (1, "1 step. Return: 1.0")])
def test_the_time_that_runs_out_is_not_the_task_that_ends(limit: int, words: str) -> None:
    policy = Dashboard(Settings(**SMALL)).session.marks[0]
    *_, last = iter(Episode(render_episode("CartPole-v1", policy, max_steps=limit), "x").next, None)
    assert last[1] == f"x: time ran out after {words}"


def test_earlier_agents_can_be_watched_by_their_rank(dashboard: Dashboard) -> None:
    """Marks: before training, after the first update, and after every one of eight; the ranks are those of returns."""

    async def drive() -> None:
        while dashboard.step(draw=False):
            pass
        assert [value for _, value in dashboard.agent.update.options] == list(range(9))
        assert dashboard.agent.update.value == 8, "the newest agent"
        played = film(dashboard)
        dashboard.agent.rank.value = "worst"
        dashboard.agent.update.value = 2
        await until(lambda: any("update 2" in words for _, words, _ in played))
        worst = int(dashboard.updates[2].returns.mean(1).argmin()) + 1
        assert f"After update 2, run {worst} (worst)" in played[-1][1]
        dashboard.agent.stop()

    asyncio.run(drive())


def test_kept_agents_are_those_of_their_update() -> None:
    """Oracle: `reinforce`, stopped after as many updates. Of 60 updates every third is kept, and the first."""
    session = TrainingSession(Settings(**SMALL | {"updates": 60}))
    for _ in range(7):
        session.step()
    assert sorted(session.marks) == [0, 1, 3, 6] and session.agent_at(7) is session.policy
    policy = make_policy(session.settings)
    for update in reinforce(session.settings, policy):
        if update.number in session.marks:
            kept = session.agent_at(update.number)
            assert all(torch.equal(mine, theirs) for mine, theirs in zip(kept.parameters(), policy.parameters()))
        if update.number == 7:
            break


def test_the_present_agent_plays_while_training_runs() -> None:
    """It takes a bounded share of the time, names its update, and stops where `live` is switched off."""

    async def drive() -> None:
        dashboard = Dashboard(Settings(**SMALL | {"updates": 10_000}))
        played = film(dashboard)
        dashboard.start()
        await until(lambda: any("After update" in words for _, words, _ in played))
        dashboard.agent.live.value = False
        await until(lambda: not dashboard.agent.playing)
        assert dashboard.running
        dashboard.agent.film.reduced_motion = True  # as the browser says it
        assert not dashboard.agent.live.value
        dashboard.agent.live.value = True
        await until(lambda: dashboard.agent.playing)
        dashboard.close()
        await until(lambda: not dashboard.agent.playing)

    asyncio.run(drive())


def test_a_film_is_saved_as_a_gif(dashboard: Dashboard) -> None:
    """Its frames are every other one of the episode, and the last."""

    async def drive() -> None:
        dashboard.agent.save.click()
        await until(lambda: "href" in dashboard.agent.file.value)
        found = re.search(r'download="(.*?)" href="data:image/gif;base64,(.*?)"', dashboard.agent.file.value)
        assert found is not None and found[1] == "CartPole-v1-seed-0-update-0.gif"
        steps = len(list(render_episode("CartPole-v1", dashboard.session.marks[0], seed=0))) - 1
        assert Image.open(io.BytesIO(base64.b64decode(found[2]))).n_frames == pytest.approx(steps / 2 + 1, abs=1.5)

    asyncio.run(drive())


def test_an_agent_that_is_stopped_before_it_begins_resets_its_button(dashboard: Dashboard) -> None:
    async def drive() -> None:
        now = dashboard.agent.now
        for _ in range(2):
            now.click()
        await asyncio.sleep(0.05)
        assert now.description == "Watch now"
        for _ in range(3):  # the film before ends after this one has begun
            now.click()
        await asyncio.sleep(0.05)
        assert now.description == "Stop"
        dashboard.agent.stop()

    asyncio.run(drive())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("goal"), "KeyError: 'goal'"),
        (AssertionError(), "AssertionError"),
        (ValueError(), "ValueError"),
        (RuntimeError("It broke."), "RuntimeError: It broke"),
        (ValueError("x is 1, but must be 2."), "ValueError: x is 1, but must be 2"),
    ],
)
def test_an_error_of_an_environment_is_shown_with_its_type_text_and_line(error, words) -> None:
    """In training, in a film, under the microscope, and where the playground refuses."""
    shown = rf"{re.escape(words)}, in line \d+ of test_agent_view\.py: raise error"

    class Broken(tiny_envs.Scripted):
        metadata = {"render_modes": ["rgb_array"]}

        def render(self):
            raise error

        def step(self, action):
            raise error

    gymnasium.register("tiny/Broken-v0", entry_point=Broken, disable_env_checker=True)
    try:
        settings = Settings(env="tiny/Broken-v0", hidden=(), **SMALL)
        dashboard = Dashboard(settings)
        assert re.match(shown, dashboard.agent.film.words)
        assert not dashboard.step()
        assert re.search(rf"{shown}.* Training stopped", html.unescape(dashboard.status.value))
        assert re.search(shown, html.unescape(MicroscopeView(settings).status.value))
        playground = Playground(settings)
        playground.reset()
        assert re.search(rf"{shown}.* The run was left as it was\.", html.unescape(playground.status.value))
    finally:
        del gymnasium.registry["tiny/Broken-v0"]


def test_an_environment_without_pictures_still_trains() -> None:
    dashboard = Dashboard(Settings(env="tiny/Ends-v0", hidden=(), **SMALL))
    assert "cannot draw itself" in dashboard.agent.film.words
    assert dashboard.step()


class Grey(tiny_envs.Scripted):
    """Gives pictures that are none: grey ones with an axis for it."""

    metadata = {"render_modes": ["rgb_array"]}
    picture = np.zeros((20, 30, 1), np.uint8)

    def render(self):
        return self.picture


def test_an_invalid_picture_is_an_error_and_a_valid_one_is_shown(monkeypatch) -> None:
    gymnasium.register("tiny/Grey-v0", entry_point=Grey, disable_env_checker=True)
    try:
        dashboard = Dashboard(Settings(env="tiny/Grey-v0", hidden=(), **SMALL))
        assert "an array of shape (20, 30, 1)" in dashboard.agent.film.words
        assert not dashboard.agent.film.still and dashboard.step()

        async def watch():
            played = film(dashboard)
            dashboard.agent.now.click()
            await until(lambda: any("return so far" in words for _, words, _ in played))
            dashboard.agent.stop()

        monkeypatch.setattr(Grey, "picture", np.zeros((20, 30, 3), np.uint8))
        asyncio.run(watch())
    finally:
        del gymnasium.registry["tiny/Grey-v0"]


def test_there_is_nothing_to_watch_without_an_agent() -> None:
    broken = Dashboard(Settings(**SMALL, env="Nonsense-v0"))
    assert "No environment is registered" in broken.status.value
    broken.agent.before.click()
    assert broken.agent.film.words == "There is no agent to watch yet."
