"""What nobody holds any more leaves nothing behind."""

import asyncio
import gc
import threading
import time

import pytest

from scaffolding_core import FunctionWorker, MajorityVoteController, NativeGenerationController, ScaffoldingLlm
from tests.core.doubles import Backend


def loops():
    return {thread for thread in threading.enumerate() if thread.name == "scaffolding-loop"}


def test_a_dropped_scaffolding_llm_ends_its_loop():
    before = loops()
    ScaffoldingLlm(NativeGenerationController(), FunctionWorker(lambda task: "7")).generate("q")
    end = time.monotonic() + 30
    while loops() - before and time.monotonic() < end:
        gc.collect()  # the loop's thread may have held it a moment longer than the caller
        time.sleep(0.01)
    assert not loops() - before


@pytest.mark.parametrize("samples", [1, 8])
async def test_a_finished_request_is_freed_at_once_without_the_garbage_collector(samples):
    async with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), samples), Backend()) as llm:
        await llm.generate_async("say:7")
        gc.collect()
        gc.disable()
        try:
            assert 0 in [await garbage_of_five(llm) for _ in range(5)]  # other threads leave some, now and then
        finally:
            gc.enable()


async def garbage_of_five(llm):
    for _ in range(5):
        await llm.generate_async("say:7")
    await asyncio.sleep(0)
    return gc.collect()
