"""Prompt caching, as a provider's own middleware asks for it, around and within a vote."""

import pytest
from langchain.agents import create_agent
from langchain_core.messages import SystemMessage

from langchain_scaffolding.middleware import ScaffoldingMiddleware
from tests.langchain.agents import files, run, says
from tests.langchain.clients import CLIENTS
from tests.langchain.doubles import FULL
from tests.servers.scripted import serve
from tests.servers.speaking import Speaking


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("place", ["around", "within"])
async def test_each_sample_asks_with_the_cache_marks(place, how):
    caching = pytest.importorskip("langchain_anthropic.middleware").AnthropicPromptCachingMiddleware(
        unsupported_model_behavior="raise"
    )
    voting = ScaffoldingMiddleware(sample_num=3, method_options=FULL)
    with serve(Speaking(lambda body: says("7"))) as server:
        client = CLIENTS["Anthropic"]
        agent = create_agent(
            client.kind(**client.fields(server)),
            files()[0],
            system_prompt=SystemMessage("Be brief."),
            middleware=[caching, voting] if place == "around" else [voting, caching],
        )
        state = await run(agent, how)
    assert state["messages"][-1].response_metadata["scaffolding"]["votes"] == {"7": 3}
    assert len(server.requests) == 3
    for asked in server.requests:
        for marked in (asked, asked["system"][-1], asked["tools"][-1]):
            assert marked["cache_control"] == {"type": "ephemeral", "ttl": "5m"}
