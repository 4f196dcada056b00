"""LangChainWorker: any LangChain model, or a chain, as a backend."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from contextlib import aclosing, closing
from typing import Any, ClassVar, cast

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable

from langchain_scaffolding.tracing.inner_runs import inside
from langchain_scaffolding.translation.messages import from_core
from langchain_scaffolding.workers.closed_loop import again_if_loop_closed
from langchain_scaffolding.workers.model_call import ainvoke, invoke
from langchain_scaffolding.workers.sampled_model import for_samples, streams, unbound
from langchain_scaffolding.workers.task_results import emit, fill, joined
from scaffolding_core import Capabilities, ChatTask, GenerationTask, InvalidRequestError, Task, Worker
from scaffolding_core.adapting import TaskHandler, called_synchronously, run_in_thread

__all__ = ["LANGCHAIN_KWARGS", "LangChainWorker"]

LANGCHAIN_KWARGS = "langchain_kwargs"
"""Key of a task's `custom_input_params` whose value goes to the model's call as it is."""


class LangChainWorker(Worker):
    """Runs tasks on a LangChain chat or completion model, or on any Runnable that takes messages.

    Under a blocking call the model's blocking methods run in threads, with the caller's context; under an
    async call its async methods run on the caller's loop, since clients bind to the loop they started on.
    The model's own callbacks are called; those of the chain around it are not, since each sample is a run
    already. A cache would turn all samples into one, so the model is called without it. A model that may
    tell its usage while it streams, and was not told whether to, does.

    A chat model that streams is streamed, whoever asks, so that a cut reaches its provider: at once in an async
    call, at the next piece of text in a blocking one. A blocking call that does not stream cannot be closed:
    it runs to its end, unseen.

    Cost: one call of the model for each task.

    Args:
        model: a model, one with tools or parameters bound to it, or a chain.
        max_concurrency: calls at once.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    capabilities = Capabilities(tools=True, streaming=True)

    def __init__(self, model: Runnable[Any, Any], *, max_concurrency: int = 256) -> None:
        if not isinstance(model, Runnable):
            raise InvalidRequestError(f"LangChainWorker needs a chat model or a chain, got {model!r}")
        self.model = for_samples(model)
        self.max_concurrency = max_concurrency
        itself = unbound(model)
        self._takes_text = isinstance(itself, BaseLLM)
        self._tells_usage = isinstance(itself, BaseChatModel)

    async def _generate(self, task: GenerationTask) -> None:
        call = _Call(self, task)
        if called_synchronously.get():
            answer = await _in_thread(call)
        else:
            answer = await again_if_loop_closed(call.on_loop)
        self._fill(task, answer)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _generate}

    def _given(self, task: GenerationTask) -> Any:  # Any: what the model or chain takes
        if self._takes_text and not isinstance(task, ChatTask) and task.input_str is not None:
            return task.input_str
        return _messages(task)

    def _streams(self, task: GenerationTask) -> bool:
        return streams(self.model, listening=task.scope is not None and task.scope.listening)

    def _fill(self, task: GenerationTask, answer: object) -> None:
        fill(task, answer)


class _Call:
    """One call of the model; its pieces are told to the task as they come."""

    def __init__(self, worker: LangChainWorker, task: GenerationTask) -> None:
        self._model = worker.model
        self._task = task
        self._given = worker._given(task)
        self._kwargs = _kwargs(task)
        self._streamed = worker._streams(task)
        self._counted = not worker._tells_usage
        self.stopped = threading.Event()

    async def on_loop(self) -> object:
        with inside(self._task, counted=self._counted) as config:
            if not self._streamed:
                return await ainvoke(self._model, self._given, config, self._kwargs)
            pieces: list[object] = []
            stream = self._model.astream(self._given, config, **self._kwargs)
            async with aclosing(cast("Any", stream)):
                async for piece in stream:
                    _raise_if_cut()
                    pieces.append(piece)
                    emit(self._task, piece)
        return joined(pieces)

    def in_thread(self) -> object:
        with inside(self._task, counted=self._counted) as config:
            if not self._streamed:
                return invoke(self._model, self._given, config, self._kwargs)
            pieces: list[object] = []
            stream = self._model.stream(self._given, config, **self._kwargs)
            with closing(cast("Any", stream)):
                for piece in stream:
                    if self.stopped.is_set():
                        return None
                    pieces.append(piece)
                    emit(self._task, piece)
        return joined(pieces)


def _raise_if_cut() -> None:
    """Raise what was swallowed: `asyncio.wait_for`, before Python 3.12, loses a cut in the tick of a piece."""
    running = asyncio.current_task()
    if running is not None and running.cancelling():
        raise asyncio.CancelledError


async def _in_thread(call: _Call) -> object:
    try:
        return await run_in_thread(call.in_thread)
    finally:
        call.stopped.set()


def _messages(task: GenerationTask) -> list[BaseMessage]:
    if isinstance(task, ChatTask):
        return from_core(task.messages)
    if task.input_str is None:
        raise InvalidRequestError("a LangChain model takes text or messages, not token ids")
    return [HumanMessage(task.input_str)]


def _kwargs(task: GenerationTask) -> dict[str, Any]:
    """What the model's call takes: the caller's own keywords, and the sampling parameters that are set."""
    kwargs: dict[str, Any] = dict(task.sampling())
    if isinstance(task, ChatTask) and task.tools:
        kwargs["tools"] = task.tools_to_dict()
    given = (task.custom_input_params or {}).get(LANGCHAIN_KWARGS)
    if isinstance(given, Mapping):
        kwargs.update(given)
    return kwargs
