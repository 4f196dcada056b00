"""Recording: the calls of a run, and RecordingWorker, which takes them down."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, TokenLogprob, ToolCall, Usage
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import (
    ChatTask,
    GenerationTask,
    MCPCallTask,
    RewardTask,
    StreamGenerationTask,
    Task,
    TaskStatus,
    results_of,
)
from scaffolding_core.worker import Capabilities, Worker, typed_error

__all__ = ["Record", "Recording", "RecordingWorker", "inputs_of", "results_into"]

_FORMAT = "scaffolding-recording"
_VERSION = 1


@dataclass
class Record:
    """One call.

    Attributes:
        request: number of its request, from 0 in the order in which they first called.
        branch: path of the branch that made it.
        call: its number among the calls of that branch.
        inputs: what was asked, as plain data.
        ended: its place among the calls of its request in the order in which they ended; None for one that
            was cut.
        results: what came back, as plain data.
        error: name and message of the error it failed with.
        usage: what it cost.
    """

    request: int
    branch: tuple[int, ...]
    call: int
    inputs: dict[str, object]
    ended: int | None = None
    results: dict[str, object] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    usage: dict[str, int] | None = None


class Recording:
    """The calls of one run, or of several on the same workers."""

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records = records or []
        self._requests: dict[int, int] = {}
        self._calls: dict[tuple[int, tuple[int, ...]], int] = {}
        self._ended: dict[int, int] = {}

    def begin(self, task: Task) -> Record:
        """Take down that a task begins."""
        request, branch, call = place_of(task, self._requests, self._calls)
        record = Record(request, branch, call, inputs_of(task))
        self.records.append(record)
        return record

    def end(self, record: Record, task: Task, error: BaseException | None) -> None:
        """Take down how it ended."""
        record.usage = asdict(task.usage) if task.usage is not None else None
        if isinstance(error, asyncio.CancelledError):
            return
        record.ended = self._ended.get(record.request, 0)
        self._ended[record.request] = record.ended + 1
        if error is not None:
            record.error = (type(error).__name__, str(error))
        else:
            record.results = told_by(task)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON lines."""
        lines = [{"format": _FORMAT, "version": _VERSION}, *map(asdict, self.records)]
        Path(path).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` wrote.

        Raises:
            InvalidRequestError: the file is not there, or is no recording.
        """
        try:
            lines = list(_json_lines(Path(path)))
            if lines[0] != {"format": _FORMAT, "version": _VERSION}:
                raise ValueError("it does not begin as one")
            return cls([_record(line) for line in lines[1:]])
        except FileNotFoundError:
            raise InvalidRequestError(f"there is no recording {path}: correct the path") from None
        except (OSError, ValueError, TypeError, IndexError, KeyError) as error:
            raise InvalidRequestError(f"{path} is no recording of this version: {error}") from error


class RecordingWorker(Worker):
    """Runs tasks on another worker and takes every call down, so that a `ReplayWorker` can give it again.

    Args:
        worker: does the work.
        recording: takes the calls; share one between the workers of a `ScaffoldingLlm`.

    Attributes:
        recording: the calls so far.
    """

    def __init__(self, worker: Worker, recording: Recording | None = None) -> None:
        self.worker = worker
        self.recording = recording if recording is not None else Recording()
        self.max_concurrency = worker.max_concurrency

    @property
    def capabilities(self) -> Capabilities:  # type: ignore[override]  # the other worker's
        """Those of the worker that does the work."""
        return self.worker.capabilities

    @property
    def model_info(self) -> ModelInfo:  # type: ignore[override]  # the other worker's
        """What the worker that does the work knows."""
        return self.worker.model_info

    async def learn_model(self) -> None:
        """Let the worker that does the work ask."""
        await self.worker.learn_model()

    async def run_task(self, task: Task) -> TaskStatus | None:
        """Run the task and take it down.

        Raises:
            InvalidRequestError: a task that goes on in steps; only whole calls are recorded.
        """
        if isinstance(task, StreamGenerationTask):
            raise InvalidRequestError("a StreamGenerationTask cannot be recorded: use a GenerationTask")
        record = self.recording.begin(task)
        try:
            status = await self.worker.run_task(task)
        except BaseException as error:
            typed = typed_error(self.worker, error)
            self.recording.end(record, task, typed)
            raise typed from typed.__cause__
        self.recording.end(record, task, None)
        return status

    async def on_scope_end(self, scope_id: str) -> None:
        """Tell the worker that does the work."""
        await self.worker.on_scope_end(scope_id)

    async def release_loop(self) -> None:
        """Close what the other worker keeps for the running loop."""
        await self.worker.release_loop()

    async def async_shutdown(self) -> None:
        """Close the other worker."""
        await self.worker.async_shutdown()

    def shutdown(self) -> None:
        """Close the other worker."""
        self.worker.shutdown()


def place_of(
    task: Task, requests: dict[int, int], calls: dict[tuple[int, tuple[int, ...]], int]
) -> tuple[int, tuple[int, ...], int]:
    """Request, branch and number of a call that begins; counts it."""
    if task.scope is None:
        raise InvalidRequestError("only calls of a ScaffoldingLlm can be recorded and replayed")
    request = requests.setdefault(task.scope.request_id, len(requests))
    branch = task.scope.branch
    call = calls.get((request, branch), 0)
    calls[request, branch] = call + 1
    return request, branch, call


def inputs_of(task: Task) -> dict[str, object]:
    """What a task asks, as plain data."""
    inputs: dict[str, object] = {"kind": type(task).__name__, "tag": _plain(task.worker_tag)}
    if isinstance(task, GenerationTask):
        inputs |= {"sampling": task.sampling(), "prompt": task.input_str, "tokens": task.input_tokens}
    if isinstance(task, ChatTask):
        inputs["messages"] = task.messages_to_dict_content()
        inputs["tools"] = task.tools_to_dict()
    if isinstance(task, RewardTask):
        response = task.response.to_dict() if task.response is not None else None
        messages = [message.to_dict() for message in task.messages or ()]
        inputs |= {"prompt": task.input_str, "messages": messages, "response": response}
    if isinstance(task, MCPCallTask):
        inputs |= {"tool": task.tool_name, "args": task.args}
    plain: dict[str, object] = json.loads(json.dumps(inputs, default=_plain))
    return plain


def told_by(task: Task) -> dict[str, object]:
    """What came back, as plain data."""
    results = {name: getattr(task, name) for name in results_of(type(task))}
    if isinstance(task, GenerationTask) and task.said is not None:
        results["said"] = asdict(replace(task.said, original=None))
    given = {name: value for name, value in results.items() if value is not None}
    plain: dict[str, object] = json.loads(json.dumps(given, default=_plain))
    return plain


def results_into(task: Task, record: Record) -> None:
    """Give a task what a record says came back."""
    for name, value in record.results.items():
        setattr(task, name, _message(value) if name == "said" else value)
    if record.usage is not None:
        task.usage = Usage(**record.usage)


def _message(said: Any) -> AssistantMessage:  # Any: plain data, as `told_by` made it
    parts = {name: value for name, value in said.items() if name != "role"}
    parts["tool_calls"] = [ToolCall(**call) for call in said["tool_calls"] or ()] or None
    parts["logprobs"] = [_logprob(entry) for entry in said["logprobs"] or ()] or None
    return AssistantMessage(**parts)


def _logprob(entry: dict[str, object]) -> TokenLogprob:
    top = entry["top"]
    assert isinstance(top, list | tuple)
    logprob = entry["logprob"]
    assert isinstance(logprob, int | float)
    return TokenLogprob(str(entry["token"]), float(logprob), tuple((str(token), float(p)) for token, p in top))


def _plain(value: object) -> object:
    return getattr(value, "value", None) or (None if value is None else str(value))


def _json_lines(path: Path) -> Iterator[dict[str, object]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _record(line: dict[str, object]) -> Record:
    record = Record(**line)  # type: ignore[arg-type]  # checked by what follows
    record.branch = tuple(record.branch)
    record.error = (record.error[0], record.error[1]) if record.error is not None else None
    return record
