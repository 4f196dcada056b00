"""Controller and ParallelProcess as TensorRT-LLM's programs use them, with its native controllers beside them."""

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

__all__ = [
    "BestOfNController",
    "ChatWithMCPController",
    "Controller",
    "MajorityVoteController",
    "NativeChatController",
    "NativeGenerationController",
    "NativeRewardController",
    "PRMController",
    "ParallelProcess",
    "ScaffoldingOutput",
]
