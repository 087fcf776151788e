"""An agent that plays, on the screen: as it was at any moment of the training, or as it is now."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Generator
from typing import Any

import ipywidgets as widgets
from PIL import Image

from pglesson.analysis.rendering import render_episode
from pglesson.own_policies import copy_policy
from pglesson.widgets.controls import button, choice, error_message, wrapping_row
from pglesson.widgets.elements import Control, Film
from pglesson.widgets.export_panel import link
from pglesson.widgets.main_loop import MainLoop
from pglesson.widgets.picture import to_png
from pglesson.widgets.training_session import TrainingSession

SIZE = (300, 200)  # of a frame, in pixels
FRAME = 0.04  # seconds
LAST_FRAME = 1.2  # seconds
AHEAD = 0.8  # seconds of film that the browser has in store: an update may take as long without a gap
SHARE = 0.2  # of the time, at most, that films take while training runs
LIVE_FRAMES = 100  # of an agent that plays beside its training: then it is the turn of a newer one
GIF_FRAMES = 250
RANKS = ("best", "median", "worst")
Frame = tuple[bytes, str, float]  # as PNG, with the words beneath it, and its seconds


class Episode:
    """One episode as frames, every `stride`-th of them and the last; `limit` ends a long one early."""

    def __init__(
        self, pictures: Generator[tuple[Any, float], None, bool], name: str, *, stride: int = 1, limit: float = 1e9
    ) -> None:
        self._pictures, self._name, self._stride, self._limit = pictures, name, stride, limit
        self._number = -1  # of time steps so far

    def next(self) -> Frame | None:
        """The next frame, or None after the last one. Raises what the environment raises."""
        if self._limit <= 0:
            return None
        for _ in range(self._stride if self._number >= 0 else 1):
            try:
                self._picture, self._total = next(self._pictures)
            except StopIteration as end:
                self._limit = 0
                ended = "the task ended it" if end.value else "time ran out"
                steps = f"{self._number} step{'s' * (self._number != 1)}"
                return self._frame(f"{ended} after {steps}. Return: ", LAST_FRAME)
            self._number += 1
        self._limit -= 1
        return self._frame("return so far: ", FRAME)

    def _frame(self, words: str, seconds: float) -> Frame:
        total = f"{self._total:.0f}" if abs(self._total) >= 10 else f"{self._total:.1f}"
        return to_png(self._picture, SIZE), f"{self._name}: {words}{total}", seconds


class AgentView(widgets.VBox):  # type: ignore[misc]
    """One agent playing, and which: an update on the slider, and the best, the median or the worst of the runs.

    training: whether training runs in the background. Meanwhile the agent as it is now plays, unless `live` is off.
    """

    def __init__(self, session: TrainingSession, main_loop: MainLoop, training: Callable[[], bool]) -> None:
        self._session, self._main, self._training = session, main_loop, training
        self.film, self.file, self._who = Film(), widgets.HTML(), ""
        self.before = button("Watch before", "eye", "one episode of the agent before training; press again to stop")
        self.now = button("Watch now", "eye", "one episode of the agent as it is now; press again to stop")
        tooltip = "watch the agent as it was after so many updates"
        self.update = Control("update", [0], 0, parse=self._nearest, tooltip=tooltip)
        self.rank = choice("run", list(RANKS), "median", "which of the runs plays, by its returns at that moment")
        tooltip = "while training runs, show the agent as it is now"
        self.live = widgets.Checkbox(value=True, description="play while training", indent=False, tooltip=tooltip)
        self.live.layout.width = "160px"
        self.save = button("Save film", "download", "a link that saves an episode of this agent as a GIF")
        self._task: asyncio.Task[None] | None = None
        self._episode: Episode | None = None
        self._pressed: widgets.Button | None = None  # what stops the film
        self._moving = self._failed = False
        self._until = self._fed = 0.0  # when the browser runs out of frames; when it last got some
        self._connect()
        for control in (self.update, self.rank):
            control.add_class("pglesson-narrow")
        rows = [wrapping_row([self.before, self.now]), self.film, self.update, self.rank]
        super().__init__([*rows, wrapping_row([self.save, self.live]), self.file])
        self.layout.flex = "0 1 274px"

    def _connect(self) -> None:
        call = self._main.call
        self.before.on_click(lambda _: call(lambda: self._press(self.before, 0)))
        self.now.on_click(lambda _: call(lambda: self._press(self.now, len(self._session.updates))))
        for control in (self.update, self.rank):
            control.observe(lambda _: self._moving or call(lambda: self.watch(self.update.value)), "value")
        self.live.observe(lambda _: call(self.play_on), "value")
        self.save.on_click(lambda _: call(lambda: self._main.create_task(self._record())))
        self.film.observe(lambda change: setattr(self.live, "value", not change["new"]), "reduced_motion")

    @property
    def playing(self) -> bool:
        """Whether a film goes on."""
        return self._task is not None and not self._task.done()

    # --- which agent --------------------------------------------------------------------------------------------------

    def show_marks(self) -> None:
        """Offers the agents that the session has kept; a slider at the newest one follows."""
        levels = sorted({*self._session.marks, len(self._session.updates)})
        stays = self.update.value in levels and self.update.value != self.update.options[-1][1]
        self._moving = True
        self.update.replace(levels, self.update.value if stays else levels[-1])
        self._moving = False

    def attend(self, session: TrainingSession, who: str = "") -> None:
        """Shows the agents of another session, whose words begin with `who`."""
        self._session, self._who = session, who
        self.show_start()

    def show_start(self) -> None:
        """Shows the start of an episode, if the task can draw itself."""
        self.stop()
        self._failed, self.file.value = False, ""
        self._moving = True
        self.update.replace([0], 0)
        self._moving = False
        self.show_marks()
        self._open(len(self._session.updates))
        self.film.clear()
        frame = self._next()
        self.film.still, self.film.words = (
            b"",
            self.film.words if self._failed else "",
        )  # else the same would not be sent
        if frame:
            self.film.still, self.film.words = frame[0], "Here an agent plays."
        self._episode = None

    def _nearest(self, typed: str) -> int:
        if not typed.isdigit():
            raise ValueError(f"update must be a whole number, not {typed!r}.")
        return max(level for _, level in self.update.options if level <= int(typed))

    def _open(self, update: int, **how: Any) -> None:
        s, ranked = self._session.settings, self._session.ranked_runs(update)
        at = {"best": 0, "median": (len(ranked) - 1) // 2, "worst": -1}[self.rank.value]
        name = self._who + (f"After update {update}" if update else "Before training")
        if len(ranked) > 1:
            name += f", run {ranked[at] + 1} ({self.rank.value})"
        policy = copy_policy(self._session.agent_at(update))  # training goes on meanwhile
        options: dict[str, Any] = {
            "options": dict(s.env_options),
            "seed": s.seed,
            "max_steps": s.max_steps,
            "run": int(ranked[at]),
        }
        self._episode = Episode(render_episode(s.env, policy, **options), name, **how)

    # --- one film -----------------------------------------------------------------------------------------------------

    def watch(self, update: int) -> None:
        """Plays an episode of the agent after that many updates, in the background of the notebook."""
        if self._session.policy is None:
            self.film.words = "There is no agent to watch yet."
            return
        self._drop()
        self._failed = False
        self._open(update)
        self._run()

    def play_on(self) -> None:
        """Shows the present agent while training runs, one episode after another, if `live` is on."""
        if self.live.value and self._training():
            self._run()
        elif not self.live.value and self._pressed is None:
            self.stop()

    def stop(self) -> None:
        """Stops playing."""
        if self.playing:
            assert self._task is not None
            self._task.cancel()
        self._task = None
        self._drop()

    def _press(self, pressed: widgets.Button, update: int) -> None:
        if self._pressed is pressed:
            self.stop()
            self.play_on()
            return
        self.watch(update)
        if self._episode is not None:
            self._pressed, pressed.description, pressed.icon = pressed, "Stop", "stop"

    def _drop(self) -> None:
        self._episode, self._until = None, 0.0
        self.film.clear()
        self._name_buttons()

    def _name_buttons(self) -> None:
        self._pressed = None
        for each, name in ((self.before, "Watch before"), (self.now, "Watch now")):
            each.description, each.icon = name, "eye"

    def _run(self) -> None:
        if not self.playing:
            self._task = self._main.create_task(self._play())
            self._task.add_done_callback(self._end)  # even one that was cancelled before it began

    async def _play(self) -> None:
        while True:
            if self._episode is None:
                if self._failed or not (self.live.value and self._training()):
                    break
                self._name_buttons()
                self._open(len(self._session.updates), stride=2, limit=LIVE_FRAMES)
            self._feed()
            await asyncio.sleep(FRAME)
        await asyncio.sleep(max(0.0, self._until - time.perf_counter()))

    def _end(self, ended: asyncio.Task[None]) -> None:
        if ended is self._task:  # and not a film that was replaced by another
            self._name_buttons()

    def _feed(self) -> None:
        """Sends the frames for the next moments: all that are due, or what fits its share of the time."""
        begun, frames = time.perf_counter(), list[Frame]()
        self._until = max(self._until, begun)
        until = begun + (SHARE * min(begun - self._fed, AHEAD) if self._training() else FRAME)
        while self._until - begun < AHEAD and (not frames or time.perf_counter() < until):
            frame = self._next()
            if frame is None:
                self._episode = None
                break
            frames.append(frame)
            self._until += frame[2]
        self._fed = time.perf_counter()
        if frames:
            self.film.play(frames)

    def _next(self) -> Frame | None:
        try:
            return self._episode.next() if self._episode is not None else None
        except Exception as error:  # training does not need the pictures
            self._failed, self.film.words = True, error_message(error)
            return None

    async def _record(self) -> None:
        if self._session.policy is None:
            return
        watched, self.file.value = self._episode, "making the film ..."
        update, s, pictures = self.update.value, self._session.settings, list[Image.Image]()
        self._open(update, stride=2, limit=GIF_FRAMES)
        episode, self._episode = self._episode, watched
        assert episode is not None
        try:
            while (frame := episode.next()) is not None:
                pictures.append(Image.open(io.BytesIO(frame[0])).quantize(64))
                await asyncio.sleep(0)
        except Exception as error:
            self.file.value = error_message(error)
            return
        made = io.BytesIO()
        pictures[0].save(made, "GIF", save_all=True, append_images=pictures[1:], duration=80, loop=0)
        name = f"{s.env.replace('/', '-')}-seed-{s.seed}-update-{update}.gif"
        self.file.value = link(name, "image/gif", made.getvalue())
