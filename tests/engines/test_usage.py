"""What was paid is told."""

import pytest

from scaffolding_core import NativeGenerationController, ScaffoldingLlm
from tests.engines.engine import STORY, chat, generation


@pytest.mark.parametrize("asked", [generation, chat])
async def test_an_answer_tells_what_it_cost(ask, asked):
    task = await ask(asked())
    usage = task.usage
    assert usage.prompt_tokens > 1
    assert 1 < usage.completion_tokens <= task.max_tokens
    assert (usage.calls, usage.lost_calls) == (1, 0)


async def test_a_request_tells_what_its_answers_cost(worker):
    async with ScaffoldingLlm(NativeGenerationController({"max_tokens": 5, "temperature": 0.0}), worker) as llm:
        result = await llm.generate_async(STORY)
        told = (result.usage.prompt_tokens > 1, result.usage.completion_tokens, result.usage.calls)
    assert told == (True, 5, 1)
