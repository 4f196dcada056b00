"""The contract's engines: each test here runs on each of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from scaffolding_core import BadRequestError, GenerationTask, UnsupportedParameterError, Worker
from tests.engines.engine import Engine
from tests.engines.rows import ROWS

Ask = Callable[..., Awaitable[GenerationTask]]


def pytest_configure(config: pytest.Config) -> None:
    """Tell of the marker of what not every engine can do."""
    config.addinivalue_line("markers", "needs(*what): of `ASKING`; skipped on an engine that lacks it")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each engine, and those of what one lacks on that one."""
    names = metafunc.fixturenames
    if "lacking" in names:
        pairs = [(name, each) for name, row in ROWS.items() for each in row.lacks]
        cases = [pytest.param(name, each, marks=ROWS[name].marks) for name, each in pairs]
        metafunc.parametrize(("engine", "lacking"), cases, indirect=["engine"], scope="module")
    elif "engine" in names:
        cases = [pytest.param(name, marks=row.marks) for name, row in ROWS.items()]
        metafunc.parametrize("engine", cases, indirect=True, scope="module")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The engine, started once for each topic."""
    with ROWS[request.param].start(request) as engine:
        yield engine


@pytest.fixture
async def worker(request: pytest.FixtureRequest, engine: Engine) -> AsyncIterator[Worker]:
    """A worker on it, if the engine has what the test needs."""
    lacks = ROWS[request.node.callspec.params["engine"]].lacks
    for need in (need for mark in request.node.iter_markers("needs") for need in mark.args):
        if need in lacks:
            pytest.skip(f"{need}: {lacks[need]}")
    async with engine.worker() as worker:
        yield worker


@pytest.fixture
def ask(request: pytest.FixtureRequest, engine: Engine, worker: Worker) -> Ask:
    """Runs a task and returns it; an engine whose row does not say what it lacks may say so itself."""

    async def ask(task: GenerationTask) -> GenerationTask:
        try:
            await worker.run_task(task)
        except (UnsupportedParameterError, BadRequestError) as error:
            if engine.declared or request.node.get_closest_marker("needs") is None:
                raise
            pytest.skip(str(error))
        return task

    return ask
