"""RunnableWorker: any chain as a backend, whatever it takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, get_args

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from langchain_scaffolding.memory.call_memory import CallMemory
from langchain_scaffolding.memory.found import Found
from langchain_scaffolding.translation.inputs import ChainInput
from langchain_scaffolding.translation.results import Part, part_of, plain, text_of
from langchain_scaffolding.workers.worker import LangChainWorker
from scaffolding_core import (
    AssistantMessage,
    GenerationTask,
    InvalidRequestError,
    NativeGenerationController,
    ScaffoldingOutput,
    Steps,
    Usage,
)

__all__ = ["NativeRunnableController", "RunnableWorker"]

_ANSWER = "answer"


class RunnableWorker(LangChainWorker):
    """Runs tasks on any Runnable, with the input that the task was made of.

    What the Runnable returns is kept whole in `task.original`. A Runnable that ends in text or a message
    tells its text as it comes where somebody listens; any other is called in one go.

    Cost: one call of the Runnable for each task; the usage of the models inside is counted.

    Args:
        runnable: any chain, retriever, agent, ...
        text: which part of the result is the answer: a key or attribute, or a function; None for all of it.
        max_concurrency: calls at once.

    Attributes:
        found: what the Runnable remembers with.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    def __init__(
        self, runnable: Runnable[Any, Any], *, text: Part | None = None, max_concurrency: int = 256
    ) -> None:
        super().__init__(runnable, max_concurrency=max_concurrency)
        self.is_chain = not self._is_model
        self.text = text
        self.found = Found.inside(runnable)
        self._writes_text = text is None and _writes_text(runnable)

    def _given(self, task: GenerationTask) -> Any:
        return ChainInput.for_task(task)

    def _streams(self, task: GenerationTask) -> bool:
        return self._writes_text and super()._streams(task)

    async def _answer(
        self,
        task: GenerationTask,
        pieces: list[object],
        given: object,
        config: RunnableConfig,
        kwargs: dict[str, Any],
    ) -> object:
        memory = CallMemory.of(task)
        if memory is None:
            return _uninterrupted(await super()._answer(task, pieces, given, config, kwargs))
        async with memory.sample(config) as mine:
            mine.result = await super()._answer(task, pieces, given, mine.config, kwargs)
        return mine.result if memory.can_go_on else _uninterrupted(mine.result)

    def _fill(self, task: GenerationTask, answer: object) -> None:
        value = part_of(answer, self.text)
        if isinstance(value, str | AIMessage):
            super()._fill(task, value)
        else:
            task.said = AssistantMessage(text_of(value), finish_reason="stop")
            task.usage = task.usage or Usage(calls=1)
            if not isinstance(value, BaseMessage):
                task.customized_result_fields = {_ANSWER: plain(value)}
        task.original = answer


class NativeRunnableController(NativeGenerationController):
    """Answers with one call of a Runnable; data that it returns is the answer, as it is.

    Cost: one call for each task; several tasks run at the same time.
    """

    stateless: ClassVar[bool] = True

    def process(self, tasks: list[GenerationTask]) -> Steps[ScaffoldingOutput]:
        """Run the tasks."""
        output = yield from super().process(tasks)
        if output is None:
            output = tasks[0].create_scaffolding_output()
        fields: Mapping[str, object] = tasks[0].customized_result_fields or {}
        output.answer = fields.get(_ANSWER)
        return output


def _uninterrupted(result: object) -> object:
    if isinstance(result, Mapping) and "__interrupt__" in result:
        raise InvalidRequestError(
            "a sampled graph was interrupted, and could not go on: give it a checkpointer and a thread_id, and "
            "sample it outside of other graphs"
        )
    return result


def _writes_text(runnable: Runnable[Any, Any]) -> bool:
    """Whether it returns text or a message, so that what it streams adds up to what it returns."""
    try:
        kind = runnable.OutputType
    except TypeError:  # it does not say
        return False
    kinds = get_args(kind) or (kind,)
    return all(isinstance(k, type) and issubclass(k, str | BaseMessage) for k in kinds)
