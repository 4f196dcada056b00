"""Backend: the workers behind a LangChain model, shared by its copies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_scaffolding.worker import LangChainWorker
from scaffolding_core import (
    Controller,
    FunctionWorker,
    NativeGenerationController,
    NativeRewardController,
    RewardTask,
    ScaffoldingLlm,
    Task,
    Worker,
    build_method,
    shared_local_worker,
)

__all__ = ["Backend", "Reward"]

Reward: TypeAlias = "Callable[[str, str], float] | Runnable[Any, Any] | Worker"
"""Scores an answer: a function of prompt and answer, a Runnable of `{"prompt", "answer"}`, or a worker."""


class Backend:
    """The worker of a model, and a `ScaffoldingLlm` for each of its methods.

    Copies of a model (`bind_tools`, `with_config`, configurable fields) share it, so that no copy starts
    threads, connections or an embedded model of its own.

    Args:
        worker: runs the generations; None takes the program's embedded model.
        reward: scores answers, for methods that need it.
        max_parallel_requests: calls of the model at once.
    """

    def __init__(
        self, worker: Worker | None, reward: Reward | None = None, max_parallel_requests: int = 64
    ) -> None:
        self._worker = worker
        self._reward = reward
        self._max_parallel_requests = max_parallel_requests
        self._llms: dict[object, ScaffoldingLlm] = {}
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> Backend:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self._worker, self._reward, self._max_parallel_requests)

    @property
    def worker(self) -> Worker:
        """What runs the generations."""
        if self._worker is None:
            self._worker = shared_local_worker()
        return self._worker

    def llm(self, method: str | Controller, options: Mapping[str, object]) -> ScaffoldingLlm:
        """What runs a method on the workers."""
        key = (id(method) if isinstance(method, Controller) else method, repr(sorted(options.items())))
        with self._lock:
            if key not in self._llms:
                controller = build_method(method, **options) if isinstance(method, str) else method  # type: ignore[arg-type]  # checked there
                self._llms[key] = ScaffoldingLlm(
                    controller, self._workers(), max_parallel_requests=self._max_parallel_requests
                )
            return self._llms[key]

    def close(self) -> None:
        """Close what runs; the workers stay their owner's."""
        for llm in self._llms.values():
            llm.shutdown()
        self._llms.clear()

    async def aclose(self) -> None:
        """Close what runs; the workers stay their owner's."""
        for llm in self._llms.values():
            await llm.aclose()
        self._llms.clear()

    def _workers(self) -> dict[Any, Worker]:
        workers: dict[Any, Worker] = {NativeGenerationController.WorkerTag.GENERATION: self.worker}
        if self._reward is not None:
            workers[NativeRewardController.WorkerTag.REWARD] = reward_worker(self._reward)
        return workers


def langchain_worker(model: Runnable[Any, Any], max_concurrency: int | None) -> Worker:
    """A wrapped model as a worker."""
    if max_concurrency is None:
        return LangChainWorker(model)
    return LangChainWorker(model, max_concurrency=max_concurrency)


def reward_worker(reward: Reward) -> Worker:
    """What scores answers, as a worker."""
    if isinstance(reward, Worker):
        return reward
    if isinstance(reward, Runnable):
        return FunctionWorker(lambda task: _number(reward.invoke(_question(task))))
    return FunctionWorker(lambda task: float(reward(*_question(task).values())))


def _question(task: Task) -> dict[str, str]:
    assert isinstance(task, RewardTask)
    prompt = task.input_str
    if prompt is None:
        prompt = "\n".join(message.text for message in task.messages or ())
    return {"prompt": prompt, "answer": task.response.text if task.response is not None else ""}


def _number(scored: Any) -> float:  # Any: what a Runnable returns
    if isinstance(scored, Mapping):
        scored = scored["score"]
    if isinstance(scored, AIMessage):
        scored = scored.text
    return float(scored)
