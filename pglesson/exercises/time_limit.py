"""A time limit for a learner's code, on every system."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 12  # so many times the limit may pass on the clock, on a machine that is busy with something else


class TooLong(BaseException):
    """Raised in code that ran for too long. Not an Exception, so a learner's `except Exception` does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TooLong in this thread once the process has computed for `seconds` inside the block.

    Processor time is counted, so that a right answer is not refused on a busy machine; code that waits instead of
    computing is interrupted after PATIENCE times as long. It interrupts Python code such as an endless loop, at the
    next bytecode; a single call that does not return, such as time.sleep(1e9), is not interrupted. Signals would do
    that, but not on Windows, and only in the main thread.
    """
    thread, lock, over = threading.get_ident(), threading.Lock(), threading.Event()
    computed, begun = time.process_time(), time.monotonic()

    def watch() -> None:
        while not over.wait(min(seconds / 10, 0.2)):
            late = time.monotonic() - begun > PATIENCE * seconds
            if late or time.process_time() - computed > seconds:
                with lock:
                    if not over.is_set():
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLong))
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        with lock:  # nothing is raised after this
            over.set()
