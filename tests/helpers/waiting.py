"""Waiting for what happens in the background, for as long as a slow machine may need."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

LIMIT = 30.0  # seconds; reached only where the thing never happens


async def until(condition: Callable[[], object]) -> None:
    """Lets the event loop go on until the condition holds; fails after LIMIT seconds."""
    end = time.perf_counter() + LIMIT
    while not condition():
        assert time.perf_counter() < end, "what was waited for did not happen"
        await asyncio.sleep(0.01)
