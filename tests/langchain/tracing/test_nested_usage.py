"""What was paid is told once, by the result and by every callback, however methods and agents nest."""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import get_usage_metadata_callback
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import StructuredTool

from langchain_scaffolding import ScaffoldingRunnable, with_best_of_n, with_majority_vote
from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from tests.langchain.doubles import FULL, Scripted

MARK = {"model_name": "m"}
CALL = {"name": "danger", "args": {}, "id": "1", "type": "tool_call"}


class Agent(Scripted):
    """Calls a tool, and then answers; each for 3 tokens."""

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        result = super()._generate(messages, stop, run_manager, **kwargs)
        wants = [CALL] if messages[-1].type == "human" else []
        told = result.generations[0].message
        result.generations[0].message = told.model_copy(update={"tool_calls": wants, "response_metadata": MARK})
        return result

    def bind_tools(self, tools, **kwargs):
        return self


def plain():
    return Scripted(answers=[AIMessage("24", response_metadata=MARK)], calls=[])


def failing(messages):
    raise ValueError("no")


class Nested:
    """Agents, votes and models on top of one another, and the models that are paid."""

    def __init__(self):
        self.model = Agent(answers=["24"], calls=[])
        self.other = plain()

    @property
    def paid(self):
        return 3 * (len(self.model.calls) + len(self.other.calls))

    def agent(self, *middleware, model=None):
        def danger() -> str:
            """Dangerous."""
            return str(self.other.invoke("is it?").content)

        return create_agent(model or self.model, [StructuredTool.from_function(danger)], middleware=middleware)

    def middleware(self):
        return ScaffoldingMiddleware(sample_num=2, method_options=FULL)

    def guard(self):
        return ToolCallVoteMiddleware({"danger"}, sample_num=3)

    def judged(self):
        judge = RunnableLambda(lambda given: given["answer"]) | self.other
        return ScaffoldingMiddleware("best_of_n", sample_num=2, reward=judge)

    def voted(self, runnable):
        return ScaffoldingRunnable.wrap(runnable, sample_num=2, text="messages", method_options=FULL)


AGENTS = {
    "an agent with a middleware": lambda n: n.agent(n.middleware()),
    "a guarded agent": lambda n: n.agent(n.guard()),
    "an agent with both middlewares": lambda n: n.agent(n.middleware(), n.guard()),
    "an agent with both middlewares, turned round": lambda n: n.agent(n.guard(), n.middleware()),
    "an agent with a judge": lambda n: n.agent(n.judged()),
    "a voted model in a guarded agent": lambda n: n.agent(n.guard(), model=with_majority_vote(n.model, 2, **FULL)),
    "a voted model in an agent with a middleware": lambda n: n.agent(
        n.middleware(), model=with_majority_vote(n.model, 2, **FULL)
    ),
}

CHAINS = {
    "a vote of votes of a chain": lambda n: with_majority_vote(
        with_majority_vote(RunnableLambda(lambda q: q) | n.other, 2, **FULL), 2, **FULL
    ),
    "a vote of votes of a model": lambda n: with_majority_vote(with_majority_vote(n.other, 2, **FULL), 2, **FULL),
    "a judge that is voted": lambda n: with_best_of_n(
        n.other, RunnableLambda(lambda given: given["answer"]) | with_majority_vote(n.other, 2, **FULL), 2
    ),
    "a vote of what falls back": lambda n: with_majority_vote(
        RunnableLambda(failing).with_fallbacks([RunnableLambda(lambda q: q) | n.other]), 2, **FULL
    ),
}


async def told(runnable, given, how):
    """What it returns, and how many tokens a callback around it heard of."""
    with get_usage_metadata_callback() as callback:
        if how == "sync":
            answered = await asyncio.to_thread(runnable.invoke, given)
        else:
            answered = await runnable.ainvoke(given)
    return answered, sum(usage["total_tokens"] for usage in callback.usage_metadata.values())


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("built", AGENTS.values(), ids=AGENTS)
async def test_usage_of_a_vote_over(built, how):
    nested = Nested()
    output, heard = await told(nested.voted(built(nested)), {"messages": [("user", "q")]}, how)
    assert output.usage.total_tokens == heard == nested.paid


@pytest.mark.parametrize("built", AGENTS.values(), ids=AGENTS)
async def test_usage_in_the_messages_of(built):
    nested = Nested()
    state, heard = await told(built(nested), {"messages": [("user", "q")]}, "async")
    of_tools = 3 * sum(message.type == "tool" for message in state["messages"])
    said = sum(m.usage_metadata["total_tokens"] for m in state["messages"] if m.type == "ai")
    assert said + of_tools == heard == nested.paid


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("built", CHAINS.values(), ids=CHAINS)
async def test_usage_of(built, how):
    nested = Nested()
    runnable = built(nested)
    sampled = ScaffoldingRunnable.wrap(runnable, sample_num=2, method_options=FULL)
    output, heard = await told(sampled, "q", how)
    assert output.usage.total_tokens == heard == nested.paid
