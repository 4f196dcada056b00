"""A JSON schema as a type that pydantic validates, with its leniency; it loads pydantic."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias, Union

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, create_model

__all__ = ["checking_validator", "validator_of_schema"]

# Any: what a schema holds, and the types made of it, have no type of their own.
Schema: TypeAlias = "Mapping[str, Any]"

_SIMPLE: Mapping[str, Any] = {"string": str, "boolean": bool, "null": None, "integer": int, "number": int | float}
_OF_NUMBERS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
_LIMITS: Mapping[str, Mapping[str, str]] = {
    "integer": _OF_NUMBERS,
    "number": _OF_NUMBERS,
    "string": {"minLength": "min_length", "maxLength": "max_length"},
    "array": {"minItems": "min_length", "maxItems": "max_length"},
}


@functools.lru_cache(maxsize=256)
def validator_of_schema(schema: str) -> TypeAdapter[Any]:
    """What validates data by a schema, given as JSON: types, objects and lists, choices, limits and references.

    What else a schema says (patterns, formats, conditions) is not checked. A schema that cannot be read takes
    anything.
    """
    try:
        return checking_validator(schema)
    except ValueError:
        return TypeAdapter(Any)


def checking_validator(schema: str) -> TypeAdapter[Any]:
    """What validates data by a schema, as `validator_of_schema` does.

    Raises:
        ValueError: the schema cannot be read, or takes anything.
    """
    try:
        whole = json.loads(schema)
        kind = _Types(whole).of(whole)
        validator: TypeAdapter[Any] = TypeAdapter(kind)
    except Exception as error:  # pydantic refuses bad parts of a type in many ways
        raise ValueError(f"it cannot be read: {error!r}") from error
    if kind is Any:
        raise ValueError("nothing in it can be checked")
    return validator


class _Types:
    """The types of a schema's parts.

    Args:
        whole: the schema in which references are looked up.
    """

    def __init__(self, whole: Schema) -> None:
        self._whole = whole
        self._known: dict[str, Any] = {}

    def of(self, schema: object) -> Any:
        """The type of a part."""
        if not isinstance(schema, Mapping):  # true is a schema too
            return Any
        if "$ref" in schema:
            return self._referred(str(schema["$ref"]))
        if "const" in schema:
            return _one_of([schema["const"]])
        if "enum" in schema:
            return _one_of(schema["enum"])
        for name in ("anyOf", "oneOf"):
            if schema.get(name):
                return _union([self.of(choice) for choice in schema[name]])
        if schema.get("allOf"):
            parts = schema["allOf"]
            return self.of(parts[0]) if len(parts) == 1 else Any
        kind = schema.get("type", "object" if "properties" in schema else None)
        kinds = [*kind] if isinstance(kind, list) else [kind]
        if schema.get("nullable") is True:
            kinds.append("null")
        return _union([self._of_kind(str(each), schema) for each in kinds])

    def _of_kind(self, kind: str, schema: Schema) -> Any:
        if kind == "object":
            return self._object(schema)
        if kind == "array":
            of_items = self.of(schema.get("items", True))
            return _limited(list[of_items], schema, kind)  # type: ignore[valid-type]  # a type made here
        return _limited(_SIMPLE[kind], schema, kind) if kind in _SIMPLE else Any

    def _object(self, schema: Schema) -> Any:
        properties, others = schema.get("properties") or {}, schema.get("additionalProperties", True)
        if not properties and others is not False:
            of_others = self.of(others)
            return dict[str, of_others]  # type: ignore[valid-type]  # a type made here
        required = schema.get("required") or ()
        fields: dict[str, Any] = {
            f"field_{index}": (self.of(part), _field(str(name), part, required=name in required))
            for index, (name, part) in enumerate(properties.items())
        }
        config = ConfigDict(extra="forbid" if others is False else "allow")
        return create_model("Arguments", __config__=config, **fields)

    def _referred(self, reference: str) -> Any:
        if reference not in self._known:
            self._known[reference] = Any  # as long as it is not known: it may hold itself
            part: Any = self._whole
            for name in reference.removeprefix("#").strip("/").split("/"):
                part = part[name] if name else part
            self._known[reference] = self.of(part)
        return self._known[reference]


def _field(name: str, schema: object, *, required: bool) -> Any:
    if isinstance(schema, Mapping) and "default" in schema:
        return Field(schema["default"], alias=name)
    return Field(alias=name) if required else Field(default_factory=lambda: None, alias=name)


def _union(kinds: Sequence[Any]) -> Any:
    return Union[tuple(kinds)]  # noqa: UP007  # of any number of types


def _one_of(values: Sequence[object]) -> Any:
    simple = all(value is None or isinstance(value, str | bool | int) for value in values)
    return Literal[tuple(values)] if simple else Annotated[Any, AfterValidator(_Among(values))]


class _Among:
    """Lets pass what is equal to one of some values."""

    def __init__(self, values: Sequence[object]) -> None:
        self._values = values

    def __call__(self, value: object) -> object:
        if value not in self._values:
            raise ValueError(f"it should be one of {self._values!r}")
        return value


def _limited(kind: Any, schema: Schema, name: str) -> Any:
    limits = {ours: schema[theirs] for theirs, ours in _LIMITS.get(name, {}).items() if _is_number(schema, theirs)}
    return Annotated[kind, Field(**limits)] if limits else kind


def _is_number(schema: Schema, name: str) -> bool:
    limit = schema.get(name)
    return isinstance(limit, int | float) and not isinstance(limit, bool) and math.isfinite(limit)
