"""What a server's refusal means: by status, type and code first, by its words last."""

from __future__ import annotations

import json
from collections.abc import Mapping

from scaffolding_core.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    ContextLengthExceededError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
    WorkerError,
)

__all__ = ["error_from_answer", "error_from_details", "error_from_event", "may_succeed_later", "status_of_event"]

_OVERFLOW_CODES = ("context_length_exceeded", "exceed_context_size_error")
_OVERFLOW_WORDS = (
    "maximum context length",
    "max_seq_len",
    "longer than the model's context length",
    "exceeds the maximum allowed length",
    "exceeds the available context size",
    "max_model_len",
    "prompt is too long",
    "exceed context limit",
)
_LONGEST = 500


def error_from_answer(status: int, body: bytes, where: str, model: str | None) -> WorkerError:
    """The typed error for an answer that is no success.

    Args:
        status: HTTP status.
        body: of the answer, JSON or not.
        where: address of the server.
        model: the model that was asked for.
    """
    return _error(status, _details(body), where, model)


def status_of_event(event: Mapping[str, object]) -> int | None:
    """The status that an event of a stream reports; None unless it reports an error."""
    if not event.get("error") and event.get("object") != "error":
        return None
    code = _flattened(event).get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def error_from_event(status: int, event: Mapping[str, object], where: str, model: str | None) -> WorkerError:
    """The typed error for an error that a server reports in the middle of a stream."""
    return _error(status, _flattened(event), where, model)


def error_from_details(status: int, details: Mapping[str, object], where: str) -> WorkerError:
    """The typed error for one that a client of another library raised.

    Args:
        status: HTTP status.
        details: `message`, and what there is of `type`, `code` and `param`.
        where: who called it.
    """
    return _error(status, details, where, None)


def may_succeed_later(status: int) -> bool:
    """Whether another attempt makes sense."""
    return status in (408, 409, 429) or (status >= 500 and status != 501)


def _error(status: int, details: Mapping[str, object], where: str, model: str | None) -> WorkerError:
    kind, code = str(details.get("type", "")), str(details.get("code", ""))
    words = " ".join(str(details.get("message", "")).split())[:_LONGEST]
    said = f"{where} says: {words}" if words else f"{where} answers with status {status}"
    if status in (401, 403):
        return AuthenticationError(f"the key was refused, check api_key; {said}")
    if status == 429:
        return RateLimitError(f"the server is busy (429), try later or with less at once; {said}")
    if status == 408:
        return BackendTimeoutError(f"the server gave up waiting (408); {said}")
    if details.get("param") == "input_tokens" or _is_overflow(kind, code, words):
        return ContextLengthExceededError(
            f"prompt and answer do not fit the context window, shorten them or serve a longer one; {said}"
        )
    if code == "model_not_found" or (status == 404 and ("model" in words.lower() or kind == "NotFoundError")):
        asked = "that model" if model is None else f"the model {model!r}"
        return ModelNotFoundError(f"the server does not serve {asked}, name one it does; {said}")
    if status >= 500:
        return ServerError(f"the server failed ({status}); {said}")
    if status == 404:
        return BadRequestError(f"nothing is served at that address (404), most end in /v1: check base_url; {said}")
    return BadRequestError(f"the server refused the request ({status}); {said}")


def _is_overflow(kind: str, code: str, words: str) -> bool:
    return (
        kind in _OVERFLOW_CODES
        or code in _OVERFLOW_CODES
        or any(phrase in words.lower() for phrase in _OVERFLOW_WORDS)
    )


def _details(body: bytes) -> Mapping[str, object]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {"message": body[:_LONGEST].decode("utf-8", "replace").strip()}
    return _flattened(parsed) if isinstance(parsed, Mapping) else {"message": str(parsed)}


def _flattened(parsed: Mapping[str, object]) -> Mapping[str, object]:
    """The error itself, out of each envelope there is: nested, flat, or only a text."""
    inner = parsed.get("error", parsed.get("detail", parsed))
    if isinstance(inner, Mapping):
        return inner
    return {**parsed, "message": str(inner)}
