"""What runs inside a task of ours: a wrapped model, a sampled chain, a judge; who sees it, and what it cost."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import _configure_hooks
from langsmith import tracing_context
from langsmith.utils import tracing_is_enabled

from langchain_scaffolding.request.parameters import without_method_parameters
from langchain_scaffolding.tracing.runs import inner_config
from langchain_scaffolding.translation.messages import usage_of_call, usage_to_core
from scaffolding_core import ScaffoldingError, Task, Usage
from scaffolding_core.adapting import current_request, run_either

__all__ = [
    "Tally",
    "call_inside",
    "inside",
    "message_usage",
    "run_inside",
    "tallied",
    "tallied_apart",
    "tell_around",
    "with_handler",
]


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
        self._told_of: set[UUID] = set()
        self._lock = threading.Lock()

    def __hash__(self) -> int:
        return 0  # stays first where managers are merged, which puts their handlers in sets: see `with_handler`

    def on_llm_end(self, response: LLMResult, *, parent_run_id: UUID | None = None, **kwargs: Any) -> None:
        """Add a call."""
        self.add(_usage(response))
        self._tell_of(parent_run_id)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, parent_run_id: UUID | None = None, **kw: Any) -> None:
        """Add what a decision cost, once: what is around the decision may return the same response."""
        if run_id in self._told_of:
            self._told_of.remove(run_id)
        elif (decided := _usage_of_decision(outputs)) is not None:
            self.add(decided)
        else:
            return
        self._tell_of(parent_run_id)

    def _tell_of(self, run_id: UUID | None) -> None:
        if run_id is not None:
            self._told_of.add(run_id)

    def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        """Add a call whose cost nobody told."""
        told = isinstance(error, ScaffoldingError)  # by the method that raised it
        self.add(Usage() if told else Usage(calls=1, lost_calls=1))

    def add(self, usage: Usage) -> None:
        """Add what else was paid."""
        with self._lock:
            self.usage = self.usage or Usage()
            self.usage.add(usage)

    def _begins(self, *args: Any, **kwargs: Any) -> None:
        if self.stopped:
            raise asyncio.CancelledError

    on_chain_start = on_chat_model_start = on_llm_start = on_tool_start = on_retriever_start = _begins


@contextmanager
def inside(task: Task, *, counted: bool = True) -> Iterator[RunnableConfig]:
    """How to call what runs inside a task: beneath the task's run where that is asked for, else unseen.

    Args:
        task: it gets the usage of the models inside, also where the call fails or is cut.
        counted: whether it does; a lone chat model tells its usage itself.
    """
    seen = inner_config.get()
    config = without_method_parameters(_unseen() if seen is None else seen)
    unseen = seen is None and tracing_is_enabled()  # setting it costs as much as a third of a model's call
    tally = Tally() if counted else None
    try:
        with (
            tracing_context(enabled=False) if unseen else nullcontext(),
            _unhooked(hidden=seen is None),
            tallied(config, tally) as config,
        ):
            yield config
    except asyncio.CancelledError:
        if tally is not None:
            tally.stopped = True
        raise
    finally:
        if tally is not None and tally.usage is not None:
            if task.usage is not None:
                tally.add(task.usage)
            task.usage = tally.usage


@contextmanager
def tallied(config: RunnableConfig, tally: Tally | None) -> Iterator[RunnableConfig]:
    """The same configuration, that of all calls in here: they are told to this tally, and to none around it."""
    config = _with_tally(config, tally)
    token = var_child_runnable_config.set(config)  # for what calls models without a configuration
    try:
        yield config
    finally:
        var_child_runnable_config.reset(token)


@contextmanager
def tallied_apart() -> Iterator[Tally]:
    """What is paid in here is told to this tally, and to those around only if it fails."""
    tally = Tally()
    try:
        with tallied(ensure_config(), tally):
            yield tally
    except BaseException:
        tell_around(tally.usage)
        raise


def tell_around(usage: Usage | None) -> None:
    """Tell what was paid to whoever counts around."""
    for tally in _tallies_in(var_child_runnable_config.get()):
        tally.add(usage or Usage())


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


def _unseen() -> RunnableConfig:
    """What is configured around the task, without anybody who watches."""
    around = var_child_runnable_config.get()
    for tally in _tallies_in(around):
        tally.add(Usage())
    return RunnableConfig(**{**(around or {}), "callbacks": []})


def _with_tally(config: RunnableConfig, tally: Tally | None) -> RunnableConfig:
    told = config.get("callbacks")
    if isinstance(told, BaseCallbackManager):
        told = told.copy()
        for around in _tallies_in(config):
            around.add(Usage())  # it gets the usage of a method inside by the method's own request
            told.remove_handler(around)
        config = RunnableConfig(**{**config, "callbacks": told})
    return with_handler(config, tally) if tally is not None else config


def with_handler(config: RunnableConfig, handler: BaseCallbackHandler) -> RunnableConfig:
    """The same configuration, with one who is told first: what that one stops is told to nobody."""
    told = config.get("callbacks")
    if not isinstance(told, BaseCallbackManager):
        return RunnableConfig(**{**config, "callbacks": [handler, *(told or ())]})
    manager = told.copy()
    manager.handlers.insert(0, handler)
    manager.inheritable_handlers.insert(0, handler)
    return RunnableConfig(**{**config, "callbacks": manager})


def _tallies_in(config: RunnableConfig | None) -> list[Tally]:
    told = (config or {}).get("callbacks")
    handlers = told.handlers if isinstance(told, BaseCallbackManager) else told or ()
    return [handler for handler in handlers if isinstance(handler, Tally)]


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


def _usage_of_decision(response: object) -> Usage | None:
    decisions = sys.modules.get("langchain_core.decisions")  # langchain-core 1.7 has none
    if decisions is None or not isinstance(response, decisions.ClassifierResponse):
        return None
    return Usage() if getattr(response, "charges_itself", False) else usage_of_call(response.usage)


def message_usage(message: AIMessage) -> Usage:
    """What the model call behind a message cost, beside what a method there has charged already."""
    return Usage() if _is_charged(message.response_metadata) else usage_to_core(message)


def _is_charged(metadata: Mapping[str, object]) -> bool:
    """Whether a method's request has charged the request around it."""
    return "scaffolding" in metadata and current_request.get() is not None


def _count(counts: Mapping[str, object], name: str) -> int:
    count = counts.get(name)
    return count if isinstance(count, int) and count > 0 else 0
