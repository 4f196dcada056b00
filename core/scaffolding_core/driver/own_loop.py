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
        self._stopping = False
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
        self._stopping = True
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            while not self._stopping:
                with suppress(SystemExit, KeyboardInterrupt):  # a worker's: its call has failed with it
                    self.loop.run_forever()
        finally:
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()
