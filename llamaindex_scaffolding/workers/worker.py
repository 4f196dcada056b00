"""LlamaIndexWorker: any LlamaIndex LLM as a backend."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse
from llama_index.core.llms import LLM, CustomLLM

from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from llamaindex_scaffolding.instrumentation.told_usage import field_of, told_usage
from llamaindex_scaffolding.translation.messages import from_core, reasoning_of, tool_calls_of
from llamaindex_scaffolding.workers.prediction import PREDICTION, Prediction, predict
from scaffolding_core import (
    AssistantMessage,
    Capabilities,
    ChatTask,
    Delta,
    GenerationTask,
    InvalidRequestError,
    Task,
    UnsupportedParameterError,
    Usage,
    Worker,
    WorkerError,
)
from scaffolding_core.adapting import TaskHandler, as_asked, read_either, run_either

__all__ = ["LLAMAINDEX_KWARGS", "LlamaIndexWorker"]

LLAMAINDEX_KWARGS = "llamaindex_kwargs"
"""Key of a task's `custom_input_params` whose value goes to the LLM's call as it is."""


class LlamaIndexWorker(Worker):
    """Runs tasks on a LlamaIndex LLM: a `ChatTask` by its chat methods, a text by its completion methods.

    Under a blocking call the LLM's blocking methods run in threads, with the caller's context; under an async
    call its async methods run on the caller's loop, since clients bind to the loop they started on. A
    `CustomLLM` without async methods of its own runs in threads then too. Each call is a span under the
    caller's. Sampling parameters that are set go to the call as keywords; an LLM
    that does not know one says so itself. The LLM's own retries stay the only ones.

    A cut sample of an async call closes the LLM's call. A blocking call in a thread cannot be closed: it runs
    to its end, unseen; a stream that somebody reads stops at the next piece of text.

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

    def model_for(self, task: Task) -> str | None:
        """The name of the model."""
        return self.llm.metadata.model_name

    def tools_for(self, task: GenerationTask) -> Sequence[object]:
        """The descriptions of tools that come with the call."""
        return [*super().tools_for(task), *(_given_kwargs(task).get("tools") or ())]

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer has at most, by the task or by the LLM's own field."""
        most = task.max_tokens or getattr(self.llm, "max_tokens", None)
        return most if isinstance(most, int) and most > 0 else None

    async def _chat(self, task: ChatTask) -> None:
        kwargs = _kwargs(task)
        prediction = (task.custom_input_params or {}).get(PREDICTION)
        if isinstance(prediction, Prediction) and not task.aside:
            await predict(self._called, task, prediction, kwargs)
            return
        if task.tools:
            kwargs.setdefault("tools", task.tools_to_dict())
        await self._ask("chat", task, from_core(task.turns), kwargs)

    async def _complete(self, task: GenerationTask) -> None:
        if task.input_str is None:
            raise InvalidRequestError("a LlamaIndex LLM takes text or messages, not token ids")
        await self._ask("complete", task, task.text_prompt or "", _kwargs(task))

    async def _ask(self, way: str, task: GenerationTask, prompt: object, kwargs: dict[str, Any]) -> None:
        with counted_llm_calls() as calls:
            try:
                await self._answer(way, task, prompt, kwargs)
            finally:  # an LLM over another one may tell no tokens itself
                if calls.usage.total_tokens and not (task.usage and task.usage.total_tokens):
                    task.usage = calls.usage

    async def _answer(self, way: str, task: GenerationTask, prompt: object, kwargs: dict[str, Any]) -> None:
        if task.scope is None or not task.scope.listening:
            _fill(task, await run_either(*self._forms(way), prompt, **kwargs))
            return
        reading = _Reading(task)
        await read_either(*self._forms(f"stream_{way}"), reading.take, prompt, **kwargs)
        reading.finish()

    def _forms(self, way: str) -> tuple[Callable[..., Any], Callable[..., Any] | None]:
        """The LLM's blocking method, and its async one if it has one of its own."""
        llm = self._called
        return getattr(llm, way), None if _is_blocking(type(self.llm), f"a{way}") else getattr(llm, f"a{way}")

    @property
    def _called(self) -> LLM:
        return self.llm

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {ChatTask: _chat, GenerationTask: _complete}


class _Reading:
    """One answer, read piece by piece."""

    def __init__(self, task: GenerationTask) -> None:
        self._task = task
        self._last: ChatResponse | CompletionResponse | None = None
        self._usage: Usage | None = None

    def take(self, response: ChatResponse | CompletionResponse) -> None:
        delta = Delta(response.delta or "", str(response.additional_kwargs.get("thinking_delta") or ""))
        if self._task.scope is not None and (delta.text or delta.reasoning):
            self._task.scope.emit(delta)
        usage = told_usage(response)
        if usage.total_tokens:  # some LLMs tell it in their last piece, some in one before
            self._usage = usage
        self._last = response

    def finish(self) -> None:
        if self._last is None:
            raise WorkerError("the LLM's stream ended without an answer")
        _fill(self._task, self._last)
        self._task.usage = self._usage or self._task.usage


@functools.lru_cache(maxsize=256)
def _is_blocking(llm: type[LLM], method: str) -> bool:
    """Whether an async method is the one of `CustomLLM`, which calls the blocking one on the loop."""
    # Instrumentation wraps what classes inherit.
    return inspect.unwrap(getattr(llm, method)) is inspect.unwrap(getattr(CustomLLM, method))


def _kwargs(task: GenerationTask) -> dict[str, Any]:
    """What the LLM's call takes: the sampling parameters that are set, and the caller's own keywords."""
    if task.n not in (None, 1):
        raise UnsupportedParameterError("a LlamaIndex LLM gives one answer a call: leave n out, set sample_num")
    if task.num_logprobs is not None:
        raise UnsupportedParameterError("a LlamaIndexWorker tells no log probabilities: leave num_logprobs out")
    sampling = task.sampling()
    sampling.pop("n", None)
    return {**sampling, **_given_kwargs(task)}


def _given_kwargs(task: GenerationTask) -> Mapping[str, Any]:
    given = (task.custom_input_params or {}).get(LLAMAINDEX_KWARGS)
    return as_asked(task, given) if isinstance(given, Mapping) else {}


def _fill(task: GenerationTask, response: ChatResponse | CompletionResponse) -> None:
    task.said = said = _said(response)
    said.finish_reason = _finish_reason(response) or ("tool_calls" if said.tool_calls else "stop")
    task.usage = told_usage(response)


def _said(response: ChatResponse | CompletionResponse) -> AssistantMessage:
    if isinstance(response, CompletionResponse):
        return AssistantMessage(response.text)
    message = response.message
    return AssistantMessage(message.content or "", reasoning_of(message), tool_calls_of(message), original=message)


def _finish_reason(response: ChatResponse | CompletionResponse) -> str | None:
    """Where the providers put it; None where they tell none."""
    raw = response.raw
    choices = field_of(raw, "choices")
    holder = choices[0] if isinstance(choices, list) and choices else raw
    found = field_of(holder, "finish_reason") or field_of(holder, "stop_reason")
    return found if isinstance(found, str) else None
