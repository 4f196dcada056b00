"""The forms in which LangChain's users have a chat model, each with a method in one line, and tools.

On scripted models, which tell what reached them.
"""

import pytest
from langchain.chat_models import init_chat_model
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField, Runnable
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding, ScaffoldingLLM, with_majority_vote
from tests.langchain.agents import wants
from tests.langchain.doubles import FULL, KnownLLM, Scripted
from tests.servers.scripted import scripted_server

CALL = AIMessage("", tool_calls=[{"name": "add", "args": {"a": 1}, "id": "1"}])


@tool
def add(a: int) -> int:
    """Adds."""
    return a


class OwnTools(Scripted):
    """A provider that has its own form for tools."""

    def bind_tools(self, tools, *, tool_choice=None, **kwargs) -> Runnable:  # fallbacks ask what it returns
        return self.bind(tools=["in my own form"], **kwargs)


class Down(OwnTools):
    def _generate(self, *args, **kwargs):
        raise ConnectionError("down")


FORMS = {
    "bare": lambda model: model,
    "bound": lambda model: model.bind(user="me"),
    "configured": lambda model: model.with_config(tags=["mine"]),
    "with configurable fields": lambda model: model.configurable_fields(delay=ConfigurableField("delay")),
    "with alternatives": lambda model: model.configurable_alternatives(
        ConfigurableField("which"), other=Down(answers=[])
    ),
    "with fallbacks": lambda model: model.with_fallbacks([Scripted(answers=["never asked"])]),
}


@pytest.mark.parametrize("form", FORMS)
async def test_each_form_of_a_chat_model_becomes_a_chat_model_that_takes_tools(form):
    inner = OwnTools(answers=[CALL])
    model = with_majority_vote(FORMS[form](inner), n=2, **FULL)
    assert isinstance(model, ChatScaffolding)
    bound = model.bind_tools([add])
    for message in (bound.invoke("q"), await bound.ainvoke("q"), *list(bound.stream("q"))[-1:]):
        assert message.tool_calls[0]["args"] == {"a": 1}
        assert message.usage_metadata["total_tokens"] == 6
    assert [kwargs["tools"] for _, kwargs in inner.calls] == [["in my own form"]] * 6


async def test_each_fallback_gets_tools_in_its_own_form():
    first, second = Down(answers=[]), OwnTools(answers=[CALL])
    model = with_majority_vote(first.with_fallbacks([second]), n=2, **FULL)
    assert (await model.bind_tools([add]).ainvoke("q")).tool_calls
    assert [kwargs["tools"] for _, kwargs in second.calls] == [["in my own form"]] * 2


async def test_configuration_chooses_among_alternatives_with_tools():
    first, second = Down(answers=[]), OwnTools(answers=[CALL])
    inner = first.configurable_alternatives(ConfigurableField("which"), other=second)
    model = with_majority_vote(inner, n=2, **FULL).bind_tools([add])
    config = {"configurable": {"which": "other"}}
    assert (await model.ainvoke("q", config)).tool_calls
    assert model.invoke("q", config).tool_calls


def test_a_model_that_is_named_when_it_is_called_takes_tools_and_a_method():
    with scripted_server(wants(("add", {"a": 1}))) as server:
        inner = init_chat_model(model_provider="openai", base_url=server.url, api_key="none", max_retries=0)
        model = with_majority_vote(inner, n=2, **FULL)
        config = {"configurable": {"model": "m"}}
        for each in (model, model.bind_tools([add])):
            assert each.invoke("q", config).tool_calls
        assert [body["model"] for body in server.requests] == ["m"] * 4
        assert [bool(body.get("tools")) for body in server.requests] == [False, False, True, True]


@pytest.mark.parametrize("form", ["bare", "bound", "configured", "with configurable fields", "with fallbacks"])
async def test_each_form_of_a_completion_model_becomes_one_and_gets_the_prompt_as_it_is(form):
    inner = KnownLLM(answers=["7"])
    model = with_majority_vote(FORMS[form](inner), n=2, **FULL)
    assert isinstance(model, ScaffoldingLLM)
    assert model.invoke("q") == await model.ainvoke("q") == "7"
    assert [prompt for prompt, _ in inner.calls] == ["q"] * 4


SCHEMA = {"title": "add", "description": "Adds.", "type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize("form", [form for form in FORMS if form != "with fallbacks"])
def test_structured_output_works_in_each_form(form):
    model = with_majority_vote(FORMS[form](Scripted(answers=[CALL])), n=2)
    assert model.with_structured_output(SCHEMA).invoke("q") == {"a": 1}


def test_a_scaffolded_model_may_have_fallbacks_and_then_tools_and_structures():
    down = ChatScaffolding.wrap(Down(answers=[]), sample_num=2)
    up = ChatScaffolding.wrap(Scripted(answers=[CALL]), sample_num=2)
    model = down.with_fallbacks([up])
    assert model.bind_tools([add]).invoke("q").tool_calls
    assert model.with_structured_output(SCHEMA).invoke("q") == {"a": 1}
