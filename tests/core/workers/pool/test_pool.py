"""WorkerPool: which replica answers, and what happens when one does not."""

import asyncio
import pickle
import socket
import threading
from dataclasses import replace

import pytest

from scaffolding_core import (
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    ClosedError,
    ContentFilterError,
    ContextLengthExceededError,
    FunctionWorker,
    GenerationTask,
    IncompleteResponseError,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    RateLimitError,
    ScaffoldingLlm,
    ServerError,
    StreamGenerationTask,
    UnsupportedParameterError,
    WorkerPool,
)
from tests.eventually import until
from tests.servers.raw import http, raw_server
from tests.servers.scripted import Paced, Reply, scripted_server

NOBODY = "http://127.0.0.1:9/v1"
BUSY = Reply(status=429, body={"error": {"message": "slow down"}}, headers={"Retry-After": "60"})
BROKEN = Reply(status=500, body={"error": {"message": "out of order"}})


@pytest.fixture
def healthy():
    with scripted_server(Reply(pieces=("well",))) as server:
        yield server


async def answer(pool, prompt="q", **options):
    async with pool:
        return await ScaffoldingLlm(NativeGenerationController(), pool).generate_async(prompt, **options)


def state_of(pool, server):
    return next(replica.state for replica in pool.replicas if replica.name == server.url)


