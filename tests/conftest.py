"""Fixtures of every suite."""

import asyncio

pytest_plugins = ["tests.servers.embedded"]


def pytest_configure() -> None:
    """Say that the main thread has no loop: on Python 3.11, pytest-asyncio's question would make one."""
    asyncio.set_event_loop(None)
