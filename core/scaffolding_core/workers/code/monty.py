"""MontyBackend: programs in `pydantic-monty`, an interpreter in Rust, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scaffolding_core.errors import BackendUnavailableError, MissingExtraError
from scaffolding_core.tasks import CodeFailure
from scaffolding_core.workers.code.backend import Program, Ran
from scaffolding_core.workers.code.source import RESULT_NAME

if TYPE_CHECKING:
    from pydantic_monty import AsyncMonty, AsyncMontySession, MontyRuntimeError, MontySyntaxError

    from scaffolding_core.workers.code.monty_files import MontyFiles

__all__ = ["MontyBackend"]

_GRACE = 0.5
"""Seconds for the interpreter to stop a program itself, before its process is killed."""

_HOST_CALLS = 100_000
"""Calls of a program for files; the time that they take is counted."""

_MOST = 2**60
"""Above any limit, in what the interpreter can count."""

_threads_of: int | None = None
"""The process that has the interpreter's threads; in the child of its fork they are gone, and all would hang."""

_LIMITS = {"TimeoutError": "time", "MemoryError": "memory"}

_ENDED = ("feed time limit exceeded", "sleep limit exceeded", "memory limit exceeded", "the worker exceeded its ")
"""How the interpreter says that it has ended a program; a program raises the same types itself."""


class _State(NamedTuple):
    """What a branch's program left: the interpreter, as bytes that only an interpreter reads, and its folders."""

    interpreter: bytes
    folders: Sequence[str]


class MontyBackend:
    """Runs programs in the library's own pool of processes; one that has run a program is not used again.

    The interpreter makes no system call: files are kept in memory, and there is no network, process or thread.
    It has a part of Python's library only.

    Cost: about 4 ms a program.

    Source: https://github.com/pydantic/monty

    Args:
        max_processes: at once.

    Raises:
        MissingExtraError: the extra `sandbox` is not installed.
    """

    def __init__(self, max_processes: int) -> None:
        try:
            import pydantic_monty
        except ImportError as error:
            raise MissingExtraError("CodeWorker", "sandbox") from error
        from scaffolding_core.workers.code.monty_files import MontyFiles

        self._library, self._files = pydantic_monty, MontyFiles
        self._max_processes = max_processes
        self._free = asyncio.Semaphore(max_processes)
        self._opening: asyncio.Task[AsyncMonty] | None = None

    async def run(self, program: Program) -> Ran:
        """Run a program.

        Raises:
            BackendUnavailableError: the interpreter cannot be started.
        """
        pool, ran = await self._pool(), Ran()
        files = self._files(program.files, program.memory_bytes)
        limits = self._library.ResourceLimits(
            max_feed_duration_secs=min(program.seconds, _MOST),
            max_memory=min(program.memory_bytes, _MOST),
            max_total_sleep_secs=min(program.seconds, _MOST),
            max_suspensions=_HOST_CALLS,
        )
        try:
            async with self._free, AsyncExitStack() as ending:
                session = await self._started(pool.checkout(limits=limits))
                ending.push_async_exit(session)
                await self._feed(session, program, files, ran)
        except self._library.MontyCrashedError as error:
            ran.failure = _killed(program) if error.timed_out else CodeFailure("crash", "crash", str(error))
        ran.files = files.contents()
        return ran

    async def _started(self, session: AsyncMontySession) -> AsyncMontySession:
        starting = asyncio.ensure_future(session.__aenter__())
        try:
            return await asyncio.shield(starting)
        except (OSError, RuntimeError) as error:
            raise _unavailable(error) from error
        except asyncio.CancelledError:  # cut meanwhile, it would leave a process that none ends
            with suppress(Exception):
                await starting
                await session.__aexit__(None, None, None)
            raise

    async def _feed(self, session: AsyncMontySession, program: Program, files: MontyFiles, ran: Ran) -> None:
        printed = self._library.CollectString(max_bytes=program.output_bytes)
        try:
            if isinstance(program.state, _State):
                files.make_folders(program.state.folders)
                await session.load_session(program.state.interpreter)
            # The value itself would be copied out whole, and a small program can make one that fills the host.
            async with _clock(program):
                await session.feed_run(f"{program.code}\n\nNone", print_callback=printed, os=files)
            if program.has_result:
                async with _clock(program):
                    ran.result = await session.feed_run(_reading(program), print_callback=printed)
        except (self._library.MontySyntaxError, self._library.MontyRuntimeError) as error:
            ran.failure = _failure(error, program)
        except TimeoutError:
            ran.failure = _killed(program)
        finally:
            ran.stdout = printed.output
        ran.memory_used = _memory_of(session.worker_pid)
        if program.kept and (ran.failure is None or ran.failure.kind != "limit"):  # else its heap is in pieces
            await self._keep(session, files, ran)
        if ran.result is not None and len(ran.result) > program.output_bytes:
            said = f"its result has more than {program.output_bytes} characters"
            ran.result, ran.failure = None, CodeFailure("limit", "output", said)

    async def _keep(self, session: AsyncMontySession, files: MontyFiles, ran: Ran) -> None:
        try:
            ran.state = _State(await session.dump(), files.empty_folders())
        except self._library.MontyRuntimeError:  # the copy counts as memory too
            said = "what it has defined is too much to be kept for the next program"
            ran.failure = ran.failure or CodeFailure("limit", "memory", said)

    async def _pool(self) -> AsyncMonty:
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._open())
        return await asyncio.shield(self._opening)  # one cut while it opens would leave a process that none ends

    async def _open(self) -> AsyncMonty:
        global _threads_of  # as they are of the whole process, whatever has started them
        if _threads_of not in (None, os.getpid()):
            self._opening = None
            raise BackendUnavailableError(
                "a process forked from one that has run programs cannot run any: start it by spawn"
            )
        _threads_of = os.getpid()
        pool = self._library.AsyncMonty(
            max_processes=self._max_processes,
            max_checkouts_per_worker=1,
            feed_duration_limit_grace=_GRACE,
        )
        try:
            return await pool.__aenter__()
        except (OSError, RuntimeError, self._library.MontyError) as error:
            self._opening = None  # the next program may try again
            raise _unavailable(error) from error

    async def close(self) -> None:
        """End all processes."""
        opening, self._opening = self._opening, None
        if opening is not None:
            with suppress(BackendUnavailableError):
                await (await opening).__aexit__(None, None, None)


