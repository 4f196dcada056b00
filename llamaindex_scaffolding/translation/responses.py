"""A method's result and its events, as LlamaIndex's responses."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    ContentBlock,
    LogProb,
    MessageRole,
    TextBlock,
    ThinkingBlock,
)

from llamaindex_scaffolding.translation.messages import to_chat_message
from scaffolding_core import (
    AssistantMessage,
    CandidateEvent,
    Delta,
    Event,
    FinalEvent,
    ScaffoldingOutput,
    TokenLogprob,
)
from scaffolding_core.adapting import ShownEvents, candidate_data, result_data

__all__ = ["CANDIDATE", "ChatStream", "chat_response", "completion_of", "for_a_program"]

CANDIDATE = "scaffolding_candidate"
"""Key of a streamed response's `additional_kwargs` whose value is the sample that it shows."""


class ChatStream(ShownEvents[ChatResponse]):
    """Turns a request's events into responses, each with the text so far and what is new.

    The last one holds the chosen message, whole, and everything that is known of the request.

    Args:
        last: makes the last response, of the request's output.
        live: see `ShownEvents`.
        early: whether an answer that is chosen, and not shown yet, is shown before the last response.
        candidates: whether each finished sample is shown, as thoughts.
    """

    def __init__(
        self,
        last: Callable[[ScaffoldingOutput], ChatResponse],
        *,
        live: bool,
        early: bool,
        candidates: bool = False,
    ) -> None:
        super().__init__(live=live, candidates=candidates)
        self._last_of = last
        self._shows_pieces = live or early
        self._text = ""
        self._reasoning = ""

    def _candidate(self, event: CandidateEvent) -> Iterator[ChatResponse]:
        told = candidate_data(event)
        response = self._piece(Delta("", f"{event.candidate.text or told['error'] or ''}\n\n"))
        response.additional_kwargs[CANDIDATE] = told
        yield response

    def _pieces(self, event: Event, delta: Delta) -> Iterator[ChatResponse]:
        if self._shows_pieces:
            yield self._piece(delta)

    def _last(self, event: FinalEvent) -> ChatResponse:
        last = self._last_of(event.output)
        last.delta = ""
        return last

    def _piece(self, delta: Delta) -> ChatResponse:
        self._text += delta.text
        self._reasoning += delta.reasoning
        blocks: list[ContentBlock] = [TextBlock(text=self._text)]
        if self._reasoning:
            blocks.insert(0, ThinkingBlock(content=self._reasoning))
        return ChatResponse(
            message=ChatMessage(role=MessageRole.ASSISTANT, blocks=blocks),
            delta=delta.text,
            # Where agents look for thoughts as they come.
            additional_kwargs={"thinking_delta": delta.reasoning} if delta.reasoning else {},
        )


def chat_response(output: ScaffoldingOutput, request_id: int) -> ChatResponse:
    """The chosen sample's message, whole.

    `raw` tells how it was chosen, as plain data; `additional_kwargs` has the same under `scaffolding`, beside
    the token counts. Both count all samples.
    """
    told = result_data(output, request_id)
    return ChatResponse(
        message=to_chat_message(output.message),
        raw=told,
        logprobs=_logprobs(output.logprobs),
        additional_kwargs={"scaffolding": told, **told["usage"]},
    )


def for_a_program(output: ScaffoldingOutput) -> ScaffoldingOutput:
    """The output with the message that LlamaIndex's programs read a structure from.

    Where a vote was held on each field, it is what the vote agreed on. It is built anew, since a program
    looks for calls where not every LLM puts them.
    """
    message = replace(output.message, original=None)
    if output.consensus is not None:
        agreed = json.dumps(output.consensus, default=str)
        calls = [replace(call, arguments=agreed) for call in (message.tool_calls or ())[:1]]
        message = AssistantMessage(tool_calls=calls) if calls else AssistantMessage(agreed)
    return replace(output, message=message)


def completion_of(response: ChatResponse) -> CompletionResponse:
    """The same response for a completion."""
    return CompletionResponse(
        text=response.message.content or "",
        raw=response.raw,
        delta=response.delta,
        logprobs=response.logprobs,
        additional_kwargs=response.additional_kwargs,
    )


def _logprobs(tokens: Sequence[TokenLogprob] | None) -> list[list[LogProb]] | None:
    if tokens is None:
        return None
    likely = [token.top or ((token.token, token.logprob),) for token in tokens]
    return [[_logprob(*choice) for choice in choices] for choices in likely]


def _logprob(text: str, value: float) -> LogProb:
    return LogProb(token=text, logprob=value, bytes=list(text.encode()))
