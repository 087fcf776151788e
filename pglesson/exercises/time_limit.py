"""A time limit for a learner's code, on every system."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(BaseException):
    """Raised in code that ran for too long. Not an Exception, so a learner's `except Exception` does not catch it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TooLong in this thread once `seconds` have passed inside the block.

    It interrupts Python code such as an endless loop, at the next bytecode; a single call that does not return, such as
    time.sleep(1e9), is not interrupted. Signals would do that, but not on Windows, and only in the main thread.
    """
    thread, lock, over = threading.get_ident(), threading.Lock(), False

    def interrupt() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(TooLong))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:  # nothing is raised after this
            over = True
        timer.cancel()
