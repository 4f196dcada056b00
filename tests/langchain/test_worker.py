"""LangChainWorker without the adapter around it."""

import pytest
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import LangChainWorker, RunnableWorker
from scaffolding_core import (
    Controller,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    UnsupportedTaskError,
)
from tests.langchain.doubles import Scripted


class InSteps(Controller):
    """Reads an answer step by step."""

    def process(self, tasks):
        steps = StreamGenerationTask.create_from_generation_task(tasks[0], 1)
        steps.worker_tag = NativeGenerationController.WorkerTag.GENERATION
        while not steps.end_flag:
            yield [steps]


@pytest.mark.parametrize("kind", [LangChainWorker, RunnableWorker])
async def test_a_model_that_cannot_go_on_where_it_stopped_is_not_called_anew_for_each_step(kind):
    inner = Scripted(answers=["7"])
    async with ScaffoldingLlm(InSteps(), kind(inner)) as llm:
        with pytest.raises(UnsupportedTaskError, match="cannot run a StreamGenerationTask"):
            await llm.generate_async("q")
    assert inner.calls == []


def test_what_is_no_runnable_is_refused():
    with pytest.raises(ValueError, match="needs a chat model or a chain"):
        LangChainWorker(lambda messages: "7")
    LangChainWorker(RunnableLambda(lambda messages: "7"))
