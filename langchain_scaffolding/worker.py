"""LangChainWorker: any LangChain chat model, or a chain, as a backend."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import aclosing, closing
from typing import Any, ClassVar, cast

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.base import RunnableBindingBase

from langchain_scaffolding.inside import inside, message_usage
from langchain_scaffolding.messages import core_tool_calls, from_core
from langchain_scaffolding.unwatched import ainvoke, invoke
from scaffolding_core import (
    Capabilities,
    ChatTask,
    Delta,
    GenerationTask,
    InvalidRequestError,
    Task,
    Usage,
    Worker,
    WorkerError,
)
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import TaskHandler, called_synchronously

__all__ = ["LANGCHAIN_KWARGS", "LangChainWorker"]

LANGCHAIN_KWARGS = "langchain_kwargs"
"""Key of a task's `custom_input_params` whose value goes to the model's call as it is."""


class LangChainWorker(Worker):
    """Runs tasks on a LangChain chat model, or on any Runnable that takes messages.

    Under a blocking call the model's blocking methods run in threads, with the caller's context; under an
    async call its async methods run on the caller's loop, since clients bind to the loop they started on.
    The model's own callbacks are called; those of the chain around it are not, since each sample is a run
    already. A cache would turn all samples into one, so the model is called without it.

    A cut sample of an async call closes the model's call. A blocking call in a thread cannot be closed: it
    runs to its end, unseen, unless somebody reads the stream: then it stops at the next piece of text.

    Cost: one call of the model for each task.

    Args:
        model: a chat model, one with tools or parameters bound to it, or a chain.
        max_concurrency: calls at once.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    capabilities = Capabilities(tools=True, streaming=True)

    def __init__(self, model: Runnable[Any, Any], *, max_concurrency: int = 256) -> None:
        if not isinstance(model, Runnable):
            raise InvalidRequestError(f"LangChainWorker needs a chat model or a chain, got {model!r}")
        self.model: Runnable[Any, Any] = _without_cache(model)
        self._takes_text = _is_bound(model, BaseLLM)
        self._counted = not _is_bound(model, BaseChatModel)
        self.max_concurrency = max_concurrency

    async def _generate(self, task: GenerationTask) -> None:
        given, kwargs = self._given(task), _kwargs(task)
        with inside(task, counted=self._counted) as config:
            if called_synchronously.get():
                answer = await self._in_thread(task, given, config, kwargs)
            else:
                answer = await self._on_loop(task, given, config, kwargs)
        self._fill(task, answer)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _generate}

    def _given(self, task: GenerationTask) -> Any:  # Any: what the model or chain takes
        if self._takes_text and not isinstance(task, ChatTask) and task.input_str is not None:
            return task.input_str
        return _messages(task)

    def _fill(self, task: GenerationTask, answer: object) -> None:
        _fill(task, answer)

    def _streams(self, task: GenerationTask) -> bool:
        return task.scope is not None and task.scope.listening

    def _emit(self, task: GenerationTask, piece: object) -> None:
        _emit(task, piece)

    async def _on_loop(
        self, task: GenerationTask, given: Any, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> object:
        if not self._streams(task):
            return await ainvoke(self.model, given, config, kwargs)
        whole: Any = None
        stream = self.model.astream(given, config, **kwargs)
        async with aclosing(cast("Any", stream)):
            async for piece in stream:
                whole = piece if whole is None else whole + piece
                self._emit(task, piece)
        return whole

    async def _in_thread(
        self, task: GenerationTask, given: Any, config: RunnableConfig, kwargs: dict[str, Any]
    ) -> object:
        stopped = threading.Event()

        def call() -> object:
            if not self._streams(task):
                return invoke(self.model, given, config, kwargs)
            return self._streamed(task, self.model.stream(given, config, **kwargs), stopped)

        try:
            return await run_in_thread(call)
        finally:
            stopped.set()

    def _streamed(self, task: GenerationTask, stream: Iterator[Any], stopped: threading.Event) -> object:
        whole: Any = None
        with closing(cast("Any", stream)):
            for piece in stream:
                if stopped.is_set():
                    break
                whole = piece if whole is None else whole + piece
                self._emit(task, piece)
        return whole


def _without_cache(part: Any) -> Any:  # Any: a Runnable, or whatever a field of one holds
    if isinstance(part, BaseChatModel | BaseLLM):
        return part.model_copy(update={"cache": False})
    if isinstance(part, RunnableSerializable) and type(part).__module__.startswith("langchain_core.runnables."):
        parts = {name: getattr(part, name) for name in type(part).model_fields}
        changed = {name: new for name, old in parts.items() if (new := _without_cache(old)) is not old}
        return part.model_copy(update=changed) if changed else part
    if type(part) is list:
        return [_without_cache(item) for item in part]
    if type(part) is dict:
        return {key: _without_cache(item) for key, item in part.items()}
    return part


def _is_bound(model: object, kind: type) -> bool:
    """Whether it is of that kind, with or without something bound to it."""
    return isinstance(model, kind) or (isinstance(model, RunnableBindingBase) and _is_bound(model.bound, kind))


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


def _emit(task: GenerationTask, piece: object) -> None:
    if task.scope is None:
        return
    if isinstance(piece, AIMessageChunk):
        reasoning = piece.additional_kwargs.get("reasoning_content") or ""
        if piece.text or reasoning:
            task.scope.emit(Delta(str(piece.text), reasoning))
    elif isinstance(piece, str):
        task.scope.emit(Delta(piece))


def _fill(task: GenerationTask, answer: object) -> None:
    if isinstance(answer, str):
        task.output_str, task.finish_reason = answer, "stop"
        task.usage = task.usage or Usage(calls=1)
        return
    if isinstance(answer, AIMessageChunk):
        answer = _whole(answer)
    if not isinstance(answer, AIMessage):
        raise WorkerError(
            f"the model or chain must return a message or text, got {type(answer).__name__}: "
            "end the chain with a parser that gives text"
        )
    task.original = answer
    task.output_str = str(answer.text)
    task.reasoning = answer.additional_kwargs.get("reasoning_content")
    task.tool_calls = core_tool_calls(answer)
    reason = answer.response_metadata.get("finish_reason") or answer.response_metadata.get("stop_reason")
    task.finish_reason = str(reason) if reason else "stop"
    task.usage = task.usage or message_usage(answer)


def _whole(chunk: AIMessageChunk) -> AIMessage:
    return AIMessage(
        content=cast("Any", chunk.content),
        additional_kwargs=chunk.additional_kwargs,
        response_metadata=chunk.response_metadata,
        tool_calls=chunk.tool_calls,
        invalid_tool_calls=chunk.invalid_tool_calls,
        usage_metadata=chunk.usage_metadata,
    )
