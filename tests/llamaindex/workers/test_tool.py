"""Tools of LlamaIndex in the role `tools` of a method."""

import json

import pytest
from llama_index.core.tools import FunctionTool, ToolMetadata, ToolOutput
from llama_index.core.tools.types import BaseTool

from llamaindex_scaffolding import ScaffoldingLLM
from llamaindex_scaffolding.workers.tool import tools_worker
from scaffolding_core import MCPCallTask
from tests.llamaindex.doubles import ScriptedLLM, tool_call


def look(place: str) -> str:
    """Looks at a place."""
    if place == "nowhere":
        raise KeyError(place)
    return f"{place} seen"


def named(blocking: str, function: str) -> str:
    """Takes arguments of any name."""
    return blocking + function


class Refusing(BaseTool):
    metadata = ToolMetadata("Refuses.", name="refuse")

    def __call__(self, input: str) -> ToolOutput:  # noqa: A002  # the library's name
        return ToolOutput(tool_name="refuse", content="not today", raw_input={}, is_error=True)


TOOLS = [FunctionTool.from_defaults(look), Refusing(), FunctionTool.from_defaults(named)]


async def test_each_is_told_and_called():
    worker = tools_worker(TOOLS)
    told = {each.name: each for each in await worker.tools()}
    assert list(told) == ["look", "refuse", "named"]
    assert list(told["look"].parameters["properties"]) == ["place"]
    for name, arguments, expected in [
        ("look", {"place": "Rome"}, ("Rome seen", False)),
        ("look", {"place": "nowhere"}, ("KeyError: 'nowhere'", True)),
        ("refuse", {"input": "x"}, ("not today", True)),
        ("named", {"blocking": "a", "function": "b"}, ("ab", False)),
    ]:
        task = MCPCallTask(tool_name=name, args=json.dumps(arguments))
        await worker.run_task(task)
        assert (task.result_str, task.failed) == expected


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_an_llm_that_calls_tools_answers_a_query(is_async):
    inner = ScriptedLLM(answers=[tool_call("look", place="Rome"), "an answer"])
    llm = ScaffoldingLLM(llm=inner, method="tool_loop", roles={"tools": TOOLS})
    answer = await llm.acomplete("go") if is_async else llm.complete("go")
    assert answer.text == "an answer"
    assert inner.record.asked[-1][-1].content == "Rome seen"
