"""CodeWorker: runs model-written Python in a sandbox."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from time import perf_counter
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from scaffolding_core.errors import ClosedError, InvalidRequestError
from scaffolding_core.tasks import CodeFailure, CodeTask, Scope, Task
from scaffolding_core.worker import TaskHandler, Worker
from scaffolding_core.workers.code.backend import Backend, Program, Ran
from scaffolding_core.workers.code.bubblewrap import BubblewrapBackend
from scaffolding_core.workers.code.docker import DockerBackend
from scaffolding_core.workers.code.monty import MontyBackend
from scaffolding_core.workers.code.source import LONGEST, data_in, with_result, without_fences
from scaffolding_core.workers.limits import check_counts, check_seconds
from scaffolding_core.workers.per_loop import PerLoop

__all__ = ["BACKENDS", "CodeWorker"]

BACKENDS: Mapping[str, Callable[..., Backend]] = {
    "monty": MontyBackend,
    "bubblewrap": BubblewrapBackend,
    "docker": DockerBackend,
}
"""What programs run in, by name; each takes the number of programs at once, and options of its own."""

_LONGEST_MESSAGE = 2_000
"""Characters of why a program failed: it is told to a model, which is paid for what it reads."""


class _Left(NamedTuple):
    """What the programs of a branch left."""

    state: object = None
    files: Mapping[str, bytes] = MappingProxyType({})


class CodeWorker(Worker):
    """Runs programs in a sandbox, each within limits of time, memory and output.

    A program that fails is a result: the task's `failure` says how. Programs of one branch of a request see what
    those before them defined and wrote; no other program does. Without a request, each starts afresh.

    Cost: about 4 ms a program and a process while it runs, with `monty`; what a branch defined is kept until its
    request ends, at most `memory_bytes` a branch.

    Args:
        backend: `monty`, which has a part of Python's language and library, in milliseconds; `bubblewrap` and
            `docker` have the whole of it.
        seconds: for a program, where its task does not say; as many again to read its result.
        memory_bytes: for a program, where its task does not say.
        output_bytes: that a program may print, and that its result may have as text.
        max_concurrency: programs at once, over all event loops; as many as there are processors where left out.
        options: of the backend: `image` for `docker`.

    Raises:
        InvalidRequestError: no backend of that name, an option that it does not take, or a number out of range.
        MissingExtraError: the backend's extra is not installed.
    """

    def __init__(
        self,
        backend: str = "monty",
        *,
        seconds: float = 5.0,
        memory_bytes: int = 256 * 2**20,
        output_bytes: int = 2**20,
        max_concurrency: int | None = None,
        **options: str,
    ) -> None:
        if backend not in BACKENDS:
            raise InvalidRequestError(f"no sandbox is named {backend!r}; there are: {', '.join(BACKENDS)}")
        self.max_concurrency = (os.cpu_count() or 1) if max_concurrency is None else max_concurrency
        check_seconds(seconds=seconds)
        check_counts(memory_bytes=memory_bytes, output_bytes=output_bytes, max_concurrency=self.max_concurrency)
        self.backend = backend
        self.seconds = seconds
        self.memory_bytes = memory_bytes
        self.output_bytes = output_bytes
        make = partial(BACKENDS[backend], self.max_concurrency, **options)
        try:
            make()  # what is not installed is said here
        except TypeError as error:
            raise InvalidRequestError(f"the sandbox {backend!r} does not take that: {error}") from error
        self._backends: PerLoop[Backend] = PerLoop(make)
        self._left_in: dict[str, dict[tuple[int, ...], _Left]] = {}
        self._running: set[asyncio.Task[Ran]] = set()
        self._closed = False

    def __getstate__(self) -> dict[str, object]:
        # what runs, and what requests have left, stays in its process
        return {**super().__getstate__(), "_running": set(), "_left_in": {}}

    async def run(self, task: CodeTask) -> None:
        """Run a program.

        Raises:
            InvalidRequestError: no program, or a limit or a path out of range.
            WorkerError: the sandbox itself is broken.
            ClosedError: the worker is closed, or was while the program ran.
        """
        if self._closed:
            raise ClosedError("this CodeWorker is closed: make a new one")
        if not isinstance(task.code, str):
            raise InvalidRequestError(f"a CodeTask needs a program as text, pass code=, got {task.code!r}")
        scope = None if task.fresh else task.scope
        before = self._left_before(scope)
        files = _with_files(before.files, {} if task.files is None else task.files)
        code = without_fences(task.code)
        if len(code) > LONGEST:
            task.failure = CodeFailure("limit", "length", f"the program has more than {LONGEST} characters")
            return
        start = perf_counter()
        ran = await self._ran(self._program(task, code, files, before.state))
        task.seconds_used = perf_counter() - start
        task.stdout, task.failure, task.memory_used = ran.stdout, _told(ran.failure), ran.memory_used
        task.output_files = {path: content for path, content in ran.files.items() if files.get(path) != content}
        task.value = None if ran.result is None else data_in(ran.result)
        task.result = task.value if isinstance(task.value, str) else ran.result
        if scope is not None and ran.state is not None and str(scope.request_id) in self._left_in:  # it still runs
            self._left_in[str(scope.request_id)][scope.branch] = _Left(ran.state, ran.files)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {CodeTask: run}

    async def _ran(self, program: Program) -> Ran:
        running = asyncio.ensure_future(self._backends.here().run(program))
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        try:
            return await running
        except asyncio.CancelledError as error:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise ClosedError("this CodeWorker was closed while the program ran") from error

    def _program(self, task: CodeTask, code: str, files: Mapping[str, bytes], state: object) -> Program:
        seconds = self.seconds if task.seconds is None else task.seconds
        memory_bytes = self.memory_bytes if task.memory_bytes is None else task.memory_bytes
        check_seconds(seconds=seconds)
        check_counts(memory_bytes=memory_bytes)
        ready, has_result = with_result(code)
        return Program(
            ready,
            has_result,
            files,
            state,
            seconds,
            memory_bytes,
            self.output_bytes,
            kept=task.scope is not None and not task.fresh,
        )

    def _left_before(self, scope: Scope | None) -> _Left:
        if scope is None:
            return _Left()
        return self._left_in.setdefault(str(scope.request_id), {}).get(scope.branch, _Left())

    async def on_scope_end(self, scope_id: str) -> None:
        """Forget what the programs of a request left."""
        self._left_in.pop(scope_id, None)

    async def release_loop(self) -> None:
        """End the running loop's processes, unless they are in use."""
        if not self._running_here():
            await self._close_here()

    async def async_shutdown(self) -> None:
        """Close the worker for good, and end its programs and processes here."""
        self.shutdown()
        running = self._running_here()
        for program in running:
            program.cancel()
        if running:
            await asyncio.wait(running)
        await self._close_here()

    def _running_here(self) -> list[asyncio.Task[Ran]]:
        here = asyncio.get_running_loop()
        return [program for program in list(self._running) if program.get_loop() is here]

    async def _close_here(self) -> None:
        here = self._backends.take_here()
        if here is not None:
            await here.close()

    def shutdown(self) -> None:
        """Close the worker for good; what runs may end, and the processes of a loop end with it."""
        self._closed = True
        self._left_in.clear()


