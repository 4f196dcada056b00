"""CodeActAgent: the code that would run counts, not what is said around it."""

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, CodeActAgent, FunctionAgent

from tests.llamaindex.components.voting import agreements, calls, voting

SUM = [
    "I will add the two.\n<execute>\nprint(2 + 3)\n</execute>",
    "<execute>print(2 + 3)</execute>",
    "Sure! Step 1 of 3:\n```\n<execute>\nprint(2+3)  # the sum\n</execute>\n```\nThat prints the sum of 2 and 3.",
]
PRODUCT = [
    "I will multiply the two.\n<execute>\nprint(2 * 3)\n</execute>",
    "<execute>\nprint(2 * 3)\n</execute>\nThat uses 2 and 3.",
]
WORKFLOWS = pytest.mark.filterwarnings("ignore:is_running called from within a step")  # LlamaIndex's own agents do


def agent(llm, ran, **fields):
    async def execute(code: str) -> str:
        ran.append(code)
        return "it printed something"

    return CodeActAgent(code_execute_fn=execute, llm=llm, **fields)


@WORKFLOWS
@pytest.mark.parametrize("streaming", [True, False])
async def test_the_code_that_most_samples_would_run_is_run(events, streaming):
    llm, ran = voting([PRODUCT[0], *SUM, PRODUCT[1]], "Done: 5."), []
    result = await agent(llm, ran, streaming=streaming).run("What is 2 and 3?")
    assert ran == ["print(2 + 3)"]
    assert str(result) == "Done: 5."
    assert agreements(events) == [0.6, 1.0]


@WORKFLOWS
async def test_all_blocks_count(events):
    both = ["<execute>a = 2</execute>\nthen\n<execute>print(a + 3)</execute>"] * 3
    llm, ran = voting([*both, *["First:\n<execute>a = 2</execute>"] * 2], "Done."), []
    await agent(llm, ran).run("q")
    assert ran == ["a = 2\n\nprint(a + 3)"]
    assert agreements(events)[0] == 0.6


@WORKFLOWS
async def test_what_is_said_at_the_end_is_an_answer_as_any_other(events):
    said = ["The sum is 5.", "I get 5.", "2 and 3 make 6.", "So it is 5.", "Six: 6."]
    result = await agent(voting(said), []).run("What is 2 and 3?")
    assert "5" in str(result)
    assert agreements(events) == [0.6]


@WORKFLOWS
async def test_a_hand_off_beside_code_counts_too(events):
    to_b = ("handoff", '{"to_agent": "b", "reason": "it asks for 3"}')
    to_c = ("handoff", '{"to_agent": "c", "reason": "it asks for 3"}')
    llm, ran = voting([calls(to_c), calls(to_b), calls(to_b), calls(to_c), calls(to_b)], "Done.", tools=True), []
    names = {"description": "An agent.", "system_prompt": "Answer.", "llm": llm}
    agents = [agent(llm, ran, name="a", description="An agent."), *(FunctionAgent(name=n, **names) for n in "bc")]
    result = await AgentWorkflow(agents=agents, root_agent="a").run("q")
    assert result.current_agent_name == "b"
    assert agreements(events)[0] == 0.6