class TestAnotherReplicaAnswers:
    async def test_when_the_first_refuses_connections(self, healthy):
        result = await answer(WorkerPool([NOBODY, healthy.url], "m"))
        assert result.text == "well"
        assert result.usage.calls == 1  # nothing was sent to the other

    @pytest.mark.parametrize(
        "fault",
        [
            BUSY,
            Reply(pieces=("hal",), finish=None, reset=True),
            Reply(pieces=("hal",), finish=None),
            Reply(events=("no json",)),
            Reply(status=404, body={"error": {"message": "the model does not exist"}}),
        ],
        ids=["asks to wait", "cut midway", "ends too soon", "is garbage", "does not serve the model"],
    )
    async def test_when_the_answer_of_the_first_is_none(self, healthy, fault):
        with scripted_server(fault) as ill:
            pool = WorkerPool([ill.url, healthy.url], "m")
            result = await answer(pool, trace=True)
        assert result.text == "well"
        assert len(ill.requests) == 1
        (call,) = result.trace.calls
        assert call.hints.replica == healthy.url

    @pytest.mark.parametrize("left_by", [SystemExit, asyncio.CancelledError])
    async def test_when_the_first_leaves_with_what_is_no_failure(self, left_by):
        def leave(task):
            raise left_by

        pool = WorkerPool([FunctionWorker(leave), FunctionWorker(lambda task: "well")])
        assert (await answer(pool)).text == "well"

    async def test_after_a_second_attempt_in_place_at_a_server_that_failed_at_once(self, healthy):
        with scripted_server([BROKEN, Reply(pieces=("recovered",))]) as ill:
            result = await answer(WorkerPool([ill.url, healthy.url], "m"))
        assert result.text == "recovered"
        assert not healthy.requests

    async def test_when_the_first_is_silent(self, healthy):
        with scripted_server(Reply(held=threading.Event())) as silent:
            pool = WorkerPool([silent.url, healthy.url], "m", hedge_after=None, headers_timeout=0.2)
            assert (await answer(pool)).text == "well"
        assert len(silent.requests) == 1

    async def test_when_a_second_was_asked_since_the_first_did_not_begin_which_is_cut_once_it_does(self):
        answering = Paced("well", ", then")
        with scripted_server(Reply(held=threading.Event())) as slow, scripted_server(answering) as idle:
            async with WorkerPool([slow.url, idle.url], "m", hedge_after=0.05) as pool:
                running = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
                await until(lambda: slow.cut == 1)
                assert not running.done
                for piece in answering.pieces:
                    answering.take(piece)
                result = await running
        assert result.text == "well, then"
        assert (result.usage.calls, result.usage.lost_calls) == (2, 1)

    async def test_and_siblings_stay_together_and_fail_as_one(self, healthy):
        fault = Reply(pieces=("hal",), finish=None, reset=True)
        with scripted_server(fault) as ill, scripted_server(Reply()) as other:
            async with WorkerPool([ill.url, healthy.url, other.url], "m", siblings=64) as pool:
                llm = ScaffoldingLlm(
                    MajorityVoteController(NativeGenerationController(), 24, stop_rule="full"), pool
                )
                result = await llm.generate_async("q")
                assert state_of(pool, ill) == "healthy"
        assert result.usage.calls == 2
        assert [body["n"] for body in (*ill.requests, *healthy.requests, *other.requests)] == [24, 24]

    async def test_when_the_first_cannot_do_what_is_asked(self, healthy):
        with scripted_server(Reply(pieces=("able",))) as able:
            workers = [OpenAIWorker(healthy.url, "m"), OpenAIWorker(able.url, "m", accepts=["top_k"])]
            async with WorkerPool(workers) as pool:
                tasks = [GenerationTask(input_str=str(number), top_k=3) for number in range(3)]
                for task in tasks:
                    await pool.run_task(task)
                states = [replica.state for replica in pool.replicas]
        assert [task.output_str for task in tasks] == ["able"] * 3
        assert states == ["healthy"] * 2
        assert not healthy.requests

    async def test_but_what_none_can_do_is_told_at_once(self, healthy):
        async with WorkerPool([healthy.url], "m") as pool:
            with pytest.raises(UnsupportedParameterError, match="top_k"):
                await pool.run_task(GenerationTask(input_str="q", top_k=3))

    @pytest.mark.parametrize(
        ("refused", "error"),
        [
            (
                Reply(status=400, body={"error": {"message": "too long", "code": "context_length_exceeded"}}),
                ContextLengthExceededError,
            ),
            (Reply(pieces=(), finish="content_filter"), ContentFilterError),
        ],
        ids=["too long", "withheld"],
    )
    async def test_but_not_for_what_it_could_not_answer_either(self, healthy, refused, error):
        with scripted_server(refused) as ill:
            with pytest.raises(error):
                await answer(WorkerPool([ill.url, healthy.url], "m"))
            assert len(ill.requests) == 1
        assert not healthy.requests

    async def test_nor_once_text_was_shown(self, healthy):
        with scripted_server(Reply(pieces=("hal",), finish=None, reset=True)) as ill:
            async with WorkerPool([ill.url, healthy.url], "m") as pool:
                stream = ScaffoldingLlm(NativeGenerationController(), pool).stream("q")
                with pytest.raises((BackendUnavailableError, IncompleteResponseError)):
                    [event async for event in stream]
        assert not healthy.requests

    async def test_a_stream_in_steps_stays_where_it_began(self, healthy):
        async with WorkerPool([NOBODY, healthy.url], "m") as pool:
            task = StreamGenerationTask(input_str="q", streaming_step=1)
            while not task.end_flag:
                await pool.run_task(task)
        assert task.output_str == "well"
        assert len(healthy.requests) == 1


