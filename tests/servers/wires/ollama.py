"""Ollama's own chat API, as `langchain-ollama` speaks it."""

import json
from collections.abc import Iterator
from typing import Any

from tests.servers.scripted import Reply

__all__ = ["CONTENT_TYPE", "as_chat", "plain", "streamed"]

CONTENT_TYPE = "application/x-ndjson"


def as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The request as chat completions would put it."""
    shape = body.get("format")
    schema = {"type": "json_schema", "json_schema": {"schema": shape}} if isinstance(shape, dict) else {}
    return {
        **body,
        "stop": body.get("options", {}).get("stop"),
        "response_format": {"type": "json_object"} if shape == "json" else schema,
    }


def plain(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    message = {"role": "assistant", "content": "".join(reply.pieces), **_calls(reply)}
    if reply.reasoning:
        message["thinking"] = reply.reasoning
    return {**_head(reply), "message": message, **_ended(reply)}


def streamed(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    """The answer in lines; a tool call comes whole."""
    parts = [{"thinking": reply.reasoning}] if reply.reasoning else []
    parts += [{"content": piece} for piece in reply.pieces]
    parts += [_calls(reply)] if reply.tool_calls else []
    for part in (*parts, {}):
        end = {"done": False} if part else _ended(reply)
        yield json.dumps({**_head(reply), "message": {"role": "assistant", "content": "", **part}, **end}) + "\n"


def _head(reply: Reply) -> dict[str, Any]:
    return {"model": reply.model, "created_at": "2026-01-01T00:00:00Z"}


def _calls(reply: Reply) -> dict[str, Any]:
    calls = [{"function": {"name": name, "arguments": json.loads(args)}} for name, args in reply.tool_calls]
    return {"tool_calls": calls} if calls else {}


def _ended(reply: Reply) -> dict[str, Any]:
    usage = reply.usage or {}
    counts = {"prompt_eval_count": usage.get("prompt_tokens"), "eval_count": usage.get("completion_tokens")}
    return {"done": True, "done_reason": reply.finish, **counts}
