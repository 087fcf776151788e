"""Worker processes on this machine. One that dies takes no other with it, and a new one is started instead."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from threading import Lock
from typing import Any

import torch


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a terminal; only the sweep answers
    torch.set_num_threads(1)


class LocalWorkers(Executor):
    """An executor in which every worker process is a pool of its own, so that a crash fails one call and no other."""

    def __init__(self, number: int | None = None) -> None:
        if number is not None and number < 1:
            raise ValueError(f"The number of workers was set to {number!r}, but must be a whole number from 1 up.")
        self._threads = ThreadPoolExecutor(os.cpu_count() if number is None else number)
        self._idle, self._lock, self._refusal = list[ProcessPoolExecutor](), Lock(), ""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Raises BrokenExecutor when no worker can be started."""
        if self._refusal:
            raise BrokenExecutor(self._refusal)
        return self._threads.submit(self._run, function, arguments, options)

    def _run(self, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = self._start()
        try:
            result = worker.submit(function, *arguments, **options).result()
        except BrokenExecutor:
            worker.shutdown()  # waits for its threads: Python's exit would write to a pipe that they are closing
            raise
        except BaseException:
            self._idle.append(worker)
            raise
        self._idle.append(worker)
        return result

    def _start(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._refusal:
                raise BrokenExecutor(self._refusal)
            # a forked process would inherit torch's threads in an unknown state; spawn is the same on every system
            worker = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _start_worker)
            if sys.platform != "win32":  # the process inherits this: Ctrl-C does not interrupt its imports either
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            started = worker.submit(int)
        try:
            started.result()
        except BrokenExecutor as error:
            worker.shutdown()
            self._refusal = (
                "no worker process can start here; a script that starts workers must do so under "
                "if __name__ == '__main__':"
            )
            raise BrokenExecutor(self._refusal) from error
        return worker

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Without wait, the processes end when their calls are done and the executor is no longer used."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        while wait and self._idle:
            self._idle.pop().shutdown()

    def terminate(self) -> None:
        """Ends every child process of this program at once, for a program that stops now."""
        with self._lock:
            self._refusal = "the workers were terminated"
            for process in multiprocessing.active_children():
                process.terminate()


def local_workers(number: int | None = None) -> LocalWorkers:
    """Worker processes on this machine, one per core by default, for `with local_workers() as executor:`."""
    return LocalWorkers(number)
