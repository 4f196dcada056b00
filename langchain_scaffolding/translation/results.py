"""What a chain takes and returns, as the text and data that methods work on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from langchain_core.messages import BaseMessage
from pydantic import BaseModel

from scaffolding_core import WorkerError
from scaffolding_core.adapting import model_values

__all__ = ["Part", "part_of", "plain", "text_of"]

Part: TypeAlias = "str | Callable[[Any], Any]"
"""Which part of a chain's result is its answer: a key or attribute, or a function of the result."""


def part_of(result: Any, part: Part | None) -> Any:
    """The part of a chain's result that is its answer; of messages the last.

    Raises:
        WorkerError: there is no such part.
    """
    if callable(part):
        result = part(result)
    elif part is not None:
        result = _named(result, part)
    if result is None:
        raise WorkerError("the chain returned nothing to work on: let it return text, a message or data")
    if _are_messages(result):
        return result[-1]
    return result


def text_of(value: Any) -> str:
    """A value as text; data as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, BaseMessage):
        return str(value.text)
    return json.dumps(plain(value), ensure_ascii=False)


def plain(value: Any) -> Any:
    """A value as plain data, fit for JSON, without the ids and time stamps that its class made."""
    with suppress(ValueError):  # it holds something of no plain form
        if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
            return model_values(value)
    if isinstance(value, BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _named(result: Any, name: str) -> Any:
    if isinstance(result, Mapping):
        if name in result:
            return result[name]
        raise WorkerError(
            f"the chain's result has no key {name!r}; it has: {', '.join(map(str, result)) or 'none'}"
        )
    if hasattr(result, name):
        return getattr(result, name)
    raise WorkerError(f"the chain's result, a {type(result).__name__}, has no {name!r}: name another part of it")


def _are_messages(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and isinstance(value[-1], BaseMessage)
