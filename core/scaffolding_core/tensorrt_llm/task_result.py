"""TaskResult: what a task got back, as one object that another task can be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["PARTS", "Completion", "TaskResult"]

PARTS: Mapping[str, str] = {
    "text": "output_str",
    "token_ids": "output_tokens",
    "logprobs": "logprobs",
    "cumulative_logprob": "cumulative_logprob",
    "finish_reason": "finish_reason",
}
"""What a completion tells, and what a task calls it."""


@dataclass
class Completion:
    """One answer, with the names of TensorRT-LLM's `CompletionOutput`."""

    text: str | None
    token_ids: list[int] | None
    logprobs: Any  # Any: as the task holds them
    cumulative_logprob: float | None
    finish_reason: str | None
    index: int = 0


@dataclass
class TaskResult:
    """What a task got back, with the names of TensorRT-LLM's `GenerationResult`."""

    outputs: list[Completion]
    context_logits: object = None
