"""Part: a part of what a model said, as an attribute of whatever refers to it."""

from __future__ import annotations

import copy
from typing import Generic, Protocol, Self, TypeVar, overload

from scaffolding_core.messages.message import AssistantMessage

__all__ = ["Part"]

T = TypeVar("T")


class _Refers(Protocol):
    said: AssistantMessage | None


class Part(Generic[T]):
    """Reads a part of `said`, None where nothing was said; written, it leaves others' references as they are.

    Args:
        name: of the attribute of an `AssistantMessage`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, holder: None, kind: type) -> Self: ...
    @overload
    def __get__(self, holder: _Refers, kind: type) -> T: ...

    def __get__(self, holder: _Refers | None, kind: type) -> T | Self:
        if holder is None:
            return self
        part: T = getattr(holder.said, self.name, None)  # type: ignore[assignment]  # a part may be None
        return part

    def __set__(self, holder: _Refers, value: T) -> None:
        said = holder.said
        holder.said = said = AssistantMessage() if said is None else copy.copy(said)
        setattr(said, self.name, value)
