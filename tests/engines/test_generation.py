"""Text is gone on with."""

import asyncio

from scaffolding_core import NativeGenerationController, ScaffoldingLlm
from tests.engines.engine import STORY, generation


async def test_a_prompt_is_completed(ask):
    task = await ask(generation(temperature=0.0))
    assert task.output_str.strip()
    assert task.finish_reason in ("length", "stop")


async def test_an_answer_ends_at_its_limit(ask):
    task = await ask(generation(max_tokens=5, temperature=0.0))
    assert (task.finish_reason, task.usage.completion_tokens) == ("length", 5)


async def test_many_are_answered_at_once(ask):
    tasks = [generation(input_str=f"{number} times", max_tokens=3) for number in range(20)]
    await asyncio.gather(*map(ask, tasks))
    assert all(task.output_str for task in tasks)
    assert {task.usage.calls for task in tasks} == {1}


async def test_a_blocking_call_is_answered(worker):
    def call():
        with ScaffoldingLlm(NativeGenerationController({"max_tokens": 8}), worker) as llm:
            return llm.generate(STORY).text

    assert await asyncio.to_thread(call)
