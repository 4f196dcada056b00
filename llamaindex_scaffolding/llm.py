"""ScaffoldingLLM: an LLM that spends inference-time compute on each answer."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, closing, nullcontext
from typing import TYPE_CHECKING, Any, Self

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
)
from llama_index.core.bridge.pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_serializer,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.constants import DEFAULT_CONTEXT_WINDOW, DEFAULT_NUM_OUTPUTS
from llama_index.core.llms import LLM
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection

from llamaindex_scaffolding.messages import to_core
from llamaindex_scaffolding.responses import ChatStream, chat_response, completion_of
from llamaindex_scaffolding.rewards import core_reward
from llamaindex_scaffolding.serialization import llm_from_dict, llm_to_dict
from llamaindex_scaffolding.spans import shown_as_spans
from llamaindex_scaffolding.tools import chat_arguments, keep_one_call, selections
from llamaindex_scaffolding.worker import LLAMAINDEX_KWARGS, LlamaIndexWorker
from scaffolding_core import (
    SAMPLING_PARAMETERS,
    ChatTask,
    Controller,
    GenerationTask,
    InvalidRequestError,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    Worker,
)
from scaffolding_core.backend import Backend
from scaffolding_core.prompt import task_from_prompt

if TYPE_CHECKING:
    from llama_index.core.tools.types import BaseTool

__all__ = ["ScaffoldingLLM"]

_OF_THE_REQUEST = frozenset({"budget", "deadline", "priority", "metadata"})
_OF_THE_BACKEND = ("llm", "worker", "reward", "api_base", "api_key", "model", "timeout", "max_retries")
_AS_GIVEN = NativeGenerationController()
"""Generates with the kind of task that comes in: a text stays a text."""

_building = threading.Lock()


class ScaffoldingLLM(FunctionCallingLLM):
    """An LLM that samples, votes, scores or reasons before it answers.

    It stands wherever an LLM stands: `Settings.llm`, query engines, chat engines, agents, workflows. The
    answer is one sample's message, whole. `raw` tells method, answer, candidates, votes, agreement and usage
    as plain data, and `additional_kwargs["scaffolding"]` has the same; `raw["usage"]` is what was paid for
    all samples.

    Keywords of a call override fields: sampling parameters, options of the method (`sample_num`), of the
    request (`budget`, `deadline`, `priority`, `metadata`), or `method` itself. For a wrapped LLM all other
    keywords go to its own call; without one they are an `InvalidRequestError`.

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
        InvalidRequestError: options that the method does not have, or `best_of_n` without a reward.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    method: str | Controller = Field(
        default="majority_vote",
        description="direct, chain_of_thought, majority_vote, best_of_n, or a controller.",
    )
    sample_num: int | None = Field(default=None, description="Samples, for methods that take several.")
    method_options: dict[str, Any] = Field(
        default_factory=dict, description="Further options of the method's class, such as stop_rule."
    )
    model: str = Field(
        default="",
        description="Name of the model at the server; empty takes the first that it lists.",
    )
    api_base: str | None = Field(
        default=None, description="Address of an OpenAI-compatible server; None runs the embedded model."
    )
    api_key: SecretStr | None = Field(default=None, exclude=True, description="Key for the server.")
    temperature: float | None = Field(default=None, description="Sampling temperature; None leaves it alone.")
    max_tokens: int | None = Field(default=None, description="Tokens of each sample at most.")
    seed: int | None = Field(default=None, description="Seed of a request; each sample draws its own from it.")
    additional_kwargs: dict[str, Any] = Field(
        default_factory=dict, description="Further keywords of every call, such as top_p."
    )
    context_window: int = Field(default=DEFAULT_CONTEXT_WINDOW, description="Tokens of context.")
    is_chat_model: bool = Field(default=True, description="False completes raw prompts.")
    is_function_calling_model: bool = Field(default=True, description="Whether the model can call tools.")
    timeout: float | None = Field(default=None, description="Seconds for one sample, over all attempts.")
    max_retries: int = Field(default=2, description="Further attempts of a sample that fails.")
    llm: LLM | None = Field(default=None, description="The wrapped LLM; set by `wrap`.")
    worker: Worker | None = Field(default=None, description="A worker of your own, instead of a server.")
    reward: Any = Field(default=None, description="Scores answers; see `Reward`.")

    _built: tuple[tuple[object, ...], Backend] | None = PrivateAttr(default=None)

    def __init__(self, method: str | Controller = "majority_vote", **fields: Any) -> None:
        super().__init__(method=method, **fields)
        if isinstance(method, str) and method.replace("-", "_") == "best_of_n" and self.reward is None:
            raise InvalidRequestError("best_of_n needs something to choose by: pass reward=")
        chosen = self._method(method)
        if isinstance(method, str) and self.sample_num not in (None, 1) and not chosen.takes("sample_num"):
            raise InvalidRequestError(f"the method {method!r} takes one sample: leave sample_num out")

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "ScaffoldingLLM"

    @classmethod
    def wrap(cls, llm: LLM, method: str | Controller = "majority_vote", **fields: Any) -> Self:
        """Give an LLM that you have a method.

        Its parameters, prompts and tools stay; its context window, model name and abilities are shown as its
        own. Its callback manager moves to the wrapper, and the calls inside run on a copy without one, so
        that tokens are counted once, over all samples.

        Args:
            llm: any LLM.
            method: a method's name, or a controller.
            fields: of this class, such as `sample_num`, `temperature` or `reward`.
        """
        kept = ("callback_manager", "system_prompt", "messages_to_prompt", "completion_to_prompt",
                "output_parser", "pydantic_program_mode")  # fmt: skip
        inner = llm.model_copy(update={"callback_manager": CallbackManager([])})
        return cls(method, llm=inner, **{**{name: getattr(llm, name) for name in kept}, **fields})

    @property
    def metadata(self) -> LLMMetadata:
        """What the backend is; a wrapped LLM tells of itself."""
        if self.llm is not None:
            return self.llm.metadata
        return LLMMetadata(
            context_window=self.context_window,
            num_output=self.max_tokens or DEFAULT_NUM_OUTPUTS,
            is_chat_model=self.is_chat_model,
            is_function_calling_model=self.is_function_calling_model,
            model_name=self.model or str(getattr(self._backend().worker, "model", None) or "unknown"),
        )

    # Calls.

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat."""
        return self._answer(self._chat_task(messages), kwargs)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat; cancelling it cancels its samples."""
        return await self._aanswer(self._chat_task(messages), kwargs)

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream the answer to a chat; samples start at once, and stop when the generator is left."""
        return self._stream(self._chat_task(messages), kwargs)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream the answer to a chat; samples start at once, and stop when the generator is left."""
        return self._astream(self._chat_task(messages), kwargs)

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
        responses = self._astream(*self._completion(prompt, formatted, kwargs))

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
        if not isinstance(self.llm, FunctionCallingLLM):
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
        if isinstance(self.llm, FunctionCallingLLM):
            return self.llm.get_tool_calls_from_response(
                response, error_on_no_tool_call=error_on_no_tool_call, **kwargs
            )
        return selections(response, error_on_none=error_on_no_tool_call)

    # The end, copies, and plain data.

    def close(self) -> None:
        """Let what runs finish and close what this object opened; it opens again with the next call."""
        if self._built is not None:
            (_, backend), self._built = self._built, None
            backend.close()
            if self._owns_worker():
                backend.worker.shutdown()

    async def aclose(self) -> None:
        """Let what runs finish and close what this object opened; it opens again with the next call."""
        if self._built is not None:
            (_, backend), self._built = self._built, None
            await backend.aclose()
            if self._owns_worker():
                await backend.worker.async_shutdown()

    def __deepcopy__(self, memo: object = None) -> Self:
        return self.model_copy(
            update={"method_options": dict(self.method_options), "additional_kwargs": dict(self.additional_kwargs)}
        )

    def __getstate__(self) -> dict[Any, Any]:
        # LlamaIndex's own drops what cannot be pickled; a lost worker would be another model, unseen.
        state = BaseModel.__getstate__(self)
        return {
            **state,
            "__dict__": {**state["__dict__"], "callback_manager": CallbackManager([])},
            "__pydantic_private__": {"_built": None},
        }

    @field_serializer("method")
    def _method_to_data(self, method: str | Controller) -> str:
        return method if isinstance(method, str) else f"a {type(method).__name__}"

    @field_serializer("llm")
    def _llm_to_data(self, llm: LLM | None) -> dict[str, Any] | None:
        return None if llm is None else llm_to_dict(llm)

    @field_serializer("worker", "reward")
    def _part_to_data(self, part: object) -> str | None:
        return None if part is None else f"a {type(part).__name__}"

    @classmethod
    def from_dict(cls, data: dict[str, Any], **kwargs: Any) -> Self:
        """Build it from `to_dict()`; a key, a worker, a reward or a controller has to be given again.

        Raises:
            InvalidRequestError: one of those is missing, or the class of the wrapped LLM is not imported.
        """
        fields = {**data, **kwargs}
        for part in ("worker", "reward"):
            if isinstance(fields.get(part), str):
                raise InvalidRequestError(f"{fields[part]} is not in the data: pass {part}= to from_dict()")
        if isinstance(fields.get("llm"), Mapping):
            fields["llm"] = llm_from_dict(fields["llm"])
        built: Self = super().from_dict(fields)
        return built

    # How a request is made.

    def _chat_task(self, messages: Sequence[ChatMessage]) -> GenerationTask:
        if self.llm is None and not self.is_chat_model:
            assert self.messages_to_prompt is not None
            return task_from_prompt(self.messages_to_prompt(messages))
        return task_from_prompt(to_core(messages))

    def _completion(
        self, prompt: str, formatted: bool, kwargs: dict[str, Any]
    ) -> tuple[GenerationTask, dict[str, Any]]:
        if self.llm is not None:
            return task_from_prompt(prompt), {**kwargs, "formatted": formatted}
        if not formatted:
            assert self.completion_to_prompt is not None
            prompt = self.completion_to_prompt(prompt)
        return task_from_prompt(prompt), kwargs

    def _answer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse:
        llm, options = self._request(task, kwargs)
        with self._spans():
            result = llm.generate(task, **options)
        assert not isinstance(result, list)
        return chat_response(result.output, result.id)

    async def _aanswer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse:
        llm, options = self._request(task, kwargs)
        with self._spans():
            result = llm.generate_async(task, **options)
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return chat_response(result.output, result.id)

    def _stream(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> Generator[ChatResponse, None, None]:
        llm, options = self._request(task, kwargs)
        stream = llm.stream(task, **options)
        with self._spans():
            events = iter(stream)  # starts here, while the caller's span is open
        assert stream.result is not None
        responses = ChatStream(live=llm.prototype_controller.streams_answer, request_id=stream.result.id)

        def read() -> Generator[ChatResponse, None, None]:
            with closing(events):
                for event in events:
                    yield from responses.of(event)

        return read()

    def _astream(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> AsyncGenerator[ChatResponse, None]:
        llm, options = self._request(task, kwargs)
        stream = llm.stream(task, **options)
        with self._spans():
            events = aiter(stream)  # starts here, while the caller's span is open
        assert stream.result is not None
        responses = ChatStream(live=llm.prototype_controller.streams_answer, request_id=stream.result.id)

        async def read() -> AsyncGenerator[ChatResponse, None]:
            async with aclosing(events):
                async for event in events:
                    for response in responses.of(event):
                        yield response

        return read()

    def _request(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> tuple[ScaffoldingLlm, dict[str, Any]]:
        """What runs the call, and its options; the task gets its parameters."""
        given = {**self._defaults(), **{name: value for name, value in kwargs.items() if value is not None}}
        llm = self._method(given.pop("method", self.method))
        if self.sample_num is not None and llm.takes("sample_num"):
            given.setdefault("sample_num", self.sample_num)
        options = {name: given.pop(name) for name in list(given) if name in _OF_THE_REQUEST or llm.takes(name)}
        for name in SAMPLING_PARAMETERS & given.keys():
            setattr(task, name, given.pop(name))
        if self.llm is not None:
            task.custom_input_params = {LLAMAINDEX_KWARGS: given}
            return llm, options
        if isinstance(task, ChatTask):
            task.tools = given.pop("tools", None)
        return llm, {**options, **given}

    def _defaults(self) -> dict[str, Any]:
        named = {"temperature": self.temperature, "max_tokens": self.max_tokens, "seed": self.seed}
        return {name: value for name, value in {**self.additional_kwargs, **named}.items() if value is not None}

    def _method(self, method: str | Controller) -> ScaffoldingLlm:
        options = dict(self.method_options)
        if self.llm is not None or not self.is_chat_model:
            options.setdefault("generation", _AS_GIVEN)
        return self._backend().llm(method, options)

    def _backend(self) -> Backend:
        parts = tuple(getattr(self, name) for name in _OF_THE_BACKEND)
        with _building:
            if self._built is None or any(old is not new for old, new in zip(self._built[0], parts, strict=True)):
                self._built = parts, Backend(self._own_worker(), core_reward(self.reward))
            return self._built[1]

    def _owns_worker(self) -> bool:
        return self.llm is None and self.worker is None and self.api_base is not None

    def _own_worker(self) -> Worker | None:
        if self.llm is not None:
            return LlamaIndexWorker(self.llm)
        if self.worker is not None or self.api_base is None:
            return self.worker
        key = self.api_key.get_secret_value() if self.api_key is not None else None
        return OpenAIWorker(
            self.api_base,
            self.model or None,
            api_key=key,
            timeout=self.timeout,
            max_attempts=self.max_retries + 1,
        )

    def _spans(self) -> AbstractContextManager[None]:
        """A wrapped LLM shows its calls by itself."""
        return nullcontext() if self.llm is not None else shown_as_spans()
