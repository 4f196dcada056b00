"""TRTLLMWorker, as programs for TensorRT-LLM use it: on its LLM, and on one that they stand in for it."""

import asyncio
import itertools

import pytest

from scaffolding_core.tensorrt_llm import (
    GenerationTask,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    TaskStatus,
    TRTLLMWorker,
)

GENERATION = NativeGenerationController.WorkerTag.GENERATION


class Refuses:
    """An LLM that takes no request."""

    def __init__(self, error):
        self.error = error

    def generate_async(self, *inputs, **options):
        raise self.error


class Breaks(Refuses):
    """An LLM whose results are read by their steps alone, and break."""

    def generate_async(self, *inputs, **options):
        return Steps(self.error)


class Steps:
    _done = False
    outputs = ()

    def __init__(self, error):
        self.error = error

    async def _aresult_step(self):
        raise self.error


@pytest.fixture
def error(tensorrt_llm):
    """Makes what an LLM refuses a request with."""
    from tensorrt_llm.executor import RequestError

    return RequestError


@pytest.mark.parametrize(
    ("llm", "kind"), [(Refuses, GenerationTask), (Refuses, StreamGenerationTask), (Breaks, StreamGenerationTask)]
)
def test_a_prompt_that_is_too_long_leaves_an_empty_answer(llm, kind, error):
    task = kind.create_from_prompt("a long story")
    words = "The sum of prompt length (9), query length (1) should not exceed max_num_tokens (9)"
    assert asyncio.run(TRTLLMWorker(llm(error(words))).run_task(task)) is TaskStatus.SUCCESS
    assert (task.output_str, task.output_tokens, task.finish_reason) == ("", [], "length")
    assert getattr(task, "end_flag", True)


def test_what_else_is_refused_fails(error):
    task = GenerationTask.create_from_prompt("hello")
    status = asyncio.run(TRTLLMWorker(Refuses(error("no such adapter"))).run_task(task))
    assert (status, task.finish_reason) == (TaskStatus.WORKER_EXECEPTION, None)


def test_what_a_subclass_makes_of_the_parameters_is_sent(make_llm):
    class Short(TRTLLMWorker):
        def convert_task_params(self, task):
            params = super().convert_task_params(task)
            params.max_tokens = 2
            return params

    task = GenerationTask.create_from_prompt("hello")
    assert asyncio.run(Short(make_llm("one two three four")).run_task(task)) is TaskStatus.SUCCESS
    assert len(task.output_tokens) == 2


async def test_a_stream_hands_out_texts_and_token_ids_as_they_grow(make_llm):
    texts, ids = [], []
    worker = TRTLLMWorker(make_llm("one two three four"))
    async with ScaffoldingLlm(NativeGenerationController(streaming=True), {GENERATION: worker}) as llm:
        async for result in llm.generate_async("count"):
            async for output in result.cur_output:
                texts.append(output.outputs[0].text)
                ids.append(output.outputs[0].token_ids)
    assert (texts[-1], ids[-1]) == (result.outputs[0].text, result.outputs[0].token_ids)
    assert len(texts) > 2
    for grown in (texts, ids):
        assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(grown))
