"""Choices of one request: each is done when it is whole, and the request ends with the last that anybody needs."""

import asyncio
import json
import threading
from unittest.mock import Mock, call

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    Budget,
    ClosedError,
    GenerationTask,
    IncompleteResponseError,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    Usage,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")

NEVER = threading.Event()
"""Nobody ever sets it."""


def siblings(count: int) -> list[GenerationTask]:
    group = object()
    return [GenerationTask(input_str="q", group=group) for _ in range(count)]


def started(worker: OpenAIWorker, tasks: list[GenerationTask]) -> list[asyncio.Task]:
    return [asyncio.create_task(worker.run_task(task)) for task in tasks]


def choice(index: int, text: str = "7", finish: str | None = "stop") -> str:
    return json.dumps({"choices": [{"index": index, "text": text, "finish_reason": finish}]})


def vote(samples: int) -> MajorityVoteController:
    return MajorityVoteController(NativeGenerationController(), samples)


def cost(tasks: list[GenerationTask]) -> Usage:
    total = Usage()
    for task in tasks:
        total.add(task.usage)
    return total


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"stop_reason": "\n\n"}, {"stop_reason": "\n\n"}),
        ({"stop_reason": None}, {"stop_reason": None}),
        ({"matched_stop": "\n\n"}, {"stop_reason": "\n\n"}),
        ({"matched_stop": 2}, {"stop_reason": 2}),
        ({}, None),
    ],
)
async def test_at_which_stop_an_answer_ended_is_told_and_that_it_did_at_none(told, fields):
    written = {"index": 0, "text": "7", "finish_reason": None, "stop_reason": None}
    last = {"index": 0, "text": "", "finish_reason": "stop", **told}
    events = tuple(json.dumps({"choices": [piece]}) for piece in (written, last))
    task = GenerationTask(input_str="q", stop=["\n\n"])
    with scripted_server(Reply(events=events)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            await worker.run_task(task)
    assert task.customized_result_fields == fields


@pytest.mark.parametrize(
    ("verbose", "fields"),
    [
        ({"stop_type": "word", "stopping_word": "\n\n"}, {"stop_reason": "\n\n"}),
        ({"stop_type": "eos", "stopping_word": ""}, {"stop_reason": None}),
        ({"stop_type": "limit", "stopping_word": ""}, {"stop_reason": None}),
        ({}, None),
        ("so", None),
    ],
)
async def test_llama_cpp_tells_it_beside_the_choice_where_it_is_asked_to(verbose, fields):
    last = {"index": 0, "text": "7", "finish_reason": "stop"}
    answer = json.dumps({"choices": [last], "__verbose": verbose})
    task = GenerationTask(input_str="q", stop=["\n\n"])
    with scripted_server(Reply(events=(answer,))) as server:
        async with OpenAIWorker(server.url, "m", server="llama.cpp") as worker:
            await worker.run_task(task)
            await worker.run_task(GenerationTask(input_str="q"))
    assert task.customized_result_fields == fields
    assert [body.get("verbose") for body in server.requests] == [True, None]


async def test_a_task_is_done_with_its_own_choice_and_the_last_pays_the_rest():
    held = threading.Event()
    told = {"prompt_tokens": 9, "completion_tokens": 8}
    with scripted_server(Reply(("7", "!"), held_choices={2: held}, usage=told)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(3)
            *first, last = started(worker, tasks)
            await asyncio.gather(*first)
            assert not last.done()
            assert [task.output_str for task in tasks] == ["7!", "7!", None]
            assert [task.usage for task in tasks[:2]] == [Usage(completion_tokens=2)] * 2
            held.set()
            await last
    assert cost(tasks) == Usage(prompt_tokens=9, completion_tokens=8, calls=1)
    assert (server.cut, len(server.requests)) == (0, 1)


async def test_a_settled_vote_closes_the_request_and_pays_for_what_it_saw():
    with scripted_server(Reply(held_choices={5: NEVER})) as server:
        async with OpenAIWorker(server.url, "m") as worker, ScaffoldingLlm(vote(8), worker) as llm:
            output = (await llm.generate_async("q")).output
            await until(lambda: server.cut)
    assert (output.text, output.stopped) == ("7", "decided")
    assert output.usage == Usage(completion_tokens=5, calls=1, lost_calls=1)


async def test_what_is_written_for_one_that_was_cut_is_paid_by_the_last():
    held = threading.Event()
    told = {"prompt_tokens": 9, "completion_tokens": 8}
    with scripted_server(Reply(("7", "!"), held_choices={1: held}, usage=told)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            first, *cut, last = started(worker, tasks)
            await first
            for each in cut:
                each.cancel()
            await asyncio.wait(cut)
            held.set()
            await last
    assert [task.finish_reason for task in tasks] == ["stop", "cancelled", "cancelled", "stop"]
    assert cost(tasks) == Usage(prompt_tokens=9, completion_tokens=8, calls=1)


async def test_one_that_is_cut_pays_for_the_prompt_that_its_siblings_were_told():
    told = {"prompt_tokens": 9, "completion_tokens": 1}
    replies = iter(
        [Reply(("7",), usage=told), Reply(("7", "!"), held_choices={-1: NEVER}, finish=None), Reply(held=NEVER)]
    )
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m", siblings=1) as worker:
            tasks = siblings(3)
            await worker.run_task(tasks[0])
            tasks[1].scope = scope = Mock(deadline=None, listening=False)
            begun = asyncio.create_task(worker.run_task(tasks[1]))
            await until(lambda: scope.wrote.call_args == call(2))
            waits = asyncio.create_task(worker.run_task(tasks[2]))
            await until(lambda: len(server.requests) == 3)
            for each in (begun, waits):
                each.cancel()
            await asyncio.wait([begun, waits])
    assert tasks[1].usage == Usage(prompt_tokens=9, completion_tokens=2, calls=1)
    assert tasks[2].usage == Usage(calls=1, lost_calls=1)


async def test_nobody_waits_for_a_choice_that_was_cut():
    held = threading.Event()
    with scripted_server(Reply(held_choices={0: held, 3: NEVER})) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            *first, cut = started(worker, tasks)
            await until(lambda: server.open)
            cut.cancel()
            await asyncio.wait([cut])
            held.set()
            await asyncio.gather(*first)
            await until(lambda: server.cut)
    assert cost(tasks) == Usage(completion_tokens=3, calls=1, lost_calls=1)


@pytest.mark.parametrize("end", [(), ('{"choices": [',), ('{"error": {"message": "crashed", "code": 500}}',)])
async def test_what_was_whole_before_the_stream_broke_is_kept_and_only_the_rest_is_asked_for_again(end):
    replies = iter([Reply(events=(choice(1), choice(0, finish=None), *end)), Reply()])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(3)
            await asyncio.gather(*started(worker, tasks))
    assert [request["n"] for request in server.requests] == [3, 2]
    assert [task.output_str for task in tasks] == ["7", "7", "7"]
    # Of the first request two pieces were seen; the server told the cost of the second.
    assert cost(tasks) == Usage(prompt_tokens=5, completion_tokens=2 + 2, calls=2, lost_calls=1)


async def test_a_count_that_comes_with_one_choice_is_none_of_the_whole():
    told = {**json.loads(choice(1)), "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    replies = iter([Reply(events=(json.dumps(told), choice(0, finish=None))), Reply()])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(2)
            await asyncio.gather(*started(worker, tasks))
    assert cost(tasks) == Usage(prompt_tokens=9 + 5, completion_tokens=2 + 2, calls=2, lost_calls=1)


async def test_an_answer_that_is_whole_is_kept_though_its_end_is_lost():
    with scripted_server(Reply(reset=True)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            for tasks in (siblings(1), siblings(3)):
                await asyncio.gather(*started(worker, tasks))
                assert [task.output_str for task in tasks] == ["7"] * len(tasks)
    assert len(server.requests) == 2


async def test_one_choice_that_is_not_whole_is_asked_for_again_alone():
    whole = tuple(choice(index, finish="abort" if index == 1 else "stop") for index in range(4))
    replies = iter([Reply(events=whole), Reply(("8",))])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            await asyncio.gather(*started(worker, tasks))
    assert [request.get("n", 1) for request in server.requests] == [4, 1]
    assert [task.output_str for task in tasks] == ["7", "8", "7", "7"]


@pytest.mark.parametrize("attempts", [1, 3])
async def test_a_server_that_ignores_n_is_asked_for_the_missing_choices_alone_and_for_no_more_from_then_on(
    attempts,
):
    told = {"prompt_tokens": 9, "completion_tokens": 1}
    with scripted_server(Reply(events=(choice(0), json.dumps({"choices": [], "usage": told})))) as server:
        async with OpenAIWorker(server.url, "m", max_attempts=attempts) as worker:
            tasks = siblings(3)
            await asyncio.gather(*started(worker, tasks))
            await asyncio.gather(*started(worker, siblings(2)))
    assert [request.get("n", 1) for request in server.requests] == [3, 1, 1, 1, 1]
    assert cost(tasks) == Usage(prompt_tokens=27, completion_tokens=3, calls=3)


async def test_a_missing_choice_has_all_its_attempts_left():
    replies = iter([Reply(events=(choice(0),)), Reply(status=503, body={}), Reply()])
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m", max_attempts=2) as worker:
            await asyncio.gather(*started(worker, siblings(2)))
    assert [request.get("n", 1) for request in server.requests] == [2, 1, 1]


async def test_a_server_that_answers_fewer_is_asked_for_no_more_than_it_gives():
    def few(body):
        return Reply(events=tuple(choice(index) for index in range(min(2, body.get("n", 1)))))

    with scripted_server(few) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            for count in (4, 2, 4):
                await asyncio.gather(*started(worker, siblings(count)))
    assert [request.get("n", 1) for request in server.requests] == [4, 1, 1, 2, 2, 2]


async def test_once_it_has_given_several_a_failure_is_not_taken_for_a_refusal_of_n():
    replies = iter(
        [Reply(), Reply(status=500, body={"error": {"message": "out of luck"}}), Reply(), Reply(), Reply()]
    )
    with scripted_server(lambda body: next(replies)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            for _ in range(3):
                await asyncio.gather(*started(worker, siblings(2)))
    assert [request.get("n", 1) for request in server.requests] == [2, 2, 1, 1, 2]


async def test_each_alone_has_no_more_attempts_than_a_task_has():
    with scripted_server(Reply(finish=None)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(2)
            errors = await asyncio.gather(*started(worker, tasks), return_exceptions=True)
    assert [(type(error), error.attempts) for error in errors] == [(IncompleteResponseError, 3)] * 2
    assert [request.get("n", 1) for request in server.requests] == [2, 2, 1, 1]


async def test_a_busy_server_is_not_sent_more_requests_than_before():
    with scripted_server(Reply(status=429, body={})) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            await asyncio.gather(*started(worker, siblings(4)), return_exceptions=True)
    assert [request["n"] for request in server.requests] == [4, 4, 4]


@pytest.mark.parametrize("ticks", range(5))
async def test_members_that_are_cut_before_their_request_is_sent_leave_nothing_behind(ticks):
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            cut = started(worker, tasks[:2])
            for _ in range(ticks):
                await asyncio.sleep(0)
            for each in cut:
                each.cancel()
            await asyncio.gather(*started(worker, tasks[2:]))
            assert all(each.cancelled() for each in cut)
    assert [task.output_str for task in tasks[2:]] == ["7", "7"]
    assert server.requests[-1]["n"] == 2


async def test_a_request_that_was_sent_takes_no_more():
    held = threading.Event()
    with scripted_server(Reply(held=held)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = siblings(4)
            first = started(worker, tasks[:2])
            await until(lambda: server.open)
            later = started(worker, tasks[2:])
            await until(lambda: server.open == 2)
            held.set()
            await asyncio.gather(*first, *later)
    assert [request["n"] for request in server.requests] == [2, 2]


async def test_votes_that_end_early_on_few_slots_never_fail():
    with scripted_server(Reply()) as server:
        async with (
            OpenAIWorker(server.url, "m", max_concurrency=7) as worker,
            ScaffoldingLlm(vote(5), worker) as llm,
        ):
            for _ in range(10):
                for result in [llm.generate_async("the same question") for _ in range(20)]:
                    output = (await result).output
                    assert [candidate.error for candidate in output.candidates if candidate.error] == []


async def test_a_budget_that_ends_with_most_of_the_choices_there_votes_with_them():
    method = MajorityVoteController(NativeGenerationController(), 8, stop_rule="full")
    with scripted_server(Reply(held_choices={7: NEVER})) as server:
        async with OpenAIWorker(server.url, "m") as worker, ScaffoldingLlm(method, worker) as llm:
            output = (await llm.generate_async("q", budget=Budget(tokens=7))).output
            await until(lambda: server.cut)
    assert (output.text, output.stopped) == ("7", "budget")
    assert [candidate.error is None for candidate in output.candidates] == [True] * 7 + [False]


@pytest.mark.parametrize("samples", [1, 4])
async def test_a_budget_of_tokens_ends_what_is_being_written(samples):
    with scripted_server(Reply(("x",) * 100_000)) as server:
        async with OpenAIWorker(server.url, "m") as worker, ScaffoldingLlm(vote(samples), worker) as llm:
            result = llm.generate_async("q", budget=Budget(tokens=5))
            await result.ended()
            await until(lambda: server.cut)
    assert 5 < result.usage.completion_tokens < 100_000


async def test_an_answer_that_is_whole_when_the_budget_ends_counts():
    written = (choice(0), *(choice(1, "x", finish=None) for _ in range(9)))
    method = MajorityVoteController(NativeGenerationController(), 2, stop_rule="full")
    with scripted_server(Reply(events=written)) as server:
        async with OpenAIWorker(server.url, "m") as worker, ScaffoldingLlm(method, worker) as llm:
            output = (await llm.generate_async("q", budget=Budget(tokens=5))).output
    assert (output.text, output.stopped) == ("7", "budget")


async def test_what_was_charged_is_not_counted_as_being_written():
    method = MajorityVoteController(NativeGenerationController(), 2, stop_rule="full")
    with scripted_server(Reply(("x",) * 3, usage=None)) as server:
        async with (
            OpenAIWorker(server.url, "m", siblings=1, max_concurrency=1) as worker,
            ScaffoldingLlm(method, worker) as llm,
        ):
            assert (await llm.generate_async("q", budget=Budget(tokens=8))).output.stopped == "complete"


async def test_an_answer_that_is_whole_with_the_last_token_of_the_budget_is_kept():
    with scripted_server(Reply(("x",) * 5, usage=None)) as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(NativeGenerationController(), worker) as llm,
        ):
            assert (await llm.generate_async("q", budget=Budget(tokens=5))).text == "xxxxx"


async def test_closing_the_worker_fails_only_those_that_still_wait():
    with scripted_server(Reply(held_choices={1: NEVER})) as server:
        worker = OpenAIWorker(server.url, "m")
        tasks = siblings(3)
        first, *rest = started(worker, tasks)
        await first
        await worker.async_shutdown()
        errors = await asyncio.gather(*rest, return_exceptions=True)
        await until(lambda: not server.open)
    assert [type(error) for error in errors] == [ClosedError] * 2
    assert tasks[0].output_str == "7"


async def test_time_that_is_up_fails_only_those_that_still_wait():
    with scripted_server(Reply(held_choices={1: NEVER})) as server:
        async with OpenAIWorker(server.url, "m", timeout=1) as worker:
            tasks = siblings(2)
            outcomes = await asyncio.gather(*started(worker, tasks), return_exceptions=True)
            await until(lambda: server.cut)
    assert [type(outcome) for outcome in outcomes] == [type(None), BackendTimeoutError]
    assert tasks[0].output_str == "7"


async def test_nobody_waits_for_a_request_that_somebody_else_has_cancelled():
    with scripted_server(Reply(held_choices={1: NEVER})) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            before = asyncio.all_tasks()
            first, *rest = running = started(worker, siblings(3))
            await first
            for request in asyncio.all_tasks() - before - {*running}:
                request.cancel()
            await asyncio.wait(rest)
            assert all(each.cancelled() for each in rest)


def test_a_loop_that_is_torn_down_leaves_no_request_behind():
    with scripted_server(Reply(held_choices={1: NEVER})) as server:
        worker = OpenAIWorker(server.url, "m")

        async def leave_them_running():
            first, *_ = started(worker, siblings(3))
            await first

        asyncio.run(leave_them_running())
        asyncio.run(until(lambda: server.cut))
        asyncio.run(worker.run_task(GenerationTask(input_str="q")))
        worker.shutdown()


async def test_siblings_that_must_learn_the_models_name_ask_once_and_share_their_request():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url) as worker:
            await asyncio.gather(*started(worker, siblings(16)))
    assert server.asked == ["/v1/models"]
    assert [body["n"] for body in server.requests] == [16]
