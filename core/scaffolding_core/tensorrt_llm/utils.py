"""system_prompt: a system prompt that is told from others by an id."""

from __future__ import annotations

import uuid
from typing import Any, Self

__all__ = ["SystemPrompt", "system_prompt"]

_NAMESPACE = uuid.UUID("4f9c4d4e-1c7e-4d8a-9f8a-3c1c0e1c1f3d")
"""TensorRT-LLM's, so that a prompt has the same id in the traces of both."""


class SystemPrompt(str):
    """A text with an id, which stays when the text is filled in or copied; anything else makes a plain text of it.

    Args:
        content: the text, which may hold fields to fill in.
        system_prompt_id: tells it from others.
    """

    system_prompt_id: str

    def __new__(cls, content: str, system_prompt_id: str) -> Self:
        """A text with an id."""
        prompt = super().__new__(cls, content)
        prompt.system_prompt_id = system_prompt_id
        return prompt

    def format(self, *args: object, **kwargs: object) -> SystemPrompt:
        """The text with its fields filled in."""
        return SystemPrompt(super().format(*args, **kwargs), self.system_prompt_id)

    def format_map(self, mapping: Any, /) -> SystemPrompt:  # Any: whatever has `__getitem__`
        """The text with its fields filled in."""
        return SystemPrompt(super().format_map(mapping), self.system_prompt_id)

    def __getnewargs__(self) -> tuple[str, str]:  # type: ignore[override]  # both are needed to make it anew
        return str(self), self.system_prompt_id


def system_prompt(content: str, *, name: str) -> SystemPrompt:
    """A system prompt with an id that is the same wherever a prompt of this name is made.

    Args:
        content: the text, which may hold fields to fill in.
        name: of the prompt, such as `coder.system_prompt`.
    """
    return SystemPrompt(content, str(uuid.uuid5(_NAMESPACE, name)))
