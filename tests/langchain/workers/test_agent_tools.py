"""Tools of a server, over the Model Context Protocol, as tools of a LangChain agent."""

from langchain.agents import create_agent
from langchain_core.messages import AIMessage

from langchain_scaffolding import agent_tools
from scaffolding_core import FunctionTool, MCPWorker, ToolsWorker
from tests.langchain.agents import tool_messages
from tests.langchain.doubles import Scripted
from tests.servers.tools import tool_server


def add(a: int, b: int) -> dict[str, int]:
    """Adds."""
    return {"sum": a + b}


def calls(*wanted):
    return AIMessage(
        "", tool_calls=[{"name": n, "args": args, "id": str(i)} for i, (n, args) in enumerate(wanted)]
    )


class Tooled(Scripted):
    def bind_tools(self, tools, **kwargs):
        return self


async def test_an_agent_calls_the_tools_of_a_server_and_reads_what_goes_wrong():
    wanted = calls(("add", {"a": 1, "b": 2}), ("fail", {}), ("add", {"a": "x", "b": 2}))
    with tool_server("http", "add", "fail") as server:
        async with MCPWorker([server.url]) as worker:
            tools = await agent_tools(worker)
            agent = create_agent(Tooled(answers=[wanted, AIMessage("done")], calls=[]), tools)
            state = await agent.ainvoke({"messages": [("user", "go")]})
    first, second, third = tool_messages(state)
    assert (first.text, first.status) == ("3", "success")
    assert (second.status, third.status) == ("error", "error")
    assert "out of order" in second.text
    assert "a" in third.text


async def test_data_is_the_artifact_and_whether_a_tool_changes_things_is_told():
    async with ToolsWorker([FunctionTool(add, changes=True)]) as worker:
        [adding] = await agent_tools(worker)
        message = await adding.ainvoke({"type": "tool_call", "id": "1", "name": "add", "args": {"a": 1, "b": 2}})
    assert adding.metadata == {"changes": True}
    assert message.text == '{"sum":3}'
    assert message.artifact == {"sum": 3}


async def test_an_argument_may_have_a_name_that_langchain_uses():
    def keep(config: str, run_manager: str, callbacks: str) -> list[str]:
        """Keeps."""
        return [config, run_manager, callbacks]

    async with ToolsWorker([keep]) as worker:
        [keeping] = await agent_tools(worker)
        given = {"config": "a", "run_manager": "b", "callbacks": "c"}
        assert await keeping.ainvoke(given) == '["a","b","c"]'
