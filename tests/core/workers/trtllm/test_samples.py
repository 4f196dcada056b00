"""TRTLLMWorker and requests of ScaffoldingLlm: siblings, live streams, steps, hints."""

import pytest

from scaffolding_core import (
    GenerationTask,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    TokenEvent,
    TRTLLMWorker,
)
from tests.servers.trtllm.double import model_folder, standing_in


def vote(samples, **sampling):
    generation = NativeGenerationController(sampling)
    return MajorityVoteController(generation, samples, stop_rule="full", run_ahead=samples, answers="number")


async def asked(worker, method, **options):
    async with ScaffoldingLlm(method, worker) as llm:
        return await llm.generate_async("q", **options)


def counts(worker):
    return [request.params.n for request in worker.llm.double.requests]


async def test_samples_of_one_prompt_share_a_call_and_each_keeps_its_own_answer(make_worker):
    worker = make_worker("It is 7", "No, it is 8", "7")
    output = (await asked(worker, vote(3, max_tokens=4))).output
    assert counts(worker) == [3]
    assert [c.text for c in output.candidates] == ["It is 7", "No, it is", "7"]
    assert [c.said.finish_reason for c in output.candidates] == ["stop", "length", "stop"]
    assert (output.usage.prompt_tokens, output.usage.completion_tokens, output.usage.calls) == (2, 8, 1)


async def test_a_vote_is_settled_before_the_last_of_a_shared_call_is_written(make_worker):
    worker = make_worker("7", "7", "8 or is it")
    worker.llm.double.hold(2)  # two are whole
    method = MajorityVoteController(NativeGenerationController(), 3, answers="number")
    output = (await asked(worker, method)).output
    assert (counts(worker), output.answer, output.votes) == ([3], "7", {"7": 2})
    written = sum(len(each.written) for each in worker.llm.double.requests[0].sequences)
    assert (output.usage.completion_tokens, output.usage.calls) == (written, 1)
    assert worker.llm.double.running == 0


@pytest.mark.parametrize(
    "apart",
    [{"temperature": 0.0}, {"top_k": 1}, {"stop": ["x"]}, {"stop_token_ids": [9]}, {"use_beam_search": True}],
)
async def test_samples_that_cannot_share_a_call_have_one_each(make_worker, apart):
    worker = make_worker("7")
    output = (await asked(worker, vote(3, **apart))).output
    assert counts(worker) == [1, 1, 1]
    assert output.answer == "7"


async def test_samples_that_are_shown_while_they_are_written_have_one_each(make_worker):
    worker = make_worker("7")
    async with ScaffoldingLlm(vote(3), worker) as llm:
        async for _ in llm.stream("q"):
            pass
    assert counts(worker) == [1, 1, 1]


async def test_a_seed_keeps_samples_apart(make_worker):
    worker = make_worker("7")
    await asked(worker, vote(3), seed=1)
    assert len({request.params.seed for request in worker.llm.double.requests}) == 3


async def test_no_more_share_a_call_than_the_worker_says(make_worker):
    worker = make_worker("7", siblings=2)
    await asked(worker, vote(5))
    assert sorted(counts(worker)) == [1, 2, 2]


async def test_text_is_heard_as_it_is_written_but_for_what_a_stop_may_take_back(make_worker):
    worker = make_worker("It is 7 and")
    worker.llm.double.hold(3)
    texts = []
    async with ScaffoldingLlm(NativeGenerationController({"stop": "7 and"}), worker) as llm:
        async for event in llm.stream("q"):
            texts += [event.text] if isinstance(event, TokenEvent) else []
            if "".join(texts) == "It is ":
                worker.llm.double.go_on()
    assert "".join(texts) == event.output.text == "It is "


async def test_thoughts_are_heard_as_thoughts(make_worker):
    worker = make_worker("<think>six</think>7", reasoning_parser="qwen3")
    async with ScaffoldingLlm(NativeChatController(), worker) as llm:
        events = [event async for event in llm.stream("q") if isinstance(event, TokenEvent)]
    assert "".join(event.reasoning for event in events) == "six"
    assert "".join(event.text for event in events) == "7"


async def test_steps_bring_so_many_tokens_each_until_the_end(make_worker):
    worker, task = make_worker("one two 3 four 5"), StreamGenerationTask(input_str="q", streaming_step=2)
    task.num_logprobs = 1
    texts = []
    while not task.end_flag:
        await worker.run_task(task)
        texts.append((task.output_str, len(task.logprobs)))
    assert texts[:3] == [("one two", 2), ("one two 3 four", 4), ("one two 3 four 5", 5)]
    assert (task.finish_reason, task.usage.completion_tokens, task.usage.calls) == ("stop", 5, 1)


async def test_a_step_task_that_is_cancelled_is_aborted(make_worker):
    worker, task = make_worker("one two 3 four 5"), StreamGenerationTask(input_str="q", streaming_step=2)
    worker.llm.double.hold(3)
    await worker.run_task(task)
    task.cancel_flag = True
    await worker.run_task(task)
    assert (task.end_flag, task.finish_reason) == (True, "cancelled")
    assert worker.llm.double.running == 0


async def test_a_step_task_that_is_cancelled_keeps_what_its_last_step_has_told(make_worker):
    worker, task = make_worker("one two 3 four 5"), StreamGenerationTask(input_str="q", streaming_step=2)
    await worker.run_task(task)
    worker.llm.double.wait_for(lambda: worker.llm.double.running == 0)  # all is written meanwhile
    task.cancel_flag = True
    await worker.run_task(task)
    assert (task.output_str, len(task.output_tokens), task.finish_reason) == ("one two", 2, "cancelled")


async def test_what_a_request_knows_of_itself_is_told_to_a_version_that_takes_it(make_worker):
    worker = make_worker("7")
    result = await asked(worker, vote(2), priority=1, trace=True)
    extras = worker.llm.double.requests[0].extras
    ((kind, number),) = extras["scheduling_params"].agent_hierarchy
    assert (extras["priority"], kind, extras["conversation_params"].conversation_id) == (
        0.75,
        "request",
        str(number),
    )
    told = {"priority": 0.75, "agent_hierarchy": [("request", number)], "conversation_id": str(number), "n": 2}
    assert [call.hints.sent for call in result.trace.calls] == [told, told]


async def test_an_earlier_version_is_told_what_it_takes(tmp_path):
    with standing_in("late 2025") as package, package.LLM(str(model_folder(tmp_path, "7"))) as llm:
        worker = TRTLLMWorker(llm)
        result = await asked(worker, NativeGenerationController(), priority=1, trace=True)
        extras = llm.double.requests[0].extras
    assert "priority" not in extras
    assert extras["scheduling_params"] is not None
    assert result.trace.calls[0].hints.dropped.keys() == {"priority", "conversation_id"}


async def test_a_task_alone_knows_of_no_request(make_worker):
    worker = make_worker("7")
    await worker.run_task(GenerationTask(input_str="q"))
    assert worker.llm.double.requests[0].extras["scheduling_params"] is None
