"""step: a further step of a task that is read step by step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from scaffolding_core.tasks import StreamGenerationTask

__all__ = ["step"]


async def step(task: StreamGenerationTask, read_on: Callable[[], Awaitable[None]]) -> None:
    """Read on, or abort at the backend where the task is to be cancelled.

    Args:
        task: whose stream it is.
        read_on: reads what the step brings.
    """
    if not task.cancel_flag:
        await read_on()
    elif task.request_handle is not None:
        await task.request_handle.aclose()
    else:
        task.finish_reason, task.end_flag = "cancelled", True
