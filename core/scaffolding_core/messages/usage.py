"""What a call cost."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Usage"]


@dataclass(slots=True)
class Usage:
    """Tokens and calls that were paid for.

    Attributes:
        prompt_tokens: tokens read.
        completion_tokens: tokens written, reasoning included.
        cached_tokens: the part of `prompt_tokens` that came out of a prefix cache.
        reasoning_tokens: the part of `completion_tokens` that was reasoning.
        calls: calls sent to a backend, retried ones counted each.
        lost_calls: calls that were sent and whose cost was never told (a lost connection, a cut sample).
        details: further parts of the tokens, by the names that a wrapped client has for them.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    calls: int = 0
    lost_calls: int = 0
    details: dict[str, int] | None = None

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def summary(self) -> dict[str, int]:
        """The counts but for details, and the total of tokens, as plain data."""
        counts: dict[str, int] = {
            part.name: getattr(self, part.name) for part in fields(self) if part.name != "details"
        }
        return {**counts, "total_tokens": self.total_tokens}

    def add(self, other: Usage) -> None:
        """Add another's counts to this one, in place."""
        self.prompt_tokens += other.prompt_tokens
        self.completion_tokens += other.completion_tokens
        self.cached_tokens += other.cached_tokens
        self.reasoning_tokens += other.reasoning_tokens
        self.calls += other.calls
        self.lost_calls += other.lost_calls
        if other.details:
            self.details = _sum(self.details, other.details)

    def since(self, before: Usage | None) -> Usage:
        """What was paid since it was so much; None stands for nothing."""
        before = before or Usage()
        return Usage(
            self.prompt_tokens - before.prompt_tokens,
            self.completion_tokens - before.completion_tokens,
            self.cached_tokens - before.cached_tokens,
            self.reasoning_tokens - before.reasoning_tokens,
            self.calls - before.calls,
            self.lost_calls - before.lost_calls,
            _sum(self.details, before.details, -1) if self.details else None,
        )


def _sum(first: dict[str, int] | None, second: dict[str, int] | None, times: int = 1) -> dict[str, int]:
    """The first, and so many times the second."""
    first, second = first or {}, second or {}
    return {name: first.get(name, 0) + times * second.get(name, 0) for name in {**first, **second}}
