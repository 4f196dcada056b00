"""Which fields of a structure, or arguments of a call, count where it is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonValue

__all__ = ["CountedFields"]

Path: TypeAlias = tuple[str, ...]


class CountedFields:
    """Leaves out what does not count.

    A field is told by its name, one within another by both, as in `buyer.name`; of a list that holds objects, it
    is the field of each.

    Args:
        only: the fields that count; None for all. Where a value has none of them, all of it counts.
        ignore: fields that do not.

    Raises:
        InvalidRequestError: names that are none, or no name in `only`.
    """

    __slots__ = ("_ignored", "_only")

    def __init__(self, only: Sequence[str] | None = None, ignore: Sequence[str] = ()) -> None:
        self._only = None if only is None else _paths("only", only)
        self._ignored = _paths("ignore", ignore)
        if self._only is not None and not self._only:
            raise InvalidRequestError("only must name at least one field that counts")

    def of(self, value: JsonValue) -> JsonValue:
        """What counts of a value."""
        if self._only is not None:
            value = _kept(value, self._only) or value
        return _without(value, self._ignored) if self._ignored else value


def _paths(name: str, fields: Sequence[str]) -> frozenset[Path]:
    if isinstance(fields, str) or not all(isinstance(field, str) and field for field in fields):
        raise InvalidRequestError(f"{name} must be a list of names of fields, got {fields!r}")
    return frozenset(tuple(field.split(".")) for field in fields)


def _kept(value: JsonValue, paths: frozenset[Path]) -> JsonValue:
    if isinstance(value, list):
        return [_kept(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: item if () in inside else _kept(item, inside)
        for name, item in value.items()
        if (inside := _inside(paths, name))
    }


def _without(value: JsonValue, paths: frozenset[Path]) -> JsonValue:
    if isinstance(value, list):
        return [_without(item, paths) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _without(item, inside) for name, item in value.items() if () not in (inside := _inside(paths, name))
    }


def _inside(paths: frozenset[Path], name: str) -> frozenset[Path]:
    return frozenset(path[1:] for path in paths if path[:1] == (name,))
