"""The chosen message of a voted model call, as a stream of events shows a model's; its samples it does not show.

A graph's own stream of messages needs no help: it takes the message out of the agent's state.
"""

from __future__ import annotations

from typing import Any, TypeVar

from langchain.agents.middleware import ModelRequest, ModelResponse
from langchain_core.callbacks import AsyncCallbackManager, CallbackManager
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.runnables import ensure_config
from langchain_core.tracers.event_stream import _AstreamEventsCallbackHandler
from langchain_core.tracers.log_stream import LogStreamCallbackHandler

from langchain_scaffolding.middleware.model_calls import ai_message

__all__ = ["ashow", "show"]

AnyManager = TypeVar("AnyManager", CallbackManager, AsyncCallbackManager)

# Any: a request's context and a response's structure are whatever the agent's author chose.


def show(request: ModelRequest[Any], response: ModelResponse[Any]) -> None:
    """Tell whoever streams events of a model that wrote the response's message."""
    manager = ensure_config()["callbacks"]
    if not isinstance(manager, CallbackManager) or not (told := _streaming(manager)).handlers:
        return
    message = ai_message(response)
    for run in told.on_chat_model_start(*_asked(request)):
        run.on_llm_new_token(str(message.text), chunk=_chunk(message))
        run.on_llm_end(_result(message))


async def ashow(request: ModelRequest[Any], response: ModelResponse[Any]) -> None:
    """As `show`."""
    manager = ensure_config()["callbacks"]
    if not isinstance(manager, AsyncCallbackManager) or not (told := _streaming(manager)).handlers:
        return
    message = ai_message(response)
    for run in await told.on_chat_model_start(*_asked(request)):
        await run.on_llm_new_token(str(message.text), chunk=_chunk(message))
        await run.on_llm_end(_result(message))


def _streaming(manager: AnyManager) -> AnyManager:
    told = manager.copy()
    told.set_handlers([handler for handler in manager.handlers if isinstance(handler, _OF_EVENTS)])
    return told


_OF_EVENTS = _AstreamEventsCallbackHandler | LogStreamCallbackHandler


def _asked(request: ModelRequest[Any]) -> tuple[dict[str, Any], list[list[BaseMessage]]]:
    system = [request.system_message] if request.system_message is not None else []
    return {"name": request.model.get_name()}, [[*system, *request.messages]]


def _chunk(message: AIMessage) -> ChatGenerationChunk:
    fields = message.model_dump(exclude={"type"})
    return ChatGenerationChunk(message=AIMessageChunk(**{**fields, "chunk_position": "last"}))


def _result(message: AIMessage) -> LLMResult:
    return LLMResult(generations=[[ChatGeneration(message=message)]])
