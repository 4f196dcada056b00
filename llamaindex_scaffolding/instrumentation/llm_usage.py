"""What the LLM calls of other code cost: query engines and evaluators tell it nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.callbacks.token_counting import get_tokens_from_response
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

from scaffolding_core import Usage
from scaffolding_core.adapting import current_request

__all__ = ["LLMCalls", "counted_llm_calls"]

_installing = threading.Lock()


class LLMCalls:
    """The LLM calls that were made in a context, and what they cost.

    A call inside another LLM's call is part of that one. What a `ScaffoldingLLM` or a sampled query engine in
    there spends is left out: its requests charge the request around them.

    Attributes:
        usage: of the calls that ended, as far as the LLMs tell their tokens.
    """

    def __init__(self) -> None:
        self.usage = Usage()
        self.request = current_request.get()
        self._open: set[str | None] = set()
        self._lock = threading.Lock()

    def started(self, call: str | None) -> None:
        """A call began; the ones that begin below it, until it ends, are part of it."""
        with self._lock:
            if _call.get() not in self._open:
                self._open.add(call)
                _call.set(call)

    def ended(self, call: str | None, response: ChatResponse | CompletionResponse | None) -> None:
        """A call ended; without a response it failed, and what it cost was never told."""
        with self._lock:
            if call not in self._open:
                return
            self._open.discard(call)
            self.usage.add(Usage(calls=1, lost_calls=1) if response is None else _usage(response))


_calls: ContextVar[LLMCalls | None] = ContextVar("llm_calls", default=None)
_call: ContextVar[str | None] = ContextVar("llm_call", default="none")


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


def _usage(response: ChatResponse | CompletionResponse) -> Usage:
    if "scaffolding" in response.additional_kwargs:
        return Usage()
    try:
        prompt_tokens, completion_tokens = get_tokens_from_response(response)
    except (TypeError, ValueError, AttributeError):  # `raw` may be any object of the provider's
        return Usage(calls=1)
    return Usage(prompt_tokens or 0, completion_tokens or 0, calls=1)
