"""Thoughts are no part of the answer."""

import pytest

from scaffolding_core import NativeChatController, ScaffoldingLlm
from tests.engines.engine import ASKING

pytestmark = pytest.mark.needs("reasoning")


async def test_thoughts_are_apart_from_the_answer(engine, ask):
    task = await ask(ASKING["reasoning"](engine))
    if not task.reasoning and not engine.declared:
        pytest.skip("its model told no thoughts")
    assert task.reasoning
    assert task.reasoning not in task.output_str


async def test_thoughts_are_streamed_apart(engine, worker):
    task = ASKING["reasoning"](engine)
    async with ScaffoldingLlm(NativeChatController(), worker) as llm:
        stream = llm.stream(task)
        thoughts = "".join([getattr(event, "reasoning", "") for event in [event async for event in stream]])
    said = stream.result.output.message
    if not said.reasoning and not engine.declared:
        pytest.skip("its model told no thoughts")
    assert said.reasoning == thoughts
