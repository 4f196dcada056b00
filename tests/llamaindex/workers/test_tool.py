"""Tools of LlamaIndex in the role `tools` of a method."""

import json

import pytest
from llama_index.core.base.llms.types import ImageBlock
from llama_index.core.tools import FunctionTool, ToolMetadata, ToolOutput
from llama_index.core.tools.types import BaseTool
from llama_index.core.workflow import Context

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import InvalidRequestError, MCPCallTask, ToolsWorker
from tests.llamaindex.doubles import ScriptedLLM, tool_call


def look(place: str) -> str:
    """Looks at a place."""
    if place == "nowhere":
        raise KeyError(place)
    return f"{place} seen"


def named(blocking: str, function: str) -> str:
    """Takes arguments of any name."""
    return blocking + function


def draw(size: int) -> ImageBlock:
    """Draws."""
    return ImageBlock(image=b"\x89PNG" * size, image_mimetype="image/png")


async def stateful(ctx: Context, place: str) -> str:
    """Needs a workflow."""
    return place


class Refusing(BaseTool):
    metadata = ToolMetadata("Refuses.", name="refuse")

    def __call__(self, input: str) -> ToolOutput:  # noqa: A002  # the library's name
        return ToolOutput(tool_name="refuse", content="not today", raw_input={}, is_error=True)


TOOLS = [
    FunctionTool.from_defaults(look),
    Refusing(),
    FunctionTool.from_defaults(named),
    FunctionTool.from_defaults(draw),
]


async def test_each_is_told_and_called():
    worker = ToolsWorker(TOOLS)
    told = {each.name: each for each in await worker.tools()}
    assert list(told) == ["look", "refuse", "named", "draw"]
    assert list(told["look"].parameters["properties"]) == ["place"]
    for name, arguments, expected in [
        ("look", {"place": "Rome"}, ("Rome seen", False)),
        ("look", {"place": "nowhere"}, ("KeyError: 'nowhere'", True)),
        ("refuse", {"input": "x"}, ("not today", True)),
        (
            "look",
            {"town": "Rome"},
            ("the arguments do not fit, and nothing was called: place: Field required", True),
        ),
        ("named", {"blocking": "a", "function": "b"}, ("ab", False)),
    ]:
        task = MCPCallTask(tool_name=name, args=json.dumps(arguments))
        await worker.run_task(task)
        assert (task.result_str, task.failed) == expected


async def test_an_image_is_a_part_as_openai_writes_it_and_arguments_are_read_by_the_schema():
    task = MCPCallTask(tool_name="draw", args='{"size": "1"}')
    await ToolsWorker(TOOLS).run_task(task)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    assert (task.content_parts, task.failed) == ([image], False)


def test_a_tool_that_only_an_agent_can_call_is_refused():
    with pytest.raises(InvalidRequestError, match="give it to an agent"):
        ToolsWorker([FunctionTool.from_defaults(async_fn=stateful)])


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_an_llm_that_calls_tools_answers_a_query(is_async):
    inner = ScriptedLLM(answers=[tool_call("look", place="Rome"), "an answer"])
    llm = ScaffoldingLLM(llm=inner, method="tool_loop", roles={"tools": TOOLS})
    answer = await llm.acomplete("go") if is_async else llm.complete("go")
    assert answer.text == "an answer"
    assert inner.record.asked[-1][-1].content == "Rome seen"
