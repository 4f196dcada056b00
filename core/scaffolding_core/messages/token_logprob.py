"""TokenLogprob: a generated token with its log probability."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["TokenLogprob"]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token with its log probability (natural log).

    Args:
        token: its text.
        logprob: of the token itself.
        top: the most likely tokens at this place and their log probabilities.
        token_id: its id, where the backend tells it.
        top_ids: the ids of those in `top`, where the backend tells them.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    token_id: int | None = field(default=None, compare=False, repr=False)
    top_ids: tuple[int, ...] = field(default=(), compare=False, repr=False)
