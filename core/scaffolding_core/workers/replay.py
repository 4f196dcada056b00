"""ReplayWorker: a recorded run as a backend."""

from __future__ import annotations

import asyncio

import scaffolding_core.errors as all_errors
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import ReplayMismatchError, ScaffoldingError, WorkerError
from scaffolding_core.messages import AssistantMessage, Usage
from scaffolding_core.tasks import Delta, GenerationTask, Task, run_in_steps
from scaffolding_core.trace import Begun, Record, Recording, Rerun
from scaffolding_core.trace.past import Turn
from scaffolding_core.trace.task_content import TaskContent, fill_results, role_of
from scaffolding_core.worker import Worker
from scaffolding_core.workers.limits import check_seconds
from scaffolding_core.workers.recording import RecordingWorker

__all__ = ["ReplayWorker"]


class ReplayWorker(RecordingWorker):
    """Gives each task what the same task was given when it was recorded, at no cost.

    Calls are found by what they ask: the tag of the worker, its model, inputs and parameters, and of calls that
    ask the same, by their number. So a run may make its requests in another order, or have been broken off. A
    request that does again what a recorded one did gets its calls in the order in which they ended then, and those
    that were cut run until they are cut again: its output is the same, usage included.

    With a worker, calls that are not there, failed or were cut are asked from it and added to the recording, which
    so goes on where it was broken off. Workers of several roles share `recording.again()`.

    Args:
        recording: what a `RecordingWorker` took down, `Recording.load(path)`, or `Recording.open(path)` to go on.
        worker: does what is not there; None makes that an error.
        patience: seconds that a call waits for its turn while no other call of its request ends; then the method
            has gone another way than it did. None: 60, with a worker 1.

    Raises:
        InvalidRequestError: a patience that is no time, or a recording without content.
    """

    def __init__(
        self, recording: Recording, *, worker: Worker | None = None, patience: float | None = None
    ) -> None:
        self.rerun = recording if isinstance(recording, Rerun) else recording.again()
        super().__init__(_Nobody(len(self.rerun.past)) if worker is None else worker, self.rerun)
        self.patience = (60.0 if worker is None else 1.0) if patience is None else patience
        check_seconds(patience=self.patience)
        self._alone = worker is None

    async def run_task(self, task: Task) -> object:
        """Wait for the call's turn, and give what was recorded.

        Raises:
            ReplayMismatchError: the run made no such call, or made it in another order.
            ScaffoldingError: what the call failed with when it was recorded, or fails with.
        """
        model = self.rerun.past.model_of(role_of(task)) if self._alone else await self.model_name()
        begun = self.rerun.begin(task, model)
        record = begun.earlier
        if record is None:
            return await self._ask(begun, task)
        if record.ending == "cut":
            await self._be_cut(begun, record, task)
            return await self._ask(begun, task)
        if begun.turn is not None and begun.turn.order is not None:
            await self._turn(begun.turn, task)
        if record.ending == "finished" or self._alone:
            _give(task, record)
            return None
        return await self._ask(begun, task)

    async def _turn(self, turn: Turn, task: Task) -> None:
        """Wait until the calls that ended before have ended."""
        turns = self.rerun.turns
        try:
            came = await turns.come(turn, self.patience)
        except asyncio.CancelledError:
            task.usage = task.usage or Usage()  # nothing was sent
            raise
        if not came:
            self._go_another_way(turn, "waits for a call that the recorded run made before")
        turns.over(turn)

    async def _be_cut(self, begun: Begun, record: Record, task: Task) -> None:
        """Run until it is cut, as it was, unless nothing happens any more."""
        turn = begun.turn or self.rerun.past.turn_of(record)
        try:
            await self.rerun.turns.come(turn._replace(order=None), self.patience)
        except asyncio.CancelledError:
            _fill(task, record)
            raise
        self._go_another_way(turn, "was cut in the recorded run, and is not now")

    def _go_another_way(self, turn: Turn, how: str) -> None:
        if self._alone:
            raise ReplayMismatchError(f"a call {how}: the method has changed, record anew")
        self.rerun.turns.leave(turn)

    async def _ask(self, begun: Begun, task: Task) -> object:
        if self._alone:
            raise ReplayMismatchError(_difference(begun, self.rerun.past.instead(begun.place)))
        if run_in_steps(task) and task.output_str and task.request_handle is None:
            raise ReplayMismatchError("a recorded stream cannot go on where its recording ends: record it anew")
        return await self.record(begun, task)


class _Nobody(Worker):
    """Stands where no worker does what is not recorded."""

    capabilities = Capabilities(logprobs=True, tools=True, streaming=True, token_prompts=True)

    def __init__(self, calls: int) -> None:
        self.max_concurrency = max(1, calls)  # those that were cut must not keep others waiting


def _give(task: Task, record: Record) -> None:
    """Let a call end as it did.

    Raises:
        ScaffoldingError: what it failed with.
    """
    before = task.message() if run_in_steps(task) else AssistantMessage()
    _fill(task, record)
    if record.error_type is not None:
        kind = getattr(all_errors, record.error_type, WorkerError)
        error: ScaffoldingError = kind.__new__(kind)
        error.args = (record.error,)
        raise error
    if isinstance(task, GenerationTask) and task.scope is not None:
        text = task.message().text.removeprefix(before.text)
        reasoning = (task.reasoning or "").removeprefix(before.reasoning or "")
        if text or reasoning:
            task.scope.emit(Delta(text, reasoning))


def _fill(task: Task, record: Record) -> None:
    fill_results(task, record.results or {})
    if record.usage is not None:
        usage = task.usage if task.goes_on and task.usage is not None else Usage()
        usage.add(record.usage)
        task.usage = usage


def _difference(begun: Begun, recorded: Record | None) -> str:
    """How a call differs from the one that was recorded in its place."""
    where = f"call {begun.place.call} of branch {begun.place.branch}"
    if recorded is not None:
        asked, was = _asked(begun.content), _asked(recorded)
        for name in sorted(asked.keys() | was.keys()):
            if asked.get(name) != was.get(name):
                return f"{where} asks for {name} {asked.get(name)!r}, recorded was {was.get(name)!r}: record anew"
    return f"the recorded run made no {where}: the method or its input has changed"


def _asked(content: TaskContent | Record) -> dict[str, object]:
    named = {"task": content.task, "worker_tag": content.role, "model": content.model}
    return {**named, **(content.inputs or {}), **(content.parameters or {})}
