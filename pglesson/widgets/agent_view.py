"""An agent that plays, on the screen."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Generator
from typing import Any

import ipywidgets as widgets
from torch import nn

from pglesson.analysis.rendering import render_episode
from pglesson.settings import Settings
from pglesson.widgets.controls import button, error_message, wrapping_row
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.picture import to_png


class AgentView(widgets.VBox):  # type: ignore[misc]
    """One agent playing one episode, frame by frame, between Watch and Stop."""

    FRAMES_PER_SECOND = 25

    def __init__(self, when: str) -> None:
        self.when, self._main = when, MainLoop()
        self.image = widgets.Image(format="png", layout=widgets.Layout(width="300px", height="200px", display="none"))
        self.button = button(f"Watch {when}", "eye", f"one episode of the agent {when}; press again to stop")
        self.caption = widgets.HTML()
        self.button.on_click(lambda _: self._main.call(lambda: self.stop() if self._playing else self.start()))
        self._task: asyncio.Task[None] | None = None
        self._settings: Settings | None = None
        self._frames: Generator[tuple[Any, float], None, None]
        super().__init__([wrapping_row([self.button, self.caption]), self.image])

    @property
    def _playing(self) -> bool:
        return self._task is not None and not self._task.done()

    def show(self, settings: Settings, policy: nn.Module) -> None:
        """Makes this agent the one to watch, and shows the start of its episode, if its task can draw itself."""
        self.stop()
        self._settings, self._policy = settings, policy
        self._rewind()
        if self.next_frame():
            self.caption.value = ""
        else:
            self.image.layout.display = "none"  # neither an empty frame nor a picture of the last task
        self._frames.close()

    def next_frame(self) -> bool:
        """Shows the episode's next frame; returns whether there was one."""
        try:
            picture, total = next(self._frames)
            self.image.value = to_png(picture, (300, 200))
        except StopIteration:
            return False
        except Exception as error:  # training does not need the pictures
            self.caption.value = html.escape(error_message(error))
            return False
        self.image.layout.display = None
        self.caption.value = f"return so far: {total:.0f}" if abs(total) >= 10 else f"return so far: {total:.1f}"
        return True

    def start(self) -> None:
        """Plays the episode from its start, in the background of the notebook."""
        if self._settings is None:
            self.caption.value = "There is no agent to watch yet."
            return
        self.stop()
        self._rewind()
        self.button.description, self.button.icon = "Stop", "stop"
        self._task = self._main.create_task(self._play())
        self._task.add_done_callback(self._name_button)  # even one that was cancelled before it began

    def stop(self) -> None:
        """Stops playing."""
        if self._playing:
            assert self._task is not None
            self._task.cancel()

    def _rewind(self) -> None:
        s = self._settings
        assert s is not None
        self._frames = render_episode(
            s.env, self._policy, options=dict(s.env_options), seed=s.seed, max_steps=s.max_steps
        )

    async def _play(self) -> None:
        while self.next_frame():
            await asyncio.sleep(1 / self.FRAMES_PER_SECOND)

    def _name_button(self, ended: asyncio.Task[None]) -> None:
        if ended is self._task:  # and not a film that was replaced by another
            self.button.description, self.button.icon = f"Watch {self.when}", "eye"
