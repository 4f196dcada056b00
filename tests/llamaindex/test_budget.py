"""One budget over all calls of an agent or a workflow, as the option of its LLM; each answer costs 7 tokens."""

import asyncio

import pytest
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import MockLLM
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step

from llamaindex_scaffolding import LlamaIndexWorker
from scaffolding_core import BudgetExceededError, GenerationTask, SharedBudget
from tests.llamaindex.doubles import voted
from tests.llamaindex.servers import openai_like, own
from tests.servers.scripted import Reply, scripted_server


def looking(times):
    """An agent that looks the weather up so often before it answers."""

    def script(body):
        if sum(message["role"] == "tool" for message in body["messages"]) >= times:
            return Reply(pieces=("sunny",))
        return Reply(pieces=(), tool_calls=(("weather", '{"city": "Paris"}'),), finish="tool_calls")

    return script


def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@pytest.mark.parametrize("way", [own, openai_like])
@pytest.mark.parametrize("streaming", [True, False])
async def test_an_agent_ends_where_its_budget_is_spent(way, streaming):
    budget = SharedBudget(samples=3)
    with scripted_server(looking(5)) as server:
        async with way(
            server.url, method="direct", sample_num=None, method_options={}, request_options={"budget": budget}
        ) as llm:
            agent = FunctionAgent(tools=[weather], llm=llm, streaming=streaming)
            with pytest.raises(BudgetExceededError):
                await agent.run("How is the weather?")
    assert (budget.spent.samples, budget.spent.tokens) == (3, 21)


class Ask(Workflow):
    """Asks as often as it is told, all at the same time."""

    def __init__(self, llm):
        super().__init__(timeout=60)
        self.llm = llm

    @step
    async def answer(self, ctx: Context, ev: StartEvent) -> StopEvent:
        asked = [self.llm.acomplete("q", max_tokens=20) for _ in range(ev.times)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return StopEvent(result=[isinstance(answer, BudgetExceededError) for answer in answers])


async def test_calls_of_a_workflow_at_the_same_time_do_not_overrun_it():
    budget = SharedBudget(tokens=50)
    with scripted_server(lambda body: Reply(pieces=("42",))) as server:
        async with own(
            server.url, method="direct", sample_num=None, method_options={}, request_options={"budget": budget}
        ) as llm:
            refused = await Ask(llm).run(times=10)
    assert 0 < budget.spent.tokens == 7 * refused.count(False) <= 50
    assert refused.count(True) > 0


def test_blocking_calls_pay_from_it_too():
    budget = SharedBudget(samples=3)
    llm = voted("7", "7", "8", request_options={"budget": budget})
    assert llm.complete("q").text == "7"
    with pytest.raises(BudgetExceededError):
        llm.complete("q")


def test_a_call_may_have_a_budget_of_its_own():
    budget, other = SharedBudget(samples=3), SharedBudget(samples=9)
    voted("7", "7", "8", request_options={"budget": budget}).complete("q", budget=other)
    assert (budget.spent.samples, other.spent.samples) == (0, 3)


def test_a_wrapped_llm_tells_its_name_and_the_limit_of_its_answers():
    worker = LlamaIndexWorker(MockLLM(max_tokens=5))
    assert worker.model_for(GenerationTask("q")) == "unknown"
    assert worker.answer_limit(GenerationTask("q")) == 5
    assert worker.answer_limit(GenerationTask("q", max_tokens=3)) == 3
