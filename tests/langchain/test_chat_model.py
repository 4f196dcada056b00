"""ChatScaffolding in LangChain's hands."""

import asyncio
import contextlib
import itertools
import pickle

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding, with_best_of_n, with_chain_of_thought, with_majority_vote
from scaffolding_core import (
    Budget,
    ChainOfThoughtController,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
)
from tests.langchain.doubles import FULL, KnownChat, Never, Runs, Scripted, each_way, voted
from tests.servers.scripted import Paced, Reply, scripted_server


async def test_a_chain_gets_a_method_by_changing_one_line():
    prompt, parser = ChatPromptTemplate.from_template("{q}?"), StrOutputParser()
    inner = Scripted(answers=["it is 7", "8", "it is 7"])
    chain = prompt | with_majority_vote(inner, n=3, **FULL) | parser
    assert chain.invoke({"q": "how many"}) == "it is 7"
    assert await chain.ainvoke({"q": "how many"}) == "it is 7"
    assert "".join(chain.stream({"q": "how many"})) == "it is 7"
    assert inner.calls[0][0] == [HumanMessage("how many?")]


async def test_each_way_of_calling_gives_answer_usage_and_details():
    model, _ = voted(["7", "8", "7"])
    async for message in each_way(model, "q"):
        assert message.content == "7"
        assert message.usage_metadata["total_tokens"] == 9
        details = message.response_metadata["scaffolding"]
        assert details["votes"] == {"7": 2, "8": 1}
        assert (details["samples"], details["stopped"], details["method"]) == (
            3,
            "complete",
            "MajorityVoteController",
        )
        assert isinstance(details["trace_id"], int)
        assert message.response_metadata["model_name"]


async def test_samples_that_are_cut_end_as_cancelled_not_as_errors():
    async def answer(messages):
        slow = next(counter) >= 2
        await asyncio.sleep(30 if slow else 0)
        return "7"

    counter = itertools.count()
    model = ChatScaffolding.wrap(RunnableLambda(answer), sample_num=3, method_options={"run_ahead": 3})
    runs = Runs()
    await model.ainvoke("q", {"callbacks": [runs]})
    children = runs.tops[0].child_runs
    assert [run.error for run in children] == [None] * 3
    assert sorted(run.outputs.get("status", "") for run in children) == ["", "", "cancelled"]


async def test_cancelling_the_call_cancels_its_samples():
    never = Never()
    model = ChatScaffolding.wrap(RunnableLambda(never.ends), "direct")
    await never.is_cut_with(model.ainvoke("q"))


async def test_a_cut_that_the_wrapped_model_swallows_ends_it_at_its_next_piece():
    begun, closed = asyncio.Event(), asyncio.Event()

    class Swallows(KnownChat):
        async def _astream(self, messages, stop=None, run_manager=None, **kwargs):
            try:
                with contextlib.suppress(asyncio.CancelledError):
                    begun.set()
                    await asyncio.sleep(300)
                while True:
                    yield ChatGenerationChunk(message=AIMessageChunk("x"))
                    await asyncio.sleep(0.01)
            finally:
                closed.set()

    model = ChatScaffolding.wrap(Swallows(answers=[]), "direct")
    call = asyncio.create_task(model.ainvoke("q", budget=Budget(seconds=300)))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.wait_for(closed.wait(), 60)


async def test_a_global_cache_does_not_turn_all_samples_into_one():
    model, inner = voted(["7", "8", "9", "9"])
    set_llm_cache(InMemoryCache())
    try:
        assert model.invoke("q").content == "9"
        assert len(inner.calls) == 4
        assert model.invoke("q").content == "9"
        assert len(inner.calls) == 4  # the vote itself is cached, as any model's answer
        assert model.invoke("q", sample_num=1).content == "7"
    finally:
        set_llm_cache(None)


async def test_method_parameters_come_by_call_by_configuration_and_through_bound_tools():
    @tool
    def add(a: int) -> int:
        """Adds."""
        return a

    model, inner = voted(["7", "8"], n=2)
    await model.ainvoke("q", sample_num=3)
    assert len(inner.calls) == 3
    chain = model.bind_tools([add]) | RunnableLambda(lambda message: message)
    await chain.with_config(configurable={"sample_num": 4}).ainvoke("q")
    assert len(inner.calls) == 7
    await chain.ainvoke("q", {"configurable": {"method": "direct", "thread_id": "x"}})
    assert len(inner.calls) == 8
    assert inner.calls[-1][1]["tools"]


async def test_provider_parameters_and_stop_reach_the_wrapped_model():
    model, inner = voted(["7"])
    await model.ainvoke("q", stop=["a"], reasoning={"effort": "low"}, temperature=0.3)
    assert inner.calls[0][1] == {"stop": ["a"], "reasoning": {"effort": "low"}, "temperature": 0.3}


async def test_the_winner_is_one_samples_message_whole_with_a_fresh_id():
    def call(x):
        return AIMessage(
            "thinking", id=f"sample-{x}", tool_calls=[{"name": "add", "args": {"x": x}, "id": f"id-{x}"}],
            additional_kwargs={"provider": x},
        )  # fmt: skip

    broken = AIMessage("", invalid_tool_calls=[{"name": "add", "args": "{", "id": "b", "error": None}])
    model, _ = voted([call(1), call(2), broken, call(2), broken, broken])
    async for message in each_way(model, "q"):
        assert [(c["name"], c["args"], c["id"]) for c in message.tool_calls] == [("add", {"x": 2}, "id-2")]
        assert message.content == "thinking"
        assert message.additional_kwargs["provider"] == 2
        assert message.id != "sample-2"


