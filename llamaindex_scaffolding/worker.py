"""LlamaIndexWorker: any LlamaIndex LLM as a backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.llms import LLM

from llamaindex_scaffolding.messages import core_tool_calls, from_core, reasoning_of, usage_of
from scaffolding_core import (
    Capabilities,
    ChatTask,
    Delta,
    GenerationTask,
    InvalidRequestError,
    Task,
    Worker,
    WorkerError,
)
from scaffolding_core.threads import run_in_thread
from scaffolding_core.worker import TaskHandler, called_synchronously

__all__ = ["LLAMAINDEX_KWARGS", "LlamaIndexWorker"]

LLAMAINDEX_KWARGS = "llamaindex_kwargs"
"""Key of a task's `custom_input_params` whose value goes to the LLM's call as it is."""


Response = TypeVar("Response", ChatResponse, CompletionResponse)


class LlamaIndexWorker(Worker):
    """Runs tasks on a LlamaIndex LLM.

    Under a blocking call the LLM's blocking methods run in threads, with the caller's context; under an async
    call its async methods run on the caller's loop, since clients bind to the loop they started on. Each
    sample is a span under the caller's.

    Cost: one call of the LLM for each task.

    Args:
        llm: any LLM.
        max_concurrency: calls at once.

    Raises:
        InvalidRequestError: not an LLM.
    """

    capabilities = Capabilities(tools=True, streaming=True)

    def __init__(self, llm: LLM, *, max_concurrency: int = 256) -> None:
        if not isinstance(llm, LLM):
            raise InvalidRequestError(f"LlamaIndexWorker needs a LlamaIndex LLM, got {llm!r}")
        self.llm = llm
        self.max_concurrency = max_concurrency

    async def _generate(self, task: GenerationTask) -> None:
        kwargs = _kwargs(task)
        blocking = called_synchronously.get()
        response: ChatResponse | CompletionResponse
        if isinstance(task, ChatTask):
            response = await (run_in_thread(self._chat, task, kwargs) if blocking else self._achat(task, kwargs))
        elif blocking:
            response = await run_in_thread(self._complete, task, kwargs)
        else:
            response = await self._acomplete(task, kwargs)
        _fill(task, response)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _generate}

    def _chat(self, task: ChatTask, kwargs: dict[str, Any]) -> ChatResponse:
        messages = from_core(task.messages)
        if not _listening(task):
            return self.llm.chat(messages, **kwargs)
        response: ChatResponse | None = None
        for response in self.llm.stream_chat(messages, **kwargs):
            _emit(task, response.delta)
        return _whole(response)

    async def _achat(self, task: ChatTask, kwargs: dict[str, Any]) -> ChatResponse:
        messages = from_core(task.messages)
        if not _listening(task):
            return await self.llm.achat(messages, **kwargs)
        response: ChatResponse | None = None
        async for response in await self.llm.astream_chat(messages, **kwargs):
            _emit(task, response.delta)
        return _whole(response)

    def _complete(self, task: GenerationTask, kwargs: dict[str, Any]) -> CompletionResponse:
        if not _listening(task):
            return self.llm.complete(_prompt(task), **kwargs)
        response: CompletionResponse | None = None
        for response in self.llm.stream_complete(_prompt(task), **kwargs):
            _emit(task, response.delta)
        return _whole(response)

    async def _acomplete(self, task: GenerationTask, kwargs: dict[str, Any]) -> CompletionResponse:
        if not _listening(task):
            return await self.llm.acomplete(_prompt(task), **kwargs)
        response: CompletionResponse | None = None
        async for response in await self.llm.astream_complete(_prompt(task), **kwargs):
            _emit(task, response.delta)
        return _whole(response)


def _prompt(task: GenerationTask) -> str:
    if task.input_str is None:
        raise InvalidRequestError("a LlamaIndex LLM takes text or messages, not token ids")
    return task.input_str


def _kwargs(task: GenerationTask) -> dict[str, Any]:
    """What the LLM's call takes: the sampling parameters that are set, and the caller's own keywords."""
    given = (task.custom_input_params or {}).get(LLAMAINDEX_KWARGS)
    return {**task.sampling(), **(given if isinstance(given, Mapping) else {})}


def _listening(task: GenerationTask) -> bool:
    return task.scope is not None and task.scope.listening


def _emit(task: GenerationTask, delta: str | None) -> None:
    if delta and task.scope is not None:
        task.scope.emit(Delta(delta))


def _whole(response: Response | None) -> Response:
    if response is None:
        raise WorkerError("the LLM's stream ended without an answer")
    return response


def _fill(task: GenerationTask, response: ChatResponse | CompletionResponse) -> None:
    if isinstance(response, CompletionResponse):
        task.output_str = response.text
    else:
        task.original = response.message
        task.output_str = response.message.content or ""
        task.reasoning = reasoning_of(response.message)
        task.tool_calls = core_tool_calls(response.message)
    task.finish_reason = "tool_calls" if task.tool_calls else "stop"
    task.usage = usage_of(response)
