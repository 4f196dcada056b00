"""OwnLoop: an event loop in a daemon thread, for callers that block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

__all__ = ["OwnLoop"]

T = TypeVar("T")


class OwnLoop:
    """An event loop that runs in a daemon thread until it is stopped."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="scaffolding-loop", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the loop and block for its result."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result()

    def is_current(self) -> bool:
        """Whether the caller is on the loop's own thread."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Stop the loop, and wait for its thread unless called from it."""
        self.stop_soon()
        if not self.is_current():
            self._thread.join()

    def stop_soon(self) -> None:
        """Stop the loop, and wait for nothing."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._stopping.set)

    async def _until_stopped(self) -> None:
        await self._stopping.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        # A task that lasts as long as the loop: where all tasks are cancelled, a loop is being torn down.
        main = self.loop.create_task(self._until_stopped())
        try:
            while not main.done():
                with suppress(SystemExit, KeyboardInterrupt):  # a worker's: its call has failed with it
                    self.loop.run_until_complete(main)
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
