"""The seam between `CodeWorker` and what it runs programs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from scaffolding_core.tasks import CodeFailure

__all__ = ["Backend", "Program", "Ran"]


@dataclass(frozen=True, slots=True)
class Program:
    """What a sandbox is given.

    Args:
        code: Python; where `has_result`, it leaves the value of its last expression in `RESULT_NAME`.
        has_result: whether it has one.
        files: content by path, there when it starts.
        state: what the sandbox gave back for the branch's program before; None for a fresh start.
        seconds: it may take.
        memory_bytes: it may take.
        output_bytes: it may print, and its result may have.
        kept: whether a program after it sees what it leaves; else no `state` is wanted.
    """

    code: str
    has_result: bool
    files: Mapping[str, bytes]
    state: object
    seconds: float
    memory_bytes: int
    output_bytes: int
    kept: bool = True


@dataclass(slots=True)
class Ran:
    """What a sandbox gives back.

    Attributes:
        stdout: what the program printed.
        result: the `repr` of its result.
        failure: why it failed, where it did.
        files: all files that are there after it.
        state: for the branch's next program.
        memory_used: the most bytes that its process held; None where that is not known.
    """

    stdout: str = ""
    result: str | None = None
    failure: CodeFailure | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    state: object = None
    memory_used: int | None = None


class Backend(Protocol):
    """Runs programs, any number at once, each apart from all others. It belongs to one event loop."""

    async def run(self, program: Program) -> Ran:
        """Run a program; cut, it ends the program at once.

        Raises:
            WorkerError: the sandbox itself is broken.
        """

    async def close(self) -> None:
        """End all that runs, and leave no process."""
