"""ContainerBackend: programs in sessions of `llm-sandbox`, with the whole of Python."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import tempfile
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from scaffolding_core.errors import BackendUnavailableError, MissingExtraError
from scaffolding_core.tasks import CodeFailure
from scaffolding_core.threads import on_abandoned, run_in_thread
from scaffolding_core.workers.code.backend import Program, Ran
from scaffolding_core.workers.code.source import RESULT_NAME

if TYPE_CHECKING:
    from llm_sandbox.core.session_base import BaseSession

__all__ = ["ContainerBackend", "most_told"]

_FOLDER = "/sandbox"
_RUNNER = Path(__file__).with_name("runner.py")

_GRACE = 5.0
"""Seconds for the runner to start and to tell, beside those of the program; then the session is ended."""


class ContainerBackend(ABC):
    """Runs each program in a session of its own, which is gone afterwards.

    There is no network, and nothing of the host's own files. What a branch keeps for its next program is what it
    imported and defined by `def` and `class`, and what can be pickled of its values.

    Source: https://github.com/vndee/llm-sandbox

    Args:
        max_processes: programs at once.

    Raises:
        MissingExtraError: the extra `containers` is not installed.
    """

    name: ClassVar[str]
    """That the library has for it."""

    writable: ClassVar[tuple[str, ...]] = ("/tmp", "/var/tmp")
    """Folders that a program may write to, beside its own."""

    processes: ClassVar[int] = 64
    """That a program may start; they are counted by all that are seen inside."""

    user: ClassVar[int | None] = None
    """Who the program is inside; None for who starts it."""

    def __init__(self, max_processes: int) -> None:
        try:
            import llm_sandbox
        except ImportError as error:
            raise MissingExtraError("CodeWorker", "containers") from error
        self._library = llm_sandbox
        self._room = asyncio.Semaphore(max_processes)
        self._running: set[BaseSession] = set()

    @abstractmethod
    def options(self, program: Program) -> dict[str, Any]:
        """What the library's session takes for a program."""

    async def run(self, program: Program) -> Ran:
        """Run a program.

        Raises:
            BackendUnavailableError: the sandbox cannot be started, or has no Python.
        """
        async with self._room:
            return await run_in_thread(self._run, program)

    async def close(self) -> None:
        """End all that runs."""
        for session in list(self._running):
            await run_in_thread(session.close)

    def _run(self, program: Program) -> Ran:
        try:
            session = self._library.create_session(
                self.name,
                lang="python",
                workdir=_FOLDER,
                skip_environment_setup=True,
                default_timeout=None,
                encoding_errors="replace",
                **self.options(program),
            )
        except Exception as error:  # those of its own, of pydantic, and of the clients it uses
            raise self._unavailable(error) from error
        self._running.add(session)
        try:
            with on_abandoned(partial(_close_meanwhile, session)):
                return self._ran(session, program)
        finally:
            self._running.discard(session)
            session.close()
            with suppress(AttributeError):  # only a container has one
                session.client.close()

    def _ran(self, session: BaseSession, program: Program) -> Ran:
        late = threading.Event()

        def end() -> None:
            late.set()
            session.close()

        timer = threading.Timer(program.seconds + _GRACE, end)
        timer.daemon = True
        said = None
        try:
            session.open()
            _copy(session, self._job(program))
            timer.start()
            said = session.execute_command(
                "python3 runner.py", workdir=_FOLDER, on_stdout=_Bounded(most_told(program))
            )
        except _TooMuch:
            return Ran(failure=_CRASHED)
        except Exception as error:
            if not late.is_set():
                raise self._unavailable(error) from error
        finally:
            timer.cancel()
        if said is None or late.is_set():
            return Ran(failure=CodeFailure("limit", "time", f"it took longer than {program.seconds:g} s"))
        begin, _, end_line = said.stdout.strip().partition("\n")
        if not begin.startswith('{"python"'):
            raise self._unavailable(said.stderr.strip() or begin or f"exit status {said.exit_code}")
        return _read(end_line.rpartition("\n")[2])

    def _job(self, program: Program) -> dict[str, object]:
        return {
            "code": program.code,
            "result_name": RESULT_NAME,
            "files": {path: base64.b64encode(content).decode() for path, content in program.files.items()},
            "state": program.state,
            "seconds": program.seconds,
            "memory_bytes": program.memory_bytes,
            "output_bytes": program.output_bytes,
            "kept": program.kept,
            "writable": self.writable,
            "processes": self.processes,
            "user": self.user,
        }

    def _unavailable(self, why: object) -> BackendUnavailableError:
        return BackendUnavailableError(
            f"the sandbox {self.name!r} cannot run Python, start or install what it needs: {str(why)[:500]}"
        )


_CRASHED = CodeFailure("crash", "crash", "it ended what watched over it")


class _TooMuch(Exception):  # no error of the user's
    """More was told than a runner tells."""


class _Bounded:
    """Counts what is told."""

    def __init__(self, most: int) -> None:
        self._left = most

    def __call__(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise _TooMuch


def most_told(program: Program) -> int:
    """Characters that a runner tells of a program at most: its output, escaped, and files and state as base64."""
    return 2**16 + 12 * program.output_bytes + 3 * program.memory_bytes


def _copy(session: BaseSession, job: dict[str, object]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {"runner.py": _RUNNER.read_text("utf-8"), "job.json": json.dumps(job)}.items():
            path = Path(folder, name)
            path.write_text(content, "utf-8")
            path.chmod(0o644)
            session.copy_to_runtime(str(path), f"{_FOLDER}/{name}")


def _read(line: str) -> Ran:
    """What the runner told; what a program makes of it is checked."""
    try:
        told = json.loads(line)
        failure, result, state = told["failure"], told["result"], told["state"]
        return Ran(
            stdout=str(told["stdout"]),
            result=None if result is None else str(result),
            failure=None if failure is None else _failure(*failure),
            files={str(path): base64.b64decode(content) for path, content in told["files"].items()},
            state=None if state is None else str(state),
            memory_used=int(told["memory_used"]),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, binascii.Error):
        return Ran(failure=_CRASHED)


def _failure(kind: str, type_: str, message: str, line: int | None) -> CodeFailure:
    if kind not in ("exception", "syntax", "limit", "crash"):
        raise ValueError(kind)
    return CodeFailure(kind, str(type_), str(message), line)  # type: ignore[arg-type]  # one of them


def _close_meanwhile(session: BaseSession) -> None:
    threading.Thread(target=session.close, name="scaffolding-close", daemon=True).start()
