"""Work for workers: tasks, the prompts they stand for, and sampling parameters."""

from __future__ import annotations

from scaffolding_core.tasks.chat import ChatTask
from scaffolding_core.tasks.code import CodeFailure, CodeTask
from scaffolding_core.tasks.compute import ComputeTask
from scaffolding_core.tasks.generation import GenerationTask
from scaffolding_core.tasks.prompt import Prompt, task_from_prompt
from scaffolding_core.tasks.reward import RewardTask
from scaffolding_core.tasks.roles import inputs_of, results_of
from scaffolding_core.tasks.sampling import SAMPLING_PARAMETERS
from scaffolding_core.tasks.scope import Delta, Scope, StreamHandle
from scaffolding_core.tasks.stream import StreamChatTask, StreamGenerationTask, in_steps, run_in_steps
from scaffolding_core.tasks.task import Task
from scaffolding_core.tasks.tool_call import MCPCallTask
from scaffolding_core.tasks.tool_list import ToolListTask

__all__ = [
    "SAMPLING_PARAMETERS",
    "ChatTask",
    "CodeFailure",
    "CodeTask",
    "ComputeTask",
    "Delta",
    "GenerationTask",
    "MCPCallTask",
    "Prompt",
    "RewardTask",
    "Scope",
    "StreamChatTask",
    "StreamGenerationTask",
    "StreamHandle",
    "Task",
    "ToolListTask",
    "in_steps",
    "inputs_of",
    "results_of",
    "run_in_steps",
    "task_from_prompt",
]
