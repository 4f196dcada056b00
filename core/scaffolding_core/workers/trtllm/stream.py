"""The answer of a task that is read step by step."""

from __future__ import annotations

from scaffolding_core.tasks import StreamGenerationTask
from scaffolding_core.workers.trtllm.call import Call

__all__ = ["OpenStream"]


class OpenStream:
    """The answer of a `StreamGenerationTask`, open between its steps.

    Args:
        call: its request.
        task: whose it is.
    """

    def __init__(self, call: Call, task: StreamGenerationTask) -> None:
        self._call = call
        self._task = task
        self._member = call.join(task)

    async def read(self, step: int) -> None:
        """Read on until there are `step` more tokens, or no more.

        Raises:
            ScaffoldingError: it broke off.
        """
        try:
            self._call.go_on(self._member.choice.tokens + step)
            await self._call.answered(self._member)
        except BaseException:
            self._task.request_handle = None  # whoever runs the task again starts it anew
            raise
        self._task.end_flag = self._call.over

    async def aclose(self) -> None:
        """Abort at the engine; the task keeps what its last step has told, though more was written meanwhile."""
        if self._task.end_flag:
            return
        said = self._task.said
        await self._call.cut(self._member)
        self._task.said = said
        self._task.finish_reason, self._task.end_flag = "cancelled", True
