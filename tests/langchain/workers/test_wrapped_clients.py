"""A provider's own client under a vote: early stop at the provider, event loops that change, usage of streams.

`ChatOpenAI` on a scripted server, which tells what was cut.
"""

import asyncio
import gc
import itertools
import threading
import warnings

import httpx
import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from langchain_scaffolding import ChatScaffolding, with_best_of_n
from scaffolding_core import Budget, UnsupportedParameterError
from tests.eventually import until
from tests.langchain.doubles import FULL, Runs, Scripted
from tests.servers.scripted import Reply, scripted_server


@pytest.fixture
def client():
    with httpx.Client() as client:
        yield client


def one_endless():
    """Two requests are answered, every further one writes without end."""
    counter = itertools.count()
    third = threading.Event()

    def script(body):
        if next(counter) < 2:
            return Reply(held=third)
        third.set()
        return Reply(pieces=("thinking ",) * 2000, between=0.02)

    return script


def decided_early(server, **clients):
    inner = ChatOpenAI(base_url=server.url, api_key="none", model="m", max_retries=0, **clients)
    return ChatScaffolding.wrap(inner, sample_num=3, method_options={"run_ahead": 3})


@pytest.mark.parametrize("call", ["ainvoke", "astream", "invoke", "stream"])
async def test_a_decided_vote_cuts_the_other_requests_at_the_provider(call, client):
    runs = Runs()
    config = {"callbacks": [runs]}
    async with httpx.AsyncClient() as async_client:
        with scripted_server(one_endless()) as server:
            model = decided_early(server, http_client=client, http_async_client=async_client)
            if call == "ainvoke":
                message = await model.ainvoke("q", config)
            elif call == "astream":
                message = [chunk async for chunk in model.astream("q", config)][-1]
            elif call == "invoke":
                message = await asyncio.to_thread(model.invoke, "q", config)
            else:
                message = (await asyncio.to_thread(lambda: list(model.stream("q", config))))[-1]
            assert message.response_metadata["scaffolding"]["stopped"] == "decided"
            await until(lambda: server.open == 0)
            assert server.cut == 1
            await model.aclose()
    samples = runs.tops[0].child_runs
    assert [run.error for run in samples] == [None] * 3
    assert sorted(run.outputs.get("status", "") for run in samples) == ["", "", "cancelled"]


@pytest.mark.parametrize("call", ["ainvoke", "invoke"])
async def test_a_cut_sample_tells_what_it_had_written_and_its_siblings_prompt(call, client):
    written = threading.Event()
    counter = itertools.count()

    def pieces():
        yield from ("so ",) * 5
        written.set()
        yield "and "
        yield from ("so ",) * 2000

    def script(body):
        return Reply(held=written) if next(counter) < 2 else Reply(pieces=pieces(), between=0.02)

    async with httpx.AsyncClient() as async_client:
        with scripted_server(script) as server:
            model = decided_early(server, http_client=client, http_async_client=async_client)
            if call == "ainvoke":
                message = await model.ainvoke("q")
            else:
                message = await asyncio.to_thread(model.invoke, "q")
            await until(lambda: server.open == 0)
    usage = message.usage_metadata
    assert usage["input_tokens"] == 3 * 5
    assert 2 * 2 < usage["output_tokens"] < 100
    assert message.response_metadata["scaffolding"]["usage"]["lost_calls"] == 1


async def test_a_cancelled_call_cuts_all_its_requests(client):
    async with httpx.AsyncClient() as async_client:
        with scripted_server(Reply(pieces=("thinking ",) * 2000, between=0.02)) as server:
            model = decided_early(server, http_client=client, http_async_client=async_client)
            call = asyncio.create_task(model.ainvoke("q"))
            await until(lambda: server.open == 3)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await until(lambda: server.open == 0)
            assert server.cut == 3


