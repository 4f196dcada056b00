"""Votes over the steps of a ReAct agent: what a step does counts, not how it is worded."""

import pytest
from llama_index.core.agent.react.output_parser import ReActOutputParser
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.llms import ChatMessage

from llamaindex_scaffolding import ReActStep, ScaffoldingLLM
from scaffolding_core import AssistantMessage, ToolCall, WholeText
from tests.llamaindex.doubles import ScriptedLLM

FULL = {"stop_rule": "full"}
REACT = pytest.mark.filterwarnings("ignore:is_running called from within a step")  # LlamaIndex's own agent does


def step(thought, city, quote='"'):
    return f"Thought: {thought}\nAction: weather\nAction Input: {{{quote}city{quote}: {quote}{city}{quote}}}"


def read(text):
    return ReActStep().extract(AssistantMessage(text))


@pytest.mark.parametrize(
    "text",
    [
        step("I need 1 tool.", "Paris"),
        step("Let me see: 2 things.", "Paris", quote="'"),
        f"{step('hm', 'Paris')}\nObservation: made up",
        step("so", "Paris").replace("Action: weather", "Action: weather (a tool)"),
        step("so", "Paris").removeprefix("Thought: so\n"),
        f"{step('so', 'Paris')}\n\nThought: done\nAnswer: it is 30 degrees",
    ],
)
def test_steps_with_the_same_call_are_the_same(text):
    assert read(text) == [["weather", {"city": "Paris"}]]


@pytest.mark.parametrize(
    "text",
    [
        step("so", "Paris", quote="'"),
        f"{step('so', 'Paris')}\n{step('no', 'Rome')}",
        f"Sure!\n{step('so', 'Rome')}\n{step('no', 'Paris')}",
        f"<think>Action: none</think>\n{step('so', 'Paris')}",
        f"```\n{step('so', 'Paris')}\n```",
        f"{step('so', 'Paris')} so {{it}} is",
        step("so", "Paris").replace("}", ', "days": "3" "more": "4"}'),
        "Thought: a\nAction: b c\n\nAction Input: of course {}",
    ],
)
def test_it_reads_a_call_as_the_agent_does(text):
    parsed = ReActOutputParser().parse(text)
    assert read(text) == [[parsed.action, dict(parsed.action_input)]]


@pytest.mark.parametrize(
    "text",
    [
        "Thought: so\nAction: weather\nAction Input: Paris",
        "Thought: so\nAction: weather",
        f"Thought: so\nAction: weather\nAction Input: {'{' * 100_000}",
        f"Thought: so\nAction: weather\nAction Input: {'{' * 5000}{'}' * 5000}",
        "Thought: so\nAction:",
    ],
)
def test_an_action_that_cannot_be_run_abstains(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Thought: I know 2 things.\nAnswer: There are 12 apples.", "12 apples"),
        ("Thought: ok\nAnswer: It is sunny in Paris.", "It is sunny in Paris."),
        ("Thought: only a thought about 7", "Thought: only a thought about 7"),
        ("The answer is 12.", "12"),
        ("I have an Action: plan", "I have an Action: plan"),
    ],
)
def test_a_final_answer_is_read_as_any_other(text, answer):
    assert read(text) == answer


def test_tool_calls_are_read_as_ever():
    message = AssistantMessage("Thought: x", tool_calls=[ToolCall("1", "weather", '{"city": "Rome"}')])
    assert ReActStep().extract(message) == [["weather", {"city": "Rome"}]]


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def voter(method_options=FULL):
    """An LLM whose samples want Paris, Rome, and Paris in other words; they end with what they are told."""
    samples = [step("I need 1.", "Paris"), step("I need 2.", "Rome"), step("Well, 3.", "Paris", quote="'")]

    def reply(asked, index):
        told = asked[-1].content
        if told.startswith("Observation"):
            return f"Thought: done {index}\nAnswer: {told}"
        return samples[index % 3]

    return ScaffoldingLLM.wrap(ScriptedLLM(reply=reply), sample_num=3, method_options=method_options)


@REACT
@pytest.mark.parametrize("streaming", [True, False])
async def test_a_react_agent_does_what_most_samples_want(streaming):
    llm = voter()
    result = await ReActAgent(tools=[weather], llm=llm, streaming=streaming).run("How is the weather?")
    assert "sunny in Paris" in str(result)
    assert [call.tool_kwargs for call in result.tool_calls] == [{"city": "Paris"}]
    assert len(llm.llm.record.calls) == 6


@REACT
async def test_the_samples_stay_as_they_are_when_the_agent_changes_its_message():
    llm = voter()
    await ReActAgent(tools=[weather], llm=llm).run("q")
    assert (await llm.achat([ChatMessage("q")])).message.blocks[0].text == step("I need 1.", "Paris")


def test_another_extractor_can_be_chosen():
    response = voter({**FULL, "extractor": WholeText()}).chat([ChatMessage("q")])
    assert len(response.raw["votes"]) == 3
