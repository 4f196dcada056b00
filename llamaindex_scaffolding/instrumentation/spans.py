"""Samples as spans: each call of a worker shows under the span of the call that caused it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llama_index_instrumentation import get_dispatcher

from scaffolding_core import RewardTask, Task, TaskStatus, Worker
from scaffolding_core.adapting import around_calls

__all__ = ["shown_as_spans"]

_dispatcher = get_dispatcher(__name__)


@_dispatcher.span
async def sample(worker: Worker, task: Task) -> TaskStatus | None:
    """Run a sample; the span is named after this function."""
    return await worker.run_task(task)


@_dispatcher.span
async def reward(worker: Worker, task: Task) -> TaskStatus | None:
    """Run a reward; the span is named after this function."""
    return await worker.run_task(task)


async def _around(worker: Worker, task: Task) -> TaskStatus | None:
    return await (reward if isinstance(task, RewardTask) else sample)(worker, task)


@contextmanager
def shown_as_spans() -> Iterator[None]:
    """Requests made in here show each of their samples as a span."""
    token = around_calls.set(_around)
    try:
        yield
    finally:
        around_calls.reset(token)