class TestAReplicaThatFailed:
    async def test_is_left_alone_while_it_is_down_and_used_again_after_a_probe(self, healthy):
        with scripted_server([*[BROKEN] * 3, Reply(pieces=("back",))]) as ill:
            async with WorkerPool([ill.url, healthy.url], "m", sticky_factor=1) as pool:
                breaker = pool.replicas[0].breaker
                breaker._first = breaker._longest = 600.0  # no slow machine sees its end
                llm = ScaffoldingLlm(NativeGenerationController(), pool)
                for _ in range(6):
                    assert (await llm.generate_async("the same")).text == "well"
                assert len(ill.requests) == 3
                assert state_of(pool, ill) == "down"
                breaker.until = breaker._alone_until = 0.0  # its time is over
                await llm.generate_async("this one starts the probe")
                await until(lambda: state_of(pool, ill) == "healthy")
                assert ill.asked == ["/v1/models"]
                assert {(await llm.generate_async(f"{number}")).text for number in range(4)} == {"well", "back"}

    async def test_is_tried_first_when_it_is_back_though_its_prompts_went_elsewhere(self, healthy):
        with scripted_server(Reply(pieces=("back",))) as ill:
            async with WorkerPool([ill.url, healthy.url], "m") as pool:
                llm = ScaffoldingLlm(NativeGenerationController(), pool)
                pool.replicas[0].breaker.failed(0.0, at_once=True)
                assert (await llm.generate_async("the same")).text == "well"  # and the probe starts
                await until(lambda: pool.replicas[0].breaker.allows)
                await until(lambda: not pool._keeper._tasks)  # nothing holds the loop for what has ended
                assert (await llm.generate_async("the same")).text == "back"

    @pytest.mark.parametrize(
        ("outage", "most"),
        [
            (Reply(status=503, body={"error": {"message": "down"}}), 4),
            (Reply(pieces=(), finish=None, reset=True), 3),
            (Reply(pieces=(), finish=None), 3),
            (Reply(held=threading.Event()), 3),
        ],
        ids=["says so", "resets", "says nothing", "is silent"],
    )
    async def test_is_asked_by_few_of_many_calls_whatever_its_list_of_models_says(self, healthy, outage, most):
        with scripted_server(outage) as ill:
            async with WorkerPool([ill.url, healthy.url], hedge_after=0.05) as pool:
                llm = ScaffoldingLlm(NativeGenerationController(), pool)
                results = [await llm.generate_async(f"question {number}") for number in range(20)]
        assert [result.text for result in results] == ["well"] * 20
        assert len(ill.requests) <= most
        assert ill.asked[0] == "/v1/models"

    async def test_is_asked_once_a_call_though_it_breaks_a_connection_that_was_idle(self, healthy):
        async def list_models_and_break(number, writer):
            if server.seen[-1].startswith(b"POST"):
                writer.close()
            else:
                writer.write(http(b'{"data": [{"id": "m"}]}', "application/json"))

        async with raw_server(list_models_and_break) as server, WorkerPool([server.url, healthy.url]) as pool:
            result = await ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
        assert result.text == "well"
        assert [head.split()[0] for head in server.seen] == [b"GET", b"POST"]

    async def test_is_not_taken_for_silent_where_the_other_was_cut(self):
        ready = threading.Event()
        with scripted_server(Reply(held=ready)) as slow, scripted_server(Reply(held=threading.Event())) as idle:
            async with WorkerPool([slow.url, idle.url], "m", hedge_after=0.01, max_failures=1) as pool:
                running = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
                await until(lambda: idle.open == 1)
                ready.set()
                assert (await running).text == "7"
                await until(lambda: idle.cut == 1)
                assert [replica.state for replica in pool.replicas] == ["healthy", "healthy"]

    @pytest.mark.parametrize("status", [429, 503])
    async def test_that_asked_to_wait_is_asked_by_nobody(self, healthy, status):
        with scripted_server(replace(BUSY, status=status)) as ill:
            async with WorkerPool([ill.url, healthy.url], "m") as pool:
                llm = ScaffoldingLlm(NativeGenerationController(), pool)
                results = [await llm.generate_async(f"question {number}") for number in range(5)]
                assert state_of(pool, ill) == "resting"
        assert {result.text for result in results} == {"well"}
        assert len(ill.requests) == 1
        assert "slow down" in pool.replicas[0].last_failure


