"""Tasks, messages and outputs as programs for TensorRT-LLM import them: one submodule."""

from __future__ import annotations

from scaffolding_core.messages import OpenAIToolDescription, ToolDescription
from scaffolding_core.tensorrt_llm.message import (
    AssistantMessage,
    RoleMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput
from scaffolding_core.tensorrt_llm.tasks.base import Task
from scaffolding_core.tensorrt_llm.tasks.chat import ChatTask
from scaffolding_core.tensorrt_llm.tasks.drop_kv_cache import DropKVCacheTask
from scaffolding_core.tensorrt_llm.tasks.generation import GenerationTask
from scaffolding_core.tensorrt_llm.tasks.reward import RewardTask
from scaffolding_core.tensorrt_llm.tasks.status import TaskStatus
from scaffolding_core.tensorrt_llm.tasks.stream import StreamGenerationTask
from scaffolding_core.tensorrt_llm.tasks.tokenize import TokenizeTask
from scaffolding_core.tensorrt_llm.tasks.tool_call import MCPCallTask

__all__ = [
    "AssistantMessage",
    "ChatTask",
    "DropKVCacheTask",
    "GenerationTask",
    "MCPCallTask",
    "OpenAIToolDescription",
    "RewardTask",
    "RoleMessage",
    "ScaffoldingOutput",
    "StreamGenerationTask",
    "SystemMessage",
    "Task",
    "TaskStatus",
    "TokenizeTask",
    "ToolDescription",
    "ToolMessage",
    "UserMessage",
]
