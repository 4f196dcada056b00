"""Engine: the LLM of a worker, as long as it lives, and what runs on it."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from scaffolding_core.errors import ClosedError, ScaffoldingError, copy_error
from scaffolding_core.workers.trtllm.failures import ended
from scaffolding_core.workers.trtllm.llm_api import Llm
from scaffolding_core.workers.trtllm.processes import Watch

__all__ = ["Engine"]


class Running(Protocol):
    """What runs on an engine."""

    loop: asyncio.AbstractEventLoop

    def break_off(self, error: ScaffoldingError) -> None:
        """It will not be answered; called on its loop."""


class Engine:
    """The LLM of a worker, on whatever event loops and threads it is asked.

    TensorRT-LLM tells one of those that wait of its engine's end, or none: here each is told, and whoever comes
    later.

    Args:
        llm: a `tensorrt_llm.LLM`.
        processes: those that it consists of, as far as they are known; when one ends, it has ended.
    """

    def __init__(self, llm: Llm, processes: Collection[int] = ()) -> None:
        self.llm = llm
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._running: set[Running] = set()
        self._ended: ScaffoldingError | None = None
        told = weakref.WeakMethod(self._lost)
        watch = Watch(processes, lambda: _call(told))
        self._unwatch = weakref.finalize(self, watch.close)

    def check(self) -> None:
        """Refuse a request that would never be answered.

        Raises:
            ClosedError: the worker is closed, or this is a process forked off that of the LLM.
            BackendUnavailableError: the engine has ended.
        """
        if os.getpid() != self._process:
            raise ClosedError(
                "the LLM runs in the process that made it: make an LLM and a TRTLLMWorker in this one"
            )
        if self._ended is not None:
            raise copy_error(self._ended) from self._ended.__cause__

    def begin(self, running: Running) -> None:
        """It runs from now on.

        Raises:
            ClosedError, BackendUnavailableError: as `check` does.
        """
        with self._lock:
            self.check()
            self._running.add(running)

    def over(self, running: Running) -> None:
        """It runs no longer."""
        with self._lock:
            self._running.discard(running)

    def end(self, error: ScaffoldingError) -> None:
        """Break off all that runs, for that reason, and refuse all that comes; from any thread."""
        with self._lock:
            self._ended = self._ended or error
            running, self._running = self._running, set()
        self._unwatch()
        for each in running:
            if each.loop is asyncio._get_running_loop():
                each.break_off(error)
            else:
                with suppress(RuntimeError):  # its loop is closed
                    each.loop.call_soon_threadsafe(each.break_off, error)

    def _lost(self) -> None:
        self.end(
            ended("an engine of TensorRT-LLM has ended, its process is gone: make a new LLM and a new worker")
        )


def _call(method: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call it, if the object that it belongs to still is."""
    found = method()
    if found is not None:
        found()
