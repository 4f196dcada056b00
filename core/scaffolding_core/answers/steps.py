"""StepSplitter: the steps of a text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Literal

from scaffolding_core.answers.sentences import sentence_ends
from scaffolding_core.errors import InvalidRequestError

__all__ = ["StepSplitter"]

_WORD = re.compile(r"\s*\S+")
_OF_LISTS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},"]')


@dataclass(frozen=True, slots=True)
class StepSplitter:
    """Where the steps of a text end: joined, they are the text, byte for byte.

    Blank steps are none of their own: they belong to the one before, at the beginning to the one behind.

    Args:
        by: `separator`; `tokens`, so many at a time, of which a text is only known by its words; `sentences`; or
            `items` of the first JSON list.
        separator: ends a step, and belongs to it.
        tokens: of a step; of what is written at a time, where its whole sentences or items are the step. None for
            as many as come before a separator, and otherwise for 64.

    Raises:
        InvalidRequestError: an unknown way to split, an empty separator, or tokens below 1.
    """

    by: Literal["separator", "tokens", "sentences", "items"] = "separator"
    separator: str = "\n\n"
    tokens: int | None = None

    def __post_init__(self) -> None:
        if self.by not in ("separator", "tokens", "sentences", "items"):
            raise InvalidRequestError(
                f"steps are told by 'separator', 'tokens', 'sentences' or 'items', not by {self.by!r}"
            )
        if not isinstance(self.separator, str) or not self.separator:
            raise InvalidRequestError(f"separator must be a text between two steps, got {self.separator!r}")
        tokens = self.tokens
        if tokens is not None and (not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 1):
            raise InvalidRequestError(f"tokens of a step must be a whole number of at least 1, got {tokens!r}")

    @property
    def stop(self) -> str | None:
        """The text at which a model that writes one step is to stop."""
        return self.separator if self.by == "separator" else None

    @property
    def max_tokens(self) -> int | None:
        """How many tokens a model that writes one step may write."""
        return 64 if self.tokens is None and self.by != "separator" else self.tokens

    def split(self, text: str) -> list[str]:
        """The steps of a text, in order; none of an empty one."""
        steps: list[str] = []
        for start, end in pairwise([0, *self._ends(text), len(text)]):
            piece = text[start:end]
            if steps and (self.is_blank(piece) or self.is_blank(steps[-1])):
                steps[-1] += piece
            elif piece:
                steps.append(piece)
        return steps

    def begun(self, text: str) -> str:
        """The step in what was written until its tokens were used up: what is not whole then is left out."""
        if self.by in ("separator", "tokens"):
            return text
        steps = self.split(text)
        return "".join(steps[:-1]) or text

    def is_blank(self, step: str) -> bool:
        """Whether it says nothing."""
        return not (step.replace(self.separator, "") if self.by == "separator" else step).strip()

    def _ends(self, text: str) -> Iterable[int]:
        if self.by == "separator":
            return (found.end() for found in re.finditer(re.escape(self.separator), text))
        if self.by == "tokens":
            size = self.max_tokens or 1
            return (word.end() for word in islice(_WORD.finditer(text), size - 1, None, size))
        return sentence_ends(text) if self.by == "sentences" else _item_ends(text)


def _item_ends(text: str) -> Iterator[int]:
    """Where the commas of the first list end; of nested ones they end nothing."""
    depth = 0
    for found in _OF_LISTS.finditer(text, max(0, text.find("["))):
        mark = found[0]
        if mark in ("[", "{"):
            depth += 1
        elif mark in ("]", "}"):
            depth -= 1
            if depth <= 0:
                return
        elif mark == "," and depth == 1:
            yield found.end()
