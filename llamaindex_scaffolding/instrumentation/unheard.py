"""unheard: an LLM without callbacks."""

from __future__ import annotations

import functools
import types
from typing import Any, TypeVar, cast

from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType
from llama_index.core.llms import LLM
from pydantic import ConfigDict

from llamaindex_scaffolding.instrumentation.rate_limits import asked_once

__all__ = ["unheard"]

AnLLM = TypeVar("AnLLM", bound=LLM)

_STATE = ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
"""Where a pydantic model keeps all that it has."""


def unheard(llm: AnLLM) -> AnLLM:
    """The LLM without callbacks: what it spends is told once, by the LLM around it.

    It is no copy: both have one state, so that what either changes holds for both. Its rate limiter is asked once
    for each sample.
    """
    view = object.__new__(_without_callbacks(type(llm)))
    for part in _STATE:
        object.__setattr__(view, part, getattr(llm, part))
    return cast("AnLLM", view)


@functools.lru_cache(maxsize=256)
def _without_callbacks(cls: type[LLM]) -> type[LLM]:
    """The class, whose instances tell nobody; by the same name, which spans show."""
    names = {"__module__": cls.__module__, "__qualname__": cls.__qualname__, "__doc__": cls.__doc__}
    body = {**names, "model_config": ConfigDict(defer_build=True)}
    subclass: Any = types.new_class(cls.__name__, (cls,), exec_body=lambda namespace: namespace.update(body))
    # After the class is made: pydantic takes an attribute named as a field for the field's default.
    subclass.callback_manager = property(lambda llm: _NOBODY, lambda llm, manager: None)
    subclass.rate_limiter = property(lambda llm: asked_once(llm.__dict__.get("rate_limiter")))
    return cast("type[LLM]", subclass)


class _Nobody(CallbackManager):
    """Tells nobody of events, and forgets them: others keep them until a trace begins, and none begins here."""

    def __init__(self) -> None:
        super().__init__([])
        self.handlers = []  # an empty manager takes the program's own handlers

    def on_event_start(
        self,
        event_type: CBEventType,
        payload: dict[str, Any] | None = None,  # Any: LlamaIndex's
        event_id: str | None = None,
        parent_id: str | None = None,
        **kwargs: Any,
    ) -> str:
        started = super().on_event_start(event_type, payload, event_id, parent_id, **kwargs)
        self._trace_map.clear()
        return started


_NOBODY = _Nobody()