async def test_structured_output_is_voted_on_over_a_server():
    class City(BaseModel):
        """A city."""

        name: str

    answers = itertools.cycle(["Paris", "Rome", "Paris"])

    def script(body):
        assert body["tool_choice"] == "required"
        return Reply(pieces=(), tool_calls=(("City", f'{{"name": "{next(answers)}"}}'),), finish="tool_calls")

    with scripted_server(script) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=3, method_options=FULL, seed=1)
        assert model.with_structured_output(City).invoke("q") == City(name="Paris")
        model.close()


async def test_best_of_n_takes_a_function_or_a_runnable_as_reward():
    inner = Scripted(answers=["a", "ccc", "bb"])
    for reward in (
        lambda prompt, answer: len(answer),
        RunnableLambda(lambda given: {"score": len(given["answer"])}),
    ):
        model = with_best_of_n(inner, reward, n=3)
        assert (await model.ainvoke("q")).content == "ccc"
        assert model.invoke("q").response_metadata["scaffolding"]["score"] == 3


async def test_chain_of_thought_adds_its_instruction_and_keeps_the_other_messages():
    inner = Scripted(answers=[r"so \boxed{7}"])
    message = await with_chain_of_thought(inner, instruction="Think.").ainvoke([("system", "s"), ("human", "q")])
    assert message.response_metadata["scaffolding"]["answer"] == "7"
    assert [m.content for m in inner.calls[0][0]] == ["s", "q\n\nThink."]


async def test_any_controller_is_a_method():
    method = MajorityVoteController(ChainOfThoughtController(NativeChatController()), 2)
    inner = Scripted(answers=["7"])
    assert (await ChatScaffolding.wrap(inner, method).ainvoke("q")).content == "7"
    assert len(inner.calls) == 2


async def test_a_whole_chain_can_be_what_is_sampled():
    inner = Scripted(answers=["seven", "eight", "seven"])
    chain = inner | StrOutputParser() | RunnableLambda(str.upper)
    model = with_majority_vote(chain, n=3, **FULL)
    assert await model.ainvoke("q") == "SEVEN"
    assert model.invoke("q") == "SEVEN"
    assert ChatScaffolding.wrap(chain, sample_num=3, method_options=FULL).invoke("q").content == "SEVEN"


async def test_one_branch_methods_stream_live():
    paced = Paced("a", "b", "c")
    with scripted_server(paced) as server:
        model = ChatScaffolding(method="direct", base_url=server.url)
        texts = [paced.take(chunk.text) for chunk in model.stream("q")]
        assert [t for t in texts if t] == ["a", "b", "c"]
        assert [paced.take(chunk.text) async for chunk in model.astream("q")] == texts
        model.close()


async def test_events_of_astream_events_end_with_the_answer():
    model, _ = voted(["7", "7"])
    kinds = [event["event"] async for event in model.astream_events("q", version="v2")]
    assert kinds[0] == "on_chat_model_start"
    assert kinds[-1] == "on_chat_model_end"
    assert "on_chat_model_stream" in kinds


async def test_batches_run_at_once():
    model, _ = voted(["7"] * 2)
    assert [m.content for m in model.batch(["a", "b", "c"])] == ["7"] * 3
    assert [m.content for m in await model.abatch(["a", "b", "c"])] == ["7"] * 3


async def test_blocking_calls_work_inside_a_running_loop():
    model, _ = voted(["7"])
    chain = model | StrOutputParser()
    assert model.invoke("q").content == "7"
    assert "".join(chain.stream("q")) == "7"
    assert chain.batch(["a", "b"]) == ["7", "7"]
    assert with_majority_vote(chain, n=2).invoke("q") == "7"


async def test_budgets_pass_through():
    inner = Scripted(answers=["7"], delay=30)
    model = ChatScaffolding.wrap(inner, sample_num=2)
    with pytest.raises(Exception, match="budget of seconds"):
        await model.ainvoke("q", budget=Budget(seconds=0.05))


def test_models_pickle_and_copy_and_share_their_backend():
    model = ChatScaffolding(base_url="http://127.0.0.1:1/v1", sample_num=3)
    copy = model.model_copy(update={"sample_num": 4})
    assert copy.backend is model.backend
    wrapped, _ = voted(["7"])
    again = pickle.loads(pickle.dumps(wrapped))
    assert again.sample_num == 1
    assert "secret" not in repr(ChatScaffolding(base_url="http://127.0.0.1:1/v1", api_key="secret"))


async def test_wrong_names_are_one_typed_error():
    model, _ = voted(["7"])
    with pytest.raises(InvalidRequestError, match="no method is named 'vote'"):
        await model.ainvoke("q", method="vote")
    with scripted_server(Reply()) as server:
        plain = ChatScaffolding(base_url=server.url)
        with pytest.raises(InvalidRequestError, match="'sample_nun'"):
            await plain.ainvoke("q", sample_nun=3)
        await plain.aclose()


def test_the_name_of_a_servers_model_is_told_before_the_first_call():
    with scripted_server(Reply()) as server:
        model = ChatScaffolding(method="direct", base_url=server.url)
        assert model._get_ls_params()["ls_model_name"] == "scripted-model"
        assert model.invoke("q").response_metadata["model_name"] == "scripted-model"
    assert server.asked == ["/v1/models"]
