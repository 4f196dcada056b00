"""Worker: a backend. Runs one task at a time for each call, any number of calls at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextvars import ContextVar
from inspect import isawaitable
from typing import Any, ClassVar, Self, TypeAlias

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.errors import ScaffoldingError, UnsupportedTaskError, WorkerError, original_error
from scaffolding_core.errors.client import error_from_client
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.tasks import ChatTask, GenerationTask, Task, results_of

__all__ = [
    "AroundCall",
    "TaskHandler",
    "Worker",
    "around_calls",
    "before_sending",
    "called_synchronously",
    "is_worker",
    "retried_elsewhere",
    "told",
    "typed_error",
]

# Any: a handler takes its own kind of task and, where it is a plain function in a table, its own worker.
TaskHandler: TypeAlias = Callable[[Any, Any], Awaitable[object]]

called_synchronously: ContextVar[bool] = ContextVar("called_synchronously", default=False)
"""True inside a call that somebody made blocking: a worker that wraps a foreign client then uses the
client's blocking methods, in a thread, since its async ones would be bound to the wrong event loop."""


AroundCall: TypeAlias = Callable[["Worker", Task], Coroutine[Any, Any, object]]

around_calls: ContextVar[AroundCall | None] = ContextVar("around_calls", default=None)
"""Runs each call of the requests made in this context: it must await `worker.run_task(task)`. For tracing."""

before_sending: ContextVar[Callable[[], Awaitable[None]] | None] = ContextVar("before_sending", default=None)
"""Awaited before each request of the calls made in this context goes to a server. For rate limits."""

retried_elsewhere: ContextVar[bool] = ContextVar("retried_elsewhere", default=False)
"""True inside a call whose caller tries again itself, elsewhere perhaps: a worker then makes one attempt."""

_ANSWERED = (GenerationTask, ChatTask)
"""Kinds of task that a handler leaves with an answer; one of a user's own may hold its results elsewhere."""

_OF_THIS_PROCESS = ("_lane", "_resolved_handlers")


def typed_error(worker: object, error: BaseException) -> BaseException:
    """An error of a worker's own code as a `WorkerError` whose cause it is; typed ones and cuts stay as they are.

    One of a client that carries a status of HTTP is of the kind that the status means.
    Not only an `Exception`: a worker's SystemExit, say, is no reason to end whoever uses it.
    """
    if isinstance(error, ScaffoldingError | asyncio.CancelledError):
        return error
    cause = original_error(error)
    described = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
    name = type(worker).__name__
    typed = error_from_client(cause, name) or WorkerError(f"{name} failed: {described}")
    typed.__cause__ = cause
    return typed


def is_worker(worker: object) -> bool:
    """Whether it can be taken for a worker: a `Worker`, or whatever else has `run_task`."""
    return not isinstance(worker, type) and callable(getattr(worker, "run_task", None))


async def told(worker: object, what: str, *about: object) -> None:
    """Let a worker do what a `Worker` can be told to, by its name; one that has only `run_task` has nothing to do.

    Args:
        worker: a `Worker`, or what is taken for one.
        what: name of the method, async or not.
        about: what it takes.
    """
    tell = getattr(worker, what, None)
    if tell is not None and isawaitable(done := tell(*about)):
        await done


