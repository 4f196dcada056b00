"""Scope: what a running task may know of its request; and what it hands on while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Delta", "Scope", "StreamHandle"]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer as it is written; `original` is how a wrapped client gave it.

    `token_ids` are those that came since the piece before, where the worker tells.
    """

    text: str = ""
    reasoning: str = ""
    original: object = None
    token_ids: Sequence[int] = field(default=(), compare=False)


class Scope(Protocol):
    """What a running task may know of the request it belongs to; the driver provides it."""

    @property
    def request_id(self) -> int:
        """Number of the request, unique in this process."""

    @property
    def branch(self) -> tuple[int, ...]:
        """Path of the branch that yielded the task; `()` is the request's own generator."""

    @property
    def deadline(self) -> float | None:
        """When the request ends at the latest, on the running loop's clock (`loop.time()`)."""

    @property
    def priority(self) -> int:
        """Of the request: 0, more for what is to be done sooner."""

    @property
    def listening(self) -> bool:
        """Whether anybody listens to `emit`."""

    @property
    def counts_tokens(self) -> bool:
        """Whether what `wrote` tells may end the task, as a budget of tokens does."""

    @property
    def may_be_cut(self) -> bool:
        """Whether the method, a deadline or a budget may stop the task; its caller may in any case."""

    def emit(self, delta: Delta) -> None:
        """Hand on a piece of the answer."""

    def wrote(self, tokens: int) -> None:
        """Tell how many tokens were written for the task so far: its budget may end with them."""


class StreamHandle(Protocol):
    """An open stream that a `StreamGenerationTask` goes on reading; closing it aborts at the backend."""

    async def aclose(self) -> None:
        """Abort, and free what the stream holds."""
