"""told_usage: what a call of an LLM cost, as far as its response tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llama_index.core.base.llms.types import ChatResponse, CompletionResponse

from scaffolding_core import Usage

__all__ = ["field_of", "told_usage"]


def told_usage(response: ChatResponse | CompletionResponse) -> Usage:
    """One call, with the tokens that the provider's raw answer, or else LlamaIndex's response, tells."""
    raw = response.raw
    if raw is None and not response.additional_kwargs:
        return Usage(calls=1)
    found = field_of(raw, "usage") or field_of(raw, "usage_metadata") or response.additional_kwargs
    return Usage(
        prompt_tokens=_count(found, "prompt_tokens", "input_tokens", "prompt_token_count"),
        completion_tokens=_count(found, "completion_tokens", "output_tokens", "candidates_token_count"),
        cached_tokens=_count(field_of(found, "prompt_tokens_details") or found, "cached_tokens"),
        reasoning_tokens=_count(field_of(found, "completion_tokens_details") or found, "reasoning_tokens"),
        calls=1,
    )


def field_of(holder: object, name: str) -> Any:  # Any: whatever a provider's class, or a dict, holds
    """A field of an object or a dict; None where there is none."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _count(holder: object, *names: str) -> int:
    for name in names:
        value = field_of(holder, name)
        if isinstance(value, int) and value > 0:
            return value
    return 0
