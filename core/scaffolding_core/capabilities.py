"""Capabilities: what a worker can do."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Capabilities"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a worker can do, so that a method that needs more is refused when the two are put together.

    Args:
        logprobs: log probabilities of tokens.
        tools: tool calls.
        streaming: deltas while it writes.
        siblings: most samples of one prompt that it answers with one request; 1 is none.
        token_prompts: prompts as token ids.
    """

    logprobs: bool = False
    tools: bool = False
    streaming: bool = False
    siblings: int = 1
    token_prompts: bool = False
