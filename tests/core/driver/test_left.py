"""A request ends with its last awaiter, once nobody holds its result; else it runs on."""

import asyncio
import gc

import anyio
import pytest

from scaffolding_core import MajorityVoteController, NativeGenerationController, ScaffoldingLlm
from tests.core.doubles import Backend

pytestmark = pytest.mark.looptime


@pytest.fixture
async def backend():
    return Backend()


@pytest.fixture
async def llm(backend):
    gc.disable()  # nothing here may wait for the collector
    async with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), 2), backend) as llm:
        yield llm
        llm.cancel_all()
    gc.enable()


async def under_timeout(llm):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await llm.generate_async("wait:60")


async def in_wait_for(llm):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(llm.generate_async("wait:60"), 1)


async def in_wait_for_of_a_future(llm):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(llm.generate_async("wait:60").aresult(), 1)


async def in_a_scope(llm):
    with anyio.move_on_after(1):
        await llm.generate_async("wait:60")


async def in_gather(llm):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.gather(llm.generate_async("wait:60"), llm.generate_async("wait:60"))


async def beside_a_task_that_fails(llm):
    async def fail():
        await asyncio.sleep(1)
        raise ValueError

    async def ask():
        await llm.generate_async("wait:60")

    with pytest.raises(ExceptionGroup):
        async with asyncio.TaskGroup() as group:
            group.create_task(ask())
            group.create_task(fail())


async def in_a_task_that_is_kept(llm):
    async def ask():
        await llm.generate_async("wait:60")

    task = asyncio.create_task(ask())
    await asyncio.sleep(1)
    task.cancel()
    await asyncio.wait([task])
    llm.kept = task


async def twice(llm):
    async def ask(result):
        await result

    result = llm.generate_async("wait:60")
    tasks = [asyncio.create_task(ask(result)) for _ in range(2)]
    del result
    await asyncio.sleep(1)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def held_and_then_dropped(llm):
    result = llm.generate_async("wait:60")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(result, 1)
    await asyncio.sleep(1)
    assert not result.done


async def on_another_loop(llm):
    result = [llm.generate_async("wait:60")]

    def wait():
        async def main():
            async with asyncio.timeout(0.01):
                await result.pop()

        with pytest.raises(TimeoutError):
            asyncio.run(main())

    await asyncio.to_thread(wait)


@pytest.mark.parametrize(
    "leave",
    [
        under_timeout,
        in_wait_for,
        in_wait_for_of_a_future,
        in_a_scope,
        in_gather,
        beside_a_task_that_fails,
        in_a_task_that_is_kept,
        twice,
        held_and_then_dropped,
        on_another_loop,
    ],
)
async def test_a_request_that_is_left_is_cut_down_to_its_calls(llm, backend, leave):
    await leave(llm)
    await asyncio.sleep(0.01)
    assert backend.running == 0
    assert llm.runs_here is False


async def never_awaited(llm):
    llm.generate_async("wait:60")


async def held_by_a_variable(llm):
    llm.kept = llm.generate_async("wait:60")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(llm.kept, 1)


async def awaited_by_another(llm):
    async def ask(result):
        await result

    result = llm.generate_async("wait:60")
    llm.kept = asyncio.create_task(ask(result))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(result, 1)


async def shielded(llm):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.shield(llm.generate_async("wait:60"))


async def read_by_another(llm):
    async def read(events):
        async for _ in events:
            pass

    result = llm.generate_async("wait:60")
    llm.kept = asyncio.create_task(read(result.events()))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(result, 1)


@pytest.mark.parametrize(
    "leave", [never_awaited, held_by_a_variable, awaited_by_another, shielded, read_by_another]
)
async def test_a_request_that_somebody_may_still_ask_for_runs_on(llm, backend, leave):
    await leave(llm)
    await asyncio.sleep(0.01)
    assert backend.running == 2
    assert backend.cut == []
    await asyncio.sleep(60)
    assert llm.runs_here is False
