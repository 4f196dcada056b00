"""FunctionWorker: a function as a backend."""

from __future__ import annotations

import scaffolding_core.workers.function as core
from scaffolding_core.tensorrt_llm.workers.base import Worker

__all__ = ["FunctionWorker"]


class FunctionWorker(Worker, core.FunctionWorker):
    """The core's `FunctionWorker`, with a status."""
