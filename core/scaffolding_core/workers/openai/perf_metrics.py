"""PerfMetrics: what trtllm-serve has measured of one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from scaffolding_core.errors import WorkerError
from scaffolding_core.workers.openai.server import OpenAIServer

__all__ = ["PerfMetrics", "perf_metrics"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfMetrics:
    """What trtllm-serve has measured of one request; None for what it does not tell.

    Times are seconds on the server's steady clock, blocks are those of its KV cache.

    Source: `GET /perf_metrics` of trtllm-serve.

    Attributes:
        request_id: the server's number of the request.
        server_arrival_time: when the HTTP server had it.
        arrival_time: when the engine had it.
        first_scheduled_time: when the engine began with it.
        first_token_time: when the engine had its first token.
        server_first_token_time: when the HTTP server had that.
        last_token_time: when the engine had its last token.
        num_total_allocated_blocks: blocks that it used.
        num_new_allocated_blocks: those of them that were new.
        num_reused_blocks: those that an earlier request had filled.
        num_missed_blocks: those that might have been filled, and were not.
        original: all that the server tells of it.
    """

    request_id: int
    server_arrival_time: float | None = None
    arrival_time: float | None = None
    first_scheduled_time: float | None = None
    first_token_time: float | None = None
    server_first_token_time: float | None = None
    last_token_time: float | None = None
    num_total_allocated_blocks: int | None = None
    num_new_allocated_blocks: int | None = None
    num_reused_blocks: int | None = None
    num_missed_blocks: int | None = None
    original: Mapping[str, Any]  # whatever JSON holds

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Read one entry of the server's list.

        Raises:
            LookupError, TypeError, AttributeError: it has another shape.
        """
        measured = told["perf_metrics"]
        numbers = {**(measured.get("timing_metrics") or {}), **(measured.get("kv_cache_metrics") or {})}
        known = {name: number for name, number in numbers.items() if name in cls.__slots__}
        return cls(request_id=told["request_id"], original=told, **known)


async def perf_metrics(server: OpenAIServer) -> list[PerfMetrics]:
    """What a server has measured of the requests that have ended since it was asked last.

    Raises:
        WorkerError: it measures nothing of the kind, or does not answer.
    """
    try:
        told = await server.ask("/perf_metrics", beside="/v1")
        if told.served:
            return [PerfMetrics.of(each) for each in told.what]
    except (LookupError, TypeError, ValueError, AttributeError):
        pass
    raise WorkerError(f"{server.base_url} tells no perf_metrics: only trtllm-serve does")
