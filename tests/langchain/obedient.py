"""A scripted model that does as it is told: calls each tool, keeps to each format."""

import json
from dataclasses import replace

from tests.servers.scripted import Reply

SAID = "Hello! I am fine, thank you."
OF_TYPE = {"integer": 3, "number": 3, "boolean": True, "array": [], "object": {}}
USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 6,
    "prompt_tokens_details": {"cached_tokens": 3},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


def obedient(body):
    """Keeps to the tool or format it is told, with the user's words as text; else says hello, to the stop text."""
    return replace(_answer(body), model=body.get("model", "m"))


def _answer(body):
    last, choice, shape = body["messages"][-1], body.get("tool_choice"), _shape(body)
    named = choice["function"]["name"] if isinstance(choice, dict) else None
    tools = [tool["function"] for tool in body.get("tools", ()) if named in (None, tool["function"]["name"])]
    if tools and (named or choice == "required" or (last["role"] == "user" and choice != "none")):
        call = (tools[0]["name"], filled(tools[0]["parameters"], last))
        return Reply(pieces=(), tool_calls=(call,), finish="tool_calls", usage=USAGE)
    if shape.get("type") == "json_schema":
        return Reply(pieces=(filled(shape["json_schema"]["schema"], last),), usage=USAGE)
    if shape.get("type") == "json_object":
        return Reply(pieces=(json.dumps({"setup": "?", "punchline": "!"}),), usage=USAGE)
    text = SAID.split((body.get("stop") or ["\0"])[0])[0]
    return Reply(pieces=tuple(word + " " for word in text.split()), usage=USAGE)


def _shape(body):
    """The format of the answer, also where NVIDIA's servers are told it."""
    guided = body.get("guided_json")
    return {"type": "json_schema", "json_schema": {"schema": guided}} if guided else body.get("response_format", {})


def filled(schema, message):
    """An object of that schema."""
    properties = schema.get("properties", {})
    return json.dumps({name: OF_TYPE.get(kind.get("type"), words(message)) for name, kind in properties.items()})


def words(message):
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
