"""Asking a person where a method abstained: the graph is interrupted, and resumed with the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain.agents.middleware.types import ContextT, ResponseT
from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime
from langgraph.types import interrupt

from scaffolding_core import InvalidRequestError

__all__ = ["AskPersonMiddleware", "ask_person"]

_RESULT = "scaffolding"


def ask_person(message: AIMessage) -> AIMessage:
    """The message, or a person's answer in place of one whose method abstained.

    For a node of its own behind the one with the model, so that nothing is sampled again when the graph goes on:

    .. code-block:: python

        graph.add_node("ask", lambda state: {"messages": [ask_person(state["messages"][-1])]})

    The interrupt's value tells `unsure`, the text that the method was not sure enough of, its `confidence`, the
    `threshold`, and the `candidates`, each with `text`, `answer` and `votes`. `Command(resume=...)` takes the
    answer as a text, an empty one to leave the abstention, or an `AIMessage` in place of the whole message.

    Args:
        message: of a model with the method `calibrated`; any other is handed on.

    Raises:
        InvalidRequestError: it was resumed with something else.
    """
    result = _result(message)
    if result.get("stopped") != "abstained":
        return message
    told = result.get("data") or {}
    answer = interrupt(
        {
            **{name: told.get(name) for name in ("unsure", "confidence", "threshold")},
            "candidates": [
                {name: candidate[name] for name in ("text", "answer", "votes")}
                for candidate in result.get("candidates", ())
                if candidate["error"] is None and not candidate["cut"]
            ],
        }
    )
    if isinstance(answer, AIMessage):
        return answer.model_copy(update={"id": message.id})
    if not isinstance(answer, str):
        raise InvalidRequestError(f"resume with the answer as a text, or with an AIMessage, got {answer!r}")
    return message.model_copy(update={"content": answer}) if answer else message


class AskPersonMiddleware(AgentMiddleware[AgentState[ResponseT], ContextT, ResponseT]):
    """Asks a person where the method around a model call of an agent abstained: see `ask_person`.

    .. code-block:: python

        sure = ScaffoldingMiddleware("calibrated", sample_num=5, method_options={"threshold": 0.8})
        agent = create_agent(model, tools, middleware=[AskPersonMiddleware(), sure], checkpointer=InMemorySaver())

    Cost: none; no sample is drawn again when the agent goes on.
    """

    # A node of its own, so that the interrupt resumes behind the model call.
    def after_model(self, state: AgentState[ResponseT], runtime: Runtime[ContextT]) -> dict[str, Any] | None:
        """Ask where the last message is an abstention."""
        last = state["messages"][-1]
        if not isinstance(last, AIMessage):
            return None
        answered = ask_person(last)
        return None if answered is last else {"messages": [answered]}


def _result(message: AIMessage) -> Mapping[str, Any]:
    """What the message tells of its method; Any: plain data."""
    metadata = message.response_metadata
    return metadata.get(_RESULT) or {}
