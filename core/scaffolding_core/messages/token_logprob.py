"""TokenLogprob: a generated token with its log probability."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["TokenLogprob"]


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A generated token with its log probability (natural log).

    Args:
        token: its text.
        logprob: of the token itself.
        top: the most likely tokens at this place and their log probabilities.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
