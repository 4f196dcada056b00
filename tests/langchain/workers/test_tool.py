"""Tools of LangChain in the role `tools` of a method."""

import json
from typing import Annotated

import pytest
from langchain.tools import InjectedState, ToolRuntime
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import InjectedToolCallId, StructuredTool, ToolException, tool

from langchain_scaffolding import ChatScaffolding
from scaffolding_core import InvalidRequestError, MCPCallTask, ToolsWorker
from tests.langchain.doubles import Scripted


@tool(response_format="content_and_artifact")
def look(place: str, call_id: Annotated[str, InjectedToolCallId], config: RunnableConfig) -> tuple[str, dict]:
    """Looks at a place."""
    return f"{place} for {call_id}", {"seen": place, "configured": isinstance(config, dict)}


async def fails(what: str) -> str:
    """Fails."""
    raise ToolException(f"no {what}") if what == "luck" else KeyError(what)


failing = StructuredTool.from_function(coroutine=fails, name="fails", metadata={"changes": True})
handling = failing.model_copy(update={"name": "handles", "handle_tool_error": True})


def plain(a: int) -> int:
    """Doubles."""
    return 2 * a


@tool
def stateful(a: int, state: Annotated[dict, InjectedState]) -> str:
    """Needs an agent."""
    return str(state)


@tool
def running(a: int, runtime: ToolRuntime) -> str:
    """Needs an agent, too."""
    return str(runtime)


@tool
def draw(a: int) -> list:
    """Draws."""
    return ["here:", {"type": "image", "base64": "AAAA", "mime_type": "image/png"}]


async def called(worker, name, **arguments):
    task = MCPCallTask(tool_call_id="c1", tool_name=name, args=json.dumps(arguments))
    await worker.run_task(task)
    return task


async def test_each_is_told_and_called_as_langchain_does():
    worker = ToolsWorker([look, failing, handling, plain])
    told = {each.name: each for each in await worker.tools()}
    assert list(told) == ["look", "fails", "handles", "plain"]
    assert list(told["look"].parameters["properties"]) == ["place"]
    assert (told["look"].changes, told["fails"].changes) == (None, True)

    task = await called(worker, "look", place="Rome")
    assert (task.result_str, task.structured) == ("Rome for c1", {"seen": "Rome", "configured": True})
    for name, what, text in [
        ("fails", "luck", "ToolException: no luck"),
        ("handles", "luck", "no luck"),
        ("fails", "x", "KeyError: 'x'"),
    ]:
        task = await called(worker, name, what=what)
        assert (task.result_str, task.failed) == (text, True)
    assert (await called(worker, "look")).failed
    assert (await called(worker, "plain", a=2)).result_str == "4"


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
async def test_a_model_that_calls_tools_answers_in_a_chain(is_async):
    call = {"name": "look", "args": {"place": "Rome"}, "id": "c7", "type": "tool_call"}
    inner = Scripted(answers=[AIMessage("", tool_calls=[call]), AIMessage("seen")])
    model = ChatScaffolding.wrap(inner, "tool_loop", roles={"tools": [look, plain]})
    answer = await model.ainvoke("go") if is_async else model.invoke("go")
    assert answer.text == "seen"
    (_, first), (messages, _) = inner.calls
    assert len(first["tools"]) == 2
    assert isinstance(messages[-1], ToolMessage)
    assert (messages[-1].content, messages[-1].tool_call_id) == ("Rome for c7", "c7")


@pytest.mark.parametrize("needs", [stateful, running], ids=lambda needs: needs.name)
def test_a_tool_that_only_an_agent_can_call_is_refused(needs):
    with pytest.raises(InvalidRequestError, match="only an agent"):
        ToolsWorker([needs])


async def test_an_image_is_a_part_as_openai_writes_it():
    task = await called(ToolsWorker([draw]), "draw", a=1)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert task.content_parts == [{"type": "text", "text": "here:"}, image]
    assert task.result_str == "here:"


async def test_arguments_are_read_by_a_schema_that_is_given_as_json():
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    doubling = StructuredTool(name="double", description="Doubles.", args_schema=schema, func=plain)
    worker = ToolsWorker([doubling])
    assert (await called(worker, "double", a="2")).result_str == "4"
    task = await called(worker, "double", b=2)
    expected = "the arguments do not fit, and nothing was called: a: Field required"
    assert (task.result_str, task.failed) == (expected, True)
