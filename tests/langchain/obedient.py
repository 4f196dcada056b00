"""A scripted model that does as it is told: calls each tool, keeps to each format."""

import json
from dataclasses import replace

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, convert_to_openai_messages
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool

from tests.servers.scripted import Reply

SAID = "Hello! I am fine, thank you."
OF_TYPE = {"integer": 3, "number": 3, "boolean": True, "array": [], "object": {}}
USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 6,
    "prompt_tokens_details": {"cached_tokens": 3, "cache_creation_tokens": 1},
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
    if guided := body.get("guided_json"):
        return {"type": "json_schema", "json_schema": {"schema": guided}}
    return body.get("response_format", {})


def filled(schema, message):
    """An object of that schema."""
    properties = schema.get("properties", {})
    return json.dumps({name: OF_TYPE.get(kind.get("type"), words(message)) for name, kind in properties.items()})


def words(message):
    content = message["content"]
    return content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)


class ObedientModel(BaseChatModel):
    """The same in this process, as a chat model that streams."""

    model_name: str = "m"

    @property
    def _llm_type(self):
        return "obedient"

    def bind_tools(self, tools, *, tool_choice=None, **kwargs):
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], tool_choice=tool_choice, **kwargs)

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        first, *rest = self._stream(messages, stop, run_manager, **kwargs)
        whole = sum((chunk.message for chunk in rest), first.message)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(**whole.model_dump(exclude={"type"})))])

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        choice = "required" if kwargs.get("tool_choice") == "any" else kwargs.get("tool_choice")
        body = {**kwargs, "messages": convert_to_openai_messages(messages), "stop": stop, "tool_choice": choice}
        reply = obedient(body)
        for piece in reply.pieces:
            yield ChatGenerationChunk(message=AIMessageChunk(piece))
        calls = [
            tool_call_chunk(name=name, args=args, id=f"call-{index}", index=index)
            for index, (name, args) in enumerate(reply.tool_calls)
        ]
        usage = {"input_tokens": 5, "output_tokens": 6, "total_tokens": 11}
        told = {"model_name": kwargs.get("model", self.model_name)}
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                "", tool_call_chunks=calls, usage_metadata=usage, response_metadata=told, chunk_position="last"
            )
        )