def _told(failure: CodeFailure | None) -> CodeFailure | None:
    """A failure, with what a model may read of its message."""
    if failure is None or len(failure.message) <= _LONGEST_MESSAGE:
        return failure
    return replace(failure, message=f"{failure.message[:_LONGEST_MESSAGE]}...")


def _with_files(before: Mapping[str, bytes], given: Mapping[str, bytes | str]) -> dict[str, bytes]:
    """The files that are there and those that are given, by path as a sandbox says it."""
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f"a program's files are content by path, got {given!r}")
    files = {**before, **{_path(path): _content(path, content) for path, content in given.items()}}
    for path in files:
        inside = next((str(above) for above in PurePosixPath(path).parents if str(above) in files), None)
        if inside is not None:
            raise InvalidRequestError(f"a program's file {path!r} would be inside of its file {inside!r}")
    return files


def _path(path: object) -> str:
    if not isinstance(path, str) or path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise InvalidRequestError(f"a program's file needs a path below its own folder, got {path!r}")
    plain = str(PurePosixPath(path))
    if plain == ".":
        raise InvalidRequestError(f"a program's file needs a name, got {path!r}")
    return plain


def _content(path: str, content: object) -> bytes:
    if isinstance(content, (bytes, bytearray, memoryview)):
        return bytes(content)
    if not isinstance(content, str):
        raise InvalidRequestError(f"a program's file {path!r} needs bytes or a text, got {content!r}")
    try:
        return content.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequestError(f"a program's file {path!r} is no text in UTF-8: {error}") from error
