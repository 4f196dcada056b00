"""Predictions of structures in an LLM's own way, such as a response format, as tasks."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.llms import LLM
from llama_index.core.prompts import ChatPromptTemplate

from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from llamaindex_scaffolding.translation.messages import from_core
from scaffolding_core import AssistantMessage, ChatTask, Delta, Usage, WorkerError
from scaffolding_core.adapting import read_either, run_either

__all__ = ["PREDICTION", "Prediction", "predict", "predicts_by_itself"]

PREDICTION = "llamaindex_prediction"
"""Key of a task's `custom_input_params` whose value is the `Prediction` that it stands for."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """A structure to predict.

    Args:
        output_cls: its class.
        grown: gets what there is of it while it grows, where somebody shows that; None asks for it as a whole.
    """

    output_cls: type[BaseModel]
    grown: deque[BaseModel] | None = field(default=None, compare=False)


def predicts_by_itself(llm: LLM, way: str) -> bool:
    """Whether an LLM predicts in a way of its own, which LlamaIndex's programs for any LLM do not know.

    Args:
        llm: to ask.
        way: name of the method.
    """
    return inspect.unwrap(getattr(type(llm), way)) is not inspect.unwrap(getattr(LLM, way))


async def predict(llm: LLM, task: ChatTask, prediction: Prediction, kwargs: Mapping[str, Any]) -> None:
    """Run the task: what the LLM predicts is its answer, as JSON, and the structure is in `original`.

    Usage is that of the LLM's calls, as far as it tells of them.
    """
    prompt = ChatPromptTemplate(message_templates=from_core(task.turns))
    way = _whole if prediction.grown is None else _grown
    with counted_llm_calls() as calls:
        try:
            made = await way(llm, task, prediction, prompt, dict(kwargs))
        finally:
            task.usage = calls.usage if calls.any else Usage(calls=1)
    if not isinstance(made, BaseModel):
        raise WorkerError(f"the LLM predicted no {prediction.output_cls.__name__}, but {made!r}")
    text = made.model_dump_json(exclude_unset=True, by_alias=True)
    task.said = AssistantMessage(text, finish_reason="stop", original=made)


async def _whole(
    llm: LLM, task: ChatTask, prediction: Prediction, prompt: ChatPromptTemplate, kwargs: dict[str, Any]
) -> object:
    forms = llm.structured_predict, llm.astructured_predict
    return await run_either(*forms, prediction.output_cls, prompt, llm_kwargs=kwargs)


async def _grown(
    llm: LLM, task: ChatTask, prediction: Prediction, prompt: ChatPromptTemplate, kwargs: dict[str, Any]
) -> object:
    last: list[BaseModel] = []

    def take(structure: BaseModel) -> None:
        last[:] = [structure]
        if prediction.grown is not None and task.scope is not None:
            prediction.grown.append(structure)
            task.scope.emit(Delta())  # says that there is one more

    forms = llm.stream_structured_predict, llm.astream_structured_predict
    await read_either(*forms, take, prediction.output_cls, prompt, llm_kwargs=kwargs)
    return last[0] if last else None
