"""Values of a task that TensorRT-LLM would hand to its engine unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from numbers import Integral, Real

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tasks import GenerationTask

__all__ = ["checked", "token_ids", "whole"]

_TYPES = {field.name: field.type for field in fields(GenerationTask)}


def checked(name: str, value: object) -> object:
    """The value of a sampling parameter, if it has the type that a task says.

    Raises:
        InvalidRequestError: it has not.
    """
    match _TYPES[name]:
        case "int | None":
            return whole(name, value)
        case "float | None" if isinstance(value, bool) or not isinstance(value, Real) or value != value:
            raise InvalidRequestError(f"{name} must be a number, got {value!r}")
        case "str | Sequence[str] | None":
            return _texts(name, value)
        case "Sequence[int] | None":
            return token_ids(name, value)
    return value


def whole(name: str, value: object) -> int:
    """A whole number of at least 0.

    Raises:
        InvalidRequestError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise InvalidRequestError(f"{name} must be a whole number of at least 0, got {value!r}")
    return int(value)


def token_ids(name: str, value: object) -> list[int]:
    """Token ids, as a list of Python's own numbers.

    Raises:
        InvalidRequestError: they are none.
    """
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        raise InvalidRequestError(f"{name} must be a list of token ids, got {value!r}")
    return [whole(f"each of {name}", token) for token in value]


def _texts(name: str, value: object) -> list[str]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, Sequence) or not all(isinstance(text, str) and text for text in texts):
        raise InvalidRequestError(f"{name} must be a text or a list of texts, none of them empty, got {value!r}")
    return list(texts)
