"""unheard: an LLM without callbacks."""

from __future__ import annotations

from typing import Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType
from llama_index.core.llms import LLM

__all__ = ["unheard"]


def unheard(llm: LLM) -> LLM:
    """The LLM without callbacks: what it spends is told once, by the LLM around it."""
    return llm.model_copy(update={"callback_manager": _Nobody()})


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
