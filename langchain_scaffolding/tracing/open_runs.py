"""Runs beneath a sample that LangChain leaves open where their async call is cut, such as those of chat models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.callbacks.manager import ahandle_event

__all__ = ["OpenRuns"]

_IGNORED_BY = {
    "chain": "ignore_chain",
    "llm": "ignore_llm",
    "tool": "ignore_agent",
    "retriever": "ignore_retriever",
}


class OpenRuns(BaseCallbackHandler):
    """Knows which runs are open; those of other threads end there, whatever is cut.

    Args:
        told: the handlers of these runs.
    """

    run_inline = True

    def __init__(self, told: list[BaseCallbackHandler]) -> None:
        self._told = told
        self._thread = threading.get_ident()
        self._open: dict[UUID, tuple[str, UUID | None]] = {}

    async def fail(self, error: BaseException) -> None:
        """Tell that they end, the latest first."""
        while self._open:
            run_id, (kind, parent) = self._open.popitem()
            event, ignored = f"on_{kind}_error", _IGNORED_BY[kind]
            await ahandle_event(self._told, event, ignored, error, run_id=run_id, parent_run_id=parent)

    def _ends(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
        self._open.pop(run_id, None)

    on_chain_end = on_llm_end = on_tool_end = on_retriever_end = _ends
    on_chain_error = on_llm_error = on_tool_error = on_retriever_error = _ends

    @staticmethod
    def _begins(kind: str) -> Callable[..., None]:
        def begins(
            self: OpenRuns, *args: Any, run_id: UUID, parent_run_id: UUID | None = None, **rest: Any
        ) -> None:
            if threading.get_ident() == self._thread:
                self._open[run_id] = kind, parent_run_id

        return begins

    on_chain_start, on_llm_start, on_chat_model_start = _begins("chain"), _begins("llm"), _begins("llm")
    on_tool_start, on_retriever_start = _begins("tool"), _begins("retriever")
