"""Values as JSON, and back: what tasks hold, classes of ours and dataclasses of a user's included.

JSON itself holds texts, numbers, lists and objects. What it does not know is an object with a key that begins with
`$`: `$tuple`, `$dict` (keys that are no texts, or begin with `$`), `$text` (a date or the like, which comes back
as its text), `$type` (a dataclass, with its fields beside).
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import scaffolding_core.messages as messages
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject, JsonValue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["HeldOnlyHereError", "Parts", "everything", "from_plain", "to_plain", "what_counts"]

_AS_TEXT = (date, time, timedelta, Decimal, PurePath, UUID)


Parts: TypeAlias = "Callable[[type[DataclassInstance]], tuple[Field[Any], ...]]"


class HeldOnlyHereError(TypeError):
    """A value that no file can hold."""


def to_plain(value: object, parts: Parts) -> JsonValue:
    """A value as JSON; of an enum its value.

    Args:
        value: to write.
        parts: the fields to write of a dataclass; one that does not count is left out where no file can hold it.

    Raises:
        HeldOnlyHereError: it is of a class that JSON cannot hold; the message names the class.
    """
    if value is None or (isinstance(value, str | float | int) and not isinstance(value, Enum)):
        return value
    if isinstance(value, list):
        return [to_plain(item, parts) for item in value]
    if isinstance(value, tuple):
        return {"$tuple": [to_plain(item, parts) for item in value]}
    if isinstance(value, Mapping):
        return _mapping(value, parts)
    if is_dataclass(value) and not isinstance(value, type):
        return _dataclass(value, parts)
    if isinstance(value, Enum):
        return to_plain(value.value, parts)
    if isinstance(value, _AS_TEXT):
        return {"$text": str(value)}
    raise HeldOnlyHereError(type(value).__name__)


def from_plain(plain: JsonValue) -> Any:  # Any: whatever it was
    """The value that `to_plain` wrote; nothing is imported or called to make it.

    Raises:
        InvalidRequestError: it is of a class that this program has not imported.
    """
    if isinstance(plain, list):
        return [from_plain(item) for item in plain]
    if not isinstance(plain, dict):
        return plain
    match plain:
        case {"$tuple": [*items]}:
            return tuple(from_plain(item) for item in items)
        case {"$dict": [*pairs]}:
            return {from_plain(key): from_plain(item) for key, item in pairs}
        case {"$text": text}:
            return text
        case {"$type": str(name)}:
            return _made(_class(name), plain)
    return {name: from_plain(item) for name, item in plain.items()}


@functools.cache
def everything(cls: type[DataclassInstance]) -> tuple[Field[Any], ...]:
    """All fields of a dataclass."""
    return fields(cls)


@functools.cache
def what_counts(cls: type[DataclassInstance]) -> tuple[Field[Any], ...]:
    """The fields by which a dataclass is compared."""
    return tuple(f for f in fields(cls) if f.compare)


def _mapping(value: Mapping[object, object], parts: Parts) -> JsonObject:
    if all(isinstance(name, str) and not name.startswith("$") for name in value):
        return {str(name): to_plain(item, parts) for name, item in value.items()}
    return {"$dict": [[to_plain(key, parts), to_plain(item, parts)] for key, item in value.items()]}


def _dataclass(value: DataclassInstance, parts: Parts) -> JsonObject:
    plain: dict[str, JsonValue] = {"$type": _name(type(value))}
    for f in parts(type(value)):
        item = getattr(value, f.name)
        if item is None and f.default is None:
            continue
        try:
            plain[f.name] = to_plain(item, parts)
        except HeldOnlyHereError:
            if f.compare:
                raise
    return plain


@functools.cache
def _name(cls: type) -> str:
    return cls.__name__ if getattr(messages, cls.__name__, None) is cls else f"{cls.__module__}:{cls.__qualname__}"


def _class(name: str) -> type:
    module, _, path = name.rpartition(":")
    found: object = sys.modules.get(module) if module else messages
    for part in path.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not is_dataclass(found):
        raise InvalidRequestError(f"the recording holds a {name}, which this program has not: import its module")
    return found


def _made(cls: type, plain: JsonObject) -> object:
    new: object = object.__new__(cls)
    for f in fields(cls):
        object.__setattr__(new, f.name, from_plain(plain[f.name]) if f.name in plain else _default(f))
    return new


def _default(f: Field[Any]) -> object:
    if f.default_factory is not MISSING:
        return f.default_factory()
    return None if f.default is MISSING else f.default