class TestWhenNoneAnswers:
    async def test_one_error_names_each_replicas_last_failure(self):
        with scripted_server(BROKEN) as one, scripted_server(BROKEN) as two:
            with pytest.raises(ServerError, match="no replica answered") as raised:
                await answer(WorkerPool([one.url, two.url], "m"))
        assert one.url in str(raised.value)
        assert two.url in str(raised.value)
        assert raised.value.attempts == len(one.requests) + len(two.requests) == 4

    async def test_a_silent_one_is_waited_for_once(self):
        with scripted_server(Reply(held=threading.Event())) as silent:
            with pytest.raises(BackendTimeoutError):
                await answer(WorkerPool([silent.url], "m", headers_timeout=0.1))
        assert len(silent.requests) == 1

    async def test_a_pool_without_replicas_says_so(self, healthy):
        pool = WorkerPool([healthy.url], "m")
        pool.remove(healthy.url)
        with pytest.raises(BackendUnavailableError, match="has no replicas: add one"):
            await answer(pool)

    async def test_its_patience_ends_where_none_comes_back(self):
        pool = WorkerPool([NOBODY], "m", patience=0.2)
        with pytest.raises(BackendUnavailableError, match=NOBODY):
            await answer(pool)

    async def test_keys_that_all_refuse_are_told_at_once(self):
        with scripted_server(Reply(status=401, body={"error": {"message": "no"}})) as one:
            pool = WorkerPool([one.url], "m", api_key="wrong")
            async with pool:
                for _ in range(2):
                    with pytest.raises(AuthenticationError, match="no replica answered|refused"):
                        await ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
        assert len(one.requests) == 1
        assert pool.replicas[0].state == "refusing"


class TestACallThatWaits:
    async def test_for_room_takes_the_replica_that_has_rested(self):
        held = asyncio.Event()

        async def slow(task):
            await held.wait()
            return "late"

        answers = iter([RateLimitError("busy")])

        def busy_once(task):
            for error in answers:
                raise error
            return "rested"

        full = FunctionWorker(slow, max_concurrency=1)
        async with WorkerPool([full, FunctionWorker(busy_once)], hedge_after=None) as pool:
            first, second = GenerationTask(input_str="1"), GenerationTask(input_str="2")
            running = asyncio.create_task(pool.run_task(first))
            await until(lambda: pool.replicas[0].outstanding == 1)
            await pool.run_task(second)
            held.set()
            await running
        assert (first.output_str, second.output_str) == ("late", "rested")

    @pytest.mark.parametrize("options", [{}, {"requests_per_minute": 1}], ids=["for a replica", "for a limit"])
    async def test_hears_that_the_pool_was_closed(self, options):
        pool = WorkerPool([NOBODY], "m", **options)
        calls = [asyncio.create_task(pool.run_task(GenerationTask(input_str="q"))) for _ in range(2)]
        await until(lambda: pool.replicas[0].state == "down")
        await pool.async_shutdown()
        for call in calls:
            with pytest.raises(ClosedError):
                await asyncio.wait_for(call, 20)

    async def test_for_room_has_its_turn(self):
        async def work(task):
            await asyncio.sleep(0)
            answered.append(task.input_str)
            return "well"

        answered, prompts = [], [str(number) for number in range(50)]
        async with WorkerPool([FunctionWorker(work, max_concurrency=1)]) as pool:
            await asyncio.gather(*(pool.run_task(GenerationTask(input_str=prompt)) for prompt in prompts))
        assert answered == prompts

    async def test_for_room_and_is_cut_leaves_it_to_the_next(self):
        held = asyncio.Event()

        async def work(task):
            await held.wait()
            return "well"

        async with WorkerPool([FunctionWorker(work, max_concurrency=1)]) as pool:
            tasks = [GenerationTask(input_str=str(number)) for number in range(3)]
            first, second, third = (asyncio.create_task(pool.run_task(task)) for task in tasks)
            await until(lambda: len(pool._board._changes._waiting) == 2)
            held.set()
            await first
            second.cancel()
            await asyncio.wait_for(third, 20)
        assert tasks[2].output_str == "well"

    async def test_for_room_goes_with_its_siblings(self):
        held = threading.Event()
        with scripted_server([Reply(held=held), Reply()]) as server:
            async with WorkerPool([OpenAIWorker(server.url, "m", max_concurrency=1)]) as pool:
                vote = MajorityVoteController(NativeGenerationController(), 8, stop_rule="full")
                running = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
                await until(lambda: server.open == 1)
                together = ScaffoldingLlm(vote, pool).generate_async("q")
                await until(lambda: len(pool._board._changes._waiting) == 8)
                held.set()
                await asyncio.gather(running, together)
        assert [body.get("n", 1) for body in server.requests] == [1, 8]


