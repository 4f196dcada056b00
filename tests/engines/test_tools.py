"""Tools are called."""

import json

import pytest

from scaffolding_core import AssistantMessage, ChatTask, NativeChatController, ScaffoldingLlm, ToolMessage
from tests.engines.engine import ASKING, CLOCK

pytestmark = pytest.mark.needs("tools")

NAMED = {"type": "function", "function": {"name": "clock"}}


@pytest.mark.parametrize("choice", ["required", NAMED], ids=["required", "named"])
async def test_a_tool_that_must_be_called_is(engine, ask, choice):
    task = ASKING["tools"](engine)
    task.tool_choice = choice
    task = await ask(task)
    call = task.tool_calls[0]
    assert (call.name, bool(call.id)) == ("clock", True)
    json.loads(call.arguments)
    assert task.finish_reason in ("tool_calls", "stop")


async def test_a_call_and_its_result_are_understood_as_history(engine, ask):
    task = await ask(ASKING["tools"](engine))
    called = AssistantMessage(None, tool_calls=task.tool_calls)
    told = [ToolMessage("12:30", call.id) for call in task.tool_calls]
    answer = await ask(ChatTask(messages=[*task.messages, called, *told], tools=[CLOCK], max_tokens=16))
    assert answer.output_str or answer.tool_calls


async def test_none_is_called_where_none_may_be(engine, ask):
    task = ASKING["tools"](engine)
    task.tool_choice = "none"
    task = await ask(task)
    assert task.output_str
    assert not task.tool_calls


async def test_a_method_may_have_them(worker):
    assert worker.capabilities.tools
    ScaffoldingLlm(NativeChatController(tools=[CLOCK]), worker)
