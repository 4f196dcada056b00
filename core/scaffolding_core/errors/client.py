"""What an error of a wrapped client means: by the status that it carries, as that of a server of our own."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.errors import WorkerError
from scaffolding_core.errors.http import error_from_details

__all__ = ["error_from_client"]


def error_from_client(error: BaseException, where: str) -> WorkerError | None:
    """The typed error for one that a client of openai, anthropic, httpx, requests, ollama, ... raised.

    Args:
        error: what was raised.
        where: who called the client.

    Returns:
        None where it carries no status of HTTP.
    """
    status = _status(error)
    return None if status is None else error_from_details(status, {**_details(error), "message": error}, where)


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    for found in (getattr(error, "status_code", None), getattr(response, "status_code", None)):
        if isinstance(found, int) and 400 <= found < 600:
            return int(found)
    return None


def _details(error: BaseException) -> Mapping[str, object]:
    """The body of the answer: openai keeps the error in it, anthropic all of it."""
    body = getattr(error, "body", None)
    inner = body.get("error", body) if isinstance(body, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}