class TestManyAtOnce:
    async def test_all_are_answered_and_the_work_is_shared(self):
        with scripted_server(Reply()) as a, scripted_server(Reply()) as b, scripted_server(Reply()) as c:
            async with WorkerPool([a.url, b.url, c.url], "m") as pool:
                llm = ScaffoldingLlm(NativeGenerationController(), pool, max_parallel_requests=200)
                results = await asyncio.gather(*(llm.generate_async(f"question {n}") for n in range(200)))
        assert [result.text for result in results] == ["7"] * 200
        assert min(len(server.requests) for server in (a, b, c)) >= 20  # the rest goes to whoever is done first

    async def test_a_cut_call_leaves_no_connection(self):
        with (
            scripted_server(Reply(held=threading.Event())) as a,
            scripted_server(Reply(held=threading.Event())) as b,
        ):
            async with WorkerPool([a.url, b.url], "m", hedge_after=0.01) as pool:
                call = asyncio.create_task(pool.run_task(GenerationTask(input_str="q")))
                running = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
                await until(lambda: a.open + b.open >= 2)
                call.cancel()
                running.cancel()
                await asyncio.gather(call, return_exceptions=True)
                await until(lambda: a.open + b.open == 0)
                assert [replica.outstanding for replica in pool.replicas] == [0, 0]


