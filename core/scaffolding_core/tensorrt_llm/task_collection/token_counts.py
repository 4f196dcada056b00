"""What a task cost in tokens, wherever its worker told it."""

from __future__ import annotations

from typing import NamedTuple

from scaffolding_core.messages import Usage
from scaffolding_core.tensorrt_llm.task import ChatTask, GenerationTask

__all__ = ["TokenCounts", "token_counts"]


class TokenCounts(NamedTuple):
    """Tokens read, written, and the part of those that was reasoning."""

    prompt: int
    completion: int
    reasoning: int


def token_counts(task: GenerationTask) -> TokenCounts:
    """The tokens of the last run: of its usage, else of the counts of a chat, else of its token ids."""
    usage = task.usage or Usage()
    counted = (usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens)
    if not any(counted) and isinstance(task, ChatTask):
        counted = (task.prompt_tokens_num, task.completion_tokens_num, task.reasoning_tokens_num)
    prompt, completion, reasoning = (count or 0 for count in counted)
    return TokenCounts(
        prompt or len(task.input_tokens or ()), completion or len(task.output_tokens or ()), reasoning
    )
