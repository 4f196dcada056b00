"""What the agent tests share: a scripted agent's steps, its tools, and both ways of calling it."""

import asyncio
import itertools
import json
from collections import Counter

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

from tests.servers.scripted import Reply

ids = itertools.count()


def says(text, **reply):
    """A reply of text."""
    return Reply((text,), **reply)


def wants(*calls, text="", **reply):
    """A reply with tool calls, each a name and its arguments."""
    return Reply((text,), "tool_calls", tuple((name, json.dumps(args)) for name, args in calls), **reply)


def wants_own(name, **args):
    """A reply with one tool call whose id is unlike any other; not streamed."""
    call = {
        "id": f"own-{next(ids)}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(args)},
    }
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    return Reply(body={"id": "s", "object": "chat.completion", "created": 0, "model": "m", "choices": choices,
                       "usage": usage})  # fmt: skip


class Steps:
    """Answers the samples of an agent's step with that step's replies, one after another; the last repeats."""

    def __init__(self, *steps):
        self.steps = [step if isinstance(step, list) else [step] for step in steps]
        self.asked = Counter()

    def __call__(self, body):
        step = sum(message["role"] == "assistant" for message in body["messages"])
        replies = self.steps[min(step, len(self.steps) - 1)]
        self.asked[step] += 1
        return replies[min(self.asked[step], len(replies)) - 1]


def files():
    """Tools of an agent, and what they were called with."""
    ran = []

    @tool
    def delete_file(path: str) -> str:
        """Delete a file."""
        ran.append(("delete_file", path))
        return f"{path} is gone"

    @tool
    def read_file(path: str) -> str:
        """Read a file."""
        ran.append(("read_file", path))
        return f"text of {path}"

    return [delete_file, read_file], ran


def open_ai(server, **fields):
    """A plain chat model of a scripted server."""
    return ChatOpenAI(
        model="scripted-model",
        base_url=server.url,
        api_key="none",
        max_retries=0,
        use_responses_api=False,
        **fields,
    )


async def run(agent, how, text="go", config=None):
    """The agent's final state, called blocking (from another thread) or async."""
    given = {"messages": [("user", text)]}
    if how == "sync":
        return await asyncio.to_thread(agent.invoke, given, config)
    return await agent.ainvoke(given, config)


def ai_messages(state):
    """The messages of the model in an agent's state."""
    return [message for message in state["messages"] if isinstance(message, AIMessage)]


def tool_messages(state):
    """The messages of the tools in an agent's state."""
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]
