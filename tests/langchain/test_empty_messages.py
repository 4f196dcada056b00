"""Messages with nothing in them: those that are asked, and those that come back."""

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM
from scaffolding_core import InsufficientSamplesError, InvalidRequestError, WorkerError
from tests.langchain.doubles import FULL, KnownLLM, Scripted, each_way, voted

STOPPED = {"finish_reason": "stop"}


@pytest.mark.parametrize(
    "given", [[], "", " ", [HumanMessage("")], [HumanMessage([{"type": "text", "text": ""}])]]
)
def test_an_empty_prompt_is_refused_before_anything_is_paid(given):
    inner = Scripted(answers=["7"])
    for ask in (ChatScaffolding.wrap(inner).invoke, lambda given: list(ChatScaffolding.wrap(inner).stream(given))):
        with pytest.raises(InvalidRequestError, match="the prompt is empty"):
            ask(given)
    assert not inner.calls


def test_so_is_that_of_a_completion_model():
    inner = KnownLLM(answers=["7"])
    with pytest.raises(InvalidRequestError, match="the prompt is empty"):
        ScaffoldingLLM.wrap(inner).invoke(" ")
    assert not inner.calls


def test_a_document_or_a_call_of_a_tool_is_something():
    inner = Scripted(answers=["7"])
    call = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])
    for message in (HumanMessage([{"type": "document", "source": {}}]), call):
        assert ChatScaffolding.wrap(inner, "direct").invoke([message]).content == "7"


async def test_an_empty_answer_without_a_reason_is_an_error_of_its_sample():
    model, _ = voted(["", "7", ""])
    async for message in each_way(model, "q"):
        assert message.content == "7"
        assert message.usage_metadata["total_tokens"] == 9
    with pytest.raises(WorkerError, match="an empty message and no reason why"):
        ChatScaffolding.wrap(Scripted(answers=[""]), "direct").invoke("q")
    with pytest.raises(InsufficientSamplesError):
        ChatScaffolding.wrap(Scripted(answers=[""]), sample_num=2, method_options=FULL).invoke("q")


async def test_an_empty_answer_that_its_provider_says_is_whole_abstains():
    empty = AIMessage("", response_metadata=STOPPED)
    model, _ = voted([empty, "7", empty])
    assert (await model.ainvoke("q")).response_metadata["scaffolding"]["votes"] == {"7": 1}
    assert ChatScaffolding.wrap(Scripted(answers=[empty]), "direct").invoke("q").content == ""
