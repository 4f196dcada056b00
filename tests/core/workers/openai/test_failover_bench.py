"""The sixteen faults of the failover bench on one worker, all at once and twenty times as fast."""

from dataclasses import replace

from scaffolding_core import OpenAIWorker
from tests.servers.failover.faults import FAULTS
from tests.servers.failover.ours import client_of
from tests.servers.failover.running import verdicts

SCALE = 0.05
UNHURRIED = [replace(fault, limit=20 * fault.limit) for fault in FAULTS]  # a loaded machine takes its time
PASSED = {"S01", "S03", "S07", "S11", "S12", "S13"}


def fast(urls):
    """A worker of the primary alone whose limits are as much shorter as the faults."""
    return OpenAIWorker(urls[0], "bench", headers_timeout=60 * SCALE, idle_timeout=20 * SCALE)


async def test_one_worker_fails_at_none_of_the_sixteen_faults(monkeypatch):
    monkeypatch.setattr(
        "scaffolding_core.workers.openai.attempts.backoff", lambda attempt, rng: rng.uniform(0, 0.5 * SCALE)
    )
    told = await verdicts(client_of(fast, routes=1, streamed=False), scale=SCALE, faults=UNHURRIED)
    assert {name for name, verdict in told.items() if verdict == "pass"} == PASSED
    assert {name for name, verdict in told.items() if verdict != "safe"} == PASSED
