"""Recording: the calls of a run, taken down as they end, and given again."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Self

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import Usage
from scaffolding_core.results import Ending, ExecutionTrace
from scaffolding_core.tasks import Task
from scaffolding_core.trace.journal import Journal, read_records, write_records
from scaffolding_core.trace.numbering import Keys, Requests
from scaffolding_core.trace.past import Past, Turn
from scaffolding_core.trace.record import Key, Place, Record
from scaffolding_core.trace.task_content import TaskContent, came_back, content_of
from scaffolding_core.trace.turns import Turns

if TYPE_CHECKING:
    from scaffolding_core.worker import Worker

__all__ = ["Begun", "Recording", "Rerun"]


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that has begun.

    Attributes:
        content: what it asks.
        place: where in the run it is made.
        key: what tells it from all other calls of the run.
        origin: when its request first called, on the loop's clock.
        started: when it began.
        paid: what the task had cost before, where it goes on.
        earlier: what an earlier run took down of it.
        turn: when it ended in the request that this one follows.
    """

    content: TaskContent
    place: Place
    key: Key
    origin: float
    started: float
    paid: Usage | None
    earlier: Record | None = None
    turn: Turn | None = None


class Recording:
    """The calls of one run, or of several on the same workers; in memory, or in a file with `open`.

    A call is taken down when it ends: those that run when the program is killed are not in it. Workers, threads
    and event loops may share one.

    Args:
        records: of earlier runs.
        content: False keeps no prompts, texts and messages of errors: only hashes, costs, times and kinds.
    """

    def __init__(self, records: Sequence[Record] | None = None, *, content: bool = True) -> None:
        records = records or ()
        self.content = content
        self._records = list(records)
        self._journal: Journal | None = None
        self._lock = threading.Lock()
        self._requests = Requests(max((record.request + 1 for record in records), default=0))
        self._keys = Keys(_next_index(records))

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, content: bool = True) -> Self:
        """A recording that is kept in a file, call by call as they end; it goes on after those in there.

        A call is one line, written at once where it ends, on the event loop: a program that is killed loses
        nothing that has ended, a power cut the last seconds. Cost: 0.1 ms for an ordinary answer, 2 ms for the log
        probabilities of 200 tokens, 3 ms for a million characters.

        Args:
            path: of the file; made if it is not there.
            content: as for a `Recording`.

        Raises:
            InvalidRequestError: the file is no recording, keeps content otherwise, or cannot be written.
        """
        journal = Journal(path, content=content)
        try:
            new = cls(journal.records(), content=content)
        except InvalidRequestError:
            journal.close()
            raise
        new._records, new._journal = [], journal
        return new

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` or a recording in a file wrote; a last line that was cut short is read over.

        Raises:
            InvalidRequestError: the file is not there, is no recording, or a line of it is broken.
        """
        records, content = read_records(path)
        return cls(records, content=content)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to another file."""
        write_records(path, self.records, content=self.content)

    def close(self) -> None:
        """Close the file, where there is one."""
        if self._journal is not None:
            self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[object, ...]:
        return partial(Recording, content=self.content), (self.records,)  # a copy elsewhere is kept in memory

    @property
    def records(self) -> list[Record]:
        """The calls that have ended, in that order; of a file, read anew each time."""
        return self._records if self._journal is None else self._journal.records()

    @property
    def usage(self) -> Usage:
        """What all calls have cost, where the workers tell."""
        paid = Usage()
        for record in self.records:
            if record.usage is not None:
                paid.add(record.usage)
        return paid

    def traces(self) -> list[ExecutionTrace]:
        """The trace of each request, in the order in which they first called."""
        traces: dict[int, ExecutionTrace] = {}
        for record in self.records:
            traces.setdefault(record.request, ExecutionTrace(record.request)).calls.append(record)
        return [traces[request] for request in sorted(traces)]

    def again(self) -> Rerun:
        """A run that finds what is in here, and takes down what is not."""
        return Rerun(self)

    def begin(self, task: Task, model: str | None) -> Begun:
        """Take down that a task begins.

        Args:
            task: that begins.
            model: the worker's model; None if nobody knows.

        Raises:
            InvalidRequestError: it is no call of a request, or asks what no file can hold.
        """
        if task.scope is None:
            raise InvalidRequestError("only calls of a ScaffoldingLlm can be recorded and replayed")
        content, now = content_of(task, model), asyncio.get_running_loop().time()
        paid = task.usage.since(None) if task.goes_on and task.usage is not None else None
        digest = content.digest()
        with self._lock:
            request = self._requests.of(task.scope, now)
            place = request.place(task.scope.branch)
            key, earlier, turn = self._find(place, digest)
        return Begun(content, place, key, request.origin, now, paid, earlier, turn)

    def end(self, begun: Begun, task: Task, worker: Worker, ended: BaseException | None) -> None:
        """Take down how it ended.

        Args:
            begun: what `begin` gave.
            task: that has run.
            worker: that ran it.
            ended: what the worker raised, if it did.

        Raises:
            WorkerError: the file takes no more.
        """
        content, error = begun.content, ended if isinstance(ended, BaseException) else None
        record = Record(
            branch=begun.place.branch,
            task=content.task,
            worker=type(worker).__name__,
            queued=begun.started - begun.origin,
            started=begun.started - begun.origin,
            ended=asyncio.get_running_loop().time() - begun.origin,
            ending=_ending(ended),
            usage=task.usage.since(begun.paid) if isinstance(task.usage, Usage) else None,
            error=None if error is None else str(error),
            hints=task.hints,
            digest=begun.key.digest,
            index=begun.key.index,
            request=begun.place.request,
            call=begun.place.call,
            timestamp=time.time(),
            role=content.role,
            model=content.model,
            inputs=content.inputs,
            parameters=content.parameters,
            results=came_back(task, content),
            error_type=None if error is None else type(error).__name__,
        )
        self._keep(record if self.content else record.without_content())

    def forget(self, request_id: int) -> None:
        """A request has ended; it calls no more."""
        self._requests.forget(request_id)

    def _find(self, place: Place, digest: str) -> tuple[Key, Record | None, Turn | None]:
        """The key of a call that begins, what is known of it from earlier runs, and when it ended there."""
        return self._keys.following(digest), None, None

    def _keep(self, record: Record) -> None:
        if self._journal is not None:
            self._journal.append(record)
        else:
            self._records.append(record)


class Rerun(Recording):
    """A run that finds the calls of earlier ones; what it makes anew is added to their recording.

    Args:
        recording: of the earlier runs.

    Raises:
        InvalidRequestError: it was kept without content.
    """

    def __init__(self, recording: Recording) -> None:
        records = recording.records
        if not recording.content:
            raise InvalidRequestError("this was recorded without content, and cannot be replayed: record it anew")
        super().__init__(content=recording.content)
        self.past = Past(records)
        self.turns = Turns()
        self._recording = recording
        self._lock, self._requests = recording._lock, recording._requests

    @property
    def records(self) -> list[Record]:
        """Those of the recording."""
        return self._recording.records

    def forget(self, request_id: int) -> None:
        """A request has ended; it calls no more."""
        request = self._requests.forget(request_id)
        if request is not None:
            self.past.forget(request.number)

    def _find(self, place: Place, digest: str) -> tuple[Key, Record | None, Turn | None]:
        spot = self.past.in_place(place, digest)
        if spot is None or not self._keys.take(spot.key):
            key = self._keys.following(digest)
            return key, self.past.with_key(key), None
        return spot.key, self.past.with_key(spot.key), self.past.turn_of(spot)

    def _keep(self, record: Record) -> None:
        self._recording._keep(record)


def _next_index(records: Iterable[Record]) -> dict[str, int]:
    following: dict[str, int] = {}
    for record in records:
        following[record.digest] = max(following.get(record.digest, 0), record.index + 1)
    return following


def _ending(ended: BaseException | None) -> Ending:
    if ended is None:
        return "finished"
    return "cut" if isinstance(ended, asyncio.CancelledError) else "failed"
