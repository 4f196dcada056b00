"""ReplayWorker: a recorded run as a backend."""

from __future__ import annotations

import asyncio

import scaffolding_core.errors as all_errors
from scaffolding_core.errors import InvalidRequestError, ReplayMismatchError, WorkerError
from scaffolding_core.tasks import Delta, GenerationTask, StreamGenerationTask, Task, TaskStatus
from scaffolding_core.worker import Capabilities, Worker
from scaffolding_core.workers.limits import check_seconds
from scaffolding_core.workers.recording import Record, Recording, inputs_of, place_of, results_into

__all__ = ["ReplayWorker"]


class ReplayWorker(Worker):
    """Gives each task what the same call gave when it was recorded, at no cost.

    Calls of a request end in the recorded order, and those that were cut then run until they are cut now, so
    a method does again what it did. Requests must come in the recorded order, at once or one by one.

    Args:
        recording: what a `RecordingWorker` took down, or `Recording.load(path)`.
        patience: seconds that a call waits for its turn while no other call of its request ends; then the
            method has gone another way than it did.

    Raises:
        InvalidRequestError: a patience that is no time.
    """

    capabilities = Capabilities(logprobs=True, tools=True, streaming=True, token_prompts=True)

    def __init__(self, recording: Recording, *, patience: float = 60.0) -> None:
        check_seconds(patience=patience)
        self.patience = patience
        self.max_concurrency = max(1, len(recording.records))
        self._records = {(r.request, r.branch, r.call): r for r in recording.records}
        self._requests: dict[int, int] = {}
        self._calls: dict[tuple[int, tuple[int, ...]], int] = {}
        self._ended: dict[int, int] = {}
        self._waiting: dict[int, dict[int, asyncio.Event]] = {}

    async def run_task(self, task: Task) -> TaskStatus | None:
        """Wait for the call's turn, and give what was recorded.

        Raises:
            ReplayMismatchError: the run made no such call, or asked for something else.
            ScaffoldingError: what the call failed with when it was recorded.
        """
        if isinstance(task, StreamGenerationTask):
            raise InvalidRequestError("a StreamGenerationTask cannot be replayed: use a GenerationTask")
        record = self._record_of(task)
        await self._turn_of(record)
        try:
            self._give(task, record)
            return None
        finally:
            self._next_turn(record.request)

    def _record_of(self, task: Task) -> Record:
        place = place_of(task, self._requests, self._calls)
        record = self._records.get(place)
        where = f"call {place[2]} of branch {place[1]} of request {place[0]}"
        if record is None:
            raise ReplayMismatchError(f"the recorded run made no {where}: the method or its input has changed")
        inputs = inputs_of(task)
        for name, value in inputs.items():
            if record.inputs.get(name) != value:
                raise ReplayMismatchError(
                    f"{where} asks for {name} {value!r}, recorded was {record.inputs.get(name)!r}: record anew"
                )
        return record

    async def _turn_of(self, record: Record) -> None:
        ended = self._ended.setdefault(record.request, 0)
        turn = asyncio.Event()  # stays unset for one that was cut, and will be
        if record.ended is not None:
            if record.ended <= ended:
                return
            self._waiting.setdefault(record.request, {})[record.ended] = turn
        while not turn.is_set():
            ended = self._ended[record.request]
            try:
                async with asyncio.timeout(self.patience):
                    await turn.wait()
            except TimeoutError:
                if self._ended[record.request] == ended:
                    raise ReplayMismatchError(_stuck(record)) from None

    def _next_turn(self, request: int) -> None:
        self._ended[request] += 1
        turn = self._waiting.get(request, {}).pop(self._ended[request], None)
        if turn is not None:
            turn.set()

    def _give(self, task: Task, record: Record) -> None:
        if record.error is not None:
            kind = getattr(all_errors, record.error[0], WorkerError)
            error = kind.__new__(kind)
            error.args = (record.error[1],)
            raise error
        results_into(task, record)
        if isinstance(task, GenerationTask) and task.output_str and task.scope is not None:
            task.scope.emit(Delta(task.output_str, task.reasoning or ""))


def _stuck(record: Record) -> str:
    where = f"branch {record.branch} of request {record.request}"
    if record.ended is None:
        return (
            f"the call of {where} was cut in the recorded run, and is not now: the method has changed, record anew"
        )
    return f"{where} waits for a call that the recorded run made before: the method has changed, record anew"
