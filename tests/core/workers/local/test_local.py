"""What `LocalWorker` does with tasks, on the embedded model."""

import asyncio

import pytest

from scaffolding_core import MajorityVoteController, NativeGenerationController, ScaffoldingLlm
from scaffolding_core.errors import BadRequestError, UnsupportedParameterError
from scaffolding_core.messages import UserMessage
from scaffolding_core.tasks import ChatTask, GenerationTask, StreamGenerationTask
from scaffolding_core.workers.local import LocalWorker
from tests.core.workers.slots import until_busy, until_idle

STORY = "Once upon a time there was a"


def generation(prompt: str = STORY, **parameters) -> GenerationTask:
    return GenerationTask(input_str=prompt, **{"max_tokens": 8, **parameters})


def siblings(count: int, **parameters) -> list[GenerationTask]:
    group = object()
    return [generation(group=group, temperature=1.0, **parameters) for _ in range(count)]


async def run_all(worker: LocalWorker, tasks) -> None:
    await asyncio.gather(*(worker.run_task(task) for task in tasks))


async def test_answers_a_chat_by_the_models_own_template(local_worker):
    task = ChatTask(messages=[UserMessage("What is 2+2?")], max_tokens=40, temperature=0.0)
    await local_worker.run_task(task)
    assert "4" in task.output_str
    assert task.finish_reason == "stop"


async def test_more_samples_than_slots_all_get_their_answer(local_worker):
    tasks = [generation(f"{number} times", max_tokens=3) for number in range(40)]
    await run_all(local_worker, tasks)
    assert all(task.output_str for task in tasks)
    assert all(task.usage.calls == 1 for task in tasks)


async def test_more_siblings_than_slots_all_get_their_answer(local_worker):
    tasks = siblings(20, max_tokens=3)
    await run_all(local_worker, tasks)
    assert all(task.output_str for task in tasks)


async def test_the_beginning_of_a_prompt_is_read_once(local_worker):
    example = "Question: how many legs has a spider? Answer: eight. " * 4
    for question in ("a cat", "a horse"):
        task = generation(f"{example} Question: how many legs has {question}?", max_tokens=1)
        await local_worker.run_task(task)
    assert task.usage.cached_tokens > task.usage.prompt_tokens / 2


async def test_writes_at_most_its_own_limit_where_the_task_has_none(local_worker):
    task = GenerationTask(input_str=STORY, ignore_eos=True)
    await local_worker.run_task(task)
    assert task.usage.completion_tokens == local_worker.max_tokens


async def test_takes_llama_cpps_own_parameters(local_worker):
    task = generation(top_k=1, min_p=0.1, repetition_penalty=1.1, temperature=1.0)
    await local_worker.run_task(task)
    assert task.output_str


@pytest.mark.parametrize("parameter", ["echo", "suffix", "length_penalty", "min_tokens", "use_beam_search"])
async def test_what_llama_cpp_would_ignore_is_an_error(local_worker, parameter):
    task = generation()
    setattr(task, parameter, 1)
    with pytest.raises(UnsupportedParameterError, match=parameter):
        await local_worker.run_task(task)


async def test_a_text_that_no_encoding_holds_is_an_error(local_worker):
    with pytest.raises(BadRequestError, match="surrogate"):
        await local_worker.run_task(generation("half a character: \ud83d"))


async def test_a_stream_read_in_steps_holds_its_part_of_the_context_until_it_is_closed(local_worker):
    open_stream = StreamGenerationTask(input_str=STORY, streaming_step=1, max_tokens=16_300, ignore_eos=True)
    await local_worker.run_task(open_stream)
    waiting = asyncio.create_task(local_worker.run_task(generation()))
    done, _ = await asyncio.wait([waiting], timeout=1)
    assert not done
    open_stream.cancel_flag = True
    await local_worker.run_task(open_stream)
    await asyncio.wait_for(waiting, 30)


async def test_siblings_that_wait_for_slots_collect_and_read_their_prompt_once(local_worker):
    method = MajorityVoteController(NativeGenerationController({"max_tokens": 8}), 32, stop_rule="full")
    async with ScaffoldingLlm(method, local_worker) as llm:
        usage = (await llm.generate_async(STORY)).usage
    assert usage.calls == 2


async def test_siblings_end_one_by_one_and_what_nobody_waits_for_is_cut(local_worker):
    tasks = siblings(8, max_tokens=200, stop=".")
    running = [asyncio.create_task(local_worker.run_task(task)) for task in tasks]
    done, rest = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for cut in rest:  # on a busy machine several choices may have ended by now, and one more in this very tick
        cut.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    await until_idle(local_worker)
    assert len(done) <= sum(task.finish_reason in ("stop", "length") for task in tasks)
    assert sum(task.usage.calls for task in tasks) == 1


@pytest.fixture(scope="module")
def cramped_worker():
    """A context of 256 tokens for four samples."""
    with LocalWorker(n_ctx=256, n_parallel=4, threads=1) as worker:
        worker.start()
        yield worker


async def test_samples_that_do_not_fit_the_context_together_wait_for_each_other(cramped_worker):
    tasks = [generation(f"{number} times", max_tokens=60, ignore_eos=True) for number in range(4)]
    await run_all(cramped_worker, tasks)
    assert [(task.finish_reason, task.usage.calls) for task in tasks] == [("length", 1)] * 4
    await cramped_worker.release_loop()


async def test_one_that_is_cut_while_it_waits_for_room_costs_nothing(cramped_worker):
    first, second = (generation(max_tokens=200, ignore_eos=True) for _ in range(2))
    running = asyncio.create_task(cramped_worker.run_task(first))
    await until_busy(cramped_worker)
    waiting = asyncio.create_task(cramped_worker.run_task(second))
    await asyncio.sleep(0.1)
    for cut in (waiting, running):
        cut.cancel()
        await asyncio.wait([cut])
    assert (second.usage.calls, second.usage.lost_calls) == (0, 0)
    assert (first.usage.calls, first.usage.lost_calls) == (1, 1)
    await cramped_worker.release_loop()


async def test_siblings_that_do_not_fit_the_context_together_wait_for_each_other(cramped_worker):
    tasks = siblings(4, max_tokens=60, ignore_eos=True)
    await run_all(cramped_worker, tasks)
    assert [task.usage.completion_tokens for task in tasks] == [60] * 4
    assert all(task.finish_reason == "length" for task in tasks)
    await cramped_worker.release_loop()


@pytest.mark.parametrize("max_tokens", [-1, 100_000])
async def test_a_sample_without_limit_ends_with_the_context(cramped_worker, max_tokens):
    task = generation("Count: " + "one, two, " * 40, max_tokens=max_tokens, ignore_eos=True)
    await cramped_worker.run_task(task)
    assert task.finish_reason == "length"
    assert 250 < task.usage.total_tokens <= 256
    await cramped_worker.release_loop()
