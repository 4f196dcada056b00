"""async_scaffolding_benchmark: run many requests, and time each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, NamedTuple, TypeAlias, overload

from pydantic import BaseModel

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.tensorrt_llm.load_generation_strategy import ConcurrentStrategy, LoadGenerationStrategy
from scaffolding_core.tensorrt_llm.result import ScaffoldingResult
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task_collection import TaskCollection, with_task_collection
from scaffolding_core.tensorrt_llm.together import together

__all__ = ["ScaffoldingBenchRequest", "async_scaffolding_benchmark"]


class ScaffoldingBenchRequest(BaseModel):
    """One request.

    Args:
        prompt: its prompt.
        scope_params: for the workers that keep something for each request, as a sandbox.
    """

    prompt: str
    scope_params: dict[str, str | list[str]] | None = None


_Timed: TypeAlias = tuple[list[ScaffoldingResult], list[float], float]
_TimedWithStarts: TypeAlias = tuple[list[ScaffoldingResult], list[float], list[float], float]


@overload
async def async_scaffolding_benchmark(
    scaffolding_llm: ScaffoldingLlm,
    task_collection_types: Mapping[str, type[TaskCollection]],
    requests: Sequence[ScaffoldingBenchRequest],
    concurrency: int,
) -> _Timed: ...


@overload
async def async_scaffolding_benchmark(
    scaffolding_llm: ScaffoldingLlm,
    task_collection_types: Mapping[str, type[TaskCollection]],
    requests: Sequence[ScaffoldingBenchRequest],
    concurrency: int | None = None,
    *,
    strategy: LoadGenerationStrategy,
) -> _TimedWithStarts: ...


async def async_scaffolding_benchmark(
    scaffolding_llm: ScaffoldingLlm,
    task_collection_types: Mapping[str, type[TaskCollection]],
    requests: Sequence[ScaffoldingBenchRequest],
    concurrency: int | None = None,
    strategy: LoadGenerationStrategy | None = None,
) -> _Timed | _TimedWithStarts:
    """Run requests, and time each.

    Args:
        scaffolding_llm: what runs them; its results show their task collections from then on.
        task_collection_types: collections for its controller's class, by name.
        requests: what is run.
        concurrency: requests at once; or
        strategy: when each is sent, and how many run at once.

    Returns:
        The results, the seconds of each, and the seconds of all, in the order of the requests. With a strategy,
        second comes when each was sent, as `time.time()` has it.

    Raises:
        InvalidRequestError: neither concurrency nor strategy.
        ScaffoldingError: a request failed; the others are cancelled.
    """
    if strategy is None and concurrency is None:
        raise InvalidRequestError("async_scaffolding_benchmark needs a concurrency or a strategy")
    _collect(scaffolding_llm, task_collection_types)
    begun = time.perf_counter()
    timed = await _run_all(scaffolding_llm, requests, strategy or ConcurrentStrategy(concurrency=concurrency or 0))
    total = time.perf_counter() - begun
    results, seconds = [one.result for one in timed], [one.seconds for one in timed]
    if strategy is None:
        return results, seconds, total
    return results, [one.start for one in timed], seconds, total


class _TimedRequest(NamedTuple):
    result: ScaffoldingResult
    start: float
    seconds: float


def _collect(llm: ScaffoldingLlm, collections: Mapping[str, type[TaskCollection]]) -> None:
    controller: Any = llm.prototype_controller  # Any: the core's have no collections
    for name, collection in collections.items():
        with_task_collection(name, collection)(type(controller))
        controller.task_collections[name] = collection()  # it may have one of an earlier benchmark
    llm.enable_output_task_collection()


async def _run_all(
    llm: ScaffoldingLlm, requests: Sequence[ScaffoldingBenchRequest], strategy: LoadGenerationStrategy
) -> list[_TimedRequest]:
    slots = strategy.get_semaphore()
    async with aclosing(strategy.request_times()) as moments:
        planned = [(request, await anext(moments)) for request in requests]
    return await together(_run(llm, request, moment, slots) for request, moment in planned)


async def _run(
    llm: ScaffoldingLlm,
    request: ScaffoldingBenchRequest,
    moment: float,
    slots: AbstractAsyncContextManager[Any],  # Any: nobody reads what it gives
) -> _TimedRequest:
    await asyncio.sleep(max(0.0, moment - time.time()))
    async with slots:
        start, begun = time.time(), time.perf_counter()
        result = llm.generate_async(request.prompt)
        _tell_workers(llm, request, result.id)
        try:
            await result.aresult()
        except asyncio.CancelledError:
            result.cancel()
            raise
        return _TimedRequest(result, start, time.perf_counter() - begun)


def _tell_workers(llm: ScaffoldingLlm, request: ScaffoldingBenchRequest, request_id: str) -> None:
    if request.scope_params is None:
        return
    for worker in {id(worker): worker for worker in llm.workers.values()}.values():
        tell = getattr(worker, "set_scope_params", None)
        if callable(tell):
            tell(request_id, **request.scope_params)
