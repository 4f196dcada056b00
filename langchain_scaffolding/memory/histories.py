"""Message histories of a sampled chain: a sample adds to its own view of each, and the winner's view stays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from langchain_scaffolding.memory.steps import MemorySteps

__all__ = ["Histories", "sampled_history"]

# Any: a factory takes whatever its author lets it.
Factory = Callable[..., BaseChatMessageHistory]


class Histories:
    """What one sample adds to the histories that it uses."""

    def __init__(self) -> None:
        self._around = _of_the_sample.get()
        self._views: dict[object, _View] = {}

    @contextmanager
    def used(self) -> Iterator[None]:
        """Chains that run in here use these."""
        token = _of_the_sample.set(self)
        try:
            yield
        finally:
            _of_the_sample.reset(token)

    def view(self, factory: Factory, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseChatMessageHistory:
        """A history as this sample sees it."""
        key = (factory, args, tuple(sorted(kwargs.items())))
        if key not in self._views:
            self._views[key] = _View(_seen(self._around, factory, args, kwargs))
        return self._views[key]

    def kept(self) -> MemorySteps:
        """Do to the histories what the sample did to its views."""
        for view in self._views.values():
            if view.cleared:
                yield view.seen, "clear", ()
            if view.added:
                yield view.seen, "add_messages", (view.added,)


_of_the_sample: ContextVar[Histories | None] = ContextVar("_of_the_sample", default=None)


def sampled_history(factory: Factory) -> Factory:
    """The same factory of histories, which gives a sample its own view of each."""

    @functools.wraps(factory)
    def viewed(*args: Any, **kwargs: Any) -> BaseChatMessageHistory:
        return _seen(_of_the_sample.get(), factory, args, kwargs)

    return viewed


def _seen(
    by: Histories | None, factory: Factory, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> BaseChatMessageHistory:
    return factory(*args, **kwargs) if by is None else by.view(factory, args, kwargs)


class _View(BaseChatMessageHistory):
    def __init__(self, seen: BaseChatMessageHistory) -> None:
        self.seen = seen
        self.cleared = False
        self.added: list[BaseMessage] = []

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # LangChain's own subclasses have a property
        return [*([] if self.cleared else self.seen.messages), *self.added]

    async def aget_messages(self) -> list[BaseMessage]:
        return [*([] if self.cleared else await self.seen.aget_messages()), *self.added]

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        self.added += messages

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        self.added += messages

    def clear(self) -> None:
        self.cleared, self.added = True, []

    async def aclear(self) -> None:
        self.clear()
