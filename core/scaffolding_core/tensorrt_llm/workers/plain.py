"""plain: what a client answers with, as JSON has it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

__all__ = ["plain"]

# Any: shapes of further shapes, to any depth.
_Shape: TypeAlias = Mapping[str, Any] | list[Any]


def _of(*leaves: str, **parts: _Shape) -> dict[str, Any]:
    return {leaf: {} for leaf in leaves} | parts


_TOKEN = _of("token", "logprob", "bytes")
_SAID = _of(
    "role",
    "content",
    "reasoning",
    "reasoning_content",
    tool_calls=[_of("index", "id", "type", function=_of("name", "arguments"))],
)
_SCORES = [_TOKEN | _of(top_logprobs=[_TOKEN])]
_LOGPROBS = _of("tokens", "token_logprobs", "top_logprobs", content=_SCORES)
_CHOICE = _of(
    "index", "text", "finish_reason", "stop_reason", "token_ids", message=_SAID, delta=_SAID, logprobs=_LOGPROBS
)
_USAGE = _of(
    "prompt_tokens",
    "completion_tokens",
    prompt_tokens_details=_of("cached_tokens"),
    completion_tokens_details=_of("reasoning_tokens"),
)
_ANSWER = _of("id", choices=[_CHOICE], usage=_USAGE)
"""What is read of an answer: a name for each part, and a list of one shape where there are many."""


def plain(answer: Any) -> dict[str, Any]:  # Any: of whichever client, a stand-in among them
    """An answer as JSON has it: dumped if it can be, else what its attributes tell."""
    return _plain(answer, _ANSWER) or {}


def _plain(value: Any, shape: _Shape) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each, shape[0] if isinstance(shape, list) else shape) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(shape, list):
        return None
    if isinstance(value, Mapping):
        return {name: _plain(each, shape.get(name, {})) for name, each in value.items()}
    dumped = value.model_dump() if hasattr(value, "model_dump") else None
    if isinstance(dumped, Mapping):  # a mock's is no mapping
        return dumped
    told = {name: _plain(getattr(value, name, None), part) for name, part in shape.items()}
    return told if any(part is not None for part in told.values()) else None
