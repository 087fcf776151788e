"""Training in the background of a notebook, between the cells, until it ends, is paused or is interrupted."""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from pglesson.widgets.main_loop import MainLoop

LISTENING = 0.002  # seconds after an update in which the kernel receives what sliders and buttons send
SHORTEST_UPDATE = 0.03  # seconds: the smallest tasks would be learned before a knob can be moved


class BackgroundTraining:
    """Calls `step` again and again, as a task of the notebook's event loop, until it returns False.

    on_interrupt: called when the kernel was interrupted between two steps, which ends the training. on_end: called when
    the training has ended, in whatever way. An interrupt stops all trainings that run in the background.
    """

    def __init__(
        self,
        main_loop: MainLoop,
        step: Callable[[], bool],
        on_interrupt: Callable[[], object],
        on_end: Callable[[], object],
    ) -> None:
        self._main_loop, self._step, self._on_interrupt, self._on_end = main_loop, step, on_interrupt, on_end
        self._task: asyncio.Task[None] | None = None
        self._interruptible = self._interrupted = False

    @property
    def running(self) -> bool:
        """Whether training continues in the background."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Starts a new task. Raises RuntimeError where no event loop runs."""
        self._interrupted = False
        self._task = self._main_loop.create_task(self._train())
        self._task.add_done_callback(lambda _: self._on_end())  # even for one that was cancelled before it began

    def stop(self) -> None:
        """Stops after the present step. `running` is False at once, and `start` may follow at once."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Inside, an interrupt raises KeyboardInterrupt; elsewhere, it waits until the present step is over."""
        self._interruptible = True
        try:
            yield
        finally:
            self._interruptible = False

    def interrupt(self) -> bool:
        """Remembers an interrupt, unless it must be raised at once, which is returned."""
        self._interrupted = not self._interruptible
        return self._interruptible

    async def _train(self) -> None:
        with _INTERRUPTS.received_by(self):
            begun = time.perf_counter()
            while self._step():
                if self._interrupted:
                    self._on_interrupt()
                    break
                await asyncio.sleep(max(LISTENING, begun + SHORTEST_UPDATE - time.perf_counter()))
                begun = time.perf_counter()
                _INTERRUPTS.install()


class _Interrupts:
    """The handler of SIGINT while something trains in the background. Between cells, a kernel ignores interrupts."""

    def __init__(self) -> None:
        self._receivers: list[BackgroundTraining] = []
        self._former: Any = None  # the handler that was there before

    @contextmanager
    def received_by(self, training: BackgroundTraining) -> Iterator[None]:
        """Inside, interrupts reach this training. The last one to leave restores the former handler."""
        self._receivers.append(training)
        self.install()
        try:
            yield
        finally:
            self._receivers.remove(training)
            if not self._receivers and self._former is not None:
                signal.signal(signal.SIGINT, self._former)
                self._former = None

    def install(self) -> None:
        """Takes the place of the present handler. A kernel changes it with every message: call this at every update."""
        in_main_thread = threading.current_thread() is threading.main_thread()  # where alone handlers can be set
        if in_main_thread and signal.getsignal(signal.SIGINT) != self._handle:
            self._former = signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        at_once = [training.interrupt() for training in self._receivers]  # each of them must be told
        if any(at_once):
            raise KeyboardInterrupt


_INTERRUPTS = _Interrupts()
