"""The sixteen faults on one worker and on a pool of two, all at once and twenty times as fast."""

import asyncio
from dataclasses import replace

import pytest

from scaffolding_core import OpenAIWorker, WorkerPool
from scaffolding_core.workers.http.retry import backoff
from scaffolding_core.workers.pool.breaker import Breaker
from tests.servers.failover.faults import FAULTS
from tests.servers.failover.ours import client_of
from tests.servers.failover.running import verdicts

SCALE = 0.05
UNHURRIED = [replace(fault, limit=5 * fault.limit) for fault in FAULTS]  # a loaded machine takes its time
ONE_CAN_PASS = {"S01", "S03", "S07", "S11", "S12", "S13"}
BACKOFFS = ("openai.attempts", "pool.sample", "pool.replica")


def worker(urls):
    """One of the primary alone."""
    return OpenAIWorker(urls[0], "bench", headers_timeout=60 * SCALE, idle_timeout=20 * SCALE)


def pool(urls):
    """One of both."""
    return WorkerPool(urls, "bench", hedge_after=8 * SCALE, idle_timeout=30 * SCALE, patience=30 * SCALE)


def fast_backoff(attempt, rng):
    """As `backoff`, in time of the bench."""
    return SCALE * backoff(attempt, rng)


@pytest.fixture
def fast(monkeypatch):
    """What no parameter says is as much faster as the faults."""
    for place in BACKOFFS:
        monkeypatch.setattr(f"scaffolding_core.workers.{place}.backoff", fast_backoff)
    monkeypatch.setattr("scaffolding_core.workers.pool.replica._TOGETHER", 0.05 * SCALE)
    monkeypatch.setattr(Breaker.__init__, "__kwdefaults__", {"first": SCALE, "longest": 15 * SCALE})


@pytest.mark.usefixtures("fast")
async def test_a_pool_passes_all_and_one_worker_fails_none():
    clients = [
        client_of(worker, routes=1, streamed=False),
        client_of(pool, routes=2, streamed=False),
        client_of(pool, routes=2, streamed=True),
    ]
    told = await asyncio.gather(*[verdicts(client, scale=SCALE, faults=UNHURRIED) for client in clients])
    alone, *pooled = told
    assert {name for name, verdict in alone.items() if verdict == "pass"} == ONE_CAN_PASS
    assert {name for name, verdict in alone.items() if verdict != "safe"} == ONE_CAN_PASS
    for each in pooled:
        for hurried in ("S07", "S15"):  # a loaded machine may be silent for long enough to be hedged
            assert each.pop(hurried) in ("pass", "partial")
        assert each == dict.fromkeys(each, "pass")
