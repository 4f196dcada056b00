"""TensorRT-LLM's scaffolding by its own names: a program runs once `tensorrt_llm.scaffolding` in its imports is
`scaffolding_core.tensorrt_llm`.

Everything here translates: methods run on the core's driver, tasks are the core's with open attributes and plain
defaults, workers are the core's with statuses. What a program does not catch is raised at its caller.
"""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.controller import (
    BestOfNController,
    Controller,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    NativeRewardController,
    ParallelProcess,
)
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope, current_scope
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput, ScaffoldingResult
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    OpenAIToolDescription,
    RewardTask,
    RoleMessage,
    StreamGenerationTask,
    SystemMessage,
    Task,
    TaskStatus,
    TokenizeTask,
    ToolDescription,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.tensorrt_llm.worker import (
    FunctionWorker,
    LocalWorker,
    OpenaiWorker,
    TRTOpenaiWorker,
    Worker,
)

__all__ = [
    "AssistantMessage",
    "BestOfNController",
    "ChatTask",
    "Controller",
    "DropKVCacheTask",
    "ExecutionScope",
    "FunctionWorker",
    "GenerationTask",
    "LocalWorker",
    "MCPCallTask",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "OpenAIToolDescription",
    "OpenaiWorker",
    "ParallelProcess",
    "RewardTask",
    "RoleMessage",
    "ScaffoldingLlm",
    "ScaffoldingOutput",
    "ScaffoldingResult",
    "StreamGenerationTask",
    "SystemMessage",
    "TRTOpenaiWorker",
    "Task",
    "TaskStatus",
    "TokenizeTask",
    "ToolDescription",
    "ToolMessage",
    "UserMessage",
    "Worker",
    "current_scope",
]
