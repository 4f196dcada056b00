"""Controllers as programs for TensorRT-LLM import them, and what they run: one submodule."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.controllers.base import Controller, ParallelProcess
from scaffolding_core.tensorrt_llm.controllers.best_of_n import BestOfNController
from scaffolding_core.tensorrt_llm.controllers.chat_with_mcp import ChatWithMCPController
from scaffolding_core.tensorrt_llm.controllers.majority_vote import MajorityVoteController
from scaffolding_core.tensorrt_llm.controllers.native_chat import NativeChatController
from scaffolding_core.tensorrt_llm.controllers.native_generation import NativeGenerationController
from scaffolding_core.tensorrt_llm.controllers.native_reward import NativeRewardController
from scaffolding_core.tensorrt_llm.controllers.prm import PRMController
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput
from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    GenerationTask,
    MCPCallTask,
    RoleMessage,
    SystemMessage,
    Task,
    ToolMessage,
    UserMessage,
)

__all__ = [
    "AssistantMessage",
    "BestOfNController",
    "ChatTask",
    "ChatWithMCPController",
    "Controller",
    "GenerationTask",
    "MCPCallTask",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "PRMController",
    "ParallelProcess",
    "RoleMessage",
    "ScaffoldingOutput",
    "SystemMessage",
    "Task",
    "ToolMessage",
    "UserMessage",
]
