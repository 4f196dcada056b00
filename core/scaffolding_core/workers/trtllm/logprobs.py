"""Log probabilities in each of TensorRT-LLM's shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from scaffolding_core.messages import TokenLogprob

__all__ = ["token_logprobs"]


def token_logprobs(
    tokens: Sequence[int],
    told: Sequence[Any],  # Any: mappings of ids to objects with a logprob, or numbers alone
    most: int,
    text_of: Callable[[int], str],
) -> list[TokenLogprob]:
    """The log probability of each token, with the likeliest in its place.

    Args:
        tokens: ids of the tokens that were written.
        told: for each a mapping of token ids, its own among them, or a number of its own alone; what is told of
            more tokens, such as those of a stop, is left out.
        most: likeliest tokens to hand on.
        text_of: the text of a token id.
    """
    return [_of_place(token, place, most, text_of) for token, place in zip(tokens, told, strict=False)]


def _of_place(token: int, place: Any, most: int, text_of: Callable[[int], str]) -> TokenLogprob:
    if not isinstance(place, Mapping):
        return TokenLogprob(text_of(token), _number(place), token_id=token)
    likely = sorted(((_number(value), other) for other, value in place.items()), key=lambda each: -each[0])[:most]
    top = tuple((text_of(other), logprob) for logprob, other in likely)
    own = _number(place[token]) if token in place else float("-inf")
    return TokenLogprob(text_of(token), own, top, token, tuple(other for _, other in likely))


def _number(told: Any) -> float:
    return min(float(getattr(told, "logprob", told)), 0.0)  # rounding may lift it above
