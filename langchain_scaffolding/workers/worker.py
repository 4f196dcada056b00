"""LangChainWorker: any LangChain model, or a chain, as a backend."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_scaffolding.tracing.inner_runs import inside
from langchain_scaffolding.translation.messages import from_core
from langchain_scaffolding.workers.cut_samples import PromptTokens, cut_usage
from langchain_scaffolding.workers.model_call import ainvoke, invoke
from langchain_scaffolding.workers.sampled_model import (
    answer_limit,
    bound_tools,
    for_samples,
    is_model,
    model_name,
    streams,
    unbound,
)
from langchain_scaffolding.workers.task_results import emit, fill, joined
from langchain_scaffolding.workers.threads_at_once import ThreadsAtOnce
from scaffolding_core import (
    Capabilities,
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    Task,
    UnsupportedParameterError,
    Usage,
    UserMessage,
    Worker,
)
from scaffolding_core.adapting import TaskHandler, as_asked, read_either, run_either

__all__ = ["LANGCHAIN_KWARGS", "LLM_TYPE", "LangChainWorker"]

LLM_TYPE = "scaffolding"
"""What LangChain calls the kind of a model with a method; one inside a sample charges what it costs itself."""

LANGCHAIN_KWARGS = "langchain_kwargs"
"""Key of a task's `custom_input_params` whose value goes to the model's call as it is."""


class LangChainWorker(Worker):
    """Runs tasks on a LangChain chat or completion model, or on any Runnable that takes messages.

    Under a blocking call the model's blocking methods run in threads, with the caller's context; under an
    async call its async methods run on the caller's loop, since clients bind to the loop they started on.
    The model's own callbacks are called; those of the chain around it are not, since each sample is a run
    already. A cache would turn all samples into one, so the model is called without it. A model that may
    tell its usage while it streams, and was not told whether to, does.

    A chat model that streams is streamed where its answer is listened to, or may be cut by a method, a deadline or
    a budget, so that the cut reaches its provider: at once in an async call, at the next piece of text in a
    blocking one. A blocking call that does not stream cannot be closed: it runs to its end, unseen.

    Cost: one call of the model for each task.

    Args:
        model: a model, one with tools or parameters bound to it, or a chain.
        max_concurrency: calls at once; a blocking one that was cut counts until it has ended.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    capabilities = Capabilities(tools=True, streaming=True)

    def __init__(self, model: Runnable[Any, Any], *, max_concurrency: int = 256) -> None:
        if not isinstance(model, Runnable):
            raise InvalidRequestError(f"LangChainWorker needs a chat model or a chain, got {model!r}")
        self.model = for_samples(model)
        self.max_concurrency = max_concurrency
        self._threads = ThreadsAtOnce(max_concurrency)
        itself = unbound(model)
        self._is_model = is_model(model)
        self._takes_text = isinstance(itself, BaseLLM)
        self._tells_usage = isinstance(itself, BaseChatModel)
        self._charges_itself = isinstance(itself, BaseChatModel) and itself._llm_type == LLM_TYPE
        self._prompt_tokens = PromptTokens()

    def model_for(self, task: Task) -> str | None:
        """The name of the model; None for a chain."""
        return model_name(self.model) if self._is_model else None

    def tools_for(self, task: GenerationTask) -> Sequence[object]:
        """The descriptions of tools that are bound to the model, or come with the call."""
        return [*super().tools_for(task), *bound_tools(self.model), *_given_kwargs(task).get("tools", ())]

    def answer_limit(self, task: GenerationTask) -> int | None:
        """How many tokens an answer has at most, by the task or by the model's own parameters."""
        return task.max_tokens or answer_limit(self.model)

    async def _generate(self, task: GenerationTask) -> None:
        given, kwargs = self._given(task), _kwargs(task)
        if self._is_model and kwargs.get("n") not in (None, 1):
            raise UnsupportedParameterError(
                f"n must be 1, got {kwargs['n']!r}: each sample is one choice; set sample_num for several"
            )
        with inside(task, counted=not self._tells_usage) as config:
            pieces: list[object] = []
            try:
                answer = await self._answer(task, pieces, given, config, kwargs)
            except BaseException as error:
                if self._tells_usage and (pieces or isinstance(error, asyncio.CancelledError)):
                    task.usage = self._cut_usage(task, pieces)
                raise
        self._fill(task, answer)
        self._prompt_tokens.tell(task)

    async def _answer(
        self,
        task: GenerationTask,
        pieces: list[object],
        given: object,
        config: RunnableConfig,
        kwargs: dict[str, Any],
    ) -> object:
        if not self._streams(task):
            return await run_either(self._invoke, ainvoke, self.model, given, config, kwargs)

        def take(piece: object) -> None:
            pieces.append(piece)
            emit(task, piece)

        await read_either(self._stream, self.model.astream, take, given, config, **kwargs)
        return joined(pieces)

    def _invoke(self, *call: Any) -> object:
        with self._threads.place():
            return invoke(*call)

    def _stream(self, given: Any, config: RunnableConfig, **kwargs: Any) -> Iterator[object]:
        with self._threads.place():
            yield from self.model.stream(given, config, **kwargs)

    def _cut_usage(self, task: GenerationTask, pieces: list[object]) -> Usage:
        if self._charges_itself:
            return Usage()
        return cut_usage([*pieces], self._prompt_tokens.of(task))  # a thread may still read

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _generate}

    def _given(self, task: GenerationTask) -> Any:  # Any: what the model or chain takes
        if self._takes_text and not isinstance(task, ChatTask) and task.input_str is not None:
            return task.text_prompt
        return _messages(task)

    def _streams(self, task: GenerationTask) -> bool:
        scope = task.scope
        if scope is None:
            return False
        return streams(self.model, listening=scope.listening, may_be_cut=scope.may_be_cut)

    def _fill(self, task: GenerationTask, answer: object) -> None:
        fill(task, answer)


def _messages(task: GenerationTask) -> list[BaseMessage]:
    if isinstance(task, ChatTask):
        return from_core(task.turns)
    if task.input_str is None:
        raise InvalidRequestError("a LangChain model takes text or messages, not token ids")
    if task.answer_prefix:
        return from_core(ChatTask(messages=[UserMessage(task.input_str)], answer_prefix=task.answer_prefix).turns)
    return [HumanMessage(task.input_str)]


def _kwargs(task: GenerationTask) -> dict[str, Any]:
    """What the model's call takes: the caller's own keywords, and the sampling parameters that are set."""
    if task.num_logprobs is not None:
        raise UnsupportedParameterError("a LangChainWorker tells no log probabilities: leave num_logprobs out")
    kwargs: dict[str, Any] = dict(task.sampling())
    if isinstance(task, ChatTask) and task.tools:
        kwargs["tools"] = task.tools_to_dict()
    return {**kwargs, **_given_kwargs(task)}


def _given_kwargs(task: GenerationTask) -> Mapping[str, Any]:
    given = (task.custom_input_params or {}).get(LANGCHAIN_KWARGS)
    return as_asked(task, given) if isinstance(given, Mapping) else {}
