"""What the samples of one call remember, and which of it stays."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, patch_config

from langchain_scaffolding.memory.found import Found
from langchain_scaffolding.memory.histories import Histories
from langchain_scaffolding.memory.steps import MemorySteps, adone, done
from langchain_scaffolding.memory.threads import Threads, new_thread
from langchain_scaffolding.tracing.inner_runs import with_handler
from langchain_scaffolding.tracing.runs import to_the_end
from scaffolding_core import GenerationTask, Run, Runs
from scaffolding_core.adapting import Call, current_runs, run_either

__all__ = ["CallMemory", "SampleMemory"]

_IN_A_GRAPH = "__pregel_"


_KEY = "langchain_memory"
"""Key of a task's `custom_input_params` that holds the memory of its call."""


class SampleMemory:
    """What one sample remembers.

    Attributes:
        config: of the sample.
        thread_id: of its threads; None where nothing is checkpointed.
        histories: what it adds to message histories.
        run: what else it has to itself; its tools find the folder in `config["configurable"]["workspace"]` too.
        result: what the chain returned; None as long as it has not.
    """

    def __init__(self, config: RunnableConfig, thread_id: str | None, run: Run) -> None:
        mine = {"thread_id": thread_id, "workspace": None if run.folder is None else str(run.folder)}
        changed = {name: value for name, value in mine.items() if value is not None}
        self.config = patch_config(config, configurable=changed) if changed else config
        self.run = run
        self.thread_id = thread_id
        self.histories = Histories()
        self.result: object = None


class CallMemory:
    """Gives each sample of a call a memory of its own, and keeps that of the sample that is chosen.

    Inside a graph a sampled graph begins anew each time, and nothing of it is kept but the workspace.

    Args:
        found: what the chain remembers with.
        config: of the call.
        workspace: the folder that the samples work in, each in a copy of its own; None for none.

    Attributes:
        is_kept: whether what it remembers stays.
        can_go_on: whether a graph that was interrupted there can go on.

    Raises:
        InvalidRequestError: what is no folder.
    """

    def __init__(
        self, found: Found, config: RunnableConfig, workspace: str | os.PathLike[str] | None = None
    ) -> None:
        configurable: Mapping[str, Any] = {**found.configurable, **config.get("configurable", {})}
        self._thread_id = configurable.get("thread_id") if found.savers else None
        self.is_kept = not any(name.startswith(_IN_A_GRAPH) for name in configurable)
        names = ("thread_id", "checkpoint_id", "checkpoint_ns") if self.is_kept else ("thread_id",)
        place = {name: configurable[name] for name in names if name in configurable}
        savers = found.savers if self._thread_id is not None else ()
        self._threads = [Threads(saver, place, nested=found.nested) for saver in savers]
        self.can_go_on = self.is_kept and (bool(self._threads) or found.histories)
        self._runs = Runs(workspace)
        self._samples: list[SampleMemory] = []
        self._is_blocking = self._is_over = False

    @contextmanager
    def around(self) -> Iterator[None]:
        """The call happens in here."""
        self._is_blocking = True
        done(self._begins())
        try:
            yield
        finally:
            done(self._ends())

    @asynccontextmanager
    async def aaround(self) -> AsyncIterator[None]:
        """As `around`."""
        await adone(self._begins())
        try:
            yield
        finally:
            await to_the_end(adone(self._ends()))

    def given_to(self, call: Call) -> None:
        """Let the samples that a method makes of a call's task find it."""
        call.task.custom_input_params = {**(call.task.custom_input_params or {}), _KEY: self}
        call.around = self._known(call.around)

    @contextmanager
    def _known(self, around: AbstractContextManager[None]) -> Iterator[None]:
        token = current_runs.set(self._runs)
        try:
            with around:
                yield
        finally:
            current_runs.reset(token)

    @staticmethod
    def of(task: GenerationTask) -> CallMemory | None:
        """The memory of the call that a task belongs to."""
        memory = (task.custom_input_params or {}).get(_KEY)
        return memory if isinstance(memory, CallMemory) else None

    @asynccontextmanager
    async def sample(self, config: RunnableConfig) -> AsyncIterator[SampleMemory]:
        """A memory for a sample that runs in here."""
        async with self._runs.run() as run:
            mine = SampleMemory(config, new_thread(str(self._thread_id)) if self._threads else None, run)
            if (self._threads or run.folder is not None) and self._is_blocking:
                mine.config = with_handler(mine.config, _AtTheEnd(lambda: self._drop_late(mine)))
            self._samples.append(mine)
            if self._threads:
                await run_either(lambda: done(self._forks(mine)), lambda: adone(self._forks(mine)))
            with mine.histories.used():
                yield mine
            run.result = mine.result

    def keeps(self, result: object) -> MemorySteps:
        """Keep the memory of the sample with that result."""
        won = next((mine for mine in self._samples if mine.result is result and result is not None), None)
        if won is None:
            return
        yield self._runs, "keep", (result,)
        if not self.is_kept:
            return
        for threads in self._threads:
            yield from threads.kept(str(won.thread_id))
        yield from won.histories.kept()

    def _begins(self) -> MemorySteps:
        yield self._runs, "begin", ()
        for threads in self._threads if self.is_kept else ():
            yield from threads.begins()

    def _forks(self, mine: SampleMemory) -> MemorySteps:
        for threads in self._threads:
            yield from threads.forked(str(mine.thread_id))

    def _ends(self) -> MemorySteps:
        self._is_over = True
        for mine in self._samples:
            yield from self._drops(mine)
        yield self._runs, "end", ()

    def _drops(self, mine: SampleMemory) -> MemorySteps:
        for threads in self._threads:
            yield from threads.dropped(str(mine.thread_id))

    def _drop_late(self, mine: SampleMemory) -> None:
        if self._is_over:
            done(self._drops(mine))
            self._runs.end()


class _AtTheEnd(BaseCallbackHandler):
    """Does something once a chain has ended, also where nobody waits for that: a blocking one that was cut."""

    run_inline = True

    def __init__(self, do: Callable[[], None]) -> None:
        self._do = do
        self._chain: UUID | None = None

    def on_chain_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Take the first for the chain."""
        self._chain = self._chain or run_id

    def on_chain_end(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Do it."""
        if run_id == self._chain:
            self._do()

    def on_chain_error(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        """Do it."""
        self.on_chain_end(run_id=run_id)
