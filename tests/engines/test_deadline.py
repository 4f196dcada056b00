"""A request ends with its deadline."""

import time

import pytest

from scaffolding_core import BudgetExceededError, NativeGenerationController, ScaffoldingLlm
from tests.engines.engine import STORY


async def test_work_ends_at_the_engine_with_its_deadline(engine, worker):
    async with ScaffoldingLlm(NativeGenerationController(dict(engine.endless)), worker) as llm:
        result = await llm.generate_async(STORY, deadline=time.monotonic() + 0.5)
    assert (result.output.stopped, result.output.finish_reason) == ("budget", "cancelled")
    assert result.usage.calls == 1
    await engine.idle()


async def test_a_deadline_that_has_passed_costs_nothing(worker):
    async with ScaffoldingLlm(NativeGenerationController({"max_tokens": 4}), worker) as llm:
        result = llm.generate_async(STORY, deadline=time.monotonic() - 1)
        with pytest.raises(BudgetExceededError, match="deadline"):
            await result
    assert result.usage.calls == 0
