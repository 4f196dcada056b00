"""An agent whose every step is voted on: a tool is called only as most samples of its model want it called.

Needs: pip install 'scaffolding-llm[llamaindex]', and a server whose model calls tools.
"""

from __future__ import annotations

import argparse
import asyncio

from llama_index.core.agent.workflow import AgentStream, FunctionAgent, ToolCallResult

from llamaindex_scaffolding import ScaffoldingLLM

SHELF = {"report.txt": "Sales of 2025", "report-old.txt": "Sales of 2019", "notes.txt": "Call Ann."}


def list_files() -> str:
    """List all files."""
    return ", ".join(sorted(SHELF))


def read_file(name: str) -> str:
    """Read a file."""
    return SHELF.get(name, "no such file")


async def ask(llm: ScaffoldingLLM, question: str) -> None:
    agent = FunctionAgent(tools=[list_files, read_file], llm=llm, system_prompt="You look after the user's files.")
    run = agent.run(question)
    step: AgentStream | None = None
    async for event in run.stream_events():
        if isinstance(event, AgentStream):
            step = event
        elif isinstance(event, ToolCallResult):
            agreement = step.raw["agreement"] if step is not None else None
            print(f"{event.tool_name}({event.tool_kwargs}), agreement {agreement:.0%}: {event.tool_output}")
    print(await run)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("question", nargs="?", default="What do the newest sales cover?")
    options.add_argument(
        "--url", required=True, help="an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    options.add_argument("--model", default="", help="name of the model at the server; its first by default")
    options.add_argument("--samples", type=int, default=5)
    given = options.parse_args()

    # The one line: each step of the agent is what most samples want.
    llm = ScaffoldingLLM(
        "majority_vote", sample_num=given.samples, api_base=given.url, model=given.model, temperature=0.7, seed=1
    )
    asyncio.run(ask(llm, given.question))


if __name__ == "__main__":
    main()
