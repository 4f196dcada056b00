"""What runs inside a task of ours: a wrapped model, a sampled chain, a judge; who sees it, and what it cost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tracers.context import _configure_hooks
from langsmith import tracing_context
from langsmith.utils import tracing_is_enabled

from langchain_scaffolding.request.parameters import without_method_parameters
from langchain_scaffolding.tracing.runs import inner_config
from langchain_scaffolding.tracing.tally import Tally
from scaffolding_core import Task, Usage
from scaffolding_core.adapting import run_either

__all__ = [
    "call_inside",
    "inside",
    "run_inside",
    "tallied",
    "tallied_apart",
    "tell_around",
    "with_handler",
]


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
