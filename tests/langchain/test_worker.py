"""LangChainWorker without the adapter around it."""

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI

from langchain_scaffolding import LangChainWorker, RunnableWorker
from scaffolding_core import (
    Controller,
    NativeGenerationController,
    ScaffoldingLlm,
    StreamGenerationTask,
    UnsupportedTaskError,
)
from tests.langchain.doubles import Scripted
from tests.proving import calls_tools, streams
from tests.servers.scripted import Reply, scripted_server


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


async def test_what_it_says_it_can_do_is_so():
    def script(body):
        return Reply(tool_calls=(("clock", "{}"),), finish="tool_calls") if "tools" in body else Reply()

    with scripted_server(script) as server:
        worker = LangChainWorker(ChatOpenAI(base_url=server.url, api_key="none", model="m"))
        assert worker.capabilities.tools == await calls_tools(worker)
        assert worker.capabilities.streaming == await streams(worker)
