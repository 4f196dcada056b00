"""What samples cost that are cut before their model could tell it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from langchain_core.messages import AIMessageChunk

from langchain_scaffolding.translation.messages import usage_to_core
from scaffolding_core import GenerationTask, Usage

__all__ = ["PromptTokens", "cut_usage"]

_MOST_GROUPS = 1024


class PromptTokens:
    """How long the prompts of samples are, as siblings of theirs told that came to their end."""

    def __init__(self) -> None:
        self._of_groups: dict[object, int] = {}
        self._lock = threading.Lock()

    def tell(self, task: GenerationTask) -> None:
        """Keep what a finished task cost, for its siblings."""
        if task.group is None or task.usage is None or not task.usage.prompt_tokens:
            return
        with self._lock:
            self._of_groups[task.group] = task.usage.prompt_tokens
            if len(self._of_groups) > _MOST_GROUPS:
                del self._of_groups[next(iter(self._of_groups))]

    def of(self, task: GenerationTask) -> int:
        """Tokens of the task's prompt; 0 if nobody told."""
        return self._of_groups.get(task.group, 0)


def cut_usage(pieces: Iterable[object], prompt_tokens: int) -> Usage:
    """The usage of a call that was cut after these pieces, which are about one token each.

    Args:
        pieces: of a chat model's stream.
        prompt_tokens: where no piece tells them.
    """
    usage, written = Usage(), 0
    for piece in pieces:
        if isinstance(piece, AIMessageChunk):
            usage.add(usage_to_core(piece))
            written += bool(piece.content or piece.additional_kwargs or piece.tool_call_chunks)
    usage.prompt_tokens = usage.prompt_tokens or prompt_tokens
    usage.completion_tokens = max(usage.completion_tokens, written)
    usage.calls = usage.lost_calls = 1
    return usage
