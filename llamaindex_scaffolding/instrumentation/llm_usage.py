"""What the LLM calls of other code cost: query engines and evaluators tell it nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionStartEvent,
)
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.event_handlers import BaseEventHandler
from llama_index_instrumentation.events.span import SpanDropEvent

from llamaindex_scaffolding.instrumentation.told_usage import told_usage
from scaffolding_core import Usage
from scaffolding_core.adapting import current_request

__all__ = ["LLMCalls", "counted_llm_calls"]

_installing = threading.Lock()

_NO_CALL = "none"


class LLMCalls:
    """The LLM calls that were made in a context, and what they cost.

    A call inside another LLM's call is part of that one, which tells what both cost, or else has the cost of those
    inside. What a `ScaffoldingLLM` or a sampled query engine in there spends is left out: its requests charge the
    request around them.
    """

    def __init__(self) -> None:
        self.request = current_request.get()
        self._parents: dict[str | None, str | None] = {}
        self._open: dict[str | None, list[list[Usage]]] = {}
        self._ended: list[Usage] = []
        self._lock = threading.Lock()

    @property
    def any(self) -> bool:
        """Whether a call was made."""
        return bool(self._parents)

    @property
    def usage(self) -> Usage:
        """Of the calls that ended, as far as the LLMs tell their tokens."""
        with self._lock:
            inside = [usage for calls in self._open.values() for one in calls for usage in one]
            return _sum([*self._ended, *inside])

    def started(self, call: str | None) -> None:
        """A call began; the ones that begin below it, until it ends, are part of it."""
        with self._lock:
            self._parents.setdefault(call, _call.get())  # a span's first call tells; so none is around itself
            self._open.setdefault(call, []).append([])  # LLMs may call themselves within one span
            _call.set(call)

    def ended(self, call: str | None, response: ChatResponse | CompletionResponse | None) -> None:
        """A call ended; without a response it failed, and what it cost was never told."""
        with self._lock:
            if call not in self._open:
                return
            inside = self._open[call].pop()
            if not self._open[call]:
                del self._open[call]
                if _call.get() == call:
                    _call.set(self._parents[call])
            self._around(call).append(_cost(response, inside))

    def _around(self, call: str | None) -> list[Usage]:
        """Where the cost of a call belongs: to the one around it that is still open."""
        around = call
        while around not in self._open:
            if around not in self._parents:
                return self._ended
            around = self._parents[around]
        return self._open[around][-1]


_calls: ContextVar[LLMCalls | None] = ContextVar("llm_calls", default=None)
_call: ContextVar[str | None] = ContextVar("llm_call", default=_NO_CALL)


@contextmanager
def counted_llm_calls() -> Iterator[LLMCalls]:
    """Count the LLM calls made in here, in the tasks and threads that inherit this context too."""
    _install()
    calls = LLMCalls()
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


class _Counter(BaseEventHandler):
    """Hands the events of LLM calls to whoever counts in their context; costs a look-up for any other."""

    @classmethod
    def class_name(cls) -> str:
        return "ScaffoldingUsage"

    def handle(self, event: BaseEvent, **kwargs: Any) -> None:
        calls = _calls.get()
        if calls is None or current_request.get() is not calls.request:
            return
        if isinstance(event, LLMChatStartEvent | LLMCompletionStartEvent):
            calls.started(event.span_id)
        elif isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent):
            calls.ended(event.span_id, event.response)
        elif isinstance(event, SpanDropEvent | ExceptionEvent):
            calls.ended(event.span_id, None)


def _install() -> None:
    root = get_dispatcher()
    with _installing:
        if not any(isinstance(handler, _Counter) for handler in root.event_handlers):
            root.add_event_handler(_Counter())


def _cost(response: ChatResponse | CompletionResponse | None, inside: list[Usage]) -> Usage:
    if response is not None and "scaffolding" in response.additional_kwargs:
        return Usage()
    told = Usage(calls=1, lost_calls=1) if response is None else told_usage(response)
    return told if told.total_tokens or not inside else _sum(inside)


def _sum(usages: list[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total.add(usage)
    return total
