"""Texts and chats of a given length in tokens, that say nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scaffolding_core.messages import RoleMessage
from scaffolding_core.tensorrt_llm.message import RoleMessage as OpenMessage

__all__ = ["Filler", "Tokenizer"]

_PIECES = (" a", "a", " x", "x", " the", ".")


class Tokenizer(Protocol):
    """What is needed of a tokenizer, as transformers has them."""

    def encode(self, text: str, **options: Any) -> list[int]:
        """The token ids of a text."""

    def decode(self, token_ids: list[int], **options: Any) -> str:
        """The text of token ids."""


@dataclass(frozen=True)
class Filler:
    """Makes texts by a tokenizer; without one, each word counts as a token.

    Args:
        tokenizer: the model's.
    """

    tokenizer: Tokenizer | None = None

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        if self.tokenizer is None:
            return len(text.split())
        return len(self.tokenizer.encode(text, add_special_tokens=False))

    def text(self, tokens: int) -> str:
        """A text of so many tokens, as far as the tokenizer lets one be made."""
        if tokens <= 0:
            return ""
        for piece in _PIECES:
            text = piece * tokens
            if self.count(text) == tokens:
                return text
        assert self.tokenizer is not None  # words always fit
        longer = self.tokenizer.encode(" a" * tokens, add_special_tokens=False)
        return self.tokenizer.decode(longer[:tokens], skip_special_tokens=True)

    def chat(self, messages: Sequence[RoleMessage], tokens: int) -> list[RoleMessage]:
        """Messages of the same roles, as long in relation to each other, with so many tokens together."""
        tokens = max(0, tokens - self._template_tokens(messages))
        lengths = [self.count(message.text) for message in messages]
        total = sum(lengths)
        if messages and total == 0:
            lengths[-1] = total = 1
        ends = [tokens * sum(lengths[: index + 1]) // max(1, total) for index in range(len(messages))]
        starts = [0, *ends[:-1]]
        return [
            OpenMessage("user" if message.role == "tool" else message.role, self.text(end - start))
            for message, start, end in zip(messages, starts, ends, strict=True)
        ]

    def _template_tokens(self, messages: Sequence[RoleMessage]) -> int:
        """What the model's chat template adds, as far as the tokenizer knows it."""
        template = getattr(self.tokenizer, "apply_chat_template", None)
        if template is None:
            return 0
        empty = [{"role": message.role, "content": ""} for message in messages]
        return self.count(template(empty, tokenize=False, add_generation_prompt=True))
