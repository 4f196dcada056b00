"""Anthropic's Messages API, as `langchain-anthropic` speaks it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from tests.servers.scripted import Reply

__all__ = ["CONTENT_TYPE", "as_chat", "plain", "streamed"]

CONTENT_TYPE = "text/event-stream"
_CHOICES = {"any": "required", "auto": "auto", "none": "none"}


def as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The request as chat completions would put it."""
    choice, shape = body.get("tool_choice", {}), body.get("output_config", {}).get("format", {})
    return {
        "model": body["model"],
        "messages": [_message(message) for message in body["messages"]],
        "tools": [
            {"type": "function", "function": {**tool, "parameters": tool["input_schema"]}}
            for tool in body.get("tools", ())
        ],
        "tool_choice": {"function": choice} if choice.get("type") == "tool" else _CHOICES.get(choice.get("type")),
        "response_format": {"type": shape.get("type"), "json_schema": shape},
        "stop": body.get("stop_sequences"),
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    content = message["content"]
    answers = not isinstance(content, str) and any(block["type"] == "tool_result" for block in content)
    return {"role": "tool", "content": ""} if answers else message


def plain(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    return {
        "id": f"msg_{uuid4().hex}",
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "content": _blocks(reply),
        **_ended(reply),
        "usage": _usage(reply),
    }


def streamed(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    """The answer as events."""
    usage = {**_usage(reply), "output_tokens": 1}
    begun = {**plain(reply, body), "content": [], "stop_reason": None, "usage": usage}
    yield _event("message_start", message=begun)
    for index, block in enumerate(_blocks(reply)):
        empty, deltas = _grown(reply, block)
        yield _event("content_block_start", index=index, content_block=empty)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    yield _event("message_delta", delta=_ended(reply), usage=_usage(reply))
    yield _event("message_stop")


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if reply.reasoning:
        blocks.append({"type": "thinking", "thinking": reply.reasoning, "signature": "signed"})
    if text := "".join(reply.pieces):
        blocks.append({"type": "text", "text": text})
    for name, arguments in reply.tool_calls:
        call = {"type": "tool_use", "id": f"toolu_{uuid4().hex}", "name": name}
        blocks.append({**call, "input": json.loads(arguments)})
    return blocks


def _grown(reply: Reply, block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins, and what comes to it."""
    if block["type"] == "text":
        return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in reply.pieces]
    if block["type"] == "thinking":
        thought = {"type": "thinking_delta", "thinking": block["thinking"]}
        signed = {"type": "signature_delta", "signature": block["signature"]}
        return {**block, "thinking": "", "signature": ""}, [thought, signed]
    written = json.dumps(block["input"])
    halves = (written[:3], written[3:])
    return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": half} for half in halves]


def _ended(reply: Reply) -> dict[str, Any]:
    return {"stop_reason": "tool_use" if reply.tool_calls else "end_turn", "stop_sequence": None}


def _usage(reply: Reply) -> dict[str, int]:
    """What it cost; what the cache gave or took is counted beside the other tokens."""
    usage = reply.usage or {}
    details = usage.get("prompt_tokens_details", {})
    read, created = (details.get(name, 0) for name in ("cached_tokens", "cache_creation_tokens"))
    return {
        "input_tokens": usage.get("prompt_tokens", 0) - read - created,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": created,
        "output_tokens": usage.get("completion_tokens", 0),
    }


def _event(kind: str, **fields: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n"
