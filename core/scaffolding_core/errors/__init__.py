"""Every error this library raises, in one tree.

::

    ScaffoldingError                     catches all of them
    ├── InvalidRequestError              what was asked makes no sense; nothing ran (also a ValueError)
    │   ├── UnknownMethodError           no method of that name
    │   ├── UnsupportedParameterError    the backend cannot honour a parameter
    │   ├── UnsupportedTaskError         the worker cannot run this kind of task
    │   ├── MissingWorkerError           a tag that no worker serves
    │   └── MissingExtraError            an optional dependency is not installed (also an ImportError)
    ├── ControllerError                  a method broke the rules of `Controller.process` (also a TypeError)
    ├── ClosedError                      the ScaffoldingLlm, worker or loop is closed
    ├── DeadlockError                    a blocking call would wait for the thread that makes it
    ├── RequestCancelledError            the request was cancelled
    ├── BudgetExceededError              budget or deadline ran out before there was any answer
    ├── InsufficientSamplesError         too many samples failed for the method to go on
    ├── ReplayMismatchError              a replayed run asked for a call that was not recorded
    ├── WorkspaceChangedError            a workspace was changed while runs worked in copies of it
    └── WorkerError                      a backend failed; its own exception is the cause
        ├── BackendUnavailableError      nothing answers there, or the connection was lost
        ├── BackendTimeoutError          no answer in time
        ├── RateLimitError               the backend is busy (429)
        ├── ServerError                  the backend failed (5xx)
        ├── AuthenticationError          the key was refused (401, 403)
        ├── ModelNotFoundError           the backend does not serve that model
        ├── ModelFileError               the model file is missing or broken
        ├── BadRequestError              the backend refused the request (400, 422)
        │   └── ContextLengthExceededError   prompt and answer do not fit the context window
        ├── ContentFilterError           the backend withheld the answer
        ├── IncompleteResponseError      the answer ended before it was complete
        └── RunCutError                  a run of an agent was cut, since others were further
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

__all__ = [
    "AuthenticationError",
    "BackendTimeoutError",
    "BackendUnavailableError",
    "BadRequestError",
    "BudgetExceededError",
    "ClosedError",
    "ContentFilterError",
    "ContextLengthExceededError",
    "ControllerError",
    "DeadlockError",
    "IncompleteResponseError",
    "InsufficientSamplesError",
    "InvalidRequestError",
    "MissingExtraError",
    "MissingWorkerError",
    "ModelFileError",
    "ModelNotFoundError",
    "RateLimitError",
    "ReplayMismatchError",
    "RequestCancelledError",
    "RunCutError",
    "ScaffoldingError",
    "ServerError",
    "UnknownMethodError",
    "UnsupportedParameterError",
    "UnsupportedTaskError",
    "WorkerError",
    "WorkspaceChangedError",
]


Limit: TypeAlias = Literal["tokens", "dollars", "seconds", "samples", "deadline"]
_Recurs: TypeAlias = Literal["always", "alike"]


class ScaffoldingError(Exception):
    """Base of every error of this library.

    Attributes:
        recurs: when the same comes again: `"always"`, whatever is asked; `"alike"`, where the same is asked; None
            where it may not.
        task: the task that failed, where one did.
        branch: path of the branch it failed in, `()` being the request's own generator.
    """

    recurs: _Recurs | None = None
    task: object = None
    branch: tuple[int, ...] | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, {**vars(self), "task": None})


def _rebuild(cls: type[BaseException], args: tuple[object, ...], state: dict[str, object]) -> BaseException:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


def copy_error(error: BaseException) -> BaseException:
    """A fresh instance with the same message, attributes, cause and traceback.

    One exception object raised in several places would grow one tangled traceback. One that cannot be made
    anew is returned itself.
    """
    try:
        fresh = _rebuild(type(error), error.args, vars(error))
    except Exception:
        return error
    fresh.__cause__ = error.__cause__
    return fresh.with_traceback(error.__traceback__)


def original_error(error: BaseException) -> BaseException:
    """What was raised: a StopIteration leaves a generator or a coroutine as the cause of a RuntimeError."""
    cause = error.__cause__
    return cause if isinstance(error, RuntimeError) and isinstance(cause, StopIteration) else error


class InvalidRequestError(ScaffoldingError, ValueError):
    """What was asked makes no sense; nothing ran and nothing was paid."""

    recurs: _Recurs | None = "always"


class UnknownMethodError(InvalidRequestError):
    """No method of that name."""


class UnsupportedParameterError(InvalidRequestError):
    """The backend cannot honour a parameter that was set."""


class UnsupportedTaskError(InvalidRequestError):
    """The worker cannot run this kind of task."""


class MissingWorkerError(InvalidRequestError):
    """A task names a tag that no worker serves."""


class MissingExtraError(InvalidRequestError, ImportError):
    """An optional dependency is not installed.

    Args:
        what: what needs it.
        extra: the extra that brings it.
    """

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an extra: pip install 'scaffolding-llm[{extra}]'")
        self.extra = extra


class ControllerError(ScaffoldingError, TypeError):
    """A method broke the rules of `Controller.process`."""


class ClosedError(ScaffoldingError):
    """The ScaffoldingLlm, the worker or the event loop is closed."""


class DeadlockError(ScaffoldingError):
    """A blocking call would wait for the very thread that makes it."""


class RequestCancelledError(ScaffoldingError):
    """The request was cancelled.

    Deliberately no `asyncio.CancelledError`: a task group would swallow that without a trace.
    """


class BudgetExceededError(ScaffoldingError):
    """Budget or deadline ran out.

    Thrown into the method at its `yield`, so that it can return its best answer so far; it reaches the
    caller only if there is none.

    Args:
        message: one sentence.
        limit: which limit ran out.
    """

    def __init__(self, message: str, limit: Limit) -> None:
        super().__init__(message)
        self.limit: Limit = limit


class InsufficientSamplesError(ScaffoldingError):
    """Too many samples failed for the method to go on.

    Args:
        message: one sentence.
        failures: the errors of the failed samples, by index.
    """

    def __init__(self, message: str, failures: Sequence[BaseException] = ()) -> None:
        super().__init__(message)
        self.failures = tuple(failures)


class ReplayMismatchError(ScaffoldingError):
    """A replayed run asked for a call that was not recorded."""

    recurs: _Recurs | None = "always"


class WorkspaceChangedError(ScaffoldingError):
    """A workspace was changed while runs worked in copies of it; it stays so, and the chosen copy is told."""


class WorkerError(ScaffoldingError):
    """A backend failed.

    Args:
        message: one sentence.
        attempts: how often it was tried.

    Attributes:
        sent: whether the backend may have worked for it, so that it may have cost something.
        status: of HTTP, where it answered with one.
        retry_after: seconds for which it asked to be left alone; infinity for too many, None if it did not ask.
    """

    attempts: int = 1
    sent: bool = True
    status: int | None = None
    retry_after: float | None = None

    def __init__(self, message: str, *, attempts: int = 1) -> None:
        super().__init__(message)
        self.attempts = attempts


class BackendUnavailableError(WorkerError):
    """Nothing answers there, or the connection was lost."""


class BackendTimeoutError(WorkerError):
    """The backend gave no answer in time."""


class RateLimitError(WorkerError):
    """The backend is busy (429)."""


class ServerError(WorkerError):
    """The backend failed (5xx)."""


class AuthenticationError(WorkerError):
    """The backend refused the key (401, 403)."""

    recurs: _Recurs | None = "always"


class ModelNotFoundError(WorkerError):
    """The backend does not serve that model."""

    recurs: _Recurs | None = "always"


class ModelFileError(WorkerError):
    """The model file is missing or broken."""

    recurs: _Recurs | None = "always"


class BadRequestError(WorkerError):
    """The backend refused the request (400, 422)."""

    recurs: _Recurs | None = "alike"


class ContextLengthExceededError(BadRequestError):
    """Prompt and answer do not fit the model's context window."""


class ContentFilterError(WorkerError):
    """The backend's content filter withheld the answer, or a part of it.

    Args:
        message: one sentence.
        of_prompt: the prompt was refused, so that every sample of it is; else it was this answer.
    """

    of_prompt: bool = False

    def __init__(self, message: str, *, of_prompt: bool = False) -> None:
        super().__init__(message)
        self.of_prompt = of_prompt
        if of_prompt:
            self.recurs = "alike"


class IncompleteResponseError(WorkerError):
    """The answer ended before it was complete."""


class RunCutError(WorkerError):
    """A run of an agent was cut: others had come further."""
