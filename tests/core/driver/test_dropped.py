"""What nobody holds any more leaves nothing behind."""

import asyncio
import gc
import threading
import time

import pytest

from scaffolding_core import FunctionWorker, MajorityVoteController, NativeGenerationController, ScaffoldingLlm
from tests.core.doubles import Backend


def loops():
    return sum(thread.name == "scaffolding-loop" for thread in threading.enumerate())


def test_a_dropped_scaffolding_llm_ends_its_loop():
    before = loops()
    ScaffoldingLlm(NativeGenerationController(), FunctionWorker(lambda task: "7")).generate("q")
    end = time.monotonic() + 5
    while loops() > before and time.monotonic() < end:
        gc.collect()  # the loop's thread may have held it a moment longer than the caller
        time.sleep(0.01)
    assert loops() == before


@pytest.mark.parametrize("samples", [1, 8])
async def test_a_finished_request_is_freed_at_once_without_the_garbage_collector(samples):
    async with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), samples), Backend()) as llm:
        await llm.generate_async("say:7")
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await llm.generate_async("say:7")
            await asyncio.sleep(0)
            assert gc.collect() == 0
        finally:
            gc.enable()
