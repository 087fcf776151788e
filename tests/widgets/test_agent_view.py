"""The agents that can be watched, and environments that cannot draw, or raise."""

from __future__ import annotations

import asyncio
import html

import gymnasium
import numpy as np
import pytest
import tiny_envs
from waiting import until

from pglesson import Settings
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.microscope_view import MicroscopeView
from pglesson.widgets.playground import Playground

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard(Settings(**SMALL))


def test_the_agent_can_be_watched_and_stopped(dashboard: Dashboard) -> None:
    async def drive() -> None:
        first = dashboard.now.image.value
        dashboard.now.button.click()
        await until(lambda: dashboard.now.image.value != first)
        assert dashboard.now.button.description == "Stop"
        dashboard.now.button.click()
        await until(lambda: dashboard.now.button.description == "Watch now")

    asyncio.run(drive())


def test_an_agent_that_is_stopped_before_it_begins_resets_its_button(dashboard: Dashboard) -> None:
    async def drive() -> None:
        dashboard.now.start()
        dashboard.now.stop()
        await asyncio.sleep(0.05)
        assert dashboard.now.button.description == "Watch now"
        dashboard.now.start()
        dashboard.now.stop()
        dashboard.now.start()  # the film before ends after this one has begun
        dashboard.now.start()  # one film, however often
        await asyncio.sleep(0.05)
        assert dashboard.now.button.description == "Stop"

    asyncio.run(drive())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyError("goal"), "KeyError: 'goal'."),
        (AssertionError(), "AssertionError."),
        (ValueError(), "ValueError."),
        (RuntimeError("It broke."), "RuntimeError: It broke."),
        (ValueError("x is 1, but must be 2."), "x is 1, but must be 2."),
    ],
)
def test_an_error_of_an_environment_is_shown_with_its_type_and_text(error, words) -> None:
    """In training, in a film, under the microscope, and where the playground refuses."""

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
        assert html.unescape(dashboard.before.caption.value) == words
        assert not dashboard.step()
        assert f"{words} Training stopped" in html.unescape(dashboard.status.value)
        assert f">{words}<" in html.unescape(MicroscopeView(settings).status.value)
        playground = Playground(settings)
        playground.reset()
        assert f"{words} The run was left as it was." in html.unescape(playground.status.value)
    finally:
        del gymnasium.registry["tiny/Broken-v0"]


def test_an_environment_without_pictures_still_trains() -> None:
    dashboard = Dashboard(Settings(env="tiny/Ends-v0", hidden=(), **SMALL))
    assert "cannot draw itself" in dashboard.before.caption.value
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
        assert "Cannot handle this data type" in dashboard.now.caption.value
        assert dashboard.now.image.layout.display == "none" and dashboard.step()

        async def watch():
            dashboard.now.start()
            await until(lambda: "return so far" in dashboard.now.caption.value)
            assert dashboard.now.image.layout.display is None and dashboard.now.image.value
            dashboard.now.stop()

        monkeypatch.setattr(Grey, "picture", np.zeros((20, 30, 3), np.uint8))
        asyncio.run(watch())
    finally:
        del gymnasium.registry["tiny/Grey-v0"]


def test_there_is_nothing_to_watch_without_an_agent() -> None:
    broken = Dashboard(Settings(**SMALL, env="Nonsense-v0"))
    assert "No environment is registered" in broken.status.value
    broken.before.button.click()
    assert broken.before.caption.value == "There is no agent to watch yet."
