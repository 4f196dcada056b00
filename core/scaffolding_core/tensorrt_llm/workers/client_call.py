"""ClientCall: one call of an OpenAI client, and what it leaves in the task."""

from __future__ import annotations

import copy
import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import Any

from scaffolding_core.errors import IncompleteResponseError
from scaffolding_core.messages import Usage
from scaffolding_core.tensorrt_llm.task import ChatTask, GenerationTask
from scaffolding_core.tensorrt_llm.workers.plain import plain
from scaffolding_core.worker import Worker, typed_error
from scaffolding_core.workers.openai.choice import Choice
from scaffolding_core.workers.openai.wire_numbers import read_usage

__all__ = ["ClientCall"]

# Any: what a client of a program's own answers with.
Json = dict[str, Any]

_PROMPT = ("messages", "tools", "prompt")


class ClientCall:
    """One call of a client.

    Args:
        worker: that calls.
        task: it is for.
        params: what the client is called with.
    """

    def __init__(self, worker: Worker, task: GenerationTask, params: Json) -> None:
        self._worker = worker
        self._task = task
        self._params = params
        self._choices = [Choice(task.scope if index == 0 else None) for index in range(params.get("n") or 1)]
        self._usage: Usage | None = None
        self._began = time.perf_counter()
        task.ttft_s = task.request_id = None
        task.llm_request_params = copy.deepcopy({n: v for n, v in params.items() if n not in _PROMPT})

    async def run(self, create: Callable[..., Awaitable[Any]], *, streamed: bool) -> None:
        """Ask, and fill the task.

        Raises:
            WorkerError: the client failed, or the answer is not whole.
        """
        streaming = {"stream": True, "stream_options": {"include_usage": True}} if streamed else {}
        try:
            answer = await create(**self._params, **streaming)
            if hasattr(answer, "__aiter__") and not isinstance(getattr(answer, "choices", None), list):
                await self._read_stream(answer)
            else:
                self._read(answer)
        except Exception as error:
            raise typed_error(self._worker, error) from error
        finally:
            self._charge()
        self._fill()

    async def _read_stream(self, stream: Any) -> None:
        try:
            async for chunk in stream:
                self._read(chunk)
        finally:
            close = getattr(stream, "close", None)
            if close is not None and isawaitable(closing := close()):
                await closing

    def _read(self, chunk: object) -> None:
        event = plain(chunk)
        task = self._task
        task.request_id = task.request_id or event.get("id")
        for place, choice in enumerate(event.get("choices") or []):
            index = choice.get("index")
            self._choices[place if index is None else index].add(choice, event, missing=False)
            if task.ttft_s is None and self._choices[0].pieces:
                task.ttft_s = time.perf_counter() - self._began
        self._usage = read_usage(event.get("usage")) or self._usage

    def _charge(self) -> None:
        """What it cost; a call that told nothing has cost nobody knows how much."""
        task, usage = self._task, self._usage or Usage(lost_calls=1)
        usage.calls = 1
        told = self._usage is not None
        task.usage = usage
        task.latency_s = time.perf_counter() - self._began
        task.usage_prompt_tokens = usage.prompt_tokens if told else None
        task.usage_completion_tokens = usage.completion_tokens if told else None
        if isinstance(task, ChatTask) and task.enable_token_counting:
            task.prompt_tokens_num, task.completion_tokens_num = usage.prompt_tokens, usage.completion_tokens
            task.reasoning_tokens_num = usage.reasoning_tokens

    def _fill(self) -> None:
        for choice in self._choices:
            if not choice.complete:
                ended = f"with {choice.finish_reason!r}" if choice.finish_reason else "without saying why"
                raise IncompleteResponseError(
                    f"an answer to {type(self._worker).__name__} ended {ended}: ask again"
                )
        self._choices[0].fill(self._task)
        if len(self._choices) > 1:
            self._task.customized_result_fields["choices"] = [choice.text for choice in self._choices]
