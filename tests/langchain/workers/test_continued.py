"""An answer that is begun, at a model of LangChain: it is asked for the rest in a turn."""

import pytest
from langchain_core.language_models import FakeListChatModel, FakeListLLM

from langchain_scaffolding import LangChainWorker
from scaffolding_core import ChatTask, GenerationTask, UserMessage
from scaffolding_core.tasks.chat import GO_ON

BEGUN = "It is 12 + 5 ="


class Hears(FakeListChatModel):
    """A chat model that keeps what it was given."""

    heard: list = []

    async def _acall(self, messages, *args, **kwargs):
        return self._call(messages, *args, **kwargs)

    def _call(self, messages, *args, **kwargs):
        self.heard.append([(message.type, message.text) for message in messages])
        return super()._call(messages, *args, **kwargs)


@pytest.mark.parametrize(
    "task", [ChatTask(messages=[UserMessage("q")]), GenerationTask(input_str="q")], ids=["chat", "text"]
)
async def test_a_chat_model_is_asked_in_a_turn(task):
    model = Hears(responses=["17"], heard=[])
    await LangChainWorker(model).run_task(task.continued(BEGUN))
    assert model.heard == [[("human", "q"), ("ai", BEGUN), ("human", GO_ON)]]


async def test_a_completion_model_gets_it_behind_the_prompt():
    class Echo(FakeListLLM):
        async def _acall(self, prompt, *args, **kwargs):
            return prompt

    task = GenerationTask(input_str="q").continued(BEGUN)
    await LangChainWorker(Echo(responses=["-"])).run_task(task)
    assert task.output_str == f"q{BEGUN}"
