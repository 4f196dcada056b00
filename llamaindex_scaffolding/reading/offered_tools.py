"""The tools that a model is offered: which calls they take, and what of a call counts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.program import function_program
from llama_index.core.tools import FunctionTool
from llama_index.core.tools.types import DefaultToolFnSchema

from llamaindex_scaffolding.reading.explanations import EXPLANATIONS_OF_CALLS, without_explanations
from scaffolding_core.adapting import JsonObject, ReadArguments, Tools, as_written, model_values

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["called_name", "offered_tools"]

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_-]")


def offered_tools(tools: Sequence[BaseTool]) -> Tools:
    """What reads the arguments of each tool, by the name that a model calls it by, and by its own."""
    readers = {tool.metadata.get_name(): _reader_of(tool) for tool in tools}
    return {**{called_name(name): reader for name, reader in readers.items()}, **readers}


def called_name(name: str) -> str:
    """The name of a tool as LlamaIndex tells it to models."""
    return _NOT_IN_NAMES.sub("_", name)


def _reader_of(tool: BaseTool) -> ReadArguments:
    schema = tool.metadata.fn_schema
    if schema is None or schema is DefaultToolFnSchema:  # such tools make do with any text
        return as_written
    return lambda arguments: _read(tool, schema, arguments)


def _read(tool: BaseTool, schema: type[BaseModel], arguments: JsonObject) -> JsonObject:
    try:
        value = schema.model_validate(arguments)
        more = _more(tool, schema, arguments) if isinstance(tool, FunctionTool) else {}
    except Exception as error:  # a validator of the user's own may raise anything
        raise ValueError(f"{tool.metadata.get_name()} refuses the arguments: {error}") from error
    counted: dict[str, Any] = without_explanations(value, model_values(value, arguments, defaults=False))
    ignored = EXPLANATIONS_OF_CALLS.get(tool.real_fn, ()) if isinstance(tool, FunctionTool) else ()
    return {name: given for name, given in {**more, **counted}.items() if name not in ignored}


def _more(tool: FunctionTool, schema: type[BaseModel], arguments: JsonObject) -> JsonObject:
    """Arguments that the schema does not have, where the tool's function gets them all the same.

    Raises:
        TypeError: the function does not take them: the schema lets them pass.
    """
    given = {**tool.partial_params, **arguments}
    if tool.ctx_param_name is not None:
        given[tool.ctx_param_name] = None
    signature = inspect.signature(tool.real_fn)
    signature.bind(**given)
    takes_any = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())
    makes_an_object = tool.real_fn.__module__ == function_program.__name__
    if makes_an_object or not takes_any:
        return {}
    return {name: value for name, value in arguments.items() if name not in schema.model_fields}
