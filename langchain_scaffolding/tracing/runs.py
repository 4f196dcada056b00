"""Samples as child runs: each is a chain-type run under the chat model's own run.

Chat-type child runs would count usage twice and let sample tokens leak into the chain's stream. The wrapped
model is therefore called without callbacks, and each sample is told to tracers as a chain.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar, cast

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForLLMRun,
    CallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.callbacks.manager import (
    AsyncCallbackManagerForChainRun,
    AsyncParentRunManager,
    BaseRunManager,
    CallbackManagerForChainRun,
    ParentRunManager,
)
from langchain_core.outputs import LLMResult
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler
from uuid_utils.compat import uuid7

from langchain_scaffolding.request.gate import Gate
from langchain_scaffolding.tracing.open_runs import OpenRuns
from langchain_scaffolding.translation.inputs import asked
from scaffolding_core import ChatTask, ComputeTask, GenerationTask, RewardTask, Task, Worker
from scaffolding_core.adapting import around_calls

__all__ = [
    "Beneath",
    "Manager",
    "async_child_of_run",
    "child_manager",
    "child_of",
    "child_of_run",
    "ended_if_cut",
    "inner_config",
    "sampled_under",
    "to_the_end",
    "without_streams",
]

Manager: TypeAlias = CallbackManager | AsyncCallbackManager
AnyManager = TypeVar("AnyManager", CallbackManager, AsyncCallbackManager)
Run: TypeAlias = CallbackManagerForChainRun | AsyncCallbackManagerForChainRun

child_manager: ContextVar[Manager | None] = ContextVar("child_manager", default=None)
"""Under which run the samples of this call belong; set where LangChain hands over no run manager."""

Beneath: TypeAlias = Callable[[Manager], RunnableConfig]
"""Makes the configuration of what runs inside a sample, of a manager for the child runs of that sample."""

inner_config: ContextVar[RunnableConfig | None] = ContextVar("inner_config", default=None)
"""How what runs inside a sample is seen; None where it is to stay unseen."""


def child_of(run_manager: BaseRunManager | None) -> Manager | None:
    """A manager for child runs of a model's run; what was set for this context if there is no run manager."""
    if isinstance(run_manager, CallbackManagerForLLMRun):
        # A run manager of a model has no get_child(); a chain's works on any.
        return ParentRunManager.get_child(cast("ParentRunManager", run_manager))
    if isinstance(run_manager, AsyncCallbackManagerForLLMRun):
        return AsyncParentRunManager.get_child(cast("AsyncParentRunManager", run_manager))
    return child_manager.get()


def child_of_run(config: RunnableConfig | None) -> tuple[RunnableConfig, CallbackManager]:
    """A configuration whose run is known beforehand, and a manager for the child runs of that run."""
    known = ensure_config(config)
    manager = CallbackManager.configure(known.get("callbacks"))
    return _with_run(known, manager), _child(manager, CallbackManager([]), known)


def async_child_of_run(config: RunnableConfig | None) -> tuple[RunnableConfig, AsyncCallbackManager]:
    """As `child_of_run`, for async calls."""
    known = ensure_config(config)
    manager = AsyncCallbackManager.configure(known.get("callbacks"))
    return _with_run(known, manager), _child(manager, AsyncCallbackManager([]), known)


def _with_run(config: RunnableConfig, manager: Manager) -> RunnableConfig:
    # The same manager serves the model's own run, so that both tell one and the same tracer.
    config["callbacks"] = manager
    config["run_id"] = config.get("run_id") or uuid7()
    return config


def _child(manager: Manager, child: AnyManager, config: RunnableConfig) -> AnyManager:
    child.parent_run_id = config["run_id"]
    child.set_handlers(manager.inheritable_handlers)
    child.add_tags([*manager.inheritable_tags, *config.get("tags", [])])
    child.add_metadata({**manager.inheritable_metadata, **config.get("metadata", {})})
    return child


def without_streams(manager: Manager) -> Manager:
    """The same, without the handlers that pick up tokens for a stream."""
    manager = manager.copy()
    for handler in list(manager.handlers):
        if isinstance(handler, _StreamingCallbackHandler | _V2StreamingCallbackHandler):
            manager.remove_handler(handler)
    return manager


