"""ScaffoldingRunnable: any chain, sampled by any method."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, closing
from typing import Any, ClassVar, Self, cast

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda, RunnableSerializable
from pydantic import ConfigDict

from langchain_scaffolding.fields import MethodFields
from langchain_scaffolding.memory.call_memory import CallMemory
from langchain_scaffolding.memory.steps import adone, done
from langchain_scaffolding.request.parameters import method_parameters
from langchain_scaffolding.tracing.runs import Beneath, Manager, without_streams
from langchain_scaffolding.translation.inputs import ChainInput
from langchain_scaffolding.translation.results import Part
from langchain_scaffolding.workers.runnable_worker import NativeRunnableController, RunnableWorker
from langchain_scaffolding.workers.worker import LANGCHAIN_KWARGS
from scaffolding_core import Controller, Event, FinalEvent, NativeGenerationController, ScaffoldingOutput, Worker
from scaffolding_core.adapting import Call

__all__ = ["ScaffoldingRunnable"]

_OF_THE_GRAPH_AROUND = ("__pregel_", "checkpoint_")
"""Keys of a configuration that tie a run to its place in a LangGraph graph; samples have no such place."""


class ScaffoldingRunnable(MethodFields, RunnableSerializable[Any, ScaffoldingOutput]):
    """Samples a whole chain, whatever it takes and returns, and gives a method's whole result.

    The chain's own result, of the chosen sample, is `output.message.original`; `chosen()` makes a Runnable
    that returns just that and so takes the chain's place.

    Instantiate:
        .. code-block:: python

            from langchain_scaffolding import ScaffoldingRunnable

            sampler = ScaffoldingRunnable.wrap(rag_chain, "majority_vote", sample_num=8, text="answer")

    Invoke:
        .. code-block:: python

            output = sampler.invoke({"question": "How high is the Eiffel Tower?"})
            output.answer, output.agreement, output.message.original["documents"]

    Stream:
        `stream` and `astream` give the method's events: text of each sample as it comes, finished samples, the
        decision, the output. In a chain, what follows gets the output alone.

    Each sample is a child run, and all that runs inside the chain is seen beneath it. The tokens that models
    write there stay out of the token stream of a graph or chain around it, unless `stream_samples` is set.
    Usage is that of all models inside, as far as they tell it.

    A graph with a checkpointer, or a chain with a message history, is sampled from where the caller's thread or
    history is: each sample goes on in a thread of its own, with an id of its own, and the winner's steps are added
    to the caller's. A graph that is interrupted there goes on with `Command(resume=...)` as ever. Inside another
    graph a sampled graph begins anew each time.

    What tools keep between calls is made anew for each sample by `per_run`. A sample that fails, or that
    `ProgressMiddleware` cuts, costs that sample alone. Votes may be on what a sample has left in its folder, by a
    `text` function that looks into `workspace()`, and a reward function finds the same folder so.

    Cost: what the method costs, in calls of the chain; with a checkpointer, one read of the thread, one write for
    each sample, and one for each step of the winner.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True, protected_namespaces=())

    _generation: ClassVar[type[NativeGenerationController]] = NativeRunnableController
    _can_judge: ClassVar[bool] = False

    text: Any = None
    """Which part of a result is the answer: a key or attribute, or a function; None for all of it. Text is read
    by the method's extractor, data is compared as it is."""
    prompt: str | None = None
    """Key of the text in a dict input that is the prompt: rewards see it, and a method may add to it. None takes
    the only text."""
    workspace: str | os.PathLike[str] | None = None
    """A folder that the chain's tools work in, each sample in a copy of its own: `workspace()` gives it to them,
    and `config["configurable"]["workspace"]`. The chosen sample's copy takes the folder's place in the end;
    all others are removed. If none is chosen, it stays as it was. Nothing keeps a tool from writing elsewhere."""
    stream_samples: bool = False
    """Whether what runs inside samples shows in `astream_events` and in a graph's stream of messages."""

    @classmethod
    def wrap(
        cls,
        runnable: Runnable[Any, Any],
        method: str | Controller = "majority_vote",
        *,
        text: Part | None = None,
        **fields: Any,
    ) -> Self:
        """Give a chain a method.

        Args:
            runnable: any chain, retriever, agent, ...
            method: a method's name, or a controller; one that calls the chain is `NativeRunnableController`.
            text: which part of a result is the answer.
            fields: of this class, such as `sample_num`.

        Raises:
            InvalidRequestError: not a Runnable, or a reward of no known kind.
        """
        return cls(inner=runnable, method=method, text=text, **fields)

    def chosen(self) -> Runnable[Any, Any]:
        """The same, returning the chosen sample's own result, as the chain itself would."""
        return self | RunnableLambda(_original, name="chosen")

    # Calls.

    def invoke(
        self,
        input: Any,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> ScaffoldingOutput:
        """Sample, and choose; method parameters may come in `config["configurable"]`.

        Args:
            input: of the chain.
            config: of the chain; each sample gets its own copy.
            kwargs: method parameters such as `sample_num`, `answers` or `budget`; the chain gets the rest.
        """
        return self._call_with_config(self._answer, input, config, **{**method_parameters(config), **kwargs})

    async def ainvoke(
        self,
        input: Any,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> ScaffoldingOutput:
        """As `invoke`."""
        given = {**method_parameters(config), **kwargs}
        return await self._acall_with_config(self._aanswer, input, config, **given)

    def stream(  # type: ignore[override]  # events, which end in the output
        self,
        input: Any,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[Event]:
        """The method's events as they come; the last is a `FinalEvent`. Leaving early cancels the samples."""
        given = {**method_parameters(config), **kwargs}
        events = self._transform_stream_with_config(iter([input]), cast("Any", self._events), config, **given)
        return cast("Iterator[Event]", events)

    def astream(  # type: ignore[override]  # events, which end in the output
        self,
        input: Any,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Event]:
        """As `stream`."""
        given = {**method_parameters(config), **kwargs}
        events = self._atransform_stream_with_config(_one(input), cast("Any", self._aevents), config, **given)
        return cast("AsyncIterator[Event]", events)

    def transform(
        self,
        input: Iterator[Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> Iterator[ScaffoldingOutput]:
        """In a chain that streams: the output alone, once the input is whole."""
        yield self.invoke(_sum(list(input)), config, **kwargs)

    async def atransform(
        self,
        input: AsyncIterator[Any],  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ScaffoldingOutput]:
        """As `transform`."""
        yield await self.ainvoke(_sum([piece async for piece in input]), config, **kwargs)

    def _answer(
        self, given: Any, run_manager: CallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> ScaffoldingOutput:
        call, memory = self._call(given, kwargs, run_manager.get_child(), config)
        with memory.around():
            output = call.result().output
            done(memory.keeps(output.message.original))
        return output

    async def _aanswer(
        self, given: Any, run_manager: AsyncCallbackManagerForChainRun, config: RunnableConfig, **kwargs: Any
    ) -> ScaffoldingOutput:
        call, memory = self._call(given, kwargs, run_manager.get_child(), config)
        async with memory.aaround():
            output = (await call.aresult()).output
            await adone(memory.keeps(output.message.original))
        return output

    def _events(
        self,
        given: Iterator[Any],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> Iterator[Event]:
        call, memory = self._call(next(given), kwargs, run_manager.get_child(), config)
        with memory.around(), closing(call.events()) as events:
            for event in events:
                if isinstance(event, FinalEvent):
                    done(memory.keeps(event.output.message.original))
                yield event

    async def _aevents(
        self,
        given: AsyncIterator[Any],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
        **kwargs: Any,
    ) -> AsyncIterator[Event]:
        call, memory = self._call(await anext(given), kwargs, run_manager.get_child(), config)
        async with memory.aaround(), aclosing(await call.aevents()) as events:
            async for event in events:
                if isinstance(event, FinalEvent):
                    await adone(memory.keeps(event.output.message.original))
                yield event

    # How a request is made.

    def _settings(self) -> tuple[object, ...]:
        return *super()._settings(), self.text

    def _worker(self) -> Worker:
        return RunnableWorker(self.inner, text=self.text, max_concurrency=self._limit())

    def _call(
        self, given: Any, kwargs: dict[str, Any], manager: Manager, config: RunnableConfig
    ) -> tuple[Call, CallMemory]:
        workspace = kwargs.pop("workspace", self.workspace)
        task = ChainInput.of(given, self.prompt).task()
        call, rest = self._method_call(task, kwargs, manager, self._beneath(config), given)
        task.custom_input_params = {**(task.custom_input_params or {}), LANGCHAIN_KWARGS: rest}
        memory = CallMemory(cast("RunnableWorker", self.backend.worker).found, config, workspace)
        memory.given_to(call)
        return call, memory

    def _beneath(self, config: RunnableConfig) -> Beneath:
        configurable = {
            name: value
            for name, value in config.get("configurable", {}).items()
            if not name.startswith(_OF_THE_GRAPH_AROUND)
        }

        stream_samples = self.stream_samples  # what is kept of the call must not keep this object

        def beneath(manager: Manager) -> RunnableConfig:
            if not stream_samples:
                manager = without_streams(manager)
            return RunnableConfig(**{**config, "configurable": configurable, "callbacks": manager})

        return beneath

    @property
    def InputType(self) -> Any:  # noqa: N802  # LangChain's name
        """What the chain takes."""
        return self.inner.InputType

    @property
    def OutputType(self) -> Any:  # noqa: N802  # LangChain's name
        """Any: LangChain makes schemas of it, and a `ScaffoldingOutput` has none."""
        return Any


def _original(output: ScaffoldingOutput) -> Any:
    return output.message.original


async def _one(given: Any) -> AsyncIterator[Any]:
    yield given


def _sum(pieces: list[Any]) -> Any:
    """The pieces of an input, added up as LangChain does: what cannot be added replaces what was before."""
    whole, *rest = pieces
    for piece in rest:
        try:
            whole = whole + piece
        except TypeError:
            whole = piece
    return whole
