"""CodeTask: run a program in a sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tasks.task import Task

__all__ = ["CodeFailure", "CodeTask"]


@dataclass(frozen=True, slots=True)
class CodeFailure:
    """Why a program failed; its text is a sentence that a model may read.

    Args:
        kind: it raised (`exception`), was no Python (`syntax`), ran into a limit (`limit`), or took its
            sandbox down with it (`crash`).
        type: of the exception, such as `ZeroDivisionError`; of a limit, which one: `time`, `memory` or `output`.
        message: of the exception, or what the limit was.
        line: of the program, from 1; None where that is not known.
    """

    kind: Literal["exception", "syntax", "limit", "crash"]
    type: str
    message: str = ""
    line: int | None = None

    def __str__(self) -> str:
        name = f"limit: {self.type}" if self.kind == "limit" else self.type
        where = f" (line {self.line})" if self.line is not None else ""
        return f"{name}: {self.message}{where}" if self.message else f"{name}{where}"


@dataclass(slots=True, eq=False, repr=False)
class CodeTask(Task):
    """Run a program in a sandbox.

    A program that fails has run: `failure` says how. Tasks of one branch of a request see what those before them
    defined and wrote.

    Args:
        code: Python; fences around it are taken off.
        files: content by relative path, there when the program starts; text is written as UTF-8.
        seconds: it may take; the worker's own limit where left out.
        memory_bytes: it may take; the worker's own limit where left out.
        fresh: it sees nothing of the branch's programs before it, and leaves nothing to those after it.

    Attributes:
        stdout: what it printed.
        result: the value of its last expression, as text; None where it has none.
        value: the same as data, where it is plain: numbers, texts, and lists, tuples, sets and dicts of them.
        failure: why it failed, where it did.
        output_files: content by path of what it wrote or changed.
        seconds_used: it took.
        memory_used: the most bytes that its process held; None where the sandbox does not tell.
    """

    code: str | None = field(default=None, kw_only=True)
    files: Mapping[str, bytes | str] | None = field(default=None, kw_only=True)
    seconds: float | None = field(default=None, kw_only=True)
    memory_bytes: int | None = field(default=None, kw_only=True)
    fresh: bool = field(default=False, kw_only=True)
    stdout: str = field(default="", kw_only=True, metadata=RESULT)
    result: str | None = field(default=None, kw_only=True, metadata=RESULT)
    value: object = field(default=None, kw_only=True, metadata=RESULT)
    failure: CodeFailure | None = field(default=None, kw_only=True, metadata=RESULT)
    output_files: Mapping[str, bytes] | None = field(default=None, kw_only=True, metadata=RESULT)
    seconds_used: float | None = field(default=None, kw_only=True, metadata=RESULT)
    memory_used: int | None = field(default=None, kw_only=True, metadata=RESULT)
