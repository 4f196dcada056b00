"""Task collections: watch the tasks of a method, without touching the method."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from scaffolding_core.controller import Controller, Outcome, ParallelProcess, Race, Steps
from scaffolding_core.tasks import GenerationTask, Task

__all__ = ["GenerationTokenCounter", "TaskCollection", "with_task_collection"]

C = TypeVar("C", bound=Controller)


class TaskCollection:
    """Sees every task that a method yields, those of its branches included; one instance a request."""

    def before_yield(self, tasks: Sequence[Task]) -> None:
        """These tasks are about to run."""

    def after_yield(self, tasks: Sequence[Task]) -> None:
        """These tasks have run."""

    def on_parallel_start(self, n: int) -> None:
        """A `ParallelProcess` of n branches is about to run."""

    def on_parallel_end(self, n: int) -> None:
        """A `ParallelProcess` of n branches has run."""

    @staticmethod
    def get_global_info() -> object:
        """What a collection of yours tells of all requests; nothing here."""
        return None


class GenerationTokenCounter(TaskCollection):
    """Counts the tokens that a method generates.

    Attributes:
        generation_token_count: completion tokens of all tasks that finished.
    """

    def __init__(self) -> None:
        self.generation_token_count = 0

    def after_yield(self, tasks: Sequence[Task]) -> None:
        """Add what these tasks wrote."""
        for task in tasks:
            if isinstance(task, GenerationTask) and task.usage is not None:
                self.generation_token_count += task.usage.completion_tokens


def with_task_collection(
    name: str, collection: Callable[..., TaskCollection], **kwargs: object
) -> Callable[[type[C]], type[C]]:
    """Decorate a controller class: each request's method gets a collection of its own.

    The decorated class is a subclass; the one given stays as it is. Results show the collections in
    `task_collections` after `ScaffoldingLlm.enable_output_task_collection()`.

    Args:
        name: key in `task_collections`.
        collection: class of the collection.
        kwargs: its arguments.
    """

    def decorate(cls: type[C]) -> type[C]:
        def clone(self: C) -> C:
            new = cls.clone(self)
            if new is self:
                new = object.__new__(type(self))
                vars(new).update(vars(self))
            new.task_collections = {**new.task_collections, name: collection(**kwargs)}
            return new

        @functools.wraps(cls.process)
        def process(self: C, *args: Any, **options: Any) -> Steps[Any]:
            watched = cls.process(self, *args, **options)
            found = self.task_collections.get(name)
            return watched if not isinstance(found, TaskCollection) else _watched(watched, found)

        members = {"clone": clone, "process": process, "__doc__": cls.__doc__, "__module__": cls.__module__}
        return type(cls.__name__, (cls,), members)

    return decorate


def _watched(generator: Steps[Any], collection: TaskCollection) -> Steps[Any]:
    reply: object = None
    error: BaseException | None = None
    races: dict[int, Race] = {}
    while True:
        try:
            yielded = generator.send(reply) if error is None else generator.throw(error)
        except StopIteration as stop:
            return stop.value
        reply = error = None
        _before(yielded, collection, races)
        try:
            reply = yield yielded
        except GeneratorExit:
            generator.close()
            raise
        except BaseException as thrown:
            error = thrown
        else:
            _after(yielded, reply, collection)


def _before(yielded: object, collection: TaskCollection, races: dict[int, Race]) -> None:
    if isinstance(yielded, ParallelProcess):
        yielded.sub_gens = [_watched(generator, collection) for generator in yielded.sub_gens]
        collection.on_parallel_start(len(yielded.sub_gens))
    elif isinstance(yielded, Race):
        if id(yielded) not in races:
            races[id(yielded)] = yielded
            yielded.branches = _watched_branches(yielded.branches, collection)
    elif isinstance(yielded, list):
        collection.before_yield(yielded)


def _after(yielded: object, reply: object, collection: TaskCollection) -> None:
    if isinstance(yielded, ParallelProcess):
        collection.on_parallel_end(len(yielded.sub_gens))
    elif isinstance(yielded, list):
        collection.after_yield(yielded)
    elif isinstance(reply, Outcome) and isinstance(reply.value, Task):
        collection.after_yield([reply.value])


def _watched_branches(
    branches: Iterator[Task | Steps[Any]], collection: TaskCollection
) -> Iterator[Task | Steps[Any]]:
    for branch in branches:
        if isinstance(branch, Task):
            collection.before_yield([branch])
            yield branch
        else:
            yield _watched(branch, collection)
