"""Calls of foreign things, which have a blocking form, an async form, or both."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import called_synchronously

__all__ = ["run_either"]


async def run_either(
    blocking: Callable[..., Any] | None,
    asynchronous: Callable[..., Awaitable[Any]] | None,
    *args: Any,
    **kwargs: Any,
) -> Any:  # Any: foreign things, of no common type
    """Call a foreign thing by its blocking form in a thread, or by its async form on the loop.

    Under a blocking call the blocking form is preferred, under an async call the async one.
    """
    if asynchronous is not None and (blocking is None or not called_synchronously.get()):
        return await asynchronous(*args, **kwargs)
    assert blocking is not None
    return await run_in_thread(blocking, *args, **kwargs)