@contextmanager
def sampled_under(
    manager: Manager | None, beneath: Beneath | None = None, gate: Gate | None = None, given: object = None
) -> Iterator[None]:
    """Requests made in here tell each of their samples as a child run.

    Args:
        manager: for the child runs; None, or one without handlers, tells nobody.
        beneath: shows what runs inside a sample too, beneath its run.
        gate: what each call waits for.
        given: the input, for judges; None if it is a model's.
    """
    told = manager if manager is not None and manager.handlers else None

    async def run(worker: Worker, task: Task) -> object:
        return await (worker.run_task(task) if told is None else _told(told, worker, task, beneath))

    async def run_behind_gate(worker: Worker, task: Task) -> object:
        assert gate is not None
        async with gate.passed(task):
            return await run(worker, task)

    # Set even where there is nothing to do: a request inside a sample must not tell the one around it.
    plain = run if told is not None else None
    around_token = around_calls.set(run_behind_gate if gate is not None else plain)
    inner_token = inner_config.set(beneath(manager) if beneath is not None and manager is not None else None)
    asked_token = asked.set(given)
    try:
        yield
    finally:
        asked.reset(asked_token)
        inner_config.reset(inner_token)
        around_calls.reset(around_token)


async def _told(manager: Manager, worker: Worker, task: Task, beneath: Beneath | None) -> object:
    starting = asyncio.ensure_future(_start(manager, task))
    inner = OpenRuns(manager.inheritable_handlers)
    try:
        run = await asyncio.shield(starting)
        if beneath is not None:
            child = run.get_child()
            child.add_handler(inner)
            inner_config.set(beneath(child))  # each call is an asyncio task, with a context of its own
        status = await worker.run_task(task)
    except asyncio.CancelledError as cut:
        await to_the_end(_end_cut(starting, inner, cut, task))
        raise
    except GeneratorExit:  # its loop is gone, and nothing can be awaited any more
        raise
    except BaseException as error:
        await to_the_end(_fail(starting, error))
        raise
    await to_the_end(_end(starting, _outputs(task)))
    return status


@asynccontextmanager
async def ended_if_cut(run: AsyncCallbackManagerForLLMRun | None) -> AsyncIterator[None]:
    """A chat model's run ends where its call is cancelled from outside; LangChain tells any other end."""
    try:
        yield
    except asyncio.CancelledError as cut:
        calling = asyncio.current_task()
        if run is not None and calling is not None and calling.cancelling():
            await to_the_end(run.on_llm_error(cut, response=LLMResult(generations=[])))
        raise


async def to_the_end(telling: Coroutine[Any, Any, None]) -> None:
    """Tell something to the end, also where this is cut meanwhile: a run that has begun ends."""
    told = asyncio.ensure_future(telling)
    cut: asyncio.CancelledError | None = None
    while not told.done():
        try:
            await asyncio.wait([told])
        except asyncio.CancelledError as error:
            cut = error
    if cut is not None:
        raise cut
    told.result()


_NAMES: dict[type[Task], str] = {RewardTask: "reward", ComputeTask: "answer"}


async def _start(manager: Manager, task: Task) -> Run:
    name = next((name for kind, name in _NAMES.items() if isinstance(task, kind)), "sample")
    branch = list(task.scope.branch) if task.scope is not None else []
    inputs = {"input": _input(task), "branch": branch}
    if isinstance(manager, AsyncCallbackManager):
        return await manager.on_chain_start({"name": name}, inputs, name=name)
    return await asyncio.to_thread(manager.on_chain_start, {"name": name}, inputs, name=name)


async def _end(starting: Awaitable[Run], outputs: dict[str, object]) -> None:
    run = await starting
    if isinstance(run, AsyncCallbackManagerForChainRun):
        await run.on_chain_end(outputs)
    else:
        await asyncio.to_thread(run.on_chain_end, outputs)


async def _end_cut(starting: Awaitable[Run], inner: OpenRuns, cut: BaseException, task: Task) -> None:
    await inner.fail(cut)
    await _end(starting, {"status": "cancelled", **_outputs(task)})


async def _fail(starting: Awaitable[Run], error: BaseException) -> None:
    run = await starting
    if isinstance(run, AsyncCallbackManagerForChainRun):
        await run.on_chain_error(error)
    else:
        await asyncio.to_thread(run.on_chain_error, error)


def _input(task: Task) -> object:
    if isinstance(task, ChatTask):
        return task.messages_to_dict_content()
    return getattr(task, "input_str", None)


def _outputs(task: Task) -> dict[str, object]:
    outputs: dict[str, object] = {}
    if isinstance(task, GenerationTask):
        outputs["output"] = task.output_str
        if task.tool_calls:
            outputs["tool_calls"] = [dict(call.to_dict()) for call in task.tool_calls]
    elif isinstance(task, RewardTask):
        outputs["output"] = task.reward
    elif isinstance(task, ComputeTask):
        outputs["output"] = task.result
    if task.usage is not None:
        outputs["tokens"] = {
            "prompt": task.usage.prompt_tokens,
            "completion": task.usage.completion_tokens,
        }
    return outputs
