"""Structured output: what is bound to the model's call, and how its answer is read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from functools import partial
from operator import itemgetter
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.output_parsers.openai_tools import JsonOutputKeyToolsParser, PydanticToolsParser
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableMap, RunnablePassthrough
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel
from uuid_utils.compat import uuid7

from langchain_scaffolding.translation.accepted import StructureByCall, StructureInText
from scaffolding_core import Extractor, InvalidRequestError
from scaffolding_core.adapting import read_as_type, read_by_schema

__all__ = [
    "Schema",
    "StructuredMethod",
    "response_format",
    "structure_of",
    "structured",
    "tool_of",
    "traced",
]

Schema: TypeAlias = "dict[str, Any] | type | None"
"""A pydantic model, a TypedDict, or a JSON schema; None for any JSON object, in `json_mode`."""

StructuredMethod: TypeAlias = Literal["function_calling", "json_schema", "json_mode"]
"""How a model is made to answer in a structure: by a tool that it must call, by a grammar, or just in JSON."""


def tool_of(schema: Schema) -> dict[str, Any] | type:
    """The schema as a tool that the model must call.

    Raises:
        InvalidRequestError: no schema.
    """
    if schema is None:
        raise InvalidRequestError("the method 'function_calling' needs a schema")
    return schema


def response_format(schema: Schema, method: StructuredMethod, strict: bool | None) -> dict[str, Any]:
    """What is bound to the call of an OpenAI-compatible server, for `json_schema` and `json_mode`.

    Raises:
        InvalidRequestError: no schema for `json_schema`, or `strict` for `json_mode`.
    """
    if method == "json_mode":
        if strict is not None:
            raise InvalidRequestError("strict needs a schema that is enforced: leave it out with json_mode")
        shape: dict[str, Any] = {"type": "json_object"}
    else:
        if schema is None:
            raise InvalidRequestError(f"the method {method!r} needs a schema")
        function = convert_to_openai_tool(schema, strict=strict)["function"]
        function["schema"] = function.pop("parameters")
        shape = {"type": "json_schema", "json_schema": function}
    return {"response_format": shape, "ls_structured_output_format": traced(schema, method, strict)}


def traced(schema: Schema, method: StructuredMethod, strict: bool | None = None) -> dict[str, Any]:
    """What a tracer shows of the structure that was asked for."""
    return {"kwargs": {"method": method, "strict": strict}, "schema": schema}


def structure_of(schema: Schema, method: StructuredMethod) -> Extractor | None:
    """What finds the structure in a sample, as `structured` reads it; None where any JSON object will do."""
    if schema is None:
        return None
    function = convert_to_openai_tool(schema)["function"]
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        read = read_as_type(schema, defaults=True)
    else:
        read = read_by_schema(function.get("parameters", {}), defaults=True)
    return StructureByCall(function["name"], read) if method == "function_calling" else StructureInText(read)


def structured(
    bound: Runnable[Any, AIMessage], schema: Schema, method: StructuredMethod, *, include_raw: bool
) -> Runnable[Any, Any]:
    """A bound model, and the reading of its answer, as LangChain's models do it."""
    tool = convert_to_openai_tool(tool_of(schema))["function"]["name"] if method == "function_calling" else None
    parser = RunnableGenerator(partial(_agreed, tool), partial(_aagreed, tool)) | _parser(schema, tool)
    if not include_raw:
        return bound | parser
    parsed: Runnable[Any, Any] = RunnablePassthrough.assign(
        parsed=itemgetter("raw") | parser, parsing_error=lambda _: None
    )
    unparsed = RunnablePassthrough.assign(parsed=lambda _: None)
    return RunnableMap(raw=bound) | parsed.with_fallbacks([unparsed], exception_key="parsing_error")


def _parser(schema: Schema, tool: str | None) -> Runnable[Any, Any]:
    model = schema if isinstance(schema, type) and is_basemodel_subclass(schema) else None
    if tool is None:
        return PydanticOutputParser(pydantic_object=model) if model is not None else JsonOutputParser()
    if model is not None:
        return PydanticToolsParser(tools=[model], first_tool_only=True)
    return JsonOutputKeyToolsParser(key_name=tool, first_tool_only=True)


def _agreed(tool: str | None, messages: Iterator[AIMessage]) -> Iterator[AIMessage]:
    """The messages; where each field was voted on, what the vote agreed on instead of the last two.

    The last brings the vote's result, the one before it the text of one sample.
    """
    held: AIMessage | None = None
    for message in messages:
        agreed = _consensus(message, tool)
        if agreed is None and held is not None:
            yield held
        held = agreed or message
    if held is not None:
        yield held


async def _aagreed(tool: str | None, messages: AsyncIterator[AIMessage]) -> AsyncIterator[AIMessage]:
    held: AIMessage | None = None
    async for message in messages:
        agreed = _consensus(message, tool)
        if agreed is None and held is not None:
            yield held
        held = agreed or message
    if held is not None:
        yield held


def _consensus(message: AIMessage, tool: str | None) -> AIMessage | None:
    """A message of what a vote on each field agreed on; None where there was no such vote."""
    details = message.response_metadata.get("scaffolding", {})
    kind, agreed = type(message), details.get("consensus")
    if agreed is None:
        return None
    if tool is None:
        return kind(content=json.dumps(agreed))
    call = ToolCall(name=tool, args=agreed, id=f"call_{uuid7()}", type="tool_call")
    return kind(content="", tool_calls=[call])
