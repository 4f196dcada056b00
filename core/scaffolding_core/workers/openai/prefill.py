"""Prefill: of requests for one prompt the first goes ahead, so that the others find it in the server's cache."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from scaffolding_core.workers.http.stream import Gate
from scaffolding_core.workers.openai.shared_prompt import SharedPrompt

__all__ = ["Prefill", "is_long"]

_LONG_TOKENS = 256
_LONG_CHARACTERS = 1024
"""Prompts from here on take longer to be read than to be waited for."""

_LONGEST = 10.0
"""Seconds to wait at most: a server that shows nothing for so long queues, and may read when it comes to it."""


class Prefill(Gate):
    """One request's turn among those for one prompt.

    Args:
        prompt: which they share.
    """

    def __init__(self, prompt: SharedPrompt) -> None:
        self._prompt = prompt

    async def enter(self) -> None:
        """Wait until the prompt was read for another, or become the one that it is read for."""
        prompt = self._prompt
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST):
                while not prompt.is_read and prompt.reader is not None:
                    await prompt.changes()
        if not prompt.is_read and prompt.reader is None:
            prompt.reader = self

    def leave(self) -> None:
        """Let another have it read, if it was not."""
        self._prompt.leave(self)


def is_long(body: dict[str, Any]) -> bool:  # Any: whatever JSON holds
    """Whether the prompt of a request takes longer to be read than its others would wait for."""
    prompt = body.get("prompt")
    if isinstance(prompt, list):
        return len(prompt) >= _LONG_TOKENS
    if isinstance(prompt, str):
        return len(prompt) >= _LONG_CHARACTERS
    return sum(map(_length, body.get("messages") or ())) >= _LONG_CHARACTERS


def _length(message: dict[str, Any]) -> int:
    content = message.get("content")
    if isinstance(content, str):
        return len(content)
    return sum(len(str(part.get("text") or "")) for part in content or () if isinstance(part, dict))
