"""Whether a model declines to answer."""

from __future__ import annotations

from scaffolding_core.messages import AssistantMessage

__all__ = ["is_refusal"]


def is_refusal(message: AssistantMessage) -> bool:
    """Whether a message declines to answer."""
    return False
