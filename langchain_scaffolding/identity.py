"""What tells one model from another where answers are cached."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables.base import RunnableBindingBase

from scaffolding_core import Answers, Worker

__all__ = ["identity"]

_SECRETS = ("api_key", "headers", "authorization", "password", "secret", "credential", "access_token")

_DEEPEST = 4
"""Levels of parts within parts that are told apart by what they hold."""

_numbers: WeakKeyDictionary[object, int] = WeakKeyDictionary()
_next_number = itertools.count()


def identity(part: Any, levels: int = _DEEPEST) -> object:  # Any: a model, a chain, a method, data, or None
    """A value whose text differs where the part's answers may.

    A model is what it says itself it is; a function is its name; anything else its class and attributes. What may
    hold a key, as a worker may, is told apart without being shown.
    """
    if isinstance(part, str) and part.startswith(("http://", "https://")) and ("@" in part or "?" in part):
        return _hidden(part)
    if part is None or isinstance(part, str | int | float | bytes):
        return part
    if isinstance(part, BaseLanguageModel):
        # Without a public way to ask; the cache of LangChain itself reads it.
        return type(part).__qualname__, dict(getattr(part, "_identifying_params", {}))
    name = getattr(part, "__qualname__", None)
    if name is not None:
        owner = None if levels == 0 else identity(getattr(part, "__self__", None), levels - 1)
        own = _number(part) if "<" in name else 0  # lambdas share their names
        return f"{getattr(part, '__module__', '')}.{name}", own, owner
    if levels == 0:
        return _told(part)
    if isinstance(part, RunnableBindingBase):
        return identity(part.bound, levels - 1), identity(part.kwargs, levels - 1)
    if isinstance(part, Answers):
        own = None if part.kind else (part.extractor, part.equivalence)
        return part.kind, identity(part.parameters, levels - 1), identity(own, levels)
    if isinstance(part, Mapping):
        told = {str(name): identity(item, levels - 1) for name, item in part.items()}
        return {name: _hidden(item) if _is_secret(name) else item for name, item in told.items()}
    if isinstance(part, list | tuple):
        return [identity(item, levels - 1) for item in part]
    attributes = getattr(part, "__dict__", None)
    own = identity(attributes, levels - 1) if attributes else _told(part)
    return type(part).__qualname__, _hidden(own) if isinstance(part, Worker) else own


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRETS)


def _hidden(told: object) -> str:
    """What differs where something does, and does not show it."""
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _told(part: object) -> object:
    """What a part tells of itself; its number, where that is only where it lies."""
    return _number(part) if type(part).__repr__ is object.__repr__ else repr(part)


def _number(part: object) -> object:
    """The part's own number; unlike its address, no other ever gets it."""
    try:
        return _numbers.setdefault(part, next(_next_number))
    except TypeError:  # it cannot be referred to weakly
        return repr(part)
