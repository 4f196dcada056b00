"""Tools are called."""

import json

import pytest

from scaffolding_core import AssistantMessage, ChatTask, NativeChatController, ScaffoldingLlm, ToolMessage
from tests.engines.engine import ASKING, CLOCK, clock

pytestmark = pytest.mark.needs("tools")

NAMED = {"type": "function", "function": {"name": "clock"}}


async def test_a_call_is_told_apart_from_text(engine, ask):
    task = await ask(ASKING["tools"](engine))
    assert task.tool_calls, "tools are ignored"
    assert {call.name for call in task.tool_calls} == {"clock"}
    assert "tool_call" not in (task.output_str or "")


@pytest.mark.needs("forced calls")
@pytest.mark.parametrize("choice", ["required", NAMED], ids=["required", "named"])
async def test_a_tool_that_must_be_called_is(engine, ask, choice):
    task = await ask(clock(**{**engine.calling, "tool_choice": choice}))
    assert task.tool_calls, "tool_choice is ignored"
    call = task.tool_calls[0]
    assert (call.name, bool(call.id)) == ("clock", True)
    assert task.finish_reason in ("tool_calls", "stop")
    assert json.loads(call.arguments)


async def test_a_call_and_its_result_are_understood_as_history(engine, ask):
    task = await ask(ASKING["tools"](engine))
    called = AssistantMessage(None, tool_calls=task.tool_calls)
    told = [ToolMessage("12:30", call.id) for call in task.tool_calls]
    answer = await ask(ChatTask(messages=[*task.messages, called, *told], tools=[CLOCK], max_tokens=16))
    assert answer.output_str or answer.tool_calls


async def test_none_is_called_where_none_may_be(ask):
    task = await ask(clock(tool_choice="none"))
    assert task.output_str
    assert not task.tool_calls


async def test_a_method_may_have_them(worker):
    assert worker.capabilities.tools
    ScaffoldingLlm(NativeChatController(tools=[CLOCK]), worker)
