"""What a client's answer is made of, thoughts, text and tool calls, comes whole through a method around it.

Held against the bare client, asked in the same way.
"""

import pytest
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding
from tests.langchain.clients import CLIENTS
from tests.servers.scripted import Reply, serve
from tests.servers.speaking import Speaking

THOUGHT = "They want a sum."
THINKING = {"thinking": {"type": "adaptive"}}
ASKED = [
    ("OpenAI", {}),
    ("Responses", {}),
    ("Responses", {"output_version": "v1"}),
    ("Anthropic", THINKING),
    ("Anthropic", {**THINKING, "output_version": "v1"}),
    ("Ollama", {"reasoning": True}),
    ("NVIDIA", {}),
]
METHODS = {
    "direct": lambda inner: ChatScaffolding.wrap(inner, "direct"),
    "vote": lambda inner: ChatScaffolding.wrap(inner, sample_num=3),
    "vote over direct": lambda inner: ChatScaffolding.wrap(ChatScaffolding.wrap(inner, "direct"), sample_num=3),
}


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def thoughtful(body):
    told = {"reasoning": THOUGHT, "model": body["model"]}
    if body.get("tools"):
        return Reply(("I will ", "add."), "tool_calls", (("add", '{"a": 1, "b": 2}'),), **told)
    return Reply(("The sum ", "is 3."), **told)


@pytest.fixture(scope="module")
def server():
    with serve(Speaking(thoughtful)) as running:
        yield running


def merged(chunks):
    first, *rest = chunks
    return sum(rest, first)


def parts(message):
    """The content in order, without what a stream tells otherwise: places, ids and states."""
    kept = ("type", "text", "reasoning", "name", "args")
    blocks = message.content_blocks
    return [{k: block[k] for k in kept if k in block} | signature(block) for block in blocks], message.text


def signature(block):
    return {k: v for k, v in block.get("extras", {}).items() if k == "signature"}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("name", "fields"),
    [pytest.param(name, fields, marks=pytest.mark.xdist_group(name)) for name, fields in ASKED],
)
async def test_an_answer_comes_whole(server, name, fields, method):
    client = CLIENTS[name]
    bare = client.kind(**client.fields(server), **fields)
    wrapped = METHODS[method](bare)
    for given, expected in ((wrapped, bare), (wrapped.bind_tools([add]), bare.bind_tools([add]))):
        assert parts(given.invoke("1 + 2?")) == parts(expected.invoke("1 + 2?"))
        assert parts(await given.ainvoke("1 + 2?")) == parts(await expected.ainvoke("1 + 2?"))
        assert parts(merged(given.stream("1 + 2?"))) == parts(merged(expected.stream("1 + 2?")))
        streamed = [chunk async for chunk in given.astream("1 + 2?")]
        assert parts(merged(streamed)) == parts(merged([chunk async for chunk in expected.astream("1 + 2?")]))
