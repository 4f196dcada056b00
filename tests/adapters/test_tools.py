"""Tools of both libraries, functions and servers together, wherever tools are taken."""

import pytest
from langchain_core.tools import tool
from llama_index.core.tools import FunctionTool

from langchain_scaffolding import ChatScaffolding
from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import OpenAIWorker, ScaffoldingLlm, ToolsWorker, build_method
from tests.servers.scripted import Reply, scripted_server


@tool
def double(a: int) -> int:
    """Doubles."""
    return 2 * a


def triple(a: int) -> int:
    """Triples."""
    return 3 * a


def square(a: int) -> int:
    """Squares."""
    return a * a


TOOLS = [double, FunctionTool.from_defaults(triple), square]


def python(url):
    workers = {"generation": OpenAIWorker(url, "m"), "tools": ToolsWorker(TOOLS)}
    with ScaffoldingLlm(build_method("tool_loop"), workers) as llm:
        return llm.generate("q").text


def langchain(url):
    with ChatScaffolding(method="tool_loop", base_url=url, model="m", roles={"tools": TOOLS}) as model:
        return model.invoke("q").text


def llamaindex(url):
    with ScaffoldingLLM("tool_loop", api_base=url, model="m", roles={"tools": TOOLS}) as llm:
        return llm.complete("q").text


@pytest.mark.parametrize("asked", [python, langchain, llamaindex])
def test_tools_of_both_libraries_and_functions_are_called_together(asked):
    calls = tuple((name, '{"a": 4}') for name in ("double", "triple", "square"))
    replies = [Reply(pieces=(), tool_calls=calls, finish="tool_calls"), Reply(pieces=("done",))]
    with scripted_server(replies) as server:
        assert asked(server.url) == "done"
    assert [message["content"] for message in server.requests[-1]["messages"][-3:]] == ["8", "12", "16"]
