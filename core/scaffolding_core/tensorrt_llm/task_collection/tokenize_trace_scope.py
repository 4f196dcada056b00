"""tokenize_trace_scope: count the tokens of each message of a trace."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from scaffolding_core.controller import Steps
from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.execution_trace import TraceEvent
from scaffolding_core.tensorrt_llm.task import TokenizeTask
from scaffolding_core.tensorrt_llm.task_collection.execution_tracer import EXECUTION_TRACER, ExecutionTracer

__all__ = ["TokenizeWorkerTag", "tokenize_trace_scope"]

C = TypeVar("C", bound=Controller)


class TokenizeWorkerTag(enum.Enum):
    """The tag of the worker that counts tokens."""

    TOKENIZE = "tokenize"


def tokenize_trace_scope() -> Callable[[type[C]], type[C]]:
    """Decorate a class of controllers that `with_execution_tracing` has decorated: their traces tell token counts.

    Once `process` has ended, a `TokenizeTask` for each message that the model was given goes to the worker at
    `TokenizeWorkerTag.TOKENIZE`, and `tokens` of its event is set. The first system message of a conversation is
    counted as the rest of what the model's first call read, so that what a template adds is in it. Where the
    controller has no tracer, nothing is counted.
    """

    def decorate(controller_cls: type[C]) -> type[C]:
        process = controller_cls.process

        @functools.wraps(process)
        def process_and_count(self: Controller, *args: Any, **kwargs: Any) -> Steps[Any]:
            returned = yield from process(self, *args, **kwargs)
            tracer = self.task_collections.get(EXECUTION_TRACER)
            if isinstance(tracer, ExecutionTracer):
                yield from _count(tracer.events)
            return returned

        controller_cls.process = process_and_count  # type: ignore[method-assign]  # in place, as there
        return controller_cls

    return decorate


def _count(events: list[TraceEvent]) -> Steps[None]:
    tasks = [
        TokenizeTask(TokenizeWorkerTag.TOKENIZE, content=event.content, event=event)
        for event in events
        if event.event_type == "message" and not event.is_call and event.content is not None
    ]
    if not tasks:
        return
    yield tasks
    for task in tasks:
        task.event.tokenize_error = task.tokenize_error
        if task.tokenize_error is None:
            task.event.tokens, task.event.tokens_source = task.token_count, "tokenize_endpoint"
    _balance(events)


def _balance(events: Iterable[TraceEvent]) -> None:
    """Give the first system message of each conversation what the first call read beside the user's messages."""
    conversations: dict[int, list[TraceEvent]] = {}
    for event in events:
        if event.event_type == "message" and event.conversation_id is not None:
            conversations.setdefault(event.conversation_id, []).append(event)
    for messages in conversations.values():
        call = next((i for i, message in enumerate(messages) if message.is_call), None)
        if call is None:
            continue
        system = next((message for message in messages[:call] if message.role == "system"), None)
        others = [message.tokens for message in messages[:call] if message is not system]
        read = messages[call].prompt_tokens
        if system is not None and read and None not in others:
            system.tokens = read - sum(tokens or 0 for tokens in others)
