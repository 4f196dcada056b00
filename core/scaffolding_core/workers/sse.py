"""Server-sent events, split out of bytes as they come."""

from __future__ import annotations

from scaffolding_core.errors import IncompleteResponseError

__all__ = ["LARGEST_EVENT", "EventSplitter"]

LARGEST_EVENT = 16 << 20
"""Bytes of one event; a server that sends more is broken."""


class EventSplitter:
    """Collects bytes and gives out the data of each whole event."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, piece: bytes) -> list[bytes]:
        """The data of the events that this piece completes.

        Raises:
            IncompleteResponseError: an event that is too large.
        """
        *lines, self._rest = (self._rest + piece).split(b"\n")
        events = []
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
                self._size += len(line)
            elif not line and self._data:
                events.append(b"\n".join(self._data))
                self._data.clear()
                self._size = 0
        if self._size + len(self._rest) > LARGEST_EVENT:
            raise IncompleteResponseError(f"the server sent an event of more than {LARGEST_EVENT} bytes")
        return events
