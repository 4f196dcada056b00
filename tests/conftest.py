"""Fixtures of every suite."""

import asyncio
import gc
import signal

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import live

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

pytest_plugins = ["tests.servers.embedded", "tests.servers.trtllm.double"]

LIVE = {"*/test_*live.py": live.URL, "*/test_live_reward.py": live.REWARD_URL}
collect_ignore_glob = [tests for tests, url in LIVE.items() if not url]


@pytest.fixture
def no_idle_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle connections stay open until somebody closes them."""
    monkeypatch.setattr("scaffolding_core.workers.http.sessions.KEEP_ALIVE", 600.0)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, let one have all that need the embedded model: it is started once."""
    for item in items:
        if "embedded_worker" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("embedded"))


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later look at the objects of the process; libraries are most of it."""
    gc.freeze()


def pytest_configure() -> None:
    """Say that the main thread has no loop: on Python 3.11, pytest-asyncio's question would make one.

    A run in the background ignores Ctrl-C, and so would the programs that tests start and interrupt.
    """
    asyncio.set_event_loop(None)
    signal.signal(signal.SIGINT, signal.default_int_handler)
