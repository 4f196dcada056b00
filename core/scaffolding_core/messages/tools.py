"""Tools: what a model may call, and what it wants called, in OpenAI's shapes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages.content import JsonObject, JsonValue

__all__ = ["OpenAIToolDescription", "ToolCall", "ToolDescription", "lawful_name", "written_tools"]


@dataclass(slots=True)
class ToolCall:
    """A tool that the model wants called.

    Args:
        id: ties the call to its `ToolMessage`.
        name: of the tool.
        arguments: as the model wrote them: meant to be a JSON object, not checked here.
    """

    id: str
    name: str
    arguments: str

    @property
    def function(self) -> ToolCall:
        """The call itself, so that `call.function.name` reads as with OpenAI's types."""
        return self

    def to_dict(self) -> dict[str, JsonValue]:
        """The call as OpenAI writes it."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@dataclass(slots=True)
class ToolDescription:
    """A tool that the model may call.

    Args:
        name: of the tool.
        description: what it does, for the model.
        parameters: a JSON schema of type object, or only the map of its properties.
        changes: whether a call changes things; None where nobody tells. It is not sent.
    """

    name: str
    description: str
    parameters: JsonObject
    changes: bool | None = None

    def to_dict(self) -> dict[str, JsonValue]:
        """The tool as OpenAI writes it."""
        schema = self.parameters
        if schema.get("type") != "object":
            schema = {"type": "object", "properties": schema}
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": schema},
        }


OpenAIToolDescription = ToolDescription


def written_tools(tools: object) -> list[dict[str, JsonValue]]:
    """Tools as OpenAI writes them.

    Args:
        tools: ours, or dicts in OpenAI's shape.

    Raises:
        InvalidRequestError: it is no list of these.
    """
    if isinstance(tools, str | Mapping) or not isinstance(tools, Iterable):
        raise InvalidRequestError(f"the tools of a chat must be a list of descriptions, got {tools!r}")
    return [_written(tool) for tool in tools]


def _written(tool: object) -> dict[str, JsonValue]:
    if isinstance(tool, ToolDescription):
        return tool.to_dict()
    if isinstance(tool, Mapping):
        return dict(tool)
    raise InvalidRequestError(
        f"the tools of a chat are descriptions, and what calls them plays the role 'tools', got {tool!r}"
    )


_UNLAWFUL = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST = 64


def lawful_name(name: str, taken: Container[str] = ()) -> str:
    """The name of a tool as OpenAI takes it: at most 64 letters, digits, `_` and `-`.

    Args:
        name: as it is.
        taken: names that are not to be given again.
    """
    lawful = told = _UNLAWFUL.sub("_", name)[:_LONGEST] or "unknown"
    number = 1
    while told in taken:
        number += 1
        told = f"{lawful[: _LONGEST - 1 - len(str(number))]}_{number}"
    return told
