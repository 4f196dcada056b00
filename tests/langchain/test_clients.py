"""Other people's clients with a method around them, held against the bare client: answers, usage, requests."""

import asyncio
import gc
import warnings

import pytest
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding
from tests.langchain.clients import CLIENTS
from tests.langchain.doubles import FULL
from tests.langchain.obedient import obedient
from tests.servers.scripted import Reply, serve
from tests.servers.speaking import Speaking, SpeakingOnce

THINKING = {"thinking": {"type": "adaptive"}}
WAYS = [
    ("OpenAI", {}),
    ("Responses", {}),
    ("Responses", {"output_version": "v1"}),
    ("Anthropic", THINKING),
    ("Anthropic", {**THINKING, "output_version": "v1"}),
    ("Ollama", {"reasoning": True}),
    ("NVIDIA", {}),
]


def voted(inner):
    return ChatScaffolding.wrap(inner, sample_num=3, method_options=FULL)


def direct(inner):
    return ChatScaffolding.wrap(inner, "direct")


METHODS = {"direct": direct, "vote over direct": lambda inner: voted(direct(inner))}


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def thoughtful(body):
    told = {"reasoning": "They want a sum.", "model": body["model"]}
    if body.get("tools"):
        return Reply(("I will ", "add."), "tool_calls", (("add", '{"a": 1, "b": 2}'),), **told)
    return Reply(("The sum ", "is 3."), **told)


@pytest.fixture(scope="module")
def thinker():
    with serve(SpeakingOnce(thoughtful)) as running:
        yield running


def on(name, *others):
    """A parameter of one client; one process runs all of its tests."""
    return pytest.param(name, *others, marks=pytest.mark.xdist_group(name))


def merged(chunks):
    first, *rest = chunks
    return sum(rest, first)


def parts(message):
    """The content in order, without what a stream tells otherwise: places, ids and states."""
    return [_part(block) for block in message.content_blocks], message.text


def _part(block):
    signature = block.get("extras", {}).get("signature")
    return signature, {key: block.get(key) for key in ("type", "text", "reasoning", "name", "args")}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "fields"), [on(*way) for way in WAYS])
async def test_thoughts_text_and_tool_calls_come_whole_and_in_order(thinker, name, fields, method):
    client = CLIENTS[name]
    bare = client.kind(**client.fields(thinker), **fields)
    wrapped = METHODS[method](bare)
    for given, expected in ((wrapped, bare), (wrapped.bind_tools([add]), bare.bind_tools([add]))):
        assert parts(given.invoke("1 + 2?")) == parts(expected.invoke("1 + 2?"))
        assert parts(await given.ainvoke("1 + 2?")) == parts(await expected.ainvoke("1 + 2?"))
        assert parts(merged(given.stream("1 + 2?"))) == parts(merged(expected.stream("1 + 2?")))
        streamed = [chunk async for chunk in given.astream("1 + 2?")]
        assert parts(merged(streamed)) == parts(merged([chunk async for chunk in expected.astream("1 + 2?")]))


@pytest.mark.parametrize("name", [on(name) for name in ("Responses", "Anthropic", "Ollama")])
@pytest.mark.filterwarnings("ignore:unclosed")  # what clients leave on the loops that are gone
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_each_sample_is_sent_once_on_loops_that_change_and_its_usage_is_told(name):
    client = CLIENTS[name]

    async def ask():
        return (await model.ainvoke("Hello")).usage_metadata

    async def ask_streaming():
        return merged([chunk async for chunk in model.astream("Hello")]).usage_metadata

    with serve(Speaking(obedient)) as server:
        bare = client.kind(**client.fields(server))
        model = voted(bare)
        of_one = bare.invoke("Hello").usage_metadata
        server.requests.clear()
        for call in (ask, ask, ask_streaming):
            assert told(asyncio.run(call())) == told(of_one, 3)
        assert len(server.requests) == 3 * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def told(usage, times=1):
    """What usage counts, with its details, for so many answers."""
    counts = {}
    for name, count in usage.items():
        for detail, each in count.items() if isinstance(count, dict) else [(None, count)]:
            counts[name, detail] = (each or 0) * times
    return counts
