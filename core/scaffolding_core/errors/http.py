"""What a server's refusal means: by status, type and code first, by its words last."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from scaffolding_core.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    ContentFilterError,
    ContextLengthExceededError,
    ModelNotFoundError,
    RateLimitError,
    ServerError,
    WorkerError,
)
from scaffolding_core.shown_text import sentence

__all__ = [
    "error_from_answer",
    "error_from_details",
    "error_from_event",
    "may_succeed_later",
    "status_of_event",
    "tells_overflow",
]

_FILTER_CODES = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation")
_OVERFLOW_CODES = ("context_length_exceeded", "exceed_context_size_error")
_OVERFLOW_WORDS = (
    "maximum context length",
    "max_seq_len",
    "max_num_tokens",
    "max_input_len",
    "longer than the model's context length",
    "exceeds the maximum allowed length",
    "exceeds the available context size",
    "max_model_len",
    "prompt is too long",
    "exceed context limit",
)
_REFUSALS = {
    **dict.fromkeys((*_FILTER_CODES, *_OVERFLOW_CODES, "invalid_request_error", "badrequesterror"), 400),
    **dict.fromkeys(("rate_limit_exceeded", "rate_limit_error"), 429),
}
"""What types and codes mean where an event of a stream tells no status."""

_LONGEST = 500
_UNKNOWN_FIELD = re.compile(r"extra_forbidden\W+loc\W+(?:body\W+)?([\w.]+)")
"""How pydantic, and so trtllm-serve, names a field that a request may not have."""

_NO_MODEL = re.compile(r"\bmodel\b.{0,200}\b(does not exist|not found|not served)\b", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]*>")


def error_from_answer(
    status: int, body: str, where: str, model: str | None, hide: Callable[[str], str]
) -> WorkerError:
    """The typed error for an answer that is no success.

    Args:
        status: HTTP status.
        body: of the answer, JSON or not.
        where: address of the server.
        model: the model that was asked for.
        hide: takes secrets out of what the server says.
    """
    return _error(status, _details(body), where, model, hide, of_prompt=True)


def status_of_event(event: object, failed: bool) -> int | None:
    """The status that an event of a stream reports; None unless it reports an error.

    Args:
        event: its data.
        failed: it is called an error.
    """
    told = isinstance(event, dict) and (event.get("error") or event.get("object") == "error")
    if not failed and not told:
        return None
    details = _flattened(event)
    codes = [_word(details.get(name)) for name in ("code", "status", "status_code", "type")]
    for code in codes:
        if re.fullmatch(r"[45]\d\d(\.0)?", code):
            return int(code[:3])
    return next((_REFUSALS[code.lower()] for code in codes if code.lower() in _REFUSALS), 500)


def error_from_event(
    status: int, event: object, where: str, model: str | None, hide: Callable[[str], str]
) -> WorkerError:
    """The typed error for an error that a server reports in the middle of a stream."""
    return _error(status, _flattened(event), where, model, hide, of_prompt=False)


def error_from_details(status: int, details: Mapping[str, object], where: str) -> WorkerError:
    """The typed error for one that a client of another library raised.

    Args:
        status: HTTP status.
        details: `message`, and what there is of `type`, `code` and `param`.
        where: who called it.
    """
    return _error(status, details, where, None, str, of_prompt=True)


def may_succeed_later(status: int, error: WorkerError) -> bool:
    """Whether another attempt makes sense after a refusal."""
    if isinstance(error, ContentFilterError | ContextLengthExceededError):
        return False
    return status in (408, 409, 429) or (status >= 500 and status != 501)


def _error(
    status: int,
    details: Mapping[str, object],
    where: str,
    model: str | None,
    hide: Callable[[str], str],
    *,
    of_prompt: bool,
) -> WorkerError:
    inner = details.get("innererror")
    codes = [_word(details.get("type")), _word(details.get("code"))]
    codes += [_word(inner.get("code"))] if isinstance(inner, Mapping) else []
    words = sentence(hide(_text(details.get("message"))), _LONGEST)
    said = f"{where} says: {words}" if words else f"{where} answers with status {status}"
    if any(code.lower() in _FILTER_CODES for code in codes):
        return ContentFilterError(f"the server's content filter refused the request; {said}", of_prompt=of_prompt)
    if status in (401, 403):
        return AuthenticationError(f"the key was refused, check api_key; {said}")
    if status == 429:
        return RateLimitError(f"the server is busy (429), try later or with less at once; {said}")
    if status == 408:
        return BackendTimeoutError(f"the server gave up waiting (408); {said}")
    if details.get("param") == "input_tokens" or _is_overflow(codes, words):
        return ContextLengthExceededError(
            f"prompt and answer do not fit the context window, shorten them or serve a longer one; {said}"
        )
    unserved = status == 404 and ("model" in words.lower() or "NotFoundError" in codes)
    if unserved or "model_not_found" in codes or (status == 400 and _NO_MODEL.search(words)):
        asked = "that model" if model is None else f"the model {model!r}"
        return ModelNotFoundError(f"the server does not serve {asked}, name one it does; {said}")
    if status >= 500:
        return ServerError(f"the server failed ({status}); {said}")
    if status == 404:
        return BadRequestError(f"nothing is served at that address (404), most end in /v1: check base_url; {said}")
    unknown = _UNKNOWN_FIELD.search(words)
    if unknown is not None:
        return BadRequestError(f"the server does not take {unknown[1]!r}, leave it out; {said}")
    return BadRequestError(f"the server refused the request ({status}); {said}")


def _is_overflow(codes: list[str], words: str) -> bool:
    return any(code in _OVERFLOW_CODES for code in codes) or tells_overflow(words)


def tells_overflow(words: str) -> bool:
    """Whether an error says that prompt and answer are too long."""
    return any(phrase in words.lower() for phrase in _OVERFLOW_WORDS)


def _details(body: str) -> Mapping[str, object]:
    try:
        return _flattened(json.loads(body))
    except (ValueError, RecursionError):
        return {"message": _MARKUP.sub(" ", body) if body.lstrip().startswith("<") else body}


def _flattened(parsed: object) -> Mapping[str, object]:
    """The error itself, out of each envelope: nested, flat, in a list, or only a text."""
    if isinstance(parsed, list) and len(parsed) == 1:  # Gemini's
        parsed = parsed[0]
    if not isinstance(parsed, Mapping):
        return {"message": parsed}
    inner = parsed.get("error") or parsed.get("detail") or parsed
    return inner if isinstance(inner, Mapping) else {"message": inner, **parsed}


def _word(value: object) -> str:
    return str(value) if isinstance(value, str | int | float) else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, Mapping | list):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return "an error that is nested too deep to show"
