"""What nobody waits for is not written."""

import asyncio
import time

import pytest

from scaffolding_core import StreamGenerationTask
from tests.engines.engine import STORY, generation


async def cut(running):
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_cut_reaches_the_engine_within_a_second(engine, worker):
    seconds = []
    while not seconds or min(seconds) > 1:
        task = generation(**engine.endless)
        running = asyncio.create_task(worker.run_task(task))
        await engine.busy()
        start = time.monotonic()
        await cut(running)
        await engine.idle()
        seconds.append(time.monotonic() - start)
        assert (task.finish_reason, task.usage.calls) == ("cancelled", 1)
        assert task.usage.lost_calls or task.usage.total_tokens
        assert len(seconds) < 4, f"seconds that each of some cuts took: {seconds}"  # a busy machine may be late


async def test_a_sibling_that_is_cut_leaves_the_others_alone(engine, worker):
    group = object()
    tasks = [generation(group=group, **engine.endless | {"max_tokens": 30}) for _ in range(4)]
    running = [asyncio.create_task(worker.run_task(task)) for task in tasks]
    await engine.busy()
    await cut(running[0])
    await asyncio.gather(*running[1:])
    assert [task.finish_reason for task in tasks] == ["cancelled", "length", "length", "length"]


async def test_siblings_that_are_all_cut_end_at_the_engine(engine, worker):
    group = object()
    tasks = [generation(group=group, **engine.endless | {"max_tokens": 900}) for _ in range(4)]
    running = [asyncio.create_task(worker.run_task(task)) for task in tasks]
    await engine.busy()
    for each in running:
        each.cancel()
    await asyncio.wait(running)
    await engine.idle()
    assert {task.finish_reason for task in tasks} == {"cancelled"}


async def test_a_stream_read_in_steps_is_aborted(engine, worker):
    task = StreamGenerationTask(input_str=STORY, streaming_step=1, **engine.endless)
    await worker.run_task(task)
    await engine.busy()
    task.cancel_flag = True
    await worker.run_task(task)
    await engine.idle()
    assert (task.end_flag, task.finish_reason) == (True, "cancelled")
