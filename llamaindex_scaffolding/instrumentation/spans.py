"""Samples as spans: each call of a worker shows under the span of the call that caused it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from llama_index_instrumentation import get_dispatcher

from scaffolding_core import RewardTask, RoleMessage, Task, Worker
from scaffolding_core.adapting import around_calls

__all__ = ["shown_as_spans"]

_dispatcher = get_dispatcher(__name__)


class _Asked:
    """A task, as tracers may show it: they copy what a dataclass holds, down to the request's event loop."""

    def __init__(self, task: Task) -> None:
        self.task = task

    def __repr__(self) -> str:
        messages: Sequence[RoleMessage] = getattr(self.task, "messages", None) or ()
        return "\n\n".join(message.text for message in messages) or str(getattr(self.task, "input_str", None))


@_dispatcher.span
async def sample(worker: Worker, asked: _Asked) -> object:
    """Run a sample; the span is named after this function."""
    return await worker.run_task(asked.task)


@_dispatcher.span
async def reward(worker: Worker, asked: _Asked) -> object:
    """Run a reward; the span is named after this function."""
    return await worker.run_task(asked.task)


async def _around(worker: Worker, task: Task) -> object:
    return await (reward if isinstance(task, RewardTask) else sample)(worker, _Asked(task))


@contextmanager
def shown_as_spans() -> Iterator[None]:
    """Requests made in here show each of their samples as a span."""
    token = around_calls.set(_around)
    try:
        yield
    finally:
        around_calls.reset(token)
