"""An answer is shown while it is written."""

import itertools

import pytest

from scaffolding_core import (
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    TokenEvent,
)
from tests.engines.engine import STORY


@pytest.mark.parametrize("controller", [NativeGenerationController, NativeChatController])
async def test_the_pieces_are_the_answer(worker, controller):
    async with ScaffoldingLlm(controller({"max_tokens": 12, "temperature": 0.0}), worker) as llm:
        stream = llm.stream(STORY)
        pieces = [event.text async for event in stream if isinstance(event, TokenEvent)]
    assert "".join(pieces) == stream.result.text


async def test_pieces_come_before_the_end(engine, worker):
    async with ScaffoldingLlm(NativeGenerationController(dict(engine.endless)), worker) as llm:
        stream, pieces = llm.stream(STORY), []
        async for event in stream:
            pieces.append(event)
            if len(pieces) == 2:
                break
        assert all(isinstance(piece, TokenEvent) for piece in pieces)
        await stream.result.ended()


async def test_an_answer_is_written_step_by_step(worker):
    task = StreamGenerationTask(input_str=STORY, streaming_step=3, max_tokens=12, temperature=0.0)
    texts = []
    while not task.end_flag:
        await worker.run_task(task)
        texts.append(task.output_str)
    assert len(texts) > 2
    assert all(later.startswith(sooner) for sooner, later in itertools.pairwise(texts))
    assert (task.finish_reason, task.usage.calls, task.usage.lost_calls) == ("length", 1, 0)
