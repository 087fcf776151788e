"""Where a notebook's cells run: their thread and its event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from IPython import get_ipython


def running_cell() -> str | None:
    """The id of the cell that runs, in JupyterLab; None elsewhere, and while no cell runs."""
    message: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)() or {}
    found: str | None = message.get("metadata", {}).get("cellId")
    return found


TURNS = 30  # of the loop, in which it takes what waits for it; without anything there, they take microseconds


class MainLoop:
    """The thread and the event loop in which it is made, if one runs there.

    JupyterLab may deliver a press of a button in a thread of its own. Kernel interrupts do not reach that thread, and
    it runs beside the cells. So whatever trains or draws is sent back to the main loop, where one thing happens at a
    time.
    """

    def __init__(self) -> None:
        self._thread = threading.current_thread()
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # a plain script

    def call(self, act: Callable[[], object]) -> None:
        """Calls `act` at once in the main thread, or from another thread as soon as the loop is free."""
        if threading.current_thread() is self._thread or self._loop is None or not self._loop.is_running():
            act()
        else:
            self._loop.call_soon_threadsafe(self._call_last, act, TURNS)

    def _call_last(self, act: Callable[[], object], turns: int) -> None:
        """Calls `act` after so many turns of the loop: Start, from a thread, must not overtake a Reset that waits here.

        JupyterLab delivers some buttons in the main thread and some in another, so they come in no certain order.
        """
        assert self._loop is not None
        if turns:
            self._loop.call_soon(self._call_last, act, turns - 1)
        else:
            act()

    def create_task(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Runs a coroutine in the background. Raises RuntimeError where no event loop runs."""
        loop = self._loop if self._loop is not None and self._loop.is_running() else asyncio.get_running_loop()
        return loop.create_task(coroutine)
