"""ScaffoldingLLM: an LLM that spends inference-time compute on each answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr
from llama_index.core.llms import LLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection

from llamaindex_scaffolding.messages import method_details, to_chat_message, to_core
from llamaindex_scaffolding.worker import LLAMAINDEX_KWARGS, LlamaIndexWorker
from scaffolding_core import (
    SAMPLING_PARAMETERS,
    ChatTask,
    Controller,
    Delta,
    Event,
    FinalEvent,
    OpenAIWorker,
    ScaffoldingLlm,
    ScaffoldingOutput,
    Worker,
)
from scaffolding_core.answer_stream import AnswerStream
from scaffolding_core.backend import Backend
from scaffolding_core.workers.reward import RewardFunction

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["ScaffoldingLLM"]

_OF_THE_REQUEST = frozenset({"budget", "deadline", "priority", "metadata"})


class ScaffoldingLLM(FunctionCallingLLM):
    """An LLM that samples, votes, scores or reasons before it answers.

    It stands wherever an LLM stands: `Settings.llm`, query engines, chat engines, agents. `raw["usage"]` is
    what was paid for all samples; `raw` and `additional_kwargs["scaffolding"]` tell method, answer,
    candidates, votes and agreement.

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
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    method: str = Field(
        default="majority_vote", description="direct, chain_of_thought, majority_vote or best_of_n."
    )
    sample_num: int | None = Field(default=None, description="Samples, for methods that take several.")
    method_options: dict[str, Any] = Field(
        default_factory=dict, description="Further options of the method's class."
    )
    model: str = Field(default="", description="Name of the model; empty takes the first that is served.")
    api_base: str | None = Field(default=None, description="Address of an OpenAI-compatible server.")
    temperature: float | None = Field(default=None, description="Sampling temperature.")
    max_tokens: int | None = Field(default=None, description="Tokens of each sample at most.")
    seed: int | None = Field(default=None, description="Seed of a request.")
    context_window: int = Field(default=8192, description="Tokens of context.")
    is_function_calling: bool = Field(default=True, description="Whether the model can call tools.")
    additional_kwargs: dict[str, Any] = Field(default_factory=dict, description="Further sampling parameters.")
    api_key: str | None = Field(default=None, exclude=True, repr=False, description="Key for the server.")

    _inner: LLM | None = PrivateAttr(default=None)
    _controller: Controller | None = PrivateAttr(default=None)
    _backend: Backend = PrivateAttr()

    def __init__(
        self,
        method: str | Controller = "majority_vote",
        *,
        reward: RewardFunction | Worker | None = None,
        worker: Worker | None = None,
        inner: LLM | None = None,
        **fields: Any,
    ) -> None:
        named = method if isinstance(method, str) else type(method).__name__
        super().__init__(method=named, **fields)
        self._inner = inner
        self._controller = method if isinstance(method, Controller) else None
        self._backend = Backend(worker or self._worker(), reward)

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "ScaffoldingLLM"

    @classmethod
    def wrap(cls, llm: LLM, method: str | Controller = "majority_vote", **fields: Any) -> ScaffoldingLLM:
        """Give an LLM that you have a method.

        Its parameters and tools stay; its context window, model name and abilities are shown as its own.

        Args:
            llm: any LLM.
            method: a method's name, or a controller.
            fields: of this class, such as `sample_num` or `reward`.
        """
        return cls(method, inner=llm, **fields)

    @property
    def metadata(self) -> LLMMetadata:
        """What the backend is: a wrapped LLM tells of itself."""
        if self._inner is not None:
            return self._inner.metadata
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens or 256,
            is_chat_model=True,
            is_function_calling_model=self.is_function_calling,
            model_name=self.model or str(getattr(self._backend.worker, "model", None) or "scaffolding"),
        )

    # Chats.

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat."""
        llm, task, options = self._request(messages, kwargs)
        result = llm.generate(task, **options)
        assert not isinstance(result, list)
        return _response(result.output, result.id)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat."""
        llm, task, options = self._request(messages, kwargs)
        result = llm.generate_async(task, **options)
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return _response(result.output, result.id)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream the answer to a chat; the samples start at once."""
        llm, task, options = self._request(messages, kwargs)
        stream = llm.stream(task, **options)
        events = iter(stream)  # begun here, while the caller's span is open
        responses = _Responses(live=llm.prototype_controller.streams_answer)

        def read() -> Generator[ChatResponse, None, None]:
            with closing(events):
                for event in events:
                    yield from responses.of(event, stream.result.id if stream.result is not None else 0)

        return read()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream the answer to a chat; the samples start at once."""
        llm, task, options = self._request(messages, kwargs)
        stream = llm.stream(task, **options)
        events = aiter(stream)  # begun here, while the caller's span is open
        responses = _Responses(live=llm.prototype_controller.streams_answer)

        async def read() -> AsyncGenerator[ChatResponse, None]:
            async with aclosing(events):
                async for event in events:
                    for response in responses.of(event, stream.result.id if stream.result is not None else 0):
                        yield response

        return read()

    # Completions: a chat of one message, as LlamaIndex's own chat models do it.

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt."""
        llm, task, options = self._request(_as_chat(prompt), kwargs)
        result = llm.generate(task, **options)
        assert not isinstance(result, list)
        return _completion(_response(result.output, result.id))

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt."""
        llm, task, options = self._request(_as_chat(prompt), kwargs)
        result = llm.generate_async(task, **options)
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return _completion(_response(result.output, result.id))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """Stream the answer to a prompt; the samples start at once."""
        chat = type(self).stream_chat.__wrapped__(self, _as_chat(prompt), **kwargs)  # without a second event
        return (_completion(response) for response in chat)

    @llm_completion_callback()
    async def astream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseAsyncGen:
        """Stream the answer to a prompt; the samples start at once."""
        chat = await type(self).astream_chat.__wrapped__(
            self, _as_chat(prompt), **kwargs
        )  # without a second event
        return (_completion(response) async for response in chat)

    # Tools.

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        verbose: bool = False,
        allow_parallel_tool_calls: bool = False,
        tool_required: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        history = list(chat_history or ())  # LlamaIndex's own LLMs append to the list they are given
        if isinstance(self._inner, FunctionCallingLLM):
            return self._inner._prepare_chat_with_tools(
                tools,
                user_msg=user_msg,
                chat_history=history,
                verbose=verbose,
                allow_parallel_tool_calls=allow_parallel_tool_calls,
                tool_required=tool_required,
                **kwargs,
            )
        if isinstance(user_msg, str):
            user_msg = ChatMessage(role=MessageRole.USER, content=user_msg)
        if user_msg is not None:
            history.append(user_msg)
        shapes = [tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools]
        chosen = {"tools": shapes, "tool_choice": "required" if tool_required else "auto"} if shapes else {}
        return {"messages": history, **chosen, **kwargs}

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> list[ToolSelection]:
        """The tools that the chosen sample wants called.

        Raises:
            ValueError: it calls none, and `error_on_no_tool_call` is set.
        """
        if isinstance(self._inner, FunctionCallingLLM):
            return self._inner.get_tool_calls_from_response(
                response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
            )
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError("the answer calls no tool")
        return [
            ToolSelection(
                tool_id=call.tool_call_id or "",
                tool_name=call.tool_name,
                tool_kwargs=call.tool_kwargs if isinstance(call.tool_kwargs, dict) else {},
            )
            for call in calls
        ]

    # How a request is made.

    def _worker(self) -> Worker | None:
        if self._inner is not None:
            return LlamaIndexWorker(self._inner)
        if self.api_base is None:
            return None
        return OpenAIWorker(self.api_base, self.model or None, api_key=self.api_key)

    def _request(
        self, messages: Sequence[ChatMessage], kwargs: Mapping[str, Any]
    ) -> tuple[ScaffoldingLlm, ChatTask, dict[str, Any]]:
        """What runs the call, its task, and its options."""
        given = dict(kwargs)
        method = given.pop("method", None) or self._controller or self.method
        sample_num = given.pop("sample_num", self.sample_num)
        llm = self._backend.llm(method, {} if "method" in kwargs else self.method_options)
        options = {name: given.pop(name) for name in _OF_THE_REQUEST & given.keys()}
        if sample_num is not None and llm.takes("sample_num"):
            options["sample_num"] = sample_num
        options |= {name: given.pop(name) for name in list(given) if llm.takes(name)}
        task = ChatTask(messages=to_core(messages))
        mine = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        task.fill({name: value for name, value in (mine | self.additional_kwargs).items() if value is not None})
        if self._inner is not None:
            task.custom_input_params = {LLAMAINDEX_KWARGS: given}
            return llm, task, options
        task.tools = given.pop("tools", None)
        for name in SAMPLING_PARAMETERS & given.keys():
            setattr(task, name, given.pop(name))
        return llm, task, {**options, **given}


