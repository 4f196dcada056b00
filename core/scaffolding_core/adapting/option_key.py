"""option_key: what tells the options of one method from those of another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

__all__ = ["option_key"]


def option_key(value: object) -> Hashable:
    """A key that is equal for equal values alone; it holds them, so that no other takes their place.

    Containers count by what they hold, so that one that is changed later has another key. Any other value is equal
    to what it says itself it is equal to, one without a hash too; what cannot be compared, to itself alone.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return type(value), frozenset((name, option_key(part)) for name, part in value.items())
    if isinstance(value, list | tuple):
        return type(value), tuple(map(option_key, value))
    if isinstance(value, set | frozenset):
        return type(value), frozenset(map(option_key, value))
    try:
        hash(value)
    except TypeError:
        return _Unhashable(value)
    return type(value), value


class _Unhashable:
    """A value without a hash, as a key."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __hash__(self) -> int:
        return hash(type(self._value))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Unhashable) or type(self._value) is not type(other._value):
            return False
        try:
            return self._value is other._value or bool(self._value == other._value)
        except Exception:  # an array has no truth value, and others fail in other ways
            return False
