"""What the samples of one call remember, and which of it stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
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
from scaffolding_core import GenerationTask
from scaffolding_core.adapting import run_either

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
        result: what the chain returned; None as long as it has not.
    """

    def __init__(self, config: RunnableConfig, thread_id: str | None) -> None:
        if thread_id is not None:
            config = patch_config(config, configurable={"thread_id": thread_id})
        self.config = config
        self.thread_id = thread_id
        self.histories = Histories()
        self.result: object = None


class CallMemory:
    """Gives each sample of a call a memory of its own, and keeps that of the sample that is chosen.

    Inside a graph a sampled graph begins anew each time, and nothing of it is kept.

    Args:
        found: what the chain remembers with.
        config: of the call.

    Attributes:
        anything: whether there is anything to remember with.
    """

    def __init__(self, found: Found, config: RunnableConfig) -> None:
        configurable: Mapping[str, Any] = {**found.configurable, **config.get("configurable", {})}
        self._thread_id = configurable.get("thread_id") if found.savers else None
        self.is_kept = not any(name.startswith(_IN_A_GRAPH) for name in configurable)
        names = ("thread_id", "checkpoint_id", "checkpoint_ns") if self.is_kept else ("thread_id",)
        place = {name: configurable[name] for name in names if name in configurable}
        savers = found.savers if self._thread_id is not None else ()
        self._threads = [Threads(saver, place, nested=found.nested) for saver in savers]
        self.anything = bool(self._threads) or found.histories
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

    def given_to(self, task: GenerationTask) -> None:
        """Let the samples that a method makes of a task find it."""
        task.custom_input_params = {**(task.custom_input_params or {}), _KEY: self}

    @staticmethod
    def of(task: GenerationTask) -> CallMemory | None:
        """The memory of the call that a task belongs to."""
        memory = (task.custom_input_params or {}).get(_KEY)
        return memory if isinstance(memory, CallMemory) else None

    @asynccontextmanager
    async def sample(self, config: RunnableConfig) -> AsyncIterator[SampleMemory]:
        """A memory for a sample that runs in here."""
        mine = SampleMemory(config, new_thread(str(self._thread_id)) if self._threads else None)
        if self._threads and self._is_blocking:
            mine.config = with_handler(mine.config, _AtTheEnd(lambda: self._drop_late(mine)))
        self._samples.append(mine)
        if self._threads:
            await run_either(lambda: done(self._forks(mine)), lambda: adone(self._forks(mine)))
        with mine.histories.used():
            yield mine

    def keeps(self, result: object) -> MemorySteps:
        """Keep the memory of the sample with that result."""
        won = next((mine for mine in self._samples if mine.result is result and result is not None), None)
        if won is None or not self.is_kept:
            return
        for threads in self._threads:
            yield from threads.kept(str(won.thread_id))
        yield from won.histories.kept()

    def _begins(self) -> MemorySteps:
        for threads in self._threads if self.is_kept else ():
            yield from threads.begins()

    def _forks(self, mine: SampleMemory) -> MemorySteps:
        for threads in self._threads:
            yield from threads.forked(str(mine.thread_id))

    def _ends(self) -> MemorySteps:
        self._is_over = True
        for mine in self._samples:
            yield from self._drops(mine)

    def _drops(self, mine: SampleMemory) -> MemorySteps:
        for threads in self._threads:
            yield from threads.dropped(str(mine.thread_id))

    def _drop_late(self, mine: SampleMemory) -> None:
        if self._is_over:
            done(self._drops(mine))


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
