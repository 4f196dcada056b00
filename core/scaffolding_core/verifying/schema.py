"""FitsSchema: an answer passes if the JSON in it fits a schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from scaffolding_core.answers import Structure
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.verifying.verifier import Verdict, Verifier

if TYPE_CHECKING:
    from pydantic import BaseModel, TypeAdapter

__all__ = ["FitsSchema"]

_JSON = Structure()


class FitsSchema(Verifier):
    """An answer passes if the last JSON object in its text, or the arguments of its only tool call, fits a schema.

    Of a JSON schema, types, objects and lists, choices, limits and references are checked, with pydantic's
    leniency; patterns, formats and conditions are not: a class of pydantic's has them checked too.

    Args:
        schema: a JSON schema, or a class of pydantic's.

    Raises:
        InvalidRequestError: neither, or a schema that takes anything or has a reference that leads nowhere.
    """

    def __init__(self, schema: Mapping[str, object] | type[BaseModel]) -> None:
        self._validator = _validator(schema)

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether the object is there and fits."""
        from pydantic import ValidationError

        found = _JSON.extract(message)
        if found is None:
            return Verdict(passed=False, feedback="there is no JSON object in the text")
        try:
            self._validator.validate_python(found)
        except ValidationError as error:
            return Verdict(passed=False, feedback="; ".join(map(_said, error.errors(include_url=False))))
        return Verdict(passed=True)


def _validator(schema: Mapping[str, object] | type[BaseModel]) -> TypeAdapter[Any]:  # Any: whatever fits it
    from pydantic import BaseModel, TypeAdapter  # it loads slowly

    from scaffolding_core.answers.json_schema import checking_validator

    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return TypeAdapter(schema)
    if not isinstance(schema, Mapping):
        raise InvalidRequestError(f"schema must be a JSON schema or a class of pydantic's, got {schema!r}")
    try:
        return checking_validator(json.dumps(schema))
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"the schema {schema!r} checks nothing: {error}") from error


def _said(error: Mapping[str, Any]) -> str:  # Any: pydantic's own of an error
    place = ".".join(map(str, error["loc"]))
    return f"{place}: {error['msg']}" if place else str(error["msg"])
