"""An agent with tools of an MCP server: calls that change things run only if most samples want exactly these."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from langchain.agents import create_agent
from langchain_core.messages import AIMessage

from langchain_scaffolding import ChatScaffolding, agent_tools
from langchain_scaffolding.middleware import ToolCallVoteMiddleware
from scaffolding_core import MCPWorker

SERVER = f"'{sys.executable}' '{Path(__file__).with_name('files_server.py')}'"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", required=True, help="an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    parser.add_argument("--model", default="", help="name of the model at the server; its first by default")
    parser.add_argument("--server", default=SERVER, help="address or command line of the server of tools")
    parser.add_argument("--ask", default="Delete the outdated report.", help="what the agent is asked")
    arguments = parser.parse_args()

    async with MCPWorker([arguments.server]) as worker:
        tools = await agent_tools(worker)
        # What its server does not call read-only may change things.
        risky = {tool.name for tool in tools if (tool.metadata or {}).get("changes", True)}
        agent = create_agent(
            ChatScaffolding(method="direct", base_url=arguments.url, model=arguments.model, temperature=0.7),
            tools,
            system_prompt="You look after the user's files.",
            # Such a call runs only if at least 3 of 5 samples want exactly it.
            middleware=[ToolCallVoteMiddleware(risky, sample_num=5, min_agreement=0.6)],
        )
        state = await agent.ainvoke({"messages": [("user", arguments.ask)]})
    for message in state["messages"]:
        message.pretty_print()
        vote = message.response_metadata.get("tool_call_vote") if isinstance(message, AIMessage) else None
        if vote:
            print(f"\nVote on the call: {vote['votes']}, agreed: {vote['agreed']}")


if __name__ == "__main__":
    asyncio.run(main())
