"""What a method is made of, checked when it is made."""

from __future__ import annotations

import math
from typing import TypeVar

from scaffolding_core.errors import InvalidRequestError

__all__ = ["checked_number", "checked_part", "checked_share", "checked_template", "checked_whole"]

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


def checked_number(name: str, value: object) -> float:
    """The value, if it is a finite number.

    Raises:
        InvalidRequestError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InvalidRequestError(f"{name} must be a finite number, got {value!r}")
    return value


def checked_share(name: str, value: object) -> float:
    """A share above 0 and up to 1.

    Raises:
        InvalidRequestError: it is none.
    """
    share = checked_number(name, value)
    if not 0 < share <= 1:
        raise InvalidRequestError(f"{name} must be a share above 0 and up to 1, got {value!r}")
    return share


def checked_whole(name: str, value: object, least: int) -> int:
    """A whole number of at least so much.

    Raises:
        InvalidRequestError: it is none.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InvalidRequestError(f"{name} must be a whole number of at least {least}, got {value!r}")
    return value


def checked_template(name: str, template: object, *fields: str) -> str:
    """A text that `str.format` fills with these fields.

    Raises:
        InvalidRequestError: it needs others, or holds a brace that is not doubled.
    """
    try:
        str(template).format(**dict.fromkeys(fields, ""))
    except (LookupError, ValueError, AttributeError) as error:
        known = ", ".join(f"{{{field}}}" for field in fields)
        raise InvalidRequestError(
            f"{name} must be a text with {known}, and braces of its own doubled: {error!r}"
        ) from error
    return str(template)
