"""The arguments of tool calls, as the tools will get them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeAlias

from scaffolding_core.messages import JsonObject, ToolDescription
from scaffolding_core.messages.tools import written_tools

__all__ = ["KnownTools", "ReadArguments", "Tools", "as_written", "read_as_type", "read_by_schema", "tools_of"]

ReadArguments: TypeAlias = Callable[[JsonObject], JsonObject]
"""Takes the arguments that a model wrote for a tool; gives them as the tool will get them, without what it fills
in by itself (defaults, generated ids). Raises ValueError where the tool refuses them."""

Tools: TypeAlias = Mapping[str, ReadArguments]
"""What reads the arguments of each tool, by its name. A name that is not in it (KeyError) is no tool."""


def as_written(arguments: JsonObject) -> JsonObject:
    """For a tool of which nothing is known: the arguments themselves."""
    return arguments


def read_as_type(kind: type, *, defaults: bool = False) -> ReadArguments:
    """For a tool whose arguments a class validates; whatever its validators raise is a refusal.

    Args:
        kind: a pydantic model, a dataclass or a TypedDict.
        defaults: fill in fixed defaults instead of leaving them out; what is generated is left out all the same.

    Raises:
        InvalidRequestError: a class that pydantic cannot validate.
    """
    from scaffolding_core.answers.model_values import validator_of  # it loads pydantic

    validator_of(kind)
    return partial(_by_type, kind, defaults)


def read_by_schema(schema: JsonObject, *, defaults: bool = False) -> ReadArguments:
    """For a tool whose arguments a JSON schema describes, with pydantic's leniency: "5" will do for an integer.

    Args:
        schema: of type object.
        defaults: fill them in instead of leaving them out.
    """
    return partial(_by_schema, schema, defaults)


def _by_type(kind: type, defaults: bool, arguments: JsonObject) -> JsonObject:
    from scaffolding_core.answers.model_values import model_values, validator_of  # it loads pydantic

    try:
        value = validator_of(kind)(arguments)
    except Exception as error:  # a validator of the user's own may raise anything
        raise ValueError(f"{kind.__name__} refuses the arguments: {error}") from error
    return model_values(value, arguments, defaults=defaults)  # type: ignore[return-value]  # made of an object


def _by_schema(schema: JsonObject, defaults: bool, arguments: JsonObject) -> JsonObject:
    from scaffolding_core.answers.json_schema import validator_of_schema  # these load pydantic
    from scaffolding_core.answers.model_values import model_values

    value = validator_of_schema(json.dumps(schema, default=str)).validate_python(arguments)
    return model_values(value, arguments, defaults=defaults)  # type: ignore[return-value]  # made of an object


class KnownTools(dict[str, ReadArguments]):
    """Tools, by their names.

    Attributes:
        are_all: False where there are others beside them, of any name, of which nothing is known.
    """

    are_all = True

    def __missing__(self, name: str) -> ReadArguments:
        if self.are_all:
            raise KeyError(name)
        return as_written


def tools_of(descriptions: Iterable[ToolDescription | JsonObject]) -> KnownTools:
    """Tools as their descriptions tell them: ours, or dicts in the shape of OpenAI or of Anthropic.

    With one that has no name among them, a tool of the server's own, there are others.

    Raises:
        InvalidRequestError: what is no description.
    """
    tools = KnownTools()
    for told in written_tools(descriptions):
        function = told.get("function", told)
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str):
            tools.are_all = False
            continue
        schema = function.get("parameters", function.get("input_schema"))
        tools[name] = read_by_schema(schema) if isinstance(schema, Mapping) else as_written
    return tools
