"""Worker as TensorRT-LLM's programs use it, with its native workers beside it."""

from __future__ import annotations

from scaffolding_core.tensorrt_llm.workers.apiary import ApiaryMCPWorker
from scaffolding_core.tensorrt_llm.workers.base import Worker
from scaffolding_core.tensorrt_llm.workers.function import FunctionWorker
from scaffolding_core.tensorrt_llm.workers.local import LocalWorker
from scaffolding_core.tensorrt_llm.workers.mcp import MCPWorker
from scaffolding_core.tensorrt_llm.workers.openai import OpenaiWorker, TRTOpenaiWorker
from scaffolding_core.tensorrt_llm.workers.trtllm import TRTLLMWorker

__all__ = [
    "ApiaryMCPWorker",
    "FunctionWorker",
    "LocalWorker",
    "MCPWorker",
    "OpenaiWorker",
    "TRTLLMWorker",
    "TRTOpenaiWorker",
    "Worker",
]
