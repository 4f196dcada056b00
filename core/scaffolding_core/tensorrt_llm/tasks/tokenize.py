"""TokenizeTask: count the tokens of a text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scaffolding_core.tasks.roles import RESULT
from scaffolding_core.tensorrt_llm.tasks.base import Task, opened

__all__ = ["TokenizeTask"]


@opened
@dataclass(eq=False, repr=False)
class TokenizeTask(Task):
    """Count the tokens of a text.

    Args:
        content: the text.
        event: the event of a trace that the count is for.

    Attributes:
        token_count: how many they are.
        tokenize_error: why nobody could tell.
    """

    content: str = field(default="", kw_only=True)
    event: Any = field(default=None, kw_only=True)  # Any: whoever asks knows
    token_count: int = field(default=0, kw_only=True, metadata=RESULT)
    tokenize_error: str | None = field(default=None, kw_only=True, metadata=RESULT)