@pytest.mark.filterwarnings("ignore:unclosed")  # what the shared client leaves on the loops that are gone
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("streams", [True, False])
def test_calls_on_event_loops_that_change_are_sent_once(streams):
    async def ask():
        return (await model.ainvoke("q")).content

    async def ask_without_method():
        await inner.ainvoke("q")

    async def ask_blocking():
        return model.invoke("q").content

    with scripted_server(Reply()) as server:
        # Its client is shared by the whole process, and keeps connections for longer than their loops live.
        inner = ChatOpenAI(
            base_url=server.url, api_key="none", model="m", max_retries=0, disable_streaming=not streams
        )
        model = ChatScaffolding.wrap(inner, sample_num=4, method_options=FULL)
        assert model.invoke("q").content == "7"
        asyncio.run(ask_without_method())
        for call in (ask, ask, ask_blocking, ask):
            assert asyncio.run(call()) == "7"
        assert len(server.requests) == 1 + 5 * 4
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def test_chains_and_judges_run_once_on_each_event_loop():
    steps = []

    async def first(given):
        steps.append(given)
        return "q"

    with scripted_server(Reply(pieces=("1",))) as server:
        client = ChatOpenAI(base_url=server.url, api_key="none", model="m", max_retries=0)
        chain = RunnableLambda(first) | client | StrOutputParser()
        best = with_best_of_n(chain, chain, 2)
        for _ in range(2):
            steps.clear()
            server.requests.clear()
            assert asyncio.run(best.ainvoke("q")) == "1"
            assert len(steps) == len(server.requests) == 2 + 1  # equal answers are scored once
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


async def test_a_broken_connection_is_no_closed_loop_and_fails_at_once(client):
    inner = ChatOpenAI(base_url="http://127.0.0.1:9/v1", api_key="none", model="m", max_retries=0)
    with pytest.raises(Exception, match="Connection error"):
        await ChatScaffolding.wrap(inner, sample_num=2).ainvoke("q")


def test_a_streamed_sample_tells_its_usage_unless_its_user_said_otherwise(client):
    with scripted_server(Reply()) as server:
        for told, asked in ((None, {"include_usage": True}), (False, None)):
            common = {"base_url": server.url, "api_key": "none", "model": "m", "http_client": client}
            model = ChatScaffolding.wrap(ChatOpenAI(stream_usage=told, **common), "direct")
            assert [*model.stream("q")][-1].usage_metadata["output_tokens"] == 2
            assert server.requests[-1].get("stream_options") == asked


def test_a_model_told_not_to_stream_is_not_streamed(client):
    with scripted_server(Reply()) as server:
        common = {"base_url": server.url, "api_key": "none", "model": "m", "http_client": client}
        model = ChatScaffolding.wrap(ChatOpenAI(disable_streaming=True, **common), sample_num=2)
        assert model.invoke("q").content == "7"
        assert list(model.stream("q"))[-1].usage_metadata["output_tokens"] == 4
        assert not any(body.get("stream") for body in server.requests)


class Counting(BaseRateLimiter):
    taken = 0

    def acquire(self, *, blocking=True):
        self.taken += 1
        return True

    async def aacquire(self, *, blocking=True):
        self.taken += 1
        return True


async def test_a_rate_limiter_holds_each_sample_whichever_model_has_it():
    inner, outer = Counting(), Counting()
    wrapped = Scripted(answers=["7"], rate_limiter=inner)
    model = ChatScaffolding.wrap(wrapped, sample_num=3, method_options=FULL, rate_limiter=outer)
    model.invoke("q")
    await model.ainvoke("q")
    list(model.stream("q"))
    [chunk async for chunk in model.astream("q")]
    assert (inner.taken, outer.taken) == (12, 12)


async def test_a_rate_limiter_holds_each_request_to_a_server_and_no_reward():
    limiter = Counting()
    with scripted_server(Reply()) as server:
        common = {"base_url": server.url, "reward": lambda prompt, answer: 1, "rate_limiter": limiter}
        model = ChatScaffolding(method="best_of_n", sample_num=4, **common)
        await model.ainvoke("q")
        await model.aclose()
    assert limiter.taken == 4


