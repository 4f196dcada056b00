"""How far a model may go that calls tools, and how far it has gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Limits", "Spent"]

Limit: TypeAlias = Literal["turns", "calls", "repeats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Most of each that a model may do before it must answer.

    Args:
        turns: in which it calls tools.
        calls: that are run.
        repeats: runs of one and the same call.

    Raises:
        InvalidRequestError: no whole number of at least 1.
    """

    turns: int
    calls: int
    repeats: int

    def __post_init__(self) -> None:
        for name in ("turns", "calls", "repeats"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidRequestError(f"max_{name} must be a whole number of at least 1, got {value!r}")


@dataclass(slots=True)
class Spent:
    """What a model has done so far in one branch.

    Attributes:
        ids: of its calls.
        stopped: the limit that it has met; None while it may go on.
    """

    limits: Limits
    turns: int = 0
    calls: int = 0
    ids: set[str] = field(default_factory=set)
    stopped: Limit | None = None
    _runs: Counter[str] = field(default_factory=Counter)

    def refused(self, key: str) -> str | None:
        """Count a call by its `call_key`; why it is not to be run, for the model to read, where a limit is met."""
        if self._runs[key] >= self.limits.repeats:
            self.stopped = self.stopped or "repeats"
            return "this very call was answered before, and is not run again"
        if self.calls >= self.limits.calls:
            self.stopped = self.stopped or "calls"
            return f"it was not run: {self.limits.calls} calls are the most"
        self.calls += 1
        return None

    def once(self, key: str) -> str:
        """What tells a call from the same one that was answered before."""
        return f"{key} #{self._runs[key]}"

    def turn_ended(self, keys: Iterable[str]) -> None:
        """Count a turn, after its calls."""
        self.turns += 1
        self._runs.update({*keys})
        if self.turns >= self.limits.turns:
            self.stopped = self.stopped or "turns"
