"""ShownEvents: a request's events as the pieces of another library's stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from scaffolding_core.adapting.answer_stream import AnswerStream
from scaffolding_core.results import CandidateEvent, Event, FinalEvent
from scaffolding_core.tasks import Delta

__all__ = ["ShownEvents"]

Piece = TypeVar("Piece")


class ShownEvents(ABC, Generic[Piece]):
    """Turns events into pieces of a stream: the answer's text, and at last all that is known of the request.

    Args:
        live: the text is shown as it comes; see `AnswerStream`.
        candidates: each sample that ends is shown too.
    """

    def __init__(self, *, live: bool, candidates: bool = False) -> None:
        self._live = live
        self._shows_candidates = candidates
        self._answer = AnswerStream(live=live)

    def of(self, event: Event) -> Iterator[Piece]:
        """The pieces that an event brings."""
        if self._shows_candidates and isinstance(event, CandidateEvent):
            yield from self._candidate(event)
        delta = self._answer.of(event)
        if delta is not None:
            yield from self._pieces(event, delta)
        if isinstance(event, FinalEvent):
            yield self._last(event)

    def _candidate(self, event: CandidateEvent) -> Iterable[Piece]:
        """What shows a sample that ended; nothing unless overridden."""
        return ()

    @abstractmethod
    def _pieces(self, event: Event, delta: Delta) -> Iterator[Piece]:
        """What the event brings of the answer; nothing where it is not shown."""

    @abstractmethod
    def _last(self, event: FinalEvent) -> Piece:
        """The end of the stream."""
