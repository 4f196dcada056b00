"""A `tensorrt_llm.LLM` in this process, as a backend."""

from scaffolding_core.workers.trtllm.worker import TRTLLMWorker

__all__ = ["TRTLLMWorker"]
