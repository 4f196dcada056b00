"""A ScaffoldingLlm that nobody holds any more leaves nothing behind."""

import gc
import threading
import time

import pytest

from scaffolding_core import FunctionWorker, NativeGenerationController, ScaffoldingLlm


def loops():
    return sum(thread.name == "scaffolding-loop" for thread in threading.enumerate())


@pytest.mark.xfail(reason="a worker's slots hold the driver of every loop that ever took one", strict=True)
def test_a_dropped_scaffolding_llm_ends_its_loop():
    before = loops()
    ScaffoldingLlm(NativeGenerationController(), FunctionWorker(lambda task: "7")).generate("q")
    gc.collect()
    end = time.monotonic() + 2
    while loops() > before and time.monotonic() < end:
        time.sleep(0.01)
    assert loops() == before
