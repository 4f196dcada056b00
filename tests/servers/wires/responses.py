"""OpenAI's Responses API, as `langchain-openai` and `llama-index-llms-openai` speak it."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from tests.servers.scripted import Reply

__all__ = ["CONTENT_TYPE", "as_chat", "plain", "streamed"]

CONTENT_TYPE = "text/event-stream"


def as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The request as chat completions would put it."""
    chat: dict[str, Any] = {"model": body["model"], "messages": _messages(body["input"])}
    if tools := body.get("tools"):
        chat["tools"] = [{"type": "function", "function": tool} for tool in tools]
    choice = body.get("tool_choice")
    chat["tool_choice"] = {"function": choice} if isinstance(choice, dict) else choice
    shape = body.get("text", {}).get("format", {})
    return {**chat, "response_format": {"type": shape.get("type"), "json_schema": shape}}


def _messages(given: str | list[dict[str, Any]]) -> list[dict[str, Any]]:
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    return [item if "role" in item else {"role": "tool", "content": item.get("output", "")} for item in given]


def plain(reply: Reply, body: dict[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    usage = reply.usage or {}
    return {
        "id": f"resp_{uuid4().hex}",
        "object": "response",
        "created_at": 0,
        "model": reply.model,
        "status": "completed",
        "output": _items(reply),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "text": body.get("text"),
        "usage": {
            "input_tokens": usage.get("prompt_tokens", 0),
            "output_tokens": usage.get("completion_tokens", 0),
            "total_tokens": usage.get("prompt_tokens", 0) + usage.get("completion_tokens", 0),
            "input_tokens_details": {"cached_tokens": 0, **usage.get("prompt_tokens_details", {})},
            "output_tokens_details": {"reasoning_tokens": 0, **usage.get("completion_tokens_details", {})},
        },
    }


def streamed(reply: Reply, body: dict[str, Any]) -> Iterator[str]:
    """The answer as events."""
    whole = plain(reply, body)
    started = {**whole, "status": "in_progress", "output": [], "usage": None}
    events = [{"type": "response.created", "response": started}]
    for place, item in enumerate(whole["output"]):
        events += ({**event, "output_index": place, "item_id": item["id"]} for event in _grown(reply, item))
    events.append({"type": "response.completed", "response": whole})
    for number, event in enumerate(events):
        yield f"event: {event['type']}\ndata: {json.dumps({**event, 'sequence_number': number})}\n\n"


def _items(reply: Reply) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if reply.reasoning:
        summary = [{"type": "summary_text", "text": reply.reasoning}]
        items.append({"id": f"rs_{uuid4().hex}", "type": "reasoning", "summary": summary})
    if text := "".join(reply.pieces):
        part = {"type": "output_text", "text": text, "annotations": []}
        item = {"id": f"msg_{uuid4().hex}", "type": "message", "role": "assistant", "content": [part]}
        items.append({**item, "status": "completed"})
    for name, arguments in reply.tool_calls:
        call = {"id": f"fc_{uuid4().hex}", "call_id": f"call_{uuid4().hex}", "name": name, "arguments": arguments}
        items.append({**call, "type": "function_call", "status": "completed"})
    return items


def _grown(reply: Reply, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """How one item of the output comes."""
    if item["type"] == "message":
        part, place = item["content"][0], {"content_index": 0}
        yield _item("added", {**item, "status": "in_progress", "content": []})
        yield {"type": "response.content_part.added", **place, "part": {**part, "text": ""}}
        for piece in reply.pieces:
            yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
        yield {"type": "response.output_text.done", **place, "text": part["text"], "logprobs": []}
        yield {"type": "response.content_part.done", **place, "part": part}
    elif item["type"] == "function_call":
        yield _item("added", {**item, "arguments": "", "status": "in_progress"})
        for half in (item["arguments"][:3], item["arguments"][3:]):
            yield {"type": "response.function_call_arguments.delta", "delta": half}
        yield {"type": "response.function_call_arguments.done", "arguments": item["arguments"]}
    else:
        place, part = {"summary_index": 0}, {"type": "summary_text", "text": ""}
        yield _item("added", {**item, "summary": []})
        yield {"type": "response.reasoning_summary_part.added", **place, "part": part}
        yield {"type": "response.reasoning_summary_text.delta", **place, "delta": item["summary"][0]["text"]}
    yield _item("done", item)


def _item(what: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": f"response.output_item.{what}", "item": item}
