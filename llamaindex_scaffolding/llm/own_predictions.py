"""Predictions of structures whose samples are predictions of the wrapped LLM's own."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, TypeVar

from llama_index.core.base.llms.types import ChatResponse
from llama_index.core.bridge.pydantic import BaseModel, PrivateAttr
from llama_index.core.instrumentation.events.llm import (
    LLMStructuredPredictEndEvent,
    LLMStructuredPredictStartEvent,
)
from llama_index.core.prompts import PromptTemplate
from llama_index_instrumentation import get_dispatcher

from llamaindex_scaffolding.llm.known_callers import KnownCallers
from llamaindex_scaffolding.translation.messages import to_core_as_they_are
from llamaindex_scaffolding.workers.prediction import PREDICTION, Prediction, predicts_by_itself
from scaffolding_core import ChatTask, Event, FinalEvent, GenerationTask, ScaffoldingOutput
from scaffolding_core.adapting import Call

__all__ = ["OwnPredictions"]

Model = TypeVar("Model", bound=BaseModel)

_dispatcher = get_dispatcher(__name__)


class OwnPredictions(KnownCallers):
    """LlamaIndex's ways to predict a structure, where the wrapped LLM has one of its own, as by response formats.

    Each sample is such a prediction. A stream of one branch shows what the LLM's own stream shows.
    """

    _predicted: ScaffoldingOutput | None = PrivateAttr(default=None)

    def samples_own_predictions(self, way: str) -> bool:
        """Whether the wrapped LLM predicts by itself, and nobody asked the wrapper for another mode."""
        llm = self.llm
        if llm is None or self.pydantic_program_mode != llm.pydantic_program_mode:
            return False
        if isinstance(llm, OwnPredictions):
            return llm.samples_own_predictions(way)
        return predicts_by_itself(llm, way)

    @_dispatcher.span
    def structured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Predict a structure."""
        _tell_start(output_cls, prompt, prompt_args)
        self._answer(self._prediction_task(Prediction(output_cls), prompt, prompt_args), llm_kwargs or {})
        return _told_end(self._structure(output_cls))

    @_dispatcher.span
    async def astructured_predict(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Model:
        """Predict a structure."""
        _tell_start(output_cls, prompt, prompt_args)
        task = self._prediction_task(Prediction(output_cls), prompt, prompt_args)
        await self._aanswer(task, llm_kwargs or {})
        return _told_end(self._structure(output_cls))

    def _structured_stream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> Generator[Any, None, None]:
        if not self.samples_own_predictions("structured_predict"):
            return super()._structured_stream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        call, prediction = self._streamed_prediction(output_cls, prompt, llm_kwargs or {}, prompt_args)
        tell = self._sample_events()
        events = call.events()

        def read() -> Generator[BaseModel, None, None]:
            with closing(events):
                for event in events:
                    tell(event)
                    yield from self._shown(event, prediction, call)

        return read()

    async def _structured_astream_call(
        self,
        output_cls: type[Model],
        prompt: PromptTemplate,
        llm_kwargs: dict[str, Any] | None = None,
        **prompt_args: Any,
    ) -> AsyncGenerator[Any, None]:
        if not self.samples_own_predictions("astructured_predict"):
            return await super()._structured_astream_call(output_cls, prompt, llm_kwargs, **prompt_args)
        call, prediction = self._streamed_prediction(output_cls, prompt, llm_kwargs or {}, prompt_args)
        tell = self._sample_events()
        events = await call.aevents()

        async def read() -> AsyncGenerator[BaseModel, None]:
            async with aclosing(events):
                async for event in events:
                    tell(event)
                    for structure in self._shown(event, prediction, call):
                        yield structure

        return read()

    if TYPE_CHECKING:  # LlamaIndex makes a span of each method that was abstract

        def _answer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse: ...

        async def _aanswer(self, task: GenerationTask, kwargs: Mapping[str, Any]) -> ChatResponse: ...

        def _call(self, task: GenerationTask, kwargs: Mapping[str, Any], *, streamed: bool) -> Call: ...

        def _response(self, output: ScaffoldingOutput, request_id: int) -> ChatResponse: ...

        def _sample_events(self) -> Callable[[Event], None]: ...

    def _prediction_task(
        self, prediction: Prediction, prompt: PromptTemplate, prompt_args: Mapping[str, Any]
    ) -> ChatTask:
        messages = prompt.format_messages(llm=self.llm, **prompt_args)
        if self.llm is not None and self.system_prompt != self.llm.system_prompt:  # else the LLM itself adds it
            messages = self._extend_messages(messages)
        return ChatTask(messages=to_core_as_they_are(messages), custom_input_params={PREDICTION: prediction})

    def _streamed_prediction(
        self,
        output_cls: type[BaseModel],
        prompt: PromptTemplate,
        kwargs: Mapping[str, Any],
        prompt_args: Mapping[str, Any],
    ) -> tuple[Call, Prediction]:
        live = self._method(kwargs.get("method", self.method)).prototype_controller.streams_answer
        prediction = Prediction(output_cls, deque() if live else None)
        task = self._prediction_task(prediction, prompt, prompt_args)
        return self._call(task, kwargs, streamed=True), prediction

    def _shown(self, event: Event, prediction: Prediction, call: Call) -> Iterator[BaseModel]:
        while prediction.grown:
            yield prediction.grown.popleft()
        if isinstance(event, FinalEvent):
            self._response(event.output, call.streamed.id)
            if prediction.grown is None:
                yield self._structure(prediction.output_cls)

    def _structure(self, output_cls: type[Model]) -> Model:
        """What was predicted: one sample's structure, or what a vote on each field agreed on."""
        output = self._predicted
        assert output is not None
        if isinstance(output.message.original, output_cls):
            return output.message.original
        text = output.text
        return output_cls.model_validate_json(text[text.find("{") : text.rfind("}") + 1])


def _tell_start(output_cls: type[BaseModel], prompt: PromptTemplate, prompt_args: dict[str, Any]) -> None:
    _dispatcher.event(
        LLMStructuredPredictStartEvent(output_cls=output_cls, template=prompt, template_args=prompt_args)
    )


def _told_end(structure: Model) -> Model:
    _dispatcher.event(LLMStructuredPredictEndEvent(output=structure))
    return structure
