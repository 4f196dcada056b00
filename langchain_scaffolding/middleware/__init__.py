"""Methods for the model calls of an agent made by `langchain.agents.create_agent`."""

from __future__ import annotations

from scaffolding_core import MissingExtraError

try:
    import langchain.agents  # noqa: F401  # whether it is there
except ImportError as error:
    raise MissingExtraError("langchain_scaffolding.middleware", "langchain-agents") from error

from langchain_scaffolding.middleware.asking import AskPersonMiddleware, ask_person
from langchain_scaffolding.middleware.progress import ProgressMiddleware
from langchain_scaffolding.middleware.scaffolding import ScaffoldingMiddleware
from langchain_scaffolding.middleware.tool_call_vote import OnDisagreement, ToolCallVoteMiddleware

__all__ = [
    "AskPersonMiddleware",
    "OnDisagreement",
    "ProgressMiddleware",
    "ScaffoldingMiddleware",
    "ToolCallVoteMiddleware",
    "ask_person",
]
