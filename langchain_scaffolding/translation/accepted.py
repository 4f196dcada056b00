"""What LangChain's tools and schemas accept of what a model wrote."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias

from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.tools import BaseTool, create_schema_from_function
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.json import parse_json_markdown
from pydantic import BaseModel, create_model

from scaffolding_core import Answer, AssistantMessage, Extractor, ToolCalls
from scaffolding_core.adapting import (
    Acceptance,
    JsonObject,
    KnownTools,
    ReadArguments,
    as_written,
    read_arguments,
    read_as_type,
    read_by_schema,
    read_json,
    tools_of,
)

__all__ = ["StructureByCall", "StructureInText", "Tool", "accepted_tools", "told_acceptance"]

Tool: TypeAlias = "dict[str, Any] | type | Callable[..., Any] | BaseTool"
"""What `bind_tools` takes: tools, functions, pydantic models, TypedDicts, and dicts in a provider's shape."""


def accepted_tools(tools: Iterable[Tool]) -> KnownTools:
    """What reads the arguments of each tool, as the tool will."""
    accepted = KnownTools()
    for tool in tools:
        if isinstance(tool, BaseTool):
            accepted[tool.name] = _of_tool(tool)
        elif isinstance(tool, type) and issubclass(tool, BaseModel):
            accepted[str(tool.model_config.get("title") or tool.__name__)] = read_as_type(tool)
        elif callable(tool) and not isinstance(tool, type):
            accepted[getattr(tool, "__name__", type(tool).__name__)] = _of_function(tool)
        else:
            described = tools_of([_described(tool)])
            accepted.update(described)
            accepted.are_all = accepted.are_all and described.are_all
    return accepted


class StructureByCall(Extractor):
    """The structure that a model hands over by calling a tool; the first of several calls counts.

    Args:
        tool: its name.
        read: reads its arguments.
    """

    costly = True  # a schema's validators are anybody's

    def __init__(self, tool: str, read: ReadArguments) -> None:
        self._calls = ToolCalls(tools={tool: read})
        self._read = read

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The structure; None if there is none, or it is refused."""
        if self._calls.extract(message) is None or not message.tool_calls:
            return None
        return self._read(read_arguments(message.tool_calls[0].arguments))


class StructureInText(Extractor):
    """The structure that a text is, or a fence in it holds, where LangChain's parsers look for it.

    Args:
        read: reads the object.
    """

    costly = True  # a schema's validators are anybody's

    def __init__(self, read: ReadArguments) -> None:
        self._read = read

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The structure; None if there is none, or it is refused."""
        try:
            return self._read(_object(parse_json_markdown(message.text, parser=read_json)))
        except ValueError:
            return None


def told_acceptance(model: Runnable[Any, Any] | None, kwargs: Mapping[str, Any]) -> Acceptance | None:
    """What a call of a model tells of tools and schemas, in a provider's shape.

    Args:
        model: a wrapped model, which may have tools bound to it.
        kwargs: of the call.
    """
    told = {**_bound(model), **kwargs}
    tools, schema = told.get("tools"), _enforced_schema(told.get("response_format"))
    known = tools_of(tools) if tools and all(isinstance(tool, Mapping) for tool in tools) else None
    structure = None if schema is None else StructureInText(read_by_schema(schema, defaults=True))
    return None if known is None and structure is None else Acceptance(known, structure)


def _of_tool(tool: BaseTool) -> ReadArguments:
    schema = tool.args_schema
    if isinstance(schema, Mapping):
        return read_by_schema(schema)
    if schema is None:
        return as_written
    if not issubclass(schema, BaseModel):  # one of pydantic's first version
        return read_by_schema(schema.schema())
    injected = schema.model_fields.keys() - tool.tool_call_schema.model_fields.keys()  # type: ignore[union-attr]  # no dict
    if not injected:
        return read_as_type(schema)
    return partial(_read_without, schema, frozenset(injected))


def _read_without(schema: type[BaseModel], injected: frozenset[str], arguments: JsonObject) -> JsonObject:
    """The arguments as a tool gets them that is given others in their place, whatever the model wrote there."""
    written = {name: value for name, value in arguments.items() if name not in injected}
    return read_as_type(_without(schema, injected))(written)


@functools.lru_cache(maxsize=256)
def _without(schema: type[BaseModel], injected: frozenset[str]) -> type[BaseModel]:
    """The same, without need for arguments that are not the model's to write."""
    fields: dict[str, Any] = dict.fromkeys(injected, (Any, None))
    return create_model(schema.__name__, __base__=schema, **fields)


def _of_function(function: Callable[..., Any]) -> ReadArguments:
    try:
        schema = _schema_of(function)
    except Exception:  # LangChain reads the signature and the docstring, and may stumble over both
        return as_written
    return partial(_read_with_others, schema) if issubclass(schema, BaseModel) else as_written


def _read_with_others(schema: type[BaseModel], arguments: JsonObject) -> JsonObject:
    """The arguments as a function gets them: also those that its signature does not name."""
    others = {name: value for name, value in arguments.items() if name not in schema.model_fields}
    return {**others, **read_as_type(schema)(arguments)}


@functools.lru_cache(maxsize=256)
def _schema_of(function: Callable[..., Any]) -> type:
    return create_schema_from_function(function.__name__, function, filter_args=(), include_injected=False)


def _described(tool: object) -> JsonObject:
    """A tool in OpenAI's shape; nothing if it has none."""
    try:
        return convert_to_openai_tool(tool)  # type: ignore[arg-type]  # it refuses what it does not know
    except Exception:  # in many ways
        return {}


def _bound(model: object) -> dict[str, Any]:
    if not isinstance(model, RunnableBindingBase):
        return {}
    return {**_bound(model.bound), **model.kwargs}


def _enforced_schema(shape: object) -> JsonObject | None:
    """The JSON schema that a response format has the server enforce."""
    if not isinstance(shape, Mapping) or shape.get("type") != "json_schema":
        return None
    schema = shape.get("json_schema", {}).get("schema")
    return schema if isinstance(schema, Mapping) else None


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value
