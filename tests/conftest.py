"""Fixtures of every suite."""

import asyncio
import signal

pytest_plugins = ["tests.servers.embedded"]


def pytest_configure() -> None:
    """Say that the main thread has no loop: on Python 3.11, pytest-asyncio's question would make one.

    A run in the background ignores Ctrl-C, and so would the programs that tests start and interrupt.
    """
    asyncio.set_event_loop(None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
