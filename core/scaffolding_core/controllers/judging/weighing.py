"""What a judge would have said, by the log probabilities of the tokens of its verdict, as arithmetic."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from scaffolding_core.messages import TokenLogprob

__all__ = ["expected_number", "expected_word", "tokens_from"]

_AROUND = " \t\n▁Ġ*_`\"'“”[]()<>.:/"


def tokens_from(logprobs: Sequence[TokenLogprob], line: str, at: int) -> Sequence[TokenLogprob]:
    """The tokens from the one in which what stands at a place of a line begins; none where they do not tell.

    Args:
        logprobs: of all tokens of a text.
        line: of that text; its last occurrence counts.
        at: index in the line.
    """
    found = "".join(each.token for each in logprobs).rfind(line)
    if found < 0:
        return ()
    place = found + at
    for index, each in enumerate(logprobs):
        if place < len(each.token):
            return logprobs[index:]
        place -= len(each.token)
    return ()


def expected_number(tokens: Sequence[TokenLogprob], said: int, most: int) -> float | None:
    """The mean of the whole numbers from 1 to `most` by their probability; None where the tokens tell none.

    The same number written as several tokens counts once, as their sum. A token that may be a number or only its
    first digits (`1` of 1 and 10, to a tokenizer that writes digits one by one) is left out, unless it was said,
    so that what followed tells.

    Args:
        tokens: from the one that the number begins in.
        said: the number that they write.
        most: the highest number.

    Source: Liu et al. 2023, arXiv 2303.16634.
    """
    count = _writing(tokens, str(said))
    if count is None:
        return None
    share: dict[float, float] = defaultdict(float)
    written, reached = "", 1.0  # what was written so far, and with which probability
    for token in tokens[:count]:
        for text, number, chance in _numbers(token, written, most):
            if text != token.token:
                share[number] += reached * chance
        written += token.token.strip(_AROUND)
        reached *= math.exp(token.logprob)
    left = 1.0
    for token in tokens[count : count + 1]:  # it might have gone on
        for _, number, chance in _numbers(token, written, most):
            if number != said:
                share[number] += reached * chance
                left -= chance
    share[said] += reached * left
    return _mean(share)


def expected_word(tokens: Sequence[TokenLogprob], values: Mapping[str, float]) -> float | None:
    """The mean of the values of words, by the probability of their first tokens; None where they tell none.

    Args:
        tokens: from the one that the word begins in.
        values: of words in lower case. A token that begins words of different values is left out.
    """
    if not tokens:
        return None
    share: dict[float, float] = defaultdict(float)
    for text, chance in _chances(tokens[0]).items():
        begun = text.strip(_AROUND).lower()
        meant = {value for word, value in values.items() if begun and word.startswith(begun)}
        if len(meant) == 1:
            share[meant.pop()] += chance
    return _mean(share)


def _writing(tokens: Sequence[TokenLogprob], said: str) -> int | None:
    """How many tokens write it; None if they write something else."""
    written = ""
    for count, token in enumerate(tokens, 1):
        written += token.token.strip(_AROUND)
        if written == said:
            return count
        if not said.startswith(written):
            break
    return None


def _numbers(token: TokenLogprob, written: str, most: int) -> Iterator[tuple[str, int, float]]:
    """The tokens that might stand at a place, the numbers that they end, and their probabilities.

    Args:
        token: at the place.
        written: the digits before it.
        most: the highest number.
    """
    chances = _chances(token)
    for text, chance in chances.items():
        digits = _digits(text)
        if not written + digits:
            continue
        number = int(written + digits)
        longer = [str(other) for other in range(number * 10, most + 1)]
        whole = {each[len(written) :] for each in longer if digits and each.startswith(written + digits)}
        if 1 <= number <= most and (not whole or any(_digits(other) in whole for other in chances)):
            yield text, number, chance


def _digits(token: str) -> str:
    bare = token.strip(_AROUND)
    return bare if re.fullmatch("[0-9]+", bare) else ""


def _chances(token: TokenLogprob) -> dict[str, float]:
    """The probabilities at the place of a token, by text, its own included."""
    return {text: math.exp(logprob) for text, logprob in (*token.top, (token.token, token.logprob))}


def _mean(share: Mapping[float, float]) -> float | None:
    total = sum(share.values())
    return sum(value * chance for value, chance in share.items()) / total if total > 0 else None
