"""Workers as programs for TensorRT-LLM import them, and what they run: one submodule."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.task import (
    AssistantMessage,
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    MCPCallTask,
    ScaffoldingOutput,
    StreamGenerationTask,
    Task,
    TaskStatus,
    TokenizeTask,
)
from scaffolding_core.tensorrt_llm.workers.apiary import ApiaryMCPWorker
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.function import FunctionWorker
from scaffolding_core.tensorrt_llm.workers.local import LocalWorker
from scaffolding_core.tensorrt_llm.workers.mcp import MCPWorker
from scaffolding_core.tensorrt_llm.workers.openai import OpenaiWorker, TRTOpenaiWorker
from scaffolding_core.tensorrt_llm.workers.trtllm import TRTLLMWorker

__all__ = [
    "ApiaryMCPWorker",
    "AssistantMessage",
    "ChatTask",
    "DropKVCacheTask",
    "FunctionWorker",
    "GenerationTask",
    "LocalWorker",
    "MCPCallTask",
    "MCPWorker",
    "OpenaiWorker",
    "ScaffoldingOutput",
    "StreamGenerationTask",
    "TRTLLMWorker",
    "TRTOpenaiWorker",
    "Task",
    "TaskStatus",
    "TokenizeTask",
    "Worker",
]
