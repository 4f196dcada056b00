"""What an exception of TensorRT-LLM means."""

from __future__ import annotations

from scaffolding_core.errors import (
    BackendUnavailableError,
    BadRequestError,
    ContextLengthExceededError,
    ScaffoldingError,
    WorkerError,
)
from scaffolding_core.errors.http import tells_overflow
from scaffolding_core.shown_text import sentence

__all__ = ["ended", "failure", "is_of_engine"]

_OF_REQUEST = (ValueError, TypeError, AssertionError, NotImplementedError)
_LONGEST = 500


def is_of_engine(error: Exception) -> bool:
    """Whether the engine has ended with it, and not one request alone."""
    return isinstance(error, RuntimeError | OSError) and not _is_of_request(error)


def ended(message: str) -> BackendUnavailableError:
    """The error of whatever is asked of an engine that has ended; every further sample would meet it."""
    error = BackendUnavailableError(message)
    error.recurs = "always"
    return error


def failure(error: Exception, *, of_engine: bool) -> ScaffoldingError:
    """The typed error for what a request failed with.

    Args:
        error: what was raised.
        of_engine: the engine has ended with it.
    """
    if isinstance(error, ScaffoldingError):
        return error
    words = sentence(str(error) or type(error).__name__, _LONGEST)
    typed: WorkerError
    if tells_overflow(words):
        typed = ContextLengthExceededError(
            f"prompt and answer do not fit, shorten them or make the LLM with larger limits; "
            f"TensorRT-LLM says: {words}"
        )
    elif _is_of_request(error):
        typed = BadRequestError(f"TensorRT-LLM refused the request: {words}")
    elif of_engine:
        typed = ended(f"the engine of TensorRT-LLM has ended, make a new LLM and a new worker: {words}")
    else:
        typed = WorkerError(f"TRTLLMWorker failed: {words}")
    typed.__cause__ = error
    return typed


def _is_of_request(error: Exception) -> bool:
    """Its `RequestError` is a RuntimeError, as those of an engine's end are: its name tells them apart."""
    named = any(kind.__name__ == "RequestError" for kind in type(error).__mro__)
    return named or isinstance(error, (*_OF_REQUEST, ScaffoldingError))
