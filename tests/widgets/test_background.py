"""Training in the background, in an event loop as in a kernel: start, pause, interrupts, threads."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest
from waiting import until

from pglesson import Settings
from pglesson.widgets.dashboard import Dashboard
from pglesson.widgets.main_loop import MainLoop

SMALL = {"runs": 2, "episodes": 4, "updates": 8}


@pytest.fixture
def dashboard() -> Dashboard:
    return Dashboard(Settings(**SMALL))


def test_start_pause_and_start_again() -> None:
    async def drive() -> None:
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        dashboard.buttons["start"].click()
        await until(lambda: len(dashboard.updates) > 2)
        assert dashboard.running
        assert [dashboard.buttons[name].button_style for name in ("start", "pause")] == ["", "success"]
        dashboard.knobs["learning_rate"].value = 0.001
        at = len(dashboard.updates)
        await until(lambda: len(dashboard.updates) > at)
        assert [u.live["learning_rate"] for u in dashboard.updates[at - 1 : at + 1]] == [0.03, 0.001]
        dashboard.buttons["pause"].click()
        await until(lambda: not dashboard.running)
        assert dashboard.buttons["start"].button_style == "success"
        assert f"Paused after update {len(dashboard.updates)}" in dashboard.status.value
        count = len(dashboard.updates)
        await asyncio.sleep(0.05)
        assert len(dashboard.updates) == count
        dashboard.buttons["start"].click()
        await until(lambda: len(dashboard.updates) > count)
        assert [update.number for update in dashboard.updates] == list(range(1, len(dashboard.updates) + 1))
        dashboard.reset()
        await until(lambda: not dashboard.running)
        assert dashboard.updates == []

    asyncio.run(drive())


def test_a_pause_before_the_first_update_enables_the_buttons(dashboard: Dashboard) -> None:
    async def drive() -> None:
        dashboard.start()
        dashboard.pause()
        await until(lambda: not dashboard.running)
        await until(lambda: dashboard.buttons["start"].button_style == "success")
        assert not dashboard.buttons["pause"].button_style
        dashboard.start()
        await until(lambda: len(dashboard.updates) > 1)
        dashboard.pause()
        await until(lambda: not dashboard.running)

    asyncio.run(drive())


def test_a_press_in_another_thread_trains_in_the_main_thread(monkeypatch) -> None:
    """JupyterLab delivers widgets' messages in a thread of its own, which no interrupt reaches."""
    threads = set()
    step = Dashboard.step
    monkeypatch.setattr(
        Dashboard, "step", lambda self, **how: threads.add(threading.current_thread()) or step(self, **how)
    )

    async def drive() -> None:
        dashboard = Dashboard(Settings(**SMALL | {"updates": 10_000}))
        for name in ("step", "start"):
            count = len(dashboard.updates)
            await asyncio.to_thread(dashboard.buttons[name].click)
            await until(lambda count=count: len(dashboard.updates) > count)
        assert dashboard.running
        await asyncio.to_thread(dashboard.buttons["pause"].click)
        await until(lambda: not dashboard.running)
        await asyncio.to_thread(dashboard.environment.set_trait, "value", "pglesson/ShortCorridor-v0")
        await until(lambda: dashboard.settings.env == "pglesson/ShortCorridor-v0")
        assert dashboard.updates == []
        await asyncio.to_thread(dashboard.agent.now.click)
        await until(lambda: dashboard.agent.now.description == "Stop")
        await asyncio.to_thread(dashboard.agent.now.click)
        await until(lambda: dashboard.agent.now.description == "Watch now")

    asyncio.run(drive())
    assert threads == {threading.main_thread()}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill with SIGINT for one process")
