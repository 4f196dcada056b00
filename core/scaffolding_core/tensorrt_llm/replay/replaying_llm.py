"""create_replay_scaffolding_llm: run a controller again, on the way that a trace tells."""

from __future__ import annotations

from typing import Any, Self

from scaffolding_core.controller import Steps
from scaffolding_core.tasks import Task as CoreTask
from scaffolding_core.tensorrt_llm.controller import Controller
from scaffolding_core.tensorrt_llm.execution_trace import ExecutionTrace
from scaffolding_core.tensorrt_llm.replay.filler import Tokenizer
from scaffolding_core.tensorrt_llm.replay.trace_replay_engine import TraceReplayEngine
from scaffolding_core.tensorrt_llm.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.tensorrt_llm.task import Task, TokenizeTask
from scaffolding_core.tensorrt_llm.task_collection import TaskCollection
from scaffolding_core.tensorrt_llm.task_collection.collection_watch import collected
from scaffolding_core.worker import Worker
from scaffolding_core.workers.wrapping import WrappingWorker

__all__ = ["create_replay_scaffolding_llm"]

_ANSWER = "_replayed_from"
"""Where a task has its engine and its event."""


def create_replay_scaffolding_llm(
    trace: ExecutionTrace,
    generation_worker: Worker,
    prototype_controller: Controller,
    latency_scale: float = 1.0,
    max_parallel_requests: int = 64,
    tokenizer: Tokenizer | None = None,
) -> ScaffoldingLlm:
    """A ScaffoldingLlm whose every request replays a trace; see `TraceReplayEngine`.

    A request whose controller yields what the trace does not tell of fails with `ReplayMismatchError`.

    Args:
        trace: what is replayed.
        generation_worker: runs the generations.
        prototype_controller: the controller that was recorded.
        latency_scale: what recorded times of tools are multiplied with.
        max_parallel_requests: requests at once.
        tokenizer: the model's; None for the worker's, if it has one.
    """
    known = tokenizer or getattr(generation_worker, "tokenizer", None)
    replayed = _Replayed(prototype_controller, TraceReplayEngine(trace, latency_scale, known))
    return ScaffoldingLlm(replayed, _Replaying(generation_worker), max_parallel_requests)


class _Replayed(Controller):
    """A controller whose tasks are matched with the events of a trace."""

    def __init__(self, controller: Controller, engine: TraceReplayEngine) -> None:
        self._controller = controller
        self._engine = engine

    def clone(self) -> Self:
        """For a request: from the beginning of the trace."""
        engine = self._engine
        fresh = TraceReplayEngine(engine.trace, engine.latency_scale, engine.tokenizer)
        return type(self)(self._controller.clone(), fresh)

    def generate(self, prompt: Any, **kwargs: Any) -> Steps[Any]:  # Any: the controller decides both
        """What the controller generates."""
        return collected(lambda: self._controller.generate(prompt, **kwargs), _Matching(self._engine))


class _Matching(TaskCollection):
    """Gives each task the event that answers it."""

    def __init__(self, engine: TraceReplayEngine) -> None:
        super().__init__()
        self._engine = engine

    def before_yield(self, tasks: list[Task]) -> None:
        """Match them; texts are not counted, since there are none."""
        asked = [task for task in tasks if not isinstance(task, TokenizeTask)]
        for task, event in zip(asked, self._engine.events_for(asked) if asked else (), strict=True):
            vars(task)[_ANSWER] = (self._engine, event)


class _Replaying(WrappingWorker):
    """Answers each task with its event."""

    async def run_task(self, task: CoreTask) -> None:
        """Answer it; a generation runs on the worker."""
        if _ANSWER in vars(task):
            engine, event = vars(task)[_ANSWER]
            await engine.replay(task, event, self.worker)
