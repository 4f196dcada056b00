"""CollectionWatch: tells a task collection what one branch of a controller yields."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from scaffolding_core.controller import CancelRace, Outcome, ParallelProcess, Race, Steps
from scaffolding_core.tasks import Task
from scaffolding_core.tensorrt_llm.task_collection.collection import TaskCollection
from scaffolding_core.tensorrt_llm.watched import Watch, watched

__all__ = ["CollectionWatch", "collected"]

T = TypeVar("T")

_told: ContextVar[tuple[TaskCollection, ...]] = ContextVar("_told", default=())
"""The collections that are told of what the code that runs will yield."""


def collected(process: Callable[[], Steps[T]], collection: TaskCollection) -> Steps[T]:
    """The steps that `process` makes, of which the collection is told.

    It is told once: whoever calls from inside steps that it is told of gets them as they are.
    """
    if any(one is collection for one in _told.get()):
        return process()
    watch = CollectionWatch(collection)
    with watch.running():
        steps = process()
    return watched(steps, watch)


class CollectionWatch(Watch):
    """One branch: each of its branches has a watch of its own, and all tell one collection."""

    def __init__(self, collection: TaskCollection) -> None:
        self._collection = collection
        self._yielded: list[Any] | None = None  # Any: tasks of the core, too, which its methods yield
        self._races: dict[int, _RacingTasks] = {}

    def before(self, yielded: Any) -> Any:  # Any: whatever a method may yield
        """Tell of what is about to run."""
        if isinstance(yielded, ParallelProcess):
            yielded.sub_gens = [watched(steps, CollectionWatch(self._collection)) for steps in yielded.sub_gens]
            self._collection.on_parallel_start(len(yielded.sub_gens))
        elif isinstance(yielded, Race):
            if id(yielded) not in self._races:
                self._races[id(yielded)] = _RacingTasks(yielded, self._collection)
        elif isinstance(yielded, Iterable):
            yielded = self._yielded = yielded if isinstance(yielded, list) else list(yielded)
            self._collection.before_yield(yielded)
        return yielded

    def after(self, yielded: Any, reply: object) -> None:
        """Tell of what has run."""
        if isinstance(yielded, ParallelProcess):
            self._collection.on_parallel_end(len(yielded.sub_gens))
        elif isinstance(yielded, Race) and isinstance(reply, Outcome):
            self._races[id(yielded)].settle(reply)
        elif isinstance(yielded, CancelRace) and isinstance(reply, list) and id(yielded.race) in self._races:
            for outcome in reply:
                self._races[id(yielded.race)].settle(outcome)
        elif self._yielded is not None:
            tasks, self._yielded = self._yielded, None
            self._collection.after_yield(tasks)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Its code runs on; tasks that were not told of as run have failed."""
        self._fail()
        token = _told.set((*_told.get(), self._collection))
        try:
            yield
        finally:
            _told.reset(token)

    def ended(self) -> None:
        """Tell of what raced in vain."""
        for racing in self._races.values():
            racing.fail()

    def _fail(self) -> None:
        if self._yielded is not None:
            tasks, self._yielded = self._yielded, None
            self._collection.after_failure(tasks)


class _RacingTasks:
    """The tasks of a race that run: each is told of when it is drawn, and when it is handed back."""

    def __init__(self, race: Race, collection: TaskCollection) -> None:
        self.race = race
        self._collection = collection
        self._running: dict[int, Any] = {}  # Any: tasks, as above
        race.branches = self._drawn(race.branches)

    def _drawn(self, branches: Iterator[Task | Steps[Any]]) -> Iterator[Task | Steps[Any]]:
        for index, branch in enumerate(branches):
            if isinstance(branch, Task):
                self._running[index] = branch
                self._collection.before_yield([self._running[index]])
                yield branch
            else:
                yield watched(branch, CollectionWatch(self._collection))

    def settle(self, outcome: Outcome) -> None:
        """Tell of one that was handed back."""
        task = self._running.pop(outcome.index, None)
        if task is None:
            return
        if outcome.error is None and not outcome.cut:
            self._collection.after_yield([task])
        else:
            self._collection.after_failure([task])

    def fail(self) -> None:
        """Nobody will hand the rest back."""
        for task in self._running.values():
            self._collection.after_failure([task])
        self._running.clear()
