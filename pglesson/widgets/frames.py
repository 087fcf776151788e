"""When to draw the next frame of a training."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHORTEST_FRAME = 0.05  # seconds between two frames, at least
DRAWING_SHARE = 0.3  # of the time since the start, at most


class FrameBudget:
    """Limits the number of frames a second, and the share of the time that is spent on drawing them."""

    def __init__(self) -> None:
        self.last_frame = 0.0
        self.restart()

    def restart(self) -> None:
        """Counts the share of the time from now on."""
        self.started, self.spent = time.perf_counter(), 0.0

    def due(self) -> bool:
        """Whether it is time for a frame."""
        now = time.perf_counter()
        return now - self.last_frame >= SHORTEST_FRAME and self.spent <= DRAWING_SHARE * (now - self.started)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Around the drawing of a frame: measures its time."""
        begun = time.perf_counter()
        yield
        self.last_frame = time.perf_counter()
        self.spent += self.last_frame - begun