@pytest.mark.parametrize("ignoring", [False, True], ids=["as Python does", "as a kernel does between messages"])
def test_an_interrupt_stops_training_and_keeps_the_curve(ignoring) -> None:
    async def drive() -> None:
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        handler = signal.getsignal(signal.SIGINT)
        dashboard.start()
        await until(lambda: dashboard.updates)
        if ignoring:  # a kernel sets this once it has handled the press of Start, which is after training began
            handler = signal.SIG_IGN
            signal.signal(signal.SIGINT, handler)
        count = len(dashboard.updates)
        await until(lambda: len(dashboard.updates) > count)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: not dashboard.running)
        assert "Interrupted" in dashboard.status.value
        assert len(dashboard.updates) > 0 and signal.getsignal(signal.SIGINT) is handler
        dashboard.start()
        await until(lambda: dashboard.updates and dashboard.updates[0].number == 1)
        assert dashboard.running and "Training" in dashboard.status.value
        dashboard.pause()
        await until(lambda: not dashboard.running)

    usual = signal.getsignal(signal.SIGINT)
    try:
        asyncio.run(drive())
    finally:
        signal.signal(signal.SIGINT, usual)


def test_what_was_paused_or_reset_starts_again_at_once() -> None:
    """In one cell, without a moment for the paused task to end."""

    async def drive() -> None:
        dashboard = Dashboard(Settings(runs=2, episodes=4, updates=10_000))
        for stop in (dashboard.pause, dashboard.reset):
            dashboard.start()
            await until(lambda: len(dashboard.updates) > 2)
            stop()
            assert not dashboard.running
            count = len(dashboard.updates)
            dashboard.start()
            await until(lambda count=count: len(dashboard.updates) > count + 2)
            numbers = [update.number for update in dashboard.updates]
            assert dashboard.running and numbers == list(range(1, len(numbers) + 1))
        dashboard.close()
        assert not dashboard.running

    asyncio.run(drive())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no os.kill with SIGINT for one process")
def test_an_interrupt_stops_all_trainings_and_the_last_one_restores_the_handler() -> None:
    async def drive() -> None:
        one, other = (Dashboard(Settings(runs=1, episodes=2, updates=10_000)) for _ in range(2))
        one.start()
        other.start()
        await until(lambda: len(one.updates) > 2 and len(other.updates) > 2)
        os.kill(os.getpid(), signal.SIGINT)
        await until(lambda: not one.running and not other.running)
        assert all("Interrupted" in each.status.value for each in (one, other))
        assert signal.getsignal(signal.SIGINT) is own
        one.start()
        other.start()
        await until(lambda: len(one.updates) > 2 and len(other.updates) > 2)
        one.pause()
        await asyncio.sleep(0.1)
        assert other.running and signal.getsignal(signal.SIGINT) is not own
        other.pause()
        await until(lambda: signal.getsignal(signal.SIGINT) is own)

    def own(number, frame):
        raise AssertionError("an interrupt of the training got out")

    usual = signal.signal(signal.SIGINT, own)
    try:
        asyncio.run(drive())
    finally:
        signal.signal(signal.SIGINT, usual)


def test_drawing_takes_at_most_its_share_of_the_time(dashboard: Dashboard) -> None:
    """After a second of drawing, 2.3 of training come before the next frame, however many updates they hold."""
    dashboard.step()
    now = time.perf_counter()
    frames = dashboard.frames
    frames.started, frames.last_frame, frames.spent = now - 3.0, now - 1.0, 1.0
    before = dashboard.image.value
    dashboard.step(draw=False)
    assert dashboard.image.value is before
    frames.started -= 0.6
    dashboard.step(draw=False)
    assert dashboard.image.value is not before


def test_a_press_from_a_thread_does_not_overtake_one_that_waits_in_the_loop() -> None:
    """As in JupyterLab, which delivers Reset in the main thread, after some turns of its loop, and Start in another."""
    done: list[str] = []

    async def drive() -> None:
        loop, main_loop = asyncio.get_running_loop(), MainLoop()

        def receive_reset(turns: int) -> None:
            loop.call_soon(receive_reset, turns - 1) if turns else done.append("reset")

        receive_reset(15)
        press = threading.Thread(target=lambda: main_loop.call(lambda: done.append("start")))
        press.start()
        press.join()
        await until(lambda: len(done) == 2)

    asyncio.run(drive())
    assert done == ["reset", "start"]
