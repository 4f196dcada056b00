"""Events of an answer, split out of bytes as they come; one that is not streamed is a single event."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple, Protocol

from scaffolding_core.errors import IncompleteResponseError

__all__ = ["LARGEST_EVENT", "Event", "EventSplitter", "Splitter", "WholeBody"]

LARGEST_EVENT = 16 << 20
"""Bytes of one event; a server that sends more is broken."""

_LINE_END = re.compile(rb"\r\n|\n|\r")


class Event(NamedTuple):
    """What an answer has told at once.

    Attributes:
        data: what it says.
        failed: whether the server calls it an error.
    """

    data: bytes
    failed: bool = False


class Splitter(Protocol):
    """Makes events of bytes."""

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes.

        Raises:
            IncompleteResponseError: one is too large.
        """

    def finish(self) -> list[Event]:
        """The event that the end of the answer completes, if there is one."""


class WholeBody(Splitter):
    """An answer that is not streamed: its end completes the only event."""

    def __init__(self) -> None:
        self._body = bytearray()

    def feed(self, piece: bytes) -> list[Event]:
        """Keep it; no event yet."""
        self._body += piece
        return []

    def finish(self) -> list[Event]:
        """The whole answer."""
        body, self._body = bytes(self._body), bytearray()
        return [Event(body.removeprefix(codecs.BOM_UTF8))] if body else []


class EventSplitter(Splitter):
    """Server-sent events.

    Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, but that an event whose blank line is
    missing at the end counts, and a byte-order mark is passed over at the start of any line.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []  # of a line whose end has not come
        self._data: list[bytes] = []
        self._failed = False
        self._size = 0  # of both
        self._after_return = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that this piece completes.

        Raises:
            IncompleteResponseError: one is too large.
        """
        if self._after_return and piece:
            piece, self._after_return = piece.removeprefix(b"\n"), False
        self._pieces.append(piece)
        self._size += len(piece)
        events = self._split(piece) if b"\n" in piece or b"\r" in piece else []
        if self._size > LARGEST_EVENT:
            raise IncompleteResponseError(f"the server sent an event of more than {LARGEST_EVENT} bytes")
        return events

    def finish(self) -> list[Event]:
        """The event that the end of the answer completes, if there is one."""
        return self.feed(b"\n\n") if self._size or self._data else []

    def _split(self, piece: bytes) -> list[Event]:
        self._after_return = piece.endswith(b"\r")
        whole = b"".join(self._pieces)
        *lines, rest = whole.split(b"\n") if b"\r" not in whole else _LINE_END.split(whole)
        events = []
        for line in lines:
            line = line.removeprefix(codecs.BOM_UTF8)  # what joins two answers leaves that of the second
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line:
                if self._data:
                    events.append(Event(b"\n".join(self._data), self._failed))
                    self._data = []
                self._failed = False
            elif line.startswith(b"event:"):
                self._failed = line[6:].strip() == b"error"
        self._pieces, self._size = [rest], len(rest) + sum(map(len, self._data))
        return events
