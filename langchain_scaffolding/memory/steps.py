"""Work on foreign things that have a blocking and an async form of each method, written once for both."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

__all__ = ["MemorySteps", "adone", "done"]

# Any: what a foreign method takes and returns.
MemorySteps: TypeAlias = Generator[tuple[object, str, tuple[Any, ...]], Any, None]
"""Yields an object, the name of its blocking method, and arguments; is sent what that returns, a list of a stream.

The async form has the same name with an `a` before it.
"""


def done(steps: MemorySteps) -> None:
    """Take the steps, by the blocking forms."""
    go_on: Callable[[Any], tuple[object, str, tuple[Any, ...]]] = steps.send
    said: Any = None
    while True:
        try:
            owner, name, args = go_on(said)
        except StopIteration:
            return
        try:
            said = getattr(owner, name)(*args)
            go_on, said = steps.send, list(said) if name == "list" else said
        except Exception as error:
            go_on, said = steps.throw, error


async def adone(steps: MemorySteps) -> None:
    """Take the steps, by the async forms."""
    go_on: Callable[[Any], tuple[object, str, tuple[Any, ...]]] = steps.send
    said: Any = None
    while True:
        try:
            owner, name, args = go_on(said)
        except StopIteration:
            return
        try:
            said = getattr(owner, f"a{name}")(*args)
            go_on, said = steps.send, [item async for item in said] if name == "list" else await said
        except Exception as error:
            go_on, said = steps.throw, error
