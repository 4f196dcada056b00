"""Tool calls out of their pieces: servers number them, name them by an id, or send each whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from scaffolding_core.messages import ToolCall

__all__ = ["ToolCallPieces"]


@dataclass(slots=True)
class _Call:
    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""
    named_in: int = 0
    """Number of the delta that its name came with."""


class ToolCallPieces:
    """The tool calls of one answer as they grow.

    A piece belongs to the last call of its number; without a number, to the last of its id, or to the last of
    all. It begins a new call if it has a name, and an id of its own or the same delta has named that call before.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._delta = 0

    def __len__(self) -> int:
        return len(self._calls)

    # Any: JSON from outside.
    def add(self, pieces: list[dict[str, Any]]) -> None:
        """Take the pieces of one delta.

        Raises:
            TypeError, AttributeError: they have another shape.
        """
        self._delta += 1
        for piece in pieces:
            function = piece.get("function") or {}
            name = _text(function.get("name"))
            call = self._call(piece.get("index"), _text(piece.get("id")), name)
            if name:
                call.name, call.named_in = name, self._delta
            call.arguments += _arguments(function.get("arguments"))

    def whole(self) -> list[ToolCall]:
        """The calls as they are, in their order."""
        return [
            ToolCall(call.id, call.name, call.arguments)
            for call in sorted(self._calls, key=lambda call: call.index)
        ]

    def _call(self, index: object, given: str, name: str) -> _Call:
        """The call that a piece belongs to."""
        if index is not None and (isinstance(index, bool) or not isinstance(index, int) or index < 0):
            raise TypeError(f"a tool call has the number {index!r}")
        call = next((call for call in reversed(self._calls) if index is None or call.index == index), None)
        if call is not None and not self._begins(call, index, given, name):
            call.id = call.id or given
            return call
        last = max((call.index for call in self._calls), default=-1)
        self._calls.append(_Call(last + 1 if index is None else index, given))
        return self._calls[-1]

    def _begins(self, call: _Call, index: object, given: str, name: str) -> bool:
        """Whether a piece with a name begins another call than the one its place is taken by."""
        if not name or not call.name:
            return False
        if given and call.id:
            return given != call.id
        return index is None or call.named_in == self._delta


def _text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int):  # a number as id
        return str(value)
    raise TypeError(f"text was due, not {value!r}")


def _arguments(value: object) -> str:
    """Arguments as text; some servers send the object itself."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _text(value)
