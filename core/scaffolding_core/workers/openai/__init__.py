"""Any server that speaks OpenAI's API, as a backend."""

from scaffolding_core.workers.openai.perf_metrics import PerfMetrics
from scaffolding_core.workers.openai.worker import OpenAIWorker

__all__ = ["OpenAIWorker", "PerfMetrics"]
