r"""Answers of plain texts and votes over them: whole numbers in `\boxed{}`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from scaffolding_core.answers.boxed import last_boxed

__all__ = [
    "extract_answer_from_boxed",
    "extract_answer_with_regex",
    "get_digit_majority_vote_result",
    "get_majority_result",
]

R = TypeVar("R")

_WHOLE_NUMBER = re.compile("-?[0-9]+")


def extract_answer_from_boxed(string: str | None) -> str | None:
    r"""The content of the last complete `\boxed{...}`; None if there is none."""
    return last_boxed(string or "")


def extract_answer_with_regex(string: str, extract_regex: str = "The final answer is (.+)$") -> str | None:
    """The first group of the first match of a pattern; None if there is none."""
    found = re.search(extract_regex, string)
    return found[1] if found else None


def get_majority_result(
    results: Sequence[R],
    result_extractor: Callable[[R], Hashable] = lambda result: result,
    result_validator: Callable[[Hashable], bool] = lambda answer: True,
) -> tuple[int | None, Hashable]:
    """The most frequent answer, and the index of the first result that gives it; of equals the first.

    Args:
        results: to choose from.
        result_extractor: the answer of a result; None abstains.
        result_validator: whether an answer counts.

    Returns:
        Index and answer; both None where no answer counts.
    """
    answers = [result_extractor(result) for result in results]
    votes = Counter(answer for answer in answers if answer is not None and result_validator(answer))
    if not votes:
        return None, None
    majority = votes.most_common(1)[0][0]
    return answers.index(majority), majority


def get_digit_majority_vote_result(results: Sequence[str | None]) -> tuple[int, str | None]:
    r"""The most frequent whole number in `\boxed{}`, and the index of the first text that has it.

    Without any, the first text wins without an answer.
    """
    index, answer = get_majority_result(
        results, extract_answer_from_boxed, lambda answer: bool(_WHOLE_NUMBER.fullmatch(str(answer)))
    )
    return (0, None) if index is None else (index, str(answer))
