"""What makes no sense as a limit, refused where it is written rather than ignored."""

from __future__ import annotations

from scaffolding_core import InvalidRequestError

__all__ = ["checked_limit"]


def checked_limit(at_once: object, name: str = "max_concurrent_samples") -> int:
    """A number of calls at once.

    Args:
        at_once: the number.
        name: of the parameter.

    Raises:
        InvalidRequestError: none.
    """
    if not isinstance(at_once, int) or at_once < 1:
        raise InvalidRequestError(f"{name} must be a whole number of at least 1, got {at_once!r}")
    return at_once
