"""Tally: what the models inside a chain cost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult

from langchain_scaffolding.translation.messages import usage_of_call, usage_to_core
from scaffolding_core import ScaffoldingError, Usage
from scaffolding_core.adapting import current_request

__all__ = ["Tally", "message_usage"]


class Tally(BaseCallbackHandler):
    """Counts what the models inside a chain cost; methods inside it charge what they cost themselves.

    A decision model tells what it cost in its response, which counts unless models inside it have told it.

    Attributes:
        usage: of all calls of models that have ended; None if there was none, and no method either.
        stopped: whether nothing may begin any more: what is cut runs on in its thread, to the end of its step.
    """

    run_inline = True
    ignore_agent = True

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self.stopped = False
        self._decisions: dict[UUID | None, UUID] = {}  # around each run inside one
        self._told: set[UUID] = set()
        self._lock = threading.Lock()

    def __hash__(self) -> int:
        return 0  # stays first where managers are merged, which puts their handlers in sets: see `with_handler`

    def on_llm_end(self, response: LLMResult, *, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Add a call."""
        self.add(_usage(response))
        self._tell(parent_run_id)

    def on_llm_error(self, error: BaseException, *, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Add a call whose cost nobody told."""
        self.add(_lost(error))
        self._tell(parent_run_id)

    def on_chain_start(
        self, *args: Any, run_id: UUID, parent_run_id: UUID | None = None, run_type: str = "", **kwargs: Any
    ) -> None:
        """Know what runs inside a decision; LangChain shows decision models as chains of the type of models."""
        self._begins()
        decision = run_id if run_type == "llm" else self._decisions.get(parent_run_id)
        if decision is not None:
            self._decisions[run_id] = decision

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **kwargs: Any) -> None:
        """Add what a decision cost."""
        if self._ends_untold(run_id):
            charges_itself = getattr(outputs, "charges_itself", False)
            told: UsageMetadata | None = getattr(outputs, "usage", None)
            self.add(Usage() if charges_itself else usage_of_call(told))

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """Add a decision whose cost nobody told."""
        if self._ends_untold(run_id):
            self.add(_lost(error))

    def _tell(self, inside: UUID | None) -> None:
        """A model has told what it cost: the decision around it need not."""
        decision = self._decisions.get(inside)
        if decision is not None:
            self._told.add(decision)

    def _ends_untold(self, run_id: UUID) -> bool:
        """Whether a decision ends in which no model has told what it cost."""
        is_decision = self._decisions.pop(run_id, None) == run_id
        was_told = run_id in self._told
        self._told.discard(run_id)
        return is_decision and not was_told

    def add(self, usage: Usage) -> None:
        """Add what else was paid."""
        with self._lock:
            self.usage = self.usage or Usage()
            self.usage.add(usage)

    def _begins(self, *args: Any, **kwargs: Any) -> None:
        if self.stopped:
            raise asyncio.CancelledError

    on_chat_model_start = on_llm_start = on_tool_start = on_retriever_start = _begins


def _lost(error: BaseException) -> Usage:
    told = isinstance(error, ScaffoldingError)  # by the method that raised it
    return Usage() if told else Usage(calls=1, lost_calls=1)


def _usage(response: LLMResult) -> Usage:
    for generation in (generation for generations in response.generations for generation in generations):
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            return message_usage(generation.message)
        if _is_charged(generation.generation_info or {}):
            return Usage()
    told = (response.llm_output or {}).get("token_usage")
    counts = told if isinstance(told, Mapping) else {}
    return Usage(
        prompt_tokens=_count(counts, "prompt_tokens"),
        completion_tokens=_count(counts, "completion_tokens"),
        calls=1,
    )


def message_usage(message: AIMessage) -> Usage:
    """What the model call behind a message cost, beside what a method there has charged already."""
    return Usage() if _is_charged(message.response_metadata) else usage_to_core(message)


def _is_charged(metadata: Mapping[str, object]) -> bool:
    """Whether a method's request has charged the request around it."""
    return "scaffolding" in metadata and current_request.get() is not None


def _count(counts: Mapping[str, object], name: str) -> int:
    count = counts.get(name)
    return count if isinstance(count, int) and count > 0 else 0
