"""An agent that deletes a file only if most samples of its model want to delete exactly that one."""

from __future__ import annotations

import argparse

from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.tools import tool

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.middleware import ToolCallVoteMiddleware

FILES = {"report.txt": "Sales of 2025", "report-old.txt": "Sales of 2019", "notes.txt": "Call Ann."}


@tool
def list_files() -> list[str]:
    """List all files."""
    return sorted(FILES)


@tool
def delete_file(name: str) -> str:
    """Delete a file for good."""
    return "deleted" if FILES.pop(name, None) is not None else "no such file"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--url", required=True, help="an OpenAI-compatible server, such as http://localhost:8000/v1"
    )
    parser.add_argument("--model", default="", help="name of the model at the server; its first by default")
    parser.add_argument("--ask", default="Delete the outdated report.", help="what the agent is asked")
    arguments = parser.parse_args()

    agent = create_agent(
        ChatScaffolding(method="direct", base_url=arguments.url, model=arguments.model, temperature=0.7),
        [list_files, delete_file],
        system_prompt="You look after the user's files.",
        # A call of delete_file runs only if at least 3 of 5 samples want exactly it.
        middleware=[ToolCallVoteMiddleware({"delete_file"}, sample_num=5, min_agreement=0.6)],
    )
    state = agent.invoke({"messages": [("user", arguments.ask)]})
    for message in state["messages"]:
        message.pretty_print()
        vote = message.response_metadata.get("tool_call_vote") if isinstance(message, AIMessage) else None
        if vote:
            print(f"\nVote on the call: {vote['votes']}, agreed: {vote['agreed']}")
    print(f"\nFiles left: {', '.join(sorted(FILES))}")


if __name__ == "__main__":
    main()
