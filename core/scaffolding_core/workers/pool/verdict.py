"""What a failed call says: of its replica, and of whether another may answer."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    ClosedError,
    ContentFilterError,
    ModelNotFoundError,
    RateLimitError,
    ScaffoldingError,
    ServerError,
    UnsupportedParameterError,
    UnsupportedTaskError,
    WorkerError,
    copy_error,
)

__all__ = [
    "all_failed",
    "is_beyond_it",
    "is_final",
    "is_refusal",
    "is_silence",
    "never_sent",
    "opens_at_once",
    "speaks_ill",
    "stays",
]


def is_final(error: BaseException) -> bool:
    """Whether no replica would do better: the request makes no sense, is too long, or its text is withheld."""
    if is_beyond_it(error):
        return False
    if isinstance(error, BadRequestError):
        return error.status != 404  # nothing is served at the address of this one
    return not isinstance(error, WorkerError | ClosedError) or isinstance(error, ContentFilterError)


def is_beyond_it(error: BaseException) -> bool:
    """Whether the replica cannot do what is asked, which says nothing of it; one of another kind may."""
    return isinstance(error, UnsupportedParameterError | UnsupportedTaskError)


def is_refusal(error: BaseException) -> bool:
    """Whether the replica refuses whatever is asked so: the key, the model, or the address is wrong there."""
    return isinstance(error, AuthenticationError | ModelNotFoundError | ClosedError | BadRequestError)


def is_silence(error: BaseException) -> bool:
    """Whether the replica said nothing for as long as it may: a call waits for that once."""
    return isinstance(error, BackendTimeoutError) and error.status is None


def never_sent(error: BaseException) -> bool:
    """Whether nothing reached the replica, so that it cost nothing."""
    return (
        isinstance(error, ClosedError)
        or is_beyond_it(error)
        or (isinstance(error, BackendUnavailableError) and not error.sent)
    )


def opens_at_once(error: BaseException) -> bool:
    """Whether the replica is left at once."""
    return never_sent(error) or is_refusal(error)


def speaks_ill(error: BaseException) -> bool:
    """Whether the failure is the replica's: it is no 429, which says that it works as much as it can."""
    return not is_final(error) and not is_beyond_it(error) and not isinstance(error, RateLimitError)


def stays(error: BaseException) -> bool:
    """Whether the same replica is tried once more: it failed at once, and its cache holds the prompt."""
    return isinstance(error, ServerError) and error.status is not None and error.retry_after is None


def all_failed(last: BaseException, failures: Mapping[str, str], attempts: int) -> BaseException:
    """The error of a call that no replica has answered: of the last one's kind, and it names each one's failure.

    Args:
        last: the last failure.
        failures: of each replica, by name.
        attempts: how often it was tried.
    """
    told = "; ".join(f"{name}: {failure}" for name, failure in failures.items())
    error = copy_error(last)
    advice = "" if is_beyond_it(last) else ": start one, or allow more time"
    error.args = (f"no replica answered ({told}){advice}",)
    error.__cause__ = last if isinstance(last, ScaffoldingError) else None
    if isinstance(error, WorkerError):
        error.attempts = max(1, attempts)
    return error
