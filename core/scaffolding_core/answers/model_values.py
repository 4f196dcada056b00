"""What a model wrote, as the classes that validate it read it; it loads pydantic."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Callable, Collection, Mapping
from enum import Enum
from typing import Any, NamedTuple

from pydantic import AliasChoices, BaseModel, RootModel, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined, to_jsonable_python

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject, JsonValue

__all__ = ["model_values", "validator_of"]

_EMPTY = (list, dict, set, tuple, frozenset, str)
"""What makes the same default each time."""


def validator_of(kind: type) -> Callable[[JsonObject], object]:
    """What makes an object of a class of what a model wrote.

    Raises:
        InvalidRequestError: a class that pydantic cannot validate.
    """
    if issubclass(kind, BaseModel):
        return kind.model_validate
    try:
        return _adapter(kind).validate_python  # type: ignore[arg-type]  # a class is hashable
    except PydanticUserError as error:
        raise InvalidRequestError(f"{kind.__name__} cannot be validated: {error}") from error


@functools.lru_cache(maxsize=256)
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def model_values(value: object, written: object = None, *, defaults: bool = True) -> JsonValue:
    """A validated value as plain data, as its classes read it, without what they generate.

    An id or a time stamp that a class makes anew each time was not written by the model.

    Args:
        value: what validation gave.
        written: what it was made of; None where that is not known.
        defaults: fill in what was left out and has a fixed default. Else leave out what has it, written or not:
            both come to the same.

    Raises:
        ValueError: an object of which nothing can be told.
    """
    if isinstance(value, RootModel):
        return model_values(value.root, written, defaults=defaults)
    parts = _parts(value)
    if parts is not None:
        return _object(parts, written if isinstance(written, Mapping) else None, defaults)
    if isinstance(value, Mapping):
        was = written if isinstance(written, Mapping) else {}
        return {str(name): model_values(item, was.get(name), defaults=defaults) for name, item in value.items()}
    if isinstance(value, list | tuple):
        items = written if isinstance(written, list) and len(written) == len(value) else [None] * len(value)
        return [model_values(item, was, defaults=defaults) for item, was in zip(value, items, strict=True)]
    if isinstance(value, set | frozenset):
        return sorted((model_values(item, defaults=defaults) for item in value), key=json.dumps)
    return _leaf(value, written)


class _Part(NamedTuple):
    """A field of an object.

    Attributes:
        name: of the field.
        keys: that it may be written by; first that by which it can be read back.
        value: of this object.
        default: the same for all objects; undefined where there is none.
        given: it may have been written; not where its value is a default.
    """

    name: str
    keys: tuple[str, ...]
    value: object
    default: object
    given: bool


def _parts(value: object) -> list[_Part] | None:
    """The fields of an object of a class that validates; None for any other value."""
    if isinstance(value, BaseModel):
        given = value.model_fields_set
        parts = [_of_model(value, name, field, name in given) for name, field in type(value).model_fields.items()]
        extra = (value.model_extra or {}).items()
        return [*parts, *(_Part(name, (name,), item, PydanticUndefined, True) for name, item in extra)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [_of_dataclass(value, field) for field in dataclasses.fields(value)]
    return None


def _of_model(model: BaseModel, name: str, field: FieldInfo, given: bool) -> _Part:
    alias = field.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    keys = [choice if isinstance(choice, str) else choice.path[0] for choice in choices if choice is not None]
    told = [key for key in keys if isinstance(key, str)]
    default = _fixed(field.default, field.default_factory)
    return _Part(name, (*told, name), getattr(model, name), default, given)


def _of_dataclass(value: Any, field: dataclasses.Field[Any]) -> _Part:  # Any: an object of any dataclass
    factory = None if field.default_factory is dataclasses.MISSING else field.default_factory
    default = PydanticUndefined if field.default is dataclasses.MISSING else field.default
    return _Part(field.name, (field.name,), getattr(value, field.name), _fixed(default, factory), True)


def _fixed(default: object, factory: object) -> object:
    if factory is None:
        return default
    return next((empty() for empty in _EMPTY if empty is factory), PydanticUndefined)


def _object(
    parts: Collection[_Part], written: Mapping[str, object] | None, defaults: bool
) -> dict[str, JsonValue]:
    counted = _counted(parts, written)
    values: dict[str, JsonValue] = {}
    for part in parts:
        if part.name not in counted:
            if defaults and part.default is not PydanticUndefined:
                values[part.keys[0]] = model_values(part.default, part.default)
        elif defaults or not _same(part.value, part.default):
            was = next((written[key] for key in part.keys if key in written), None) if written else None
            values[part.keys[0]] = model_values(part.value, was, defaults=defaults)
    return values


def _counted(parts: Collection[_Part], written: Mapping[str, object] | None) -> Collection[str]:
    """The names of the fields that were written, as far as that can be told.

    A validator may have filled in others. Where a key was written that is no field, it may have made fields of
    that: then all that were given count.
    """
    given = [part.name for part in parts if part.given]
    by_key = {key: part.name for part in parts for key in part.keys}
    if written is None or any(key not in by_key for key in written):
        return given
    names = {by_key[key] for key in written}
    return [name for name in given if name in names]


def _same(value: object, default: object) -> bool:
    try:
        return type(value) is type(default) and bool(value == default)
    except Exception:  # a class may compare as it likes
        return False


def _leaf(value: object, written: object) -> JsonValue:
    if isinstance(value, Enum):
        return _leaf(value.value, written)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    secret = getattr(value, "get_secret_value", None)
    if callable(secret):  # its text is the same for all
        return _leaf(secret(), written)
    try:
        plain: JsonValue = to_jsonable_python(value)
    except ValueError:
        if written is None:
            raise
        return written  # type: ignore[return-value]  # it was read as JSON
    return plain
