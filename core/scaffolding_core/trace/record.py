"""Record: one call of a run, with what it asked and what came back; the line of a recording."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, NamedTuple

from scaffolding_core.messages import JsonObject, JsonValue, Usage
from scaffolding_core.results import CallRecord, Hints

__all__ = ["Key", "Place", "Record"]


@dataclass(frozen=True, slots=True)
class Key:
    """What tells a call from all others of a run, wherever and whenever it was made.

    Attributes:
        digest: hash of worker, inputs and parameters.
        index: how many calls of the same content the run had begun before it.
    """

    digest: str
    index: int


class Place(NamedTuple):
    """Where in a run a call was made.

    Attributes:
        request: number of its request, from 0 in the order in which they first called.
        branch: path of the branch that made it.
        call: its number among the calls of that branch.
    """

    request: int
    branch: tuple[int, ...]
    call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(CallRecord):
    """One call, as a recording keeps it.

    Its times are in seconds since the first call of its request, and it is queued when the worker is asked.

    Attributes:
        digest: hash of worker, inputs and parameters.
        index: how many calls of the same content the run had begun before it.
        request: number of its request, from 0 in the order in which they first called.
        call: its number among the calls of its branch.
        timestamp: when it was over, in seconds since 1970.
        role: tag of the worker.
        model: the worker's model; None if nobody knows.
        inputs: what was asked, by field; None without content.
        parameters: the sampling parameters that were set; None without content.
        results: what came back, by field; None without content.
        error_type: class of the error it failed with.
    """

    digest: str
    index: int
    request: int
    call: int
    timestamp: float
    role: JsonValue = None
    model: str | None = None
    inputs: JsonObject | None = None
    parameters: JsonObject | None = None
    results: JsonObject | None = None
    error_type: str | None = None

    @property
    def key(self) -> Key:
        """What tells it from all others of its run."""
        return Key(self.digest, self.index)

    @property
    def place(self) -> Place:
        """Where in its run it was made."""
        return Place(self.request, self.branch, self.call)

    def without_content(self) -> Record:
        """The same without what was said: hashes, costs, times and kinds of errors."""
        return dataclasses.replace(self, inputs=None, parameters=None, results=None, error=None)

    def to_line(self) -> dict[str, Any]:
        """The record as plain data, without what is unset."""
        named = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        if self.usage is not None:
            counts = dataclasses.asdict(self.usage)
            named["usage"] = {name: count for name, count in counts.items() if count is not None}
        if self.hints is not None:
            named["hints"] = dataclasses.asdict(self.hints)
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_line(cls, line: dict[str, Any]) -> Record:
        """Read what `to_line` wrote.

        Raises:
            TypeError: a field is missing, or is none of a record.
        """
        usage, hints = line.get("usage"), line.get("hints")
        read = {**line, "branch": tuple(line["branch"]), "started": line.get("started")}
        read["usage"] = None if usage is None else Usage(**usage)
        read["hints"] = None if hints is None else Hints(**hints)
        return cls(**read)