async def test_a_sample_that_waits_for_the_rate_limiter_is_not_paid_for_once_the_vote_is_decided():
    class Slow(Counting):
        async def aacquire(self, *, blocking=True):
            await super().aacquire()
            if self.taken > 2:
                await asyncio.sleep(60)
            return True

    inner = Scripted(answers=["7"])
    options = {"run_ahead": 3}
    model = ChatScaffolding.wrap(inner, sample_num=3, method_options=options, rate_limiter=Slow())
    assert (await model.ainvoke("q")).usage_metadata["total_tokens"] == 6
    assert len(inner.calls) == 2


def test_a_wrapped_chain_with_retries_retries_each_sample_also_under_a_stream():
    counter = itertools.count()

    def shaky(messages):
        if next(counter) % 2 == 0:
            raise ConnectionError("down")
        return "7"

    chain = RunnableLambda(shaky).with_retry(stop_after_attempt=2, wait_exponential_jitter=False)
    model = ChatScaffolding.wrap(chain, "direct")
    assert model.invoke("q").content == "7"
    assert "".join(chunk.text for chunk in model.stream("q")) == "7"


async def test_a_chain_that_streams_no_message_is_a_typed_error():
    model = ChatScaffolding.wrap(RunnableLambda(lambda messages: {"a": 1}), "direct")
    with pytest.raises(Exception, match="must return a message or text, got dict"):
        await model.ainvoke("q")

    def pieces(messages):
        yield {"a": 1}
        yield {"b": 2}

    with pytest.raises(Exception, match="must be text or message chunks, got"):
        list(ChatScaffolding.wrap(RunnableLambda(pieces), "direct").stream("q"))


@pytest.mark.parametrize(
    "several",
    [
        lambda client: client.model_copy(update={"n": 3}),
        lambda client: client.bind(n=3),
        lambda client: client.bind(n=3).with_config(tags=["a"]).with_fallbacks([client]),
        lambda client: client.with_fallbacks([client]).bind(n=3),
    ],
    ids=["field", "bound", "fallbacks", "bound_to_fallbacks"],
)
def test_a_client_that_writes_several_choices_writes_one_for_each_sample(several, client):
    with scripted_server(Reply(pieces=("4", "2"))) as server:
        inner = ChatOpenAI(base_url=server.url, api_key="none", model="m", http_client=client)
        model = ChatScaffolding.wrap(several(inner), sample_num=2, method_options=FULL)
        assert model.invoke("q").content == "42"
        assert "".join(chunk.text for chunk in model.stream("q")) == "42"
        assert {body.get("n", 1) for body in server.requests} == {1}
        with pytest.raises(UnsupportedParameterError, match="n must be 1, got 3"):
            model.invoke("q", n=3)


@pytest.mark.parametrize(
    ("method", "options", "given", "streamed"),
    [
        ("direct", {}, {}, False),
        ("chain_of_thought", {}, {}, False),
        ("majority_vote", FULL, {}, False),
        ("best_of_n", {}, {}, False),
        ("majority_vote", {}, {}, True),
        ("best_of_n", {"enough": 1.0}, {}, True),
        ("direct", {}, {"budget": Budget(seconds=60)}, True),
        ("majority_vote", FULL, {"budget": Budget(tokens=10_000)}, True),
    ],
)
async def test_a_client_is_streamed_only_where_its_answer_may_be_cut_or_is_listened_to(
    method, options, given, streamed, client
):
    reward = (lambda prompt, answer: 1) if method == "best_of_n" else None
    with scripted_server(Reply()) as server:
        inner = ChatOpenAI(base_url=server.url, api_key="none", model="m", http_client=client)
        model = ChatScaffolding.wrap(inner, method, method_options=options, reward=reward)
        assert (await asyncio.to_thread(model.invoke, "q", **given)).content == "7"
        assert {bool(body.get("stream")) for body in server.requests} == {streamed}
        server.requests.clear()
        assert len(await asyncio.to_thread(lambda: list(model.stream("q", **given)))) > 1
        assert all(body["stream"] for body in server.requests)
