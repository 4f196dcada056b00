"""What a wrapped model or chain answers, in pieces or whole, as a task's result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.messages.ai import add_ai_message_chunks

from langchain_scaffolding.tracing.tally import message_usage
from langchain_scaffolding.translation.messages import core_tool_calls, reasoning_of, refusal_of, says_something
from scaffolding_core import AssistantMessage, Delta, GenerationTask, Usage, WorkerError

__all__ = ["emit", "fill", "joined"]


def emit(task: GenerationTask, piece: object) -> None:
    """Tell whoever listens to the task what a piece says."""
    if task.scope is None:
        return
    if isinstance(piece, AIMessageChunk):
        if piece.content or piece.additional_kwargs or piece.tool_call_chunks:
            task.scope.emit(Delta(str(piece.text), reasoning_of(piece) or "", original=piece))
    elif isinstance(piece, str):
        task.scope.emit(Delta(piece))


def joined(pieces: Sequence[object]) -> object:
    """The whole that the pieces of a stream make; the pieces' own sum costs their number squared.

    Raises:
        WorkerError: nothing came, or pieces that do not add up.
    """
    if not pieces:
        raise WorkerError("the model or chain streamed nothing")
    if all(isinstance(piece, str) for piece in pieces):
        return "".join(cast("Sequence[str]", pieces))
    chunks = [piece for piece in pieces if isinstance(piece, AIMessageChunk)]
    if len(chunks) == len(pieces):
        return _whole(add_ai_message_chunks(chunks[0], *chunks[1:]))
    if len(pieces) == 1:
        return pieces[0]
    kinds = ", ".join(sorted({type(piece).__name__ for piece in pieces}))
    raise WorkerError(f"the pieces of a streamed answer must be text or message chunks, got {kinds}")


def fill(task: GenerationTask, answer: object) -> None:
    """Set the task's results to what the model or chain answered.

    Raises:
        WorkerError: neither a message nor text, or a message with nothing in it and no reason why.
    """
    if isinstance(answer, str):
        task.said = AssistantMessage(answer, finish_reason="stop")
        task.usage = task.usage or Usage(calls=1)
        return
    if not isinstance(answer, AIMessage):
        raise WorkerError(
            f"the model or chain must return a message or text, got {type(answer).__name__}: "
            "end the chain with a parser that gives text"
        )
    task.usage = task.usage or message_usage(answer)
    reason = next(filter(None, map(answer.response_metadata.get, _REASONS)), None)
    if not (says_something(answer) or answer.additional_kwargs or reason):
        raise WorkerError("the model gave an empty message and no reason why: look at what its client leaves out")
    task.said = AssistantMessage(
        str(answer.text) or refusal_of(answer),
        reasoning_of(answer),
        core_tool_calls(answer),
        finish_reason=str(reason) if reason else "stop",
        original=answer,
    )


_REASONS = ("finish_reason", "stop_reason", "done_reason", "stopReason")
"""What providers call why an answer ended."""


def _whole(chunk: AIMessageChunk) -> AIMessage:
    return AIMessage(
        content=cast("Any", chunk.content),
        additional_kwargs=chunk.additional_kwargs,
        response_metadata=chunk.response_metadata,
        tool_calls=chunk.tool_calls,
        invalid_tool_calls=chunk.invalid_tool_calls,
        usage_metadata=chunk.usage_metadata,
    )
