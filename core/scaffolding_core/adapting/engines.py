"""The worker of an engine in this process that the fields of another library's model name."""

from __future__ import annotations

from typing import Any

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.worker import Worker

__all__ = ["engine_worker"]


def engine_worker(
    engine: str,
    model: str,
    *,
    timeout: float | None = None,
    max_concurrency: int = Worker.max_concurrency,
    siblings: int | None = None,
) -> Worker:
    """What runs samples on an engine of its own, which can guide them; blocks until the model is loaded.

    Args:
        engine: its name: `trtllm`.
        model: the model's folder, or its name at Hugging Face.
        timeout: seconds for one sample; None leaves it to the engine's worker.
        max_concurrency: samples at once.
        siblings: samples that one call may ask for; None leaves it to the engine's worker.

    Raises:
        InvalidRequestError: no such engine, or no model.
        WorkerError: the engine does not start with that model.
        MissingExtraError: the engine is not installed.
    """
    if engine != "trtllm":
        raise InvalidRequestError(f"engine must be 'trtllm', got {engine!r}: servers are named by their address")
    if not model:
        raise InvalidRequestError(
            "engine 'trtllm' needs a model: name its folder, or give a TRTLLMWorker as worker"
        )
    from scaffolding_core.workers.trtllm import TRTLLMWorker  # only where it is wanted

    given = {"timeout": timeout, "siblings": siblings}
    limits: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return TRTLLMWorker.init_with_new_llm(
        model, max_concurrency=max_concurrency, guided_decoding_backend="xgrammar", **limits
    )
