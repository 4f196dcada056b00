"""TRTLLMWorker on TensorRT-LLM itself, where that is installed.

The model is what SCAFFOLDING_TEST_MODEL_DIR names, a folder or a name at Hugging Face; by default a small one.
"""

import asyncio
import importlib.util
import json
import os

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    ChatTask,
    ContextLengthExceededError,
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    TRTLLMWorker,
    UserMessage,
)

if importlib.util.find_spec("tensorrt_llm") is None:
    pytest.skip("TensorRT-LLM is not installed", allow_module_level=True)

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(900)]

MODEL = os.environ.get("SCAFFOLDING_TEST_MODEL_DIR", "Qwen/Qwen3-0.6B")
PROMPT = "The capital of France is Paris, and the capital of Italy is"


@pytest.fixture(scope="module")
def worker():
    with TRTLLMWorker.init_with_new_llm(
        MODEL,
        kv_cache_free_gpu_memory_fraction=0.5,
        guided_decoding_backend="xgrammar",
        return_perf_metrics=True,
    ) as worker:
        yield worker


async def ran(worker, **given):
    task = GenerationTask(**{"input_str": PROMPT, "max_tokens": 8, **given})
    await worker.run_task(task)
    return task


async def test_generation(worker):
    task = await ran(worker, temperature=0.0)
    assert task.output_str.strip()
    assert task.finish_reason in ("stop", "length")
    assert 0 < len(task.output_tokens) <= 8


async def test_chat(worker):
    task = ChatTask(messages=[UserMessage("Say hello.")], max_tokens=16)
    await worker.run_task(task)
    assert task.output_str.strip()


async def test_token_prompts(worker):
    tokens = worker.tokenizer.encode(PROMPT)
    task = await ran(worker, input_str=None, input_tokens=tokens, temperature=0.0)
    assert task.usage.prompt_tokens == len(tokens)


async def test_samples_of_one_prompt(worker):
    method = MajorityVoteController(
        NativeGenerationController({"max_tokens": 8}), 4, stop_rule="full", run_ahead=4, answers="text"
    )
    async with ScaffoldingLlm(method, worker) as llm:
        output = (await llm.generate_async(PROMPT)).output
    assert len(output.candidates) == 4
    assert output.usage.calls == 1
    assert all(candidate.said.finish_reason in ("stop", "length") for candidate in output.candidates)


async def test_logprobs(worker):
    task = await ran(worker, num_logprobs=3, temperature=1.0)
    assert len(task.logprobs) == len(task.output_tokens)
    assert all(each.logprob <= 0 and len(each.top) == 3 for each in task.logprobs)


async def test_stop(worker):
    whole = await ran(worker, temperature=0.0)
    stop = whole.output_str[len(whole.output_str) // 2 :][:3]
    task = await ran(worker, temperature=0.0, stop=[stop])
    assert task.finish_reason == "stop"
    assert stop not in task.output_str


async def test_guided_json(worker):
    schema = {"type": "object", "properties": {"capital": {"type": "string"}}, "required": ["capital"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "it", "schema": schema}}
    assert "capital" in json.loads((await ran(worker, max_tokens=200, response_format=wanted)).output_str)


async def test_live_streams_and_steps(worker):
    task = StreamGenerationTask(input_str=PROMPT, max_tokens=8, streaming_step=2, ignore_eos=True)
    lengths = []
    while not task.end_flag:
        await worker.run_task(task)
        lengths.append(len(task.output_tokens))
    assert lengths[0] >= 2
    assert lengths[-1] == 8


async def test_a_cut_frees_the_engine_for_others(worker):
    task = StreamGenerationTask(input_str=PROMPT, max_tokens=3000, streaming_step=2, ignore_eos=True)
    await worker.run_task(task)
    task.streaming_step = 3000
    run = asyncio.ensure_future(worker.run_task(task))
    await asyncio.sleep(0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (await ran(worker)).output_str


async def test_a_deadline(worker):
    patient, worker.timeout = worker.timeout, 0.01
    try:
        with pytest.raises(BackendTimeoutError):
            await ran(worker, max_tokens=3000, ignore_eos=True)
    finally:
        worker.timeout = patient


async def test_usage_with_what_was_cached(worker):
    prompt = "It was a long story, and this is how it went. " * 20
    await ran(worker, input_str=prompt)
    task = await ran(worker, input_str=prompt)
    assert 0 < task.usage.cached_tokens <= task.usage.prompt_tokens
    assert task.usage.completion_tokens == len(task.output_tokens)
    assert task.customized_result_fields["perf_metrics"]


async def test_a_prompt_that_is_too_long(worker):
    with pytest.raises(ContextLengthExceededError):
        await ran(worker, input_str="word " * 10_000)
