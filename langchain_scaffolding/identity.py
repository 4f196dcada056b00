"""What tells one model from another where answers are cached."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseLanguageModel
from langchain_core.runnables.base import RunnableBindingBase

__all__ = ["identity"]


def identity(part: Any) -> object:  # Any: a model, a chain, a method, a reward, or None
    """A value whose text differs where the part's answers may.

    A model is what it says itself it is; a function is its name; anything else its class and attributes.
    """
    if part is None or isinstance(part, str):
        return part
    if isinstance(part, BaseLanguageModel):
        # Without a public way to ask; the cache of LangChain itself reads it.
        return type(part).__qualname__, dict(getattr(part, "_identifying_params", {}))
    if isinstance(part, RunnableBindingBase):
        return identity(part.bound), dict(part.kwargs)
    name = getattr(part, "__qualname__", None)
    if name is not None:
        return f"{part.__module__}.{name}", id(part) if "<" in name else 0  # lambdas share their names
    attributes = getattr(part, "__dict__", None)
    return type(part).__qualname__, repr(attributes if attributes is not None else part)
