"""watched: a running method, seen by somebody who does not change what it does."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import AbstractContextManager, nullcontext
from types import GeneratorType
from typing import Any

from scaffolding_core.controller import Steps

__all__ = ["Watch", "generator_of", "watched"]


class Watch:
    """Sees what a method yields."""

    def running(self) -> AbstractContextManager[object]:
        """Entered whenever the method runs on."""
        return nullcontext()

    def before(self, yielded: Any) -> Any:  # Any: whatever a method may yield
        """What is to be done for what the method yields: that, or something in its place."""
        return yielded

    def after(self, yielded: Any, reply: object) -> None:
        """It has been done, with this reply."""

    def ended(self) -> None:
        """The method has returned, failed or been closed."""


def watched(method: Iterable[Any], watch: Watch) -> Steps[Any]:
    """Run a method, with a watch."""
    generator = generator_of(method)
    reply: object = None
    error: BaseException | None = None
    try:
        while True:
            try:
                with watch.running():
                    yielded = generator.send(reply) if error is None else generator.throw(error)
            except StopIteration as stop:
                return stop.value
            reply = error = None
            asked = watch.before(yielded)
            try:
                reply = yield asked
            except GeneratorExit:
                with watch.running():
                    generator.close()
                raise
            except BaseException as thrown:
                error = thrown
            else:
                watch.after(asked, reply)
    finally:
        watch.ended()


def generator_of(method: Iterable[Any]) -> Generator[Any, Any, Any]:
    """A running method as a generator, also where it can only be iterated over."""
    steps = iter(method)
    return steps if isinstance(steps, GeneratorType) else (step for step in steps)
