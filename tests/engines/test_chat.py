"""Chats are answered."""

import pytest

from scaffolding_core import AssistantMessage, ChatTask, SystemMessage, UserMessage
from tests.engines.engine import chat

TALK = [SystemMessage("Be brief."), UserMessage("Hi"), AssistantMessage("Hello!"), UserMessage("What is 2+2?")]


@pytest.mark.parametrize("messages", [TALK[-1:], TALK], ids=["question", "talk"])
async def test_a_chat_is_answered(ask, messages):
    task = await ask(ChatTask(messages=messages, max_tokens=16, temperature=0.0))
    assert task.output_str.strip()
    assert task.finish_reason in ("length", "stop")
    assert not task.tool_calls


async def test_an_answer_ends_at_its_limit(ask):
    task = await ask(chat("Tell me a long story.", max_tokens=5, temperature=0.0))
    assert (task.finish_reason, task.usage.completion_tokens) == ("length", 5)
