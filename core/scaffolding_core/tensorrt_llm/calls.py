"""checked_call: what surrounds each call of a worker in a request."""

from __future__ import annotations

from typing import cast

import scaffolding_core.tasks as core
import scaffolding_core.worker as core_worker
from scaffolding_core.tasks import Scope
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope, current_scope
from scaffolding_core.tensorrt_llm.streaming import Streamed
from scaffolding_core.tensorrt_llm.task import Task
from scaffolding_core.tensorrt_llm.workers.base import Worker, answered, raise_status, reads_status
from scaffolding_core.worker import AroundCall

__all__ = ["checked_call"]


def checked_call(around: AroundCall | None) -> AroundCall:
    """Runs each call in its execution scope, hands out what is streamed, and raises where a status says failure.

    Args:
        around: what runs each call in the caller's context, if anything does.
    """

    async def run(worker: core_worker.Worker, task: core.Task) -> object:
        driver = task.scope
        assert driver is not None
        current_scope.set(getattr(task, "execution_scope", None) or ExecutionScope(str(driver.request_id)))
        reads_status.set(isinstance(worker, Worker) or not isinstance(worker, core_worker.Worker))
        streamed = Streamed(task, driver) if isinstance(task, Task) and task.streaming_output_flag else None
        if streamed is not None:
            task.scope = cast("Scope", streamed)
        try:
            returned = await answered(
                task, lambda: worker.run_task(task) if around is None else around(worker, task)
            )
        finally:
            task.scope = driver
        raise_status(worker, task, returned)
        if streamed is not None:
            streamed.hand_out_rest()
        return None

    return run