class Worker:
    """A backend.

    Subclass it and either override `run_task`, or register a handler for each kind of task: in the class's
    table `task_handlers`, or on one instance with `register_task_handler`. A handler for a class serves its
    subclasses too. Handlers fill the task's results and raise on failure.

    A worker honours cancellation by aborting at its backend, and never swallows it. Cut down midway, it
    leaves what was paid so far in `task.usage`.

    Attributes:
        task_handlers: kinds of task this class runs, each with `async handler(worker, task)`.
        max_concurrency: calls at once, over all event loops; further ones queue.
        capabilities: what the backend can do; as long as it is this very object, nothing is known of it.
        model_info: what is known of the backend's model so far.
        hears_of_ends: whether `on_scope_end` is to be called, where it is overridden.
        is_chain: whether a sample may be many calls of models, whose cost nobody can tell beforehand.
    """

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {}
    max_concurrency: int = 256
    capabilities: Capabilities = Capabilities()
    model_info: ModelInfo = ModelInfo()
    hears_of_ends: bool = True
    is_chain: bool = False

    @property
    def slot_owner(self) -> Worker:
        """At whom its calls are counted against `max_concurrency`: itself, unless it passes them on to another."""
        return self

    def register_task_handler(self, task_cls: type[Task], handler: TaskHandler) -> None:
        """Let this one worker run a kind of task with `async handler(worker, task)`."""
        self.__dict__.setdefault("_own_handlers", {})[task_cls] = handler
        self.__dict__.pop("_resolved_handlers", None)

    async def run_task(self, task: Task) -> object:
        """Run a task; its results are in the task afterwards, and what is returned means nothing.

        Raises:
            UnsupportedTaskError: no handler for this kind of task.
            WorkerError: the backend failed, or the handler filled in nothing, or what is no text.
        """
        returned = await self._handler(type(task))(self, task)
        if returned is None and isinstance(task, GenerationTask) and type(task) in _ANSWERED:
            self._check_answer(task)
        return returned

    def _check_answer(self, task: GenerationTask) -> None:
        said = task.message()
        answer: object = said.content
        if isinstance(answer, str):
            return
        if answer is not None and not isinstance(answer, list):
            raise WorkerError(f"{type(self).__name__} set output_str to {answer!r}: it must be text")
        told = [said.content, said.tool_calls, said.output_tokens, said.original]
        if not any(told) and not any(getattr(task, name) for name in results_of(type(task)) if name != "said"):
            raise WorkerError(
                f"{type(self).__name__} left the {type(task).__name__} empty: set output_str, output_tokens or "
                "tool_calls"
            )

    def _handler(self, task_cls: type[Task]) -> TaskHandler:
        resolved: dict[type[Task], TaskHandler] = self.__dict__.setdefault("_resolved_handlers", {})
        handler = resolved.get(task_cls)
        if handler is None:
            handler = resolved[task_cls] = self._find_handler(task_cls)
        return handler

    def _find_handler(self, task_cls: type[Task]) -> TaskHandler:
        tables: list[Mapping[type[Task], TaskHandler]] = [self.__dict__.get("_own_handlers", {})]
        tables += [cls.__dict__["task_handlers"] for cls in type(self).__mro__ if "task_handlers" in cls.__dict__]
        for kind in task_cls.__mro__:
            if issubclass(kind, GenerationTask) and kind.goes_on is not task_cls.goes_on:
                continue  # its handler would do the whole task anew at each step, or one step of a whole task
            for table in tables:
                if kind in table:
                    return table[kind]
        kinds = sorted({kind.__name__ for table in tables for kind in table}) or ["none"]
        raise UnsupportedTaskError(
            f"{type(self).__name__} cannot run a {task_cls.__name__}; it runs: {', '.join(kinds)}"
        )

    def model_for(self, task: Task) -> str | None:
        """The name of the model that runs a task; None if nobody told it yet."""
        named = (getattr(task, "extra_body", None) or {}).get("model")
        return named if isinstance(named, str) else self.model_info.name

    def tools_for(self, task: GenerationTask) -> Sequence[object]:
        """The descriptions of tools that the model reads with a task."""
        return task.tools_to_dict() if isinstance(task, ChatTask) and task.tools else ()

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer has at most; None if nobody limits it."""
        return task.max_tokens

    async def learn_model(self) -> None:
        """Ask the backend for what `model_info` lacks, once. Does nothing unless overridden.

        Raises:
            WorkerError: the backend does not answer.
        """

    async def check_health(self) -> None:
        """Ask the backend whether it is there, at no cost. Does nothing unless overridden.

        Raises:
            WorkerError: it is not.
        """

    async def on_scope_end(self, scope_id: str) -> None:
        """The request of that number ended, or a branch of it, such as `12:0.2`; free what was kept for it.

        Does nothing unless overridden.
        """

    async def release_loop(self) -> None:
        """Close what is bound to the running event loop. Does nothing unless overridden."""

    async def async_shutdown(self) -> None:
        """Close the worker for good; a closed worker refuses tasks with `ClosedError`."""
        await self.release_loop()

    def shutdown(self) -> None:
        """Close the worker for good, from a thread without a running loop."""

    def __getstate__(self) -> dict[str, object]:
        # A copy in another process has slots of its own.
        return {name: value for name, value in vars(self).items() if name not in _OF_THIS_PROCESS}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.async_shutdown()
