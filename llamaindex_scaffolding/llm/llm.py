"""ScaffoldingLLM: an LLM that spends inference-time compute on each answer."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, contextmanager, nullcontext
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.llms import LLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection

from llamaindex_scaffolding.instrumentation.rate_limits import limited
from llamaindex_scaffolding.instrumentation.spans import shown_as_spans
from llamaindex_scaffolding.llm.structured_llm import ScaffoldingStructuredLLM
from llamaindex_scaffolding.llm.structured_predictions import StructuredPredictions
from llamaindex_scaffolding.translation.candidates import sample_events
from llamaindex_scaffolding.translation.messages import has_media, to_core, to_core_as_they_are
from llamaindex_scaffolding.translation.responses import ChatStream, completion_of
from llamaindex_scaffolding.translation.tools import chat_arguments, keep_one_call, selections
from llamaindex_scaffolding.workers.prediction import PREDICTION
from scaffolding_core import (
    ChatTask,
    Config,
    Controller,
    Event,
    GenerationTask,
    InvalidRequestError,
)
from scaffolding_core.adapting import (
    Call,
    run_in_thread,
)

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["ScaffoldingLLM", "event_listener"]

event_listener: ContextVar[Callable[[Event], None] | None] = ContextVar("event_listener", default=None)
"""Hears the events of the chats that are streamed, asynchronously, in this context."""


class ScaffoldingLLM(StructuredPredictions):
    """An LLM that samples, votes, scores or reasons before it answers.

    It stands wherever an LLM stands: `Settings.llm`, query engines, chat engines, agents, workflows. The
    answer is one sample's message, whole. `raw` tells method, answer, candidates, votes, agreement and usage
    as plain data, and `additional_kwargs["scaffolding"]` has the same; `raw["usage"]` is what was paid for
    all samples.

    A vote compares what whoever asks reads: the calls of an agent's step, the verdict of an evaluator, the choice
    of a selector; a sample that it could not use has no vote. For any other text, say what you ask for:
    `answers="number"`. `raw["candidates"]` tells how each was read, in `read_as`.

    Keywords of a call override fields: sampling parameters, options of the method (`sample_num`), what is
    compared (`answers`, or an `extractor` and an `equivalence` of your own), options of the request (`budget`,
    `deadline`, `priority`, ...: `scaffolding_core.REQUEST_OPTIONS`), or `method` itself. For a wrapped LLM all
    other keywords go to its own call; without one they are an `InvalidRequestError`.

    `stream_candidates="reasoning"` streams each finished sample as thoughts before the answer, and tells it in
    `additional_kwargs["scaffolding_candidate"]`; `"events"` tells instrumentation of samples, with a
    `SampleInProgressEvent` for each piece of text and a `SampleEndEvent` for each that ends, under any call.

    Examples:
        ```python
        from llamaindex_scaffolding import ScaffoldingLLM

        llm = ScaffoldingLLM(method="majority_vote", sample_num=16, api_base="http://localhost:8000/v1")
        index.as_query_engine(llm=llm).query("How many apples are there?")
        ```

        Or give an LLM that you have a method, in one line:

        ```python
        llm = ScaffoldingLLM.wrap(OpenAILike(...), "majority_vote", sample_num=16)
        ```

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: options that the method does not have (`answers` too), an unknown kind of answer, or
            nobody for a role that the method needs.
    """

    def __init__(self, method: str | Controller = "majority_vote", **fields: Any) -> None:
        unknown = sorted(fields.keys() - type(self).model_fields.keys())
        if unknown:
            raise InvalidRequestError(f"ScaffoldingLLM has no field {unknown[0]!r}: correct it, or leave it out")
        super().__init__(method=method, **fields)
        self._follow(own=fields)
        self._check()

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "ScaffoldingLLM"

    @classmethod
    def wrap(cls, llm: LLM, method: str | Controller = "majority_vote", **fields: Any) -> Self:
        """Give an LLM that you have a method.

        The LLM itself is called, so whatever changes in it holds from the next call on. Its parameters, prompts
        and tools stay; its context window, model name and abilities are shown as the wrapper's own. The wrapper
        tells the LLM's callback manager, and the calls inside tell nobody, so that tokens are counted once, over
        all samples.

        Args:
            llm: any LLM.
            method: a method's name, or a controller.
            fields: of this class, such as `sample_num`, `temperature` or `reward`.
        """
        return cls(method, llm=llm, **fields)

    @classmethod
    def from_config(cls, path: str | Path, *, objects: Mapping[str, object] | None = None, **fields: Any) -> Self:
        """What a configuration describes, see `scaffolding_core.Config`; it is opened and closed with this object.

        Args:
            path: of the file, YAML unless it ends in `.json`.
            objects: what no file can hold, by the name in `$ref`.
            fields: of this class, in place of those that the configuration fills: method, worker, roles, seed and
                request_options.

        Raises:
            InvalidRequestError: the file cannot be read (also an OSError), or is wrong; it says where.
            MissingExtraError: YAML or a worker needs a package that is not installed.
        """
        return cls(**{**Config.read(path, objects).fields(), **fields})

    # Calls.

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat."""
        return self._answer(self._chat_task(messages), kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat; cancelling it cancels its samples."""
        return await self._aanswer(await self._achat_task(messages), kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream the answer to a chat; samples start at once, and stop when the generator is left."""
        return self._stream(self._chat_task(messages), kwargs)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream the answer to a chat; samples start at once, and stop when the generator is left."""
        return await self._astream(await self._achat_task(messages), kwargs)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt."""
        return completion_of(self._answer(*self._completion(prompt, formatted, kwargs)))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt; cancelling it cancels its samples."""
        return completion_of(await self._aanswer(*self._completion(prompt, formatted, kwargs)))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """Stream the answer to a prompt; samples start at once, and stop when the generator is left."""
        responses = self._stream(*self._completion(prompt, formatted, kwargs))

        def read() -> CompletionResponseGen:
            with closing(responses):
                for response in responses:
                    yield completion_of(response)

        return read()

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Stream the answer to a prompt; samples start at once, and stop when the generator is left."""
        responses = await self._astream(*self._completion(prompt, formatted, kwargs))

        async def read() -> CompletionResponseAsyncGen:
            async with aclosing(responses):
                async for response in responses:
                    yield completion_of(response)

        return read()

    # Tools.

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        tool_choice: str | dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        history = list(chat_history or ())  # some LLMs append to the list they are given
        if self.llm is not None and not isinstance(self.llm, FunctionCallingLLM):
            raise InvalidRequestError(f"{type(self.llm).__name__} calls no tools: wrap a FunctionCallingLLM")
        if self.llm is None:
            arguments = chat_arguments(
                tools,
                user_msg,
                history,
                parallel=allow_parallel_tool_calls,
                required=tool_required,
                tool_choice=tool_choice,
            )
            return {**arguments, **kwargs}
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.llm._prepare_chat_with_tools_compat(
            tools,
            user_msg=user_msg,
            chat_history=history,
            verbose=verbose,
            allow_parallel_tool_calls=allow_parallel_tool_calls,
            tool_required=tool_required,
            **kwargs,
        )

    def _validate_chat_with_tools_response(
        self,
        response: ChatResponse,
        tools: Sequence[BaseTool],
        allow_parallel_tool_calls: bool = False,
        **kwargs: Any,
    ) -> ChatResponse:
        if isinstance(self.llm, FunctionCallingLLM):
            return self.llm._validate_chat_with_tools_response(
                response, tools, allow_parallel_tool_calls=allow_parallel_tool_calls, **kwargs
            )
        if not allow_parallel_tool_calls:
            keep_one_call(response)
        return response

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tools that the chosen sample wants called.

        Raises:
            ValueError: it calls none, and `error_on_no_tool_call` is set.
        """
        in_blocks = any(isinstance(block, ToolCallBlock) for block in response.message.blocks)
        if isinstance(self.llm, FunctionCallingLLM) and not in_blocks:
            return self.llm.get_tool_calls_from_response(
                response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
            )
        return selections(response, error_on_none=error_on_no_tool_call)

    # Structures.

    def as_structured_llm(self, output_cls: type[BaseModel], **kwargs: Any) -> ScaffoldingStructuredLLM:
        """An LLM that answers in a structure, and tells how it was agreed on."""
        return ScaffoldingStructuredLLM(llm=self, output_cls=output_cls, **kwargs)

    # How a request is made.

    def _chat_task(self, messages: Sequence[ChatMessage]) -> GenerationTask:
        if self.llm is None and not self.is_chat_model:
            assert self.messages_to_prompt is not None
            return GenerationTask(input_str=self.messages_to_prompt(messages))
        return ChatTask(messages=to_core(messages) if self.llm is None else to_core_as_they_are(messages))

    async def _achat_task(self, messages: Sequence[ChatMessage]) -> GenerationTask:
        if self.llm is None and has_media(messages):
            return await run_in_thread(self._chat_task, messages)
        return self._chat_task(messages)

    def _completion(
        self, prompt: str, formatted: bool, kwargs: dict[str, Any]
    ) -> tuple[GenerationTask, dict[str, Any]]:
        if self.llm is not None:
            return GenerationTask(input_str=prompt), {**kwargs, "formatted": formatted}
        if not formatted:
            assert self.completion_to_prompt is not None
            prompt = self.completion_to_prompt(prompt)
        return GenerationTask(input_str=prompt), kwargs

    def _answer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse:
        if self.stream_candidates == "events":
            return deque(self._stream(task, kwargs), maxlen=1)[0]
        result = self._call(task, kwargs, streamed=False).result()
        return self._response(result.output, result.id)

    async def _aanswer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse:
        if self.stream_candidates == "events":
            async with aclosing(await self._astream(task, kwargs)) as responses:
                return [response async for response in responses][-1]
        result = await self._call(task, kwargs, streamed=False).aresult()
        return self._response(result.output, result.id)

    def _stream(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> Generator[ChatResponse, None, None]:
        call = self._call(task, kwargs, streamed=True)
        events = call.events()  # starts here, while the caller's span is open
        responses, tell = self._chat_stream(call), self._sample_events()

        def read() -> Generator[ChatResponse, None, None]:
            with closing(events):
                for event in events:
                    tell(event)
                    yield from responses.of(event)

        return read()

    async def _astream(
        self, task: GenerationTask, kwargs: Mapping[str, Any]
    ) -> AsyncGenerator[ChatResponse, None]:
        call = self._call(task, kwargs, streamed=True)
        events = await call.aevents()  # starts here, while the caller's span is open
        responses, tell, listener = self._chat_stream(call), self._sample_events(), event_listener.get()

        async def read() -> AsyncGenerator[ChatResponse, None]:
            async with aclosing(events):
                async for event in events:
                    if listener is not None:
                        listener(event)
                    tell(event)
                    for response in responses.of(event):
                        yield response

        return read()

    def _call(self, task: GenerationTask, kwargs: Mapping[str, Any], *, streamed: bool) -> Call:
        return self._request(task, kwargs, self._around(task, streamed=streamed))

    @contextmanager
    def _around(self, task: GenerationTask, *, streamed: bool) -> Iterator[None]:
        # A wrapped LLM shows its calls by itself; but tracers end a stream's span with any stream right under it.
        with shown_as_spans() if self.llm is None or streamed else nullcontext():
            # LlamaIndex asks for the call itself, but not for a prediction.
            asked = 0 if PREDICTION in (task.custom_input_params or {}) else 1
            by_sample = self.llm is not None or self.worker is not None
            worker = self._backend().worker if by_sample else None
            with limited(self.rate_limiter, asked=asked, samples_of=worker):
                yield

    def _chat_stream(self, call: Call) -> ChatStream:
        no_program = self._output_cls is None
        return ChatStream(
            partial(self._response, request_id=call.streamed.id),
            live=call.llm.prototype_controller.streams_answer,
            early=no_program,
            candidates=no_program and self.stream_candidates == "reasoning",
        )

    def _sample_events(self) -> Callable[[Event], None]:
        return sample_events() if self.stream_candidates == "events" else lambda event: None
