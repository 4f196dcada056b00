"""The trace of a request."""

import json

import pytest

from scaffolding_core import (
    InvalidRequestError,
    MajorityVoteController,
    MissingWorkerError,
    NativeGenerationController,
    ScaffoldingLlm,
)
from tests.core.doubles import Backend, Method

single = NativeGenerationController()


@pytest.mark.looptime
async def test_each_call_is_recorded_with_its_branch_times_cost_and_end():
    def process(tasks):
        prompts = ["wait:1 say:a", "wait:2 fail:lost", "wait:9 say:b"]
        copies = [tasks[0].copy() for _ in prompts]
        for copy, prompt in zip(copies, prompts, strict=True):
            copy.input_str = prompt
        try:
            yield copies
        except Exception:
            tasks[0].output_str = "failed"

    async with ScaffoldingLlm(Method(process), Backend()) as llm:
        result = await llm.generate_async("x", trace=True)
    first, second, third = result.trace.calls
    assert (first.branch, first.task, first.worker) == ((0,), "GenerationTask", "Backend")
    assert (first.queued, first.started, first.ended) == (0, 0, 1)
    assert (first.ending, first.usage.total_tokens, first.error) == ("finished", 5, None)
    assert (second.branch, second.ended, second.ending) == ((1,), 2, "failed")
    assert "lost" in second.error
    assert (third.branch, third.ended, third.ending) == ((2,), 2, "cut")
    assert result.trace.id == result.id


@pytest.mark.looptime
async def test_a_call_that_waits_for_a_slot_tells_how_long():
    async with ScaffoldingLlm(MajorityVoteController(single, 2), Backend(max_concurrency=1)) as llm:
        result = await llm.generate_async("wait:3 say:7", trace=True)
    assert [(call.queued, call.started, call.ended) for call in result.trace.calls] == [(0, 0, 3), (0, 3, 6)]


async def test_a_call_without_a_worker_never_starts():
    async with ScaffoldingLlm(single, {"other": Backend()}) as llm:
        result = llm.generate_async("x", trace=True)
        with pytest.raises(MissingWorkerError):
            await result
    [call] = result.trace.calls
    assert (call.worker, call.started, call.ending) == ("", None, "failed")


async def test_it_reads_as_lines_and_as_plain_data():
    async with ScaffoldingLlm(MajorityVoteController(single, 2), Backend()) as llm:
        result = await llm.generate_async("say:7", trace=True)
    assert str(result.trace).count("finished") == len(result.trace.calls) == 2
    assert json.loads(json.dumps(result.trace.to_dict()))["calls"][0]["usage"]["completion_tokens"] == 3


async def test_nothing_is_recorded_unless_asked_for():
    async with ScaffoldingLlm(single, Backend()) as llm:
        assert (await llm.generate_async("say:7")).trace is None
        with pytest.raises(InvalidRequestError, match="trace"):
            llm.generate_async("say:7", trace="yes")
