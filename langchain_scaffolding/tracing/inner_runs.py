"""What runs inside a task of ours: a wrapped model, a sampled chain, a judge; who sees it, and what it cost."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import _configure_hooks
from langsmith import tracing_context
from langsmith.utils import tracing_is_enabled

from langchain_scaffolding.request.parameters import without_method_parameters
from langchain_scaffolding.tracing.runs import inner_config
from langchain_scaffolding.translation.messages import usage_to_core
from scaffolding_core import Task, Usage
from scaffolding_core.adapting import run_either

__all__ = ["Tally", "call_inside", "inside", "message_usage", "run_inside"]


class Tally(BaseCallbackHandler):
    """Counts what the models inside a chain cost; methods inside it charge what they cost themselves.

    Attributes:
        usage: of all calls of models that have ended; None before the first.
    """

    run_inline = True
    ignore_chain = ignore_agent = ignore_retriever = ignore_chat_model = True  # only their ends are of interest

    def __init__(self) -> None:
        self.usage: Usage | None = None
        self._lock = threading.Lock()

    def on_llm_end(self, response: LLMResult, **kwargs: Any) -> None:
        """Add a call."""
        self._add(_usage(response))

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Add a call whose cost nobody told."""
        self._add(Usage(calls=1, lost_calls=1))

    def _add(self, usage: Usage) -> None:
        with self._lock:
            self.usage = self.usage or Usage()
            self.usage.add(usage)


@contextmanager
def inside(task: Task, *, counted: bool = True) -> Iterator[RunnableConfig]:
    """How to call what runs inside a task: beneath the task's run where that is asked for, else unseen.

    Args:
        task: it gets the usage of the models inside, also where the call fails or is cut.
        counted: whether it does; a lone chat model tells its usage itself.
    """
    seen = inner_config.get()
    tallies = [Tally()] if counted else []
    config = without_method_parameters(_unseen(tallies) if seen is None else _with_handlers(seen, tallies))
    unseen = seen is None and tracing_is_enabled()  # setting it costs as much as a third of a model's call
    token = var_child_runnable_config.set(config)  # for what calls models without a configuration
    try:
        with tracing_context(enabled=False) if unseen else nullcontext(), _unhooked(hidden=seen is None):
            yield config
    finally:
        var_child_runnable_config.reset(token)
        for usage in (tally.usage for tally in tallies if tally.usage is not None):
            if task.usage is not None:
                usage.add(task.usage)
            task.usage = usage


@contextmanager
def _unhooked(*, hidden: bool) -> Iterator[None]:
    """Hide what is told of every model in this context, as a usage counter is: the model around tells it all."""
    tokens = [(var, var.set(None)) for var, *_ in _configure_hooks if hidden and var.get() is not None]
    try:
        yield
    finally:
        for var, token in reversed(tokens):
            var.reset(token)


async def run_inside(runnable: Runnable[Any, Any], given: object, task: Task) -> Any:  # Any: what it returns
    """The result of a Runnable that does a task."""
    with inside(task) as config:
        return await run_either(runnable.invoke, runnable.ainvoke, given, config)


def call_inside(runnable: Runnable[Any, Any], given: object, task: Task) -> Any:  # Any: what it returns
    """As `run_inside`, from a thread that may block."""
    with inside(task) as config:
        return runnable.invoke(given, config)


def _unseen(handlers: list[Tally]) -> RunnableConfig:
    """What is configured around the task, without anybody who watches."""
    around = var_child_runnable_config.get()
    return RunnableConfig(**{**(around or {}), "callbacks": [*handlers]})


def _with_handlers(config: RunnableConfig, handlers: list[Tally]) -> RunnableConfig:
    manager = config.get("callbacks")
    assert isinstance(manager, BaseCallbackManager)
    manager = manager.copy()
    for handler in [handler for handler in manager.handlers if isinstance(handler, Tally)]:
        manager.remove_handler(handler)  # of a sample around this one, which gets this one's usage anyway
    for handler in handlers:
        manager.add_handler(handler)
    return RunnableConfig(**{**config, "callbacks": manager})


def _usage(response: LLMResult) -> Usage:
    for generation in (generation for generations in response.generations for generation in generations):
        if isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            return message_usage(generation.message)
        if "scaffolding" in (generation.generation_info or {}):
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
    return Usage() if "scaffolding" in message.response_metadata else usage_to_core(message)


def _count(counts: Mapping[str, object], name: str) -> int:
    count = counts.get(name)
    return count if isinstance(count, int) else 0
