"""Log probabilities as TensorRT-LLM's programs read them: at each place a mapping of token ids."""

from __future__ import annotations

from typing import NamedTuple

from scaffolding_core.messages import TokenLogprob

__all__ = ["Logprob", "TokenLogprobs"]


class Logprob(NamedTuple):
    """A log probability (natural log), and the token's rank at its place, where that is known: 1 is likeliest."""

    logprob: float
    rank: int | None = None


class TokenLogprobs(dict[int | str, Logprob]):
    """The likeliest tokens at a place, and the one that was written, by id; by text where no ids are told.

    It reads as the core's `TokenLogprob`, too.

    Args:
        told: what the worker told of the place.
    """

    def __init__(self, told: TokenLogprob) -> None:
        keys: tuple[int | str, ...] = told.top_ids or tuple(text for text, _ in told.top)
        ranked = zip(keys, told.top, strict=True)
        super().__init__({key: Logprob(own, rank) for rank, (key, (_, own)) in enumerate(ranked, 1)})
        self.setdefault(told.token if told.token_id is None else told.token_id, Logprob(told.logprob))
        self.token, self.logprob, self.top = told.token, told.logprob, told.top
        self.token_id, self.top_ids = told.token_id, told.top_ids