def _unavailable(error: Exception) -> BackendUnavailableError:
    return BackendUnavailableError(f"the sandbox cannot be started: {error}")


def _clock(program: Program) -> asyncio.Timeout:
    """Holds where the interpreter's own clock stands still: while the host serves a file, or it sleeps."""
    return asyncio.timeout(program.seconds + _GRACE)


def _reading(program: Program) -> str:
    """A program that says the result of the one before it, as text, and one character more than is allowed.

    No name of it can be made to mean something else, so it is a text and no more. The result is not kept.
    """
    text = f"None if {RESULT_NAME} is None else f'{{{RESULT_NAME}!r}}'[:{program.output_bytes + 1}]"
    return f"({text}, {RESULT_NAME} := None)[0]"


def _failure(error: MontySyntaxError | MontyRuntimeError, program: Program) -> CodeFailure:
    name, message = type(error.exception()).__name__, error.display("msg")
    frames = error.traceback()
    line = frames[-1].line if frames else None
    if name == "MemoryError" and message.endswith(f"> {program.output_bytes} bytes"):
        return CodeFailure("limit", "output", f"it printed more than {program.output_bytes} bytes")
    if name in _LIMITS and message.startswith(_ENDED):
        return CodeFailure("limit", _LIMITS[name], message, line)
    kind = "syntax" if isinstance(error.exception(), SyntaxError) else "exception"
    if isinstance(error.exception(), ImportError):
        message += ", and the sandbox has a part of Python's library only: do without it"
    return CodeFailure(kind, name, message, line)  # type: ignore[arg-type]  # one of the two


def _killed(program: Program) -> CodeFailure:
    return CodeFailure("limit", "time", f"it took longer than {program.seconds:g} s")


def _memory_of(pid: int | None) -> int | None:
    """The most memory that a process held, where the system tells."""
    try:
        told = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    peak = told.partition("VmHWM:")[2].split()
    return int(peak[0]) * 1024 if peak else None