class TestMembers:
    async def test_a_drained_one_ends_what_it_runs_and_gets_no_more(self, healthy):
        held = threading.Event()
        with scripted_server(Reply(pieces=("old",), held=held)) as old:
            async with WorkerPool([old.url], "m") as pool:
                llm = ScaffoldingLlm(NativeGenerationController(), pool)
                before = llm.generate_async("q")
                await until(lambda: old.open == 1)
                pool.add(healthy.url)
                draining = asyncio.create_task(pool.drain(old.url))
                await until(lambda: state_of(pool, old) == "draining")
                assert (await llm.generate_async("q")).text == "well"
                held.set()
                await draining
                assert (await before).text == "old"
                assert [replica.name for replica in pool.replicas] == [healthy.url]

    async def test_of_a_file_follow_it(self, healthy, tmp_path):
        listed = tmp_path / "replicas"
        listed.write_text(f"{NOBODY}  # the old one\n\n")
        async with WorkerPool.from_file(listed, "m", patience=20.0) as pool:
            pool._membership.every = 0.0
            llm = ScaffoldingLlm(NativeGenerationController(), pool)
            running = llm.generate_async("q")
            await until(lambda: pool.replicas[0].state == "down")
            listed.write_text(healthy.url)
            other = llm.generate_async("q")
            assert (await running).text == (await other).text == "well"
            assert [replica.name for replica in pool.replicas] == [healthy.url]

    async def test_of_a_file_may_come_from_any_editor_and_twice(self, healthy, tmp_path):
        listed = tmp_path / "replicas"
        listed.write_bytes(f"\ufeff{healthy.url}\r\n\r\n{healthy.url}/\r\n".encode())
        pool = WorkerPool.from_file(listed, "m")
        assert [replica.name for replica in pool.replicas] == [healthy.url]
        assert (await answer(pool)).text == "well"

    async def test_of_a_file_follow_it_but_for_a_line_that_is_no_address(self, healthy, tmp_path, caplog):
        listed = tmp_path / "replicas"
        listed.write_text(f"{healthy.url}\n")
        with scripted_server(Reply()) as new:
            async with WorkerPool.from_file(listed, "m") as pool:
                pool._membership.every = 0.0
                await pool.run_task(GenerationTask(input_str="q"))
                listed.write_text(f"no address\n{new.url}\nhttp://\n")
                await pool.run_task(GenerationTask(input_str="q"))
                await until(lambda: [replica.name for replica in pool.replicas] == [new.url])
        assert "no address" in caplog.text

    async def test_of_what_can_be_no_name_say_so(self):
        with pytest.raises(BackendUnavailableError, match=r"a\.\.b"):
            await answer(WorkerPool.from_dns("a..b", 80, "m"))

    async def test_of_a_name_are_its_addresses(self, healthy):
        port = int(healthy.url.rpartition(":")[2].partition("/")[0])
        async with WorkerPool.from_dns("localhost", port, "m") as pool:
            assert (await ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")).text == "well"
        assert f"http://127.0.0.1:{port}/v1" in [replica.name for replica in pool.replicas]

    async def test_of_a_name_follow_it(self, healthy, monkeypatch):
        port = int(healthy.url.rpartition(":")[2].partition("/")[0])
        addresses = ["127.0.0.2"]  # nobody listens there

        async def resolve(loop, host, port, **options):
            assert host == "replicas.local"
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

        monkeypatch.setattr("asyncio.base_events.BaseEventLoop.getaddrinfo", resolve)
        async with WorkerPool.from_dns("replicas.local", port, "m") as pool:
            pool._membership.every = 0.0
            running = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
            await until(lambda: pool.replicas[0].state == "down")
            addresses[:] = ["127.0.0.1"]
            other = ScaffoldingLlm(NativeGenerationController(), pool).generate_async("q")
            assert (await running).text == (await other).text == "well"
            assert [replica.name for replica in pool.replicas] == [healthy.url]

    async def test_are_workers_of_any_kind(self, healthy):
        broken = FunctionWorker(lambda prompt: 1 / 0)
        mine = OpenAIWorker(healthy.url, "m")
        pool = WorkerPool([broken, mine])
        assert (await answer(pool)).text == "well"
        assert mine._attempts.most == 3

    def test_have_the_names_by_which_they_are_found_again(self):
        pool = WorkerPool([NOBODY, NOBODY])
        assert [replica.name for replica in pool.replicas] == [NOBODY, f"{NOBODY} (2)"]
        for _ in range(2):
            pool.remove(NOBODY)
            assert pool.add(NOBODY).name == NOBODY

    async def test_are_pools_whose_attempts_and_patience_are_the_outer_ones(self, healthy):
        with scripted_server(BROKEN) as ill, scripted_server(BROKEN) as other:
            inner = [WorkerPool([server.url], "m") for server in (ill, other)]
            async with WorkerPool(inner, max_attempts=1) as pool:
                with pytest.raises(ServerError):
                    await pool.run_task(GenerationTask(input_str="q"))
            assert len(ill.requests) + len(other.requests) == 1
        assert (
            await answer(WorkerPool([WorkerPool([NOBODY], "m"), WorkerPool([healthy.url], "m")]))
        ).text == "well"

    @pytest.mark.parametrize(
        "keys",
        [lambda one, two: ["one", "two"], lambda one, two: {f"{two}/": "two", one: "one"}],
        ids=["in their order", "by address"],
    )
    async def test_have_keys_of_their_own(self, healthy, keys):
        with scripted_server(BUSY) as other:
            await answer(WorkerPool([other.url, healthy.url], "m", api_key=keys(other.url, healthy.url)))
        assert other.headers[0]["Authorization"] == "Bearer one"
        assert healthy.headers[0]["Authorization"] == "Bearer two"

    async def test_have_the_key_of_their_address_also_where_a_last_slash_is_missing(self, healthy):
        await answer(WorkerPool([f"{healthy.url}/"], "m", api_key={healthy.url: "mine"}))
        assert healthy.headers[-1]["Authorization"] == "Bearer mine"

    @pytest.mark.parametrize(
        ("replicas", "options"),
        [
            ([], {}),
            ("http://a/v1", {}),
            ([3], {}),
            ([NOBODY], {"api_key": ["a", "b"]}),
            ([NOBODY], {"patience": 0}),
            ([NOBODY], {"sticky_factor": 0.5}),
            ([NOBODY], {"sticky_factor": "2"}),
            ([FunctionWorker(str)], {"idle_timeout": 3}),
            ([FunctionWorker(str)], {"model": "m"}),
            ([FunctionWorker(str)], {"api_key": "one"}),
        ],
    )
    def test_that_are_none_are_refused(self, replicas, options):
        with pytest.raises(InvalidRequestError):
            WorkerPool(replicas, **options)


async def test_a_call_that_is_cut_says_what_it_paid(healthy):
    with scripted_server(Reply(pieces=("some", "text"), held=threading.Event())) as server:
        async with WorkerPool([server.url, healthy.url], "m") as pool:
            task = GenerationTask(input_str="q")
            call = asyncio.create_task(pool.run_task(task))
            await until(lambda: server.open == 1)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
    assert task.finish_reason == "cancelled"
    assert task.usage.calls == 1


def test_event_loops_in_several_threads_share_it(healthy):
    with scripted_server(BUSY) as ill, WorkerPool([ill.url, healthy.url], "m") as pool:
        texts = []

        def ask():
            with ScaffoldingLlm(NativeGenerationController(), pool) as llm:
                texts.extend(result.text for result in llm.generate([f"question {n}" for n in range(10)]))

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert texts == ["well"] * 30
        assert [replica.outstanding for replica in pool.replicas] == [0, 0]


async def test_a_limit_of_requests_a_minute_holds_for_all_that_use_it(healthy):
    async with WorkerPool([healthy.url], "m", requests_per_minute=2) as pool:
        first = [asyncio.create_task(pool.run_task(GenerationTask(input_str=str(n)))) for n in range(3)]
        done, waiting = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        await until(lambda: len(healthy.requests) == 2)
        assert not first[2].done()
        for task in waiting:
            task.cancel()
        await asyncio.wait(first)
    assert len(healthy.requests) == 2
    assert done


async def test_a_limit_of_tokens_a_minute_goes_by_what_answers_took_and_in_turn(healthy):
    async with WorkerPool([healthy.url], "m", tokens_per_minute=600) as pool:
        await asyncio.gather(*(pool.run_task(GenerationTask(input_str=str(number))) for number in range(9)))
    assert [body["prompt"] for body in healthy.requests] == [str(number) for number in range(9)]


async def test_who_waits_for_its_turn_and_is_cut_keeps_nobody_waiting(healthy):
    async with WorkerPool([healthy.url], "m", tokens_per_minute=600) as pool:
        await pool.run_task(GenerationTask(input_str="q", max_tokens=1))  # 7 of them
        large, small = GenerationTask(input_str="q", max_tokens=600), GenerationTask(input_str="q", max_tokens=9)
        first, second = asyncio.create_task(pool.run_task(large)), asyncio.create_task(pool.run_task(small))
        await until(lambda: len(pool._admission._line._waiting) == 2)
        assert len(healthy.requests) == 1
        first.cancel()
        await second
    assert len(healthy.requests) == 2


async def test_each_sample_counts_against_the_requests_a_minute(healthy):
    async with WorkerPool([healthy.url], "m", requests_per_minute=8) as pool:
        vote = MajorityVoteController(NativeGenerationController(), 8, stop_rule="full")
        await ScaffoldingLlm(vote, pool).generate_async("q")
        assert pool._admission._limit.take(0, pool._admission._limit._requests._at) > 0
    assert [body["n"] for body in healthy.requests] == [8]


async def test_a_copy_in_another_process_starts_with_nothing_running(healthy):
    pool = pickle.loads(pickle.dumps(WorkerPool([NOBODY, healthy.url], "m")))
    assert (await answer(pool)).text == "well"


async def test_a_bad_request_says_so(healthy):
    with scripted_server(Reply(status=400, body={"error": {"message": "bad"}})) as server:
        with pytest.raises(BadRequestError):
            await answer(WorkerPool([server.url, healthy.url], "m"))
