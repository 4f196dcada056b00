"""checked_part: what a method is made of, checked when it is made."""

from __future__ import annotations

from typing import TypeVar

from scaffolding_core.errors import InvalidRequestError

__all__ = ["checked_part"]

Part = TypeVar("Part")


def checked_part(part: Part, name: str, does: str) -> Part:
    """The part, if it has the method that it is needed for.

    Args:
        part: to check.
        name: of the argument.
        does: name of the method.

    Raises:
        InvalidRequestError: it has not, or it is a class.
    """
    if isinstance(part, type) or not callable(getattr(part, does, None)):
        raise InvalidRequestError(f"{name} must be an instance with {does}(), got {part!r}")
    return part
