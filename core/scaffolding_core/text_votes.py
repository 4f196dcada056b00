"""Answers of plain texts and a vote over them, by the names that TensorRT-LLM's scaffolding has."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.answers import Regex, default_equivalence
from scaffolding_core.answers.boxed import last_boxed
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.voting import winner

__all__ = ["extract_answer_from_boxed", "extract_answer_with_regex", "get_digit_majority_vote_result"]


def extract_answer_from_boxed(string: str) -> str | None:
    r"""The content of the last `\boxed{...}`; None if there is none."""
    return last_boxed(string)


def extract_answer_with_regex(string: str, extract_regex: str = r"The final answer is:? (.+)") -> str | None:
    """The first group of the last match of a pattern, in bounded time as with `Regex`; it blocks.

    Raises:
        InvalidRequestError: a pattern that does not compile.
    """
    return Regex(extract_regex).extract(AssistantMessage(string))


def get_digit_majority_vote_result(results: Sequence[str]) -> tuple[int, str | None]:
    r"""The index of the first text with the most frequent `\boxed{}` answer, and that answer.

    Answers of any kind vote, compared as in a vote; texts without one abstain, and with none at all the
    first text wins without an answer.
    """
    answers = [last_boxed(result) for result in results]
    classes = default_equivalence().classes()
    choices = {i: None if answer is None else classes.assign(answer) for i, answer in enumerate(answers)}
    best = winner(choices)
    index = next((i for i, choice in choices.items() if choice == best), 0)
    return index, answers[index]
