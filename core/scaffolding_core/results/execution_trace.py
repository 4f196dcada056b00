"""ExecutionTrace: every call of a request, when it ran, what it cost and how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from scaffolding_core.messages import JsonValue, Usage

__all__ = ["CallRecord", "Ending", "ExecutionTrace", "Hints"]

Ending: TypeAlias = Literal["finished", "failed", "cut"]
"""How a call ended; `cut`: stopped because the method no longer needed it."""


@dataclass(slots=True)
class Hints:
    """What a server was told of a call besides what it asks, so that it can plan; of siblings together, of all.

    Attributes:
        sent: by field of the request, `n` among them where siblings shared it; as it was sent last.
        dropped: what else was known, each with why it was not sent.
        replica: which of a pool's replicas answered, or failed last; None without a pool.
    """

    sent: dict[str, JsonValue] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    replica: str | None = None


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call of a worker.

    Attributes:
        branch: path of the branch that made it; `()` is the request's own generator.
        task: kind of task.
        worker: kind of worker; empty if none was found.
        queued: when the method asked for it, in seconds since the request was made.
        started: when it had a slot of the worker; None if it never had.
        ended: when it was over, its cut included.
        ending: how it ended.
        usage: what it cost, where the worker tells.
        error: why it failed, where it did.
        hints: what the server was told besides; None for nothing.
    """

    branch: tuple[int, ...]
    task: str
    worker: str
    queued: float
    started: float | None
    ended: float
    ending: Ending
    usage: Usage | None = None
    error: str | None = None
    hints: Hints | None = None


@dataclass(slots=True)
class ExecutionTrace:
    """Every call of a request, in the order in which they ended.

    Attributes:
        id: number of the request.
        calls: those that ended; complete once the request has.
    """

    id: int
    calls: list[CallRecord] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """The trace as plain data, fit for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join(_line(call) for call in self.calls)


def _line(call: CallRecord) -> str:
    branch = ".".join(map(str, call.branch)) or "-"
    waited = "never started" if call.started is None else f"{call.started:8.3f} s"
    tokens = call.usage.total_tokens if call.usage is not None else 0
    line = f"{branch:10} {call.task:16} {waited} to {call.ended:8.3f} s  {call.ending:8} {tokens:6} tokens"
    return f"{line}  {call.error}" if call.error else line
