"""The embedded model, started once and shared by all tests that need a real one."""

from collections.abc import AsyncIterator, Iterator

import pytest

from scaffolding_core.workers.local import LocalWorker


@pytest.fixture(scope="session")
def embedded_worker() -> Iterator[LocalWorker]:
    """The running embedded model, as `ScaffoldingLlm` and the adapters take it.

    On one thread: another process of tests has the other cores.
    """
    with LocalWorker(max_tokens=64, threads=1) as worker:
        worker.start()
        yield worker


@pytest.fixture(scope="session")
def embedded_url(embedded_worker: LocalWorker) -> str:
    """Address of its server, for clients that speak OpenAI's API; `/v1` included."""
    return embedded_worker.base_url


@pytest.fixture
async def local_worker(embedded_worker: LocalWorker) -> AsyncIterator[LocalWorker]:
    """The embedded model on the test's own loop, whose connections are closed afterwards."""
    yield embedded_worker
    await embedded_worker.release_loop()
