"""What an agent did, as a text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

__all__ = ["agent_transcript", "steps_of"]


def agent_transcript(state: Mapping[str, Any] | Sequence[BaseMessage]) -> str:
    """What an agent did since it was last asked, step by step: for `text` of a `ScaffoldingRunnable`.

    A judge, or a tournament by the reward `pairwise_judge`, then sees the whole run instead of its last message.

    Args:
        state: of the agent, or its messages.
    """
    messages = state["messages"] if isinstance(state, Mapping) else state
    return "\n\n".join(map(_written, steps_of(messages)[1]))


def steps_of(messages: Sequence[BaseMessage]) -> tuple[str, Sequence[BaseMessage]]:
    """What an agent was last asked, and all messages since."""
    asked = max((place for place, each in enumerate(messages) if isinstance(each, HumanMessage)), default=-1)
    return str(messages[asked].text) if asked >= 0 else "", messages[asked + 1 :]


def _written(message: BaseMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    made = [f"{call['name']}({json.dumps(call['args'], default=str, ensure_ascii=False)})" for call in calls]
    return "\n".join([f"{message.type}: {message.text}", *made])
