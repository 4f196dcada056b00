"""Samples of one prompt: as few calls as the engine allows, each sample an answer of its own."""

import asyncio

import pytest

from scaffolding_core import (
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    UnsupportedParameterError,
)
from tests.engines.engine import STORY, generation

COUNT = 4


async def test_siblings_differ_and_share_calls_and_prompt(ask, worker):
    group = object()
    tasks = [generation(group=group, temperature=1.0) for _ in range(COUNT)]
    await asyncio.gather(*map(ask, tasks))
    assert len({task.output_str for task in tasks}) > 1
    assert sum(task.usage.completion_tokens for task in tasks) == 8 * COUNT
    calls = -(-COUNT // worker.capabilities.siblings)
    assert sum(task.usage.calls for task in tasks) == calls
    alone = await ask(generation())
    assert sum(task.usage.prompt_tokens for task in tasks) == calls * alone.usage.prompt_tokens


@pytest.mark.parametrize("controller", [NativeGenerationController, NativeChatController])
async def test_a_vote_counts_every_sample(worker, controller):
    method = MajorityVoteController(controller({"max_tokens": 8}), COUNT, stop_rule="full")
    async with ScaffoldingLlm(method, worker) as llm:
        result = await llm.generate_async(STORY)
    assert sum(result.output.votes.values()) == len(result.output.candidates) == COUNT
    assert result.usage.completion_tokens > COUNT
    assert result.usage.calls == -(-COUNT // worker.capabilities.siblings)


async def test_a_task_has_one_answer(worker):
    with pytest.raises(UnsupportedParameterError, match="MajorityVoteController"):
        await worker.run_task(generation(n=2))
