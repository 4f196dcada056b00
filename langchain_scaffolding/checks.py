"""What makes no sense of a method, refused where it is written rather than ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffolding_core import Controller, InvalidRequestError
from scaffolding_core.backend import Backend
from scaffolding_core.order import option_names

__all__ = ["check_method", "checked_limit"]


def check_method(
    backend: Backend, method: str | Controller, options: Mapping[str, Any], sample_num: int | None
) -> None:
    """Check a method, its options, and whether it takes several samples.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: options or samples that the method does not take, or no reward where it needs one.
    """
    controller = backend.controller(method, options)
    if sample_num is not None and "sample_num" not in (option_names(controller) or ()):
        named = repr(method) if isinstance(method, str) else type(method).__name__
        raise InvalidRequestError(f"the method {named} takes no sample_num: leave it out")


def checked_limit(at_once: object) -> int:
    """A number of calls at once.

    Raises:
        InvalidRequestError: none.
    """
    if not isinstance(at_once, int) or at_once < 1:
        raise InvalidRequestError(f"max_concurrency must be a whole number of at least 1, got {at_once!r}")
    return at_once