class _Responses:
    """Turns a request's events into responses: text so far, and what is new."""

    def __init__(self, *, live: bool) -> None:
        self._answer = AnswerStream(live=live)
        self._text = ""
        self._reasoning = ""

    def of(self, event: Event, trace_id: int) -> Generator[ChatResponse, None, None]:
        """The responses of one event."""
        delta = self._answer.of(event)
        if delta is not None:
            yield self._piece(delta)
        if isinstance(event, FinalEvent):
            last = _response(event.output, trace_id)
            last.delta = ""
            yield last

    def _piece(self, delta: Delta) -> ChatResponse:
        self._text += delta.text
        self._reasoning += delta.reasoning
        message = ChatMessage(role=MessageRole.ASSISTANT, content=self._text)
        extra: dict[str, Any] = {}
        if self._reasoning:
            message.blocks.insert(0, ThinkingBlock(content=self._reasoning))
        if delta.reasoning:
            extra["thinking_delta"] = delta.reasoning
        return ChatResponse(message=message, delta=delta.text, additional_kwargs=extra)


def _response(output: ScaffoldingOutput, trace_id: int) -> ChatResponse:
    details = method_details(output, trace_id)
    return ChatResponse(
        message=to_chat_message(output.message),
        raw=details,
        additional_kwargs={"scaffolding": details, **details["usage"]},
    )


def _completion(response: ChatResponse) -> CompletionResponse:
    return CompletionResponse(
        text=response.message.content or "",
        raw=response.raw,
        delta=response.delta,
        additional_kwargs=response.additional_kwargs,
    )


def _as_chat(prompt: str) -> list[ChatMessage]:
    return [ChatMessage(role=MessageRole.USER, content=prompt)]
