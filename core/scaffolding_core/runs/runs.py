"""Runs: several runs of an agent at the same time, one of which is kept."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Self

from scaffolding_core.runs.folder import Folder
from scaffolding_core.runs.run import Run, current_run
from scaffolding_core.threads import run_in_thread

__all__ = ["Runs", "current_runs", "in_run_of"]

current_runs: ContextVar[Runs | None] = ContextVar("current_runs", default=None)
"""Those that samples made here are."""


class Runs:
    """Several runs of an agent, each with a folder and tools' state of its own; the kept one's folder stays.

    .. code-block:: python

        async with Runs("project") as runs:
            result = await llm.generate_async("Make the tests pass.")  # on a `RunsWorker`
            await runs.akeep(result.output.message)

    Each run works in a copy of the workspace, which stays as it is until one is kept: that copy takes its place
    then, at once and whole. All other copies are removed at the end, whatever happens; only a process that dies
    leaves them, in a hidden folder beside the workspace.

    Cost: a copy of the workspace for each run.

    Args:
        workspace: what the runs begin with, and what is kept of one; it need not be there yet. None gives them no
            folders.

    Attributes:
        all: those that have begun, in order.
        lock: held where one looks at others.

    Raises:
        InvalidRequestError: what is no folder.
    """

    def __init__(self, workspace: str | os.PathLike[str] | None = None) -> None:
        self._folder = None if workspace is None else Folder(workspace)
        self.all: list[Run] = []
        self.lock = threading.Lock()

    # The whole.

    def begin(self) -> None:
        """Before the first."""
        if self._folder is not None:
            self._folder.begin()

    async def abegin(self) -> None:
        """As `begin`."""
        if self._folder is not None:
            await run_in_thread(self._folder.begin)

    def end(self) -> None:
        """Behind the last: nothing is left of those that were not kept."""
        for run in self.all:
            run.close()
        if self._folder is not None:
            self._folder.end()

    async def aend(self) -> None:
        """As `end`."""
        for run in self.all:
            await run.aclose()
        if self._folder is not None:
            await run_in_thread(self._folder.end)

    def __enter__(self) -> Self:
        self.begin()
        self._token = current_runs.set(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        current_runs.reset(self._token)
        self.end()

    async def __aenter__(self) -> Self:
        await self.abegin()
        self._token = current_runs.set(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        current_runs.reset(self._token)
        await asyncio.shield(self.aend())

    # One of them.

    @asynccontextmanager
    async def run(self) -> AsyncIterator[Run]:
        """One that happens in here; whoever makes it sets its `result`."""
        with self.lock:
            run = Run(self, len(self.all))
            self.all.append(run)
        if self._folder is not None:
            run.folder = await run_in_thread(self._folder.copy, str(run.index))
        current_run.set(run)  # for all that follows in this call: reading its answer too
        try:
            yield run
        finally:
            with self.lock:
                run.ended = True

    def keep(self, result: object) -> None:
        """Let the workspace be what the run with that result has made of it; without one, it stays as it is.

        Args:
            result: of the run, or its message.

        Raises:
            WorkspaceChangedError: it was changed meanwhile.
        """
        run = self.of(result)
        if run is not None and run.folder is not None and self._folder is not None:
            self._folder.replace(run.folder)

    async def akeep(self, result: object) -> None:
        """As `keep`."""
        await run_in_thread(self.keep, result)

    def of(self, result: object) -> Run | None:
        """The run with a result."""
        results = [result, getattr(result, "original", None)]
        return next((run for run in self.all if any(run.result is each is not None for each in results)), None)


@contextmanager
def in_run_of(result: object) -> Iterator[None]:
    """What looks at a result in here is part of the run that it is of: a verifier finds the run's folder.

    Args:
        result: of a run, or its message; of none, nothing changes.
    """
    runs = current_runs.get()
    run = None if runs is None else runs.of(result)
    if run is None:
        yield
        return
    token = current_run.set(run)
    try:
        yield
    finally:
        current_run.reset(token)
