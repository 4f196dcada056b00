"""ReActAgent: the action and its input count, whatever stands before and behind."""

import pytest
from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.tools import QueryEngineTool

from tests.llamaindex.components.voting import agreements, voting
from tests.llamaindex.engines import KnownEngine

AGENT = pytest.mark.filterwarnings("ignore:is_running called from within a step")  # LlamaIndex's own agent does


def step(tool, thought="I need a tool."):
    return f'Thought: {thought}\nAction: {tool}\nAction Input: {{"a": 2, "b": 3}}'


AROUND = {
    "plain": "{}",
    "preamble": "Sure! Let me work on that.\n\n{}",
    "fence": "```\n{}\n```",
    "named fence": "```text\n{}\n```",
    "thoughts": "<think>\n2 and 3 are given; an action: add or mul?\n</think>\n{}",
    "observation": "{}\nObservation: 3",
}


def add(a: int, b: int) -> str:
    """Adds."""
    return f"sum {a + b}"


def mul(a: int, b: int) -> str:
    """Multiplies."""
    return f"product {a * b}"


@AGENT
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
@pytest.mark.parametrize("streaming", [True, False])
async def test_the_action_of_most_samples_is_taken(events, around, streaming):
    want = [step("add", thought) for thought in ("I will add 3.", "The sum of 2 and 3.", "Add.")]
    others = [step("mul", thought) for thought in ("I will multiply by 3.", "The product.")]
    samples = [around.format(text) for text in (others[0], *want, others[1])]
    llm = voting(samples, "Thought: I can answer without using any more tools.\nAnswer: 5")
    result = await ReActAgent(tools=[add, mul], llm=llm, streaming=streaming).run("What is 2 and 3?")
    assert [call.tool_name for call in result.tool_calls] == ["add"]
    assert str(result) == "5"
    assert agreements(events) == [0.6, 1.0]


@AGENT
async def test_each_sample_may_be_worded_in_another_way(events):
    ways = list(AROUND.values())
    samples = [ways[i].format(step(tool)) for i, tool in enumerate(["mul", "add", "add", "mul", "add"])]
    llm = voting(samples, "Thought: done\nAnswer: 5")
    result = await ReActAgent(tools=[add, mul], llm=llm).run("What is 2 and 3?")
    assert [call.tool_name for call in result.tool_calls] == ["add"]
    assert agreements(events)[0] == 0.6


@AGENT
async def test_the_input_counts(events):
    samples = [step("add").replace('"a": 2', f'"a": {a}') for a in (2, 7, 2, 7, 2)]
    result = await ReActAgent(tools=[add], llm=voting(samples, "Thought: done\nAnswer: 5")).run("q")
    assert [call.tool_kwargs for call in result.tool_calls] == [{"a": 2, "b": 3}]
    assert agreements(events)[0] == 0.6


@AGENT
async def test_the_final_answer_counts(events):
    answers = ["It is 5.", "The sum of 2 and 3 is 5.", "6", "5", "2 times 3 is 6."]
    llm = voting([f"Thought: I know enough, it took {i} steps.\nAnswer: {text}" for i, text in enumerate(answers)])
    assert "5" in str(await ReActAgent(tools=[add], llm=llm).run("q"))
    assert agreements(events) == [0.6]


@AGENT
async def test_a_step_that_the_agent_cannot_read_has_no_vote(events):
    broken = [step("mul").replace("Action Input", "Input"), "Thought: 3\nAction: mul\nAction Input: 2, 3"]
    llm = voting([*broken, step("add"), broken[1], step("add", "3.")], "Thought: done\nAnswer: 5")
    result = await ReActAgent(tools=[add, mul], llm=llm).run("q")
    assert [call.tool_name for call in result.tool_calls] == ["add"]
    assert agreements(events)[0] == 1.0


@AGENT
@pytest.mark.parametrize("answers", [None, "auto", "number"])
async def test_an_action_that_no_tool_takes_has_no_vote(events, answers):
    broken = [step("mull"), step("mul").replace('"b": 3', '"b": "three"'), step("mul").replace('"b"', '"c"')]
    llm = voting([*broken, step("add"), step("add", "3.")], "Thought: done\nAnswer: 5", answers=answers)
    result = await ReActAgent(tools=[add, mul], llm=llm).run("q")
    assert [call.tool_name for call in result.tool_calls] == ["add"]
    assert agreements(events)[0] == 1.0


@AGENT
async def test_what_a_tool_fills_in_by_itself_does_not_count(events):
    def count(a: int, b: int = 3) -> str:
        """Counts, from one number
        to another.
        """
        return f"{a} to {b}"

    short = step("count").replace(', "b": 3', "")
    llm = voting(
        [step("count"), short, step("count").replace("3", "4"), short, step("count").replace("3", "5")], "Done"
    )
    await ReActAgent(tools=[count, add], llm=llm, system_prompt="> Tool Name: is what tools begin with").run("q")
    assert agreements(events)[0] == 0.6


@AGENT
async def test_a_tool_that_makes_do_with_any_text_takes_it_by_any_name(events):
    ask = QueryEngineTool.from_defaults(KnownEngine("5"), name="ask", description="Ask.")
    steps = [f'Thought: 3\nAction: ask\nAction Input: {{"{name}": "{text}"}}' for name, text in
             (("input", "a"), ("query", "b"), ("query", "b"), ("input", "a"), ("query", "b"))]  # fmt: skip
    result = await ReActAgent(tools=[ask], llm=voting(steps, "Thought: done\nAnswer: 5")).run("q")
    assert [call.tool_kwargs for call in result.tool_calls] == [{"query": "b"}]
    assert agreements(events)[0] == 0.6
