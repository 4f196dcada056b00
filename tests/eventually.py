"""Waiting for what no event tells."""

import asyncio
import time
from collections.abc import Callable

PATIENCE = 60.0
"""Seconds after which it hangs."""


async def until(happened: Callable[[], object]) -> None:
    """Wait until something has happened; a hang fails."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it hangs"
        await asyncio.sleep(0.001)
