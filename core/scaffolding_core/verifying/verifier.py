"""Verifier: tells whether an answer passes."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from scaffolding_core.messages import AssistantMessage

__all__ = ["Verdict", "Verifier"]


class Verdict(NamedTuple):
    """What a verifier says.

    Attributes:
        passed: whether the answer passes.
        feedback: what is wrong with one that does not, for the model to read; it never tells the right answer.
    """

    passed: bool
    feedback: str | None = None


class Verifier(Protocol):
    """Tells whether an answer passes. Safe to share between requests and threads; pure."""

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether it passes; may block, so it is called in a thread."""
