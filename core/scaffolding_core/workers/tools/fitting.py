"""The arguments of a call, held against what the tool takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scaffolding_core.answers.tool_arguments import read_by_schema
from scaffolding_core.messages import JsonObject

if TYPE_CHECKING:
    from pydantic import ValidationError

__all__ = ["fitted", "what_is_wrong"]


def fitted(arguments: JsonObject, schema: JsonObject) -> dict[str, Any]:  # Any: whatever JSON holds
    """The arguments as a tool gets them that a schema describes: `"5"` is 5 to one that takes a whole number.

    Args:
        arguments: as the model wrote them; nothing is filled in.
        schema: of type object. Patterns, formats and conditions in it are not looked at.

    Raises:
        ValueError: they do not fit, in a sentence that the model may read.
    """
    from pydantic import ValidationError  # it loads slowly

    try:
        read = read_by_schema(schema, defaults=True)(arguments)
    except ValidationError as error:
        raise ValueError(what_is_wrong(error)) from None
    return {name: read.get(name, value) for name, value in arguments.items()}


def what_is_wrong(error: ValidationError) -> str:
    """Why a call was not made, for a model to read."""
    wrong = (f"{'.'.join(map(str, each['loc'])) or 'arguments'}: {each['msg']}" for each in error.errors())
    return f"the arguments do not fit, and nothing was called: {'; '.join(wrong)}"
