"""Work for workers: tasks, the prompts they stand for, and sampling parameters."""

from __future__ import annotations

from scaffolding_core.tasks.prompt import Prompt, task_from_prompt
from scaffolding_core.tasks.task import (
    SAMPLING_PARAMETERS,
    ChatTask,
    ComputeTask,
    Delta,
    GenerationTask,
    MCPCallTask,
    RewardTask,
    Scope,
    StreamGenerationTask,
    StreamHandle,
    Task,
    TaskStatus,
    TokenLogprob,
    result_fields,
)

__all__ = [
    "SAMPLING_PARAMETERS",
    "ChatTask",
    "ComputeTask",
    "Delta",
    "GenerationTask",
    "MCPCallTask",
    "Prompt",
    "RewardTask",
    "Scope",
    "StreamGenerationTask",
    "StreamHandle",
    "Task",
    "TaskStatus",
    "TokenLogprob",
    "result_fields",
    "task_from_prompt",
]
