"""ScaffoldingLlm as TensorRT-LLM's programs use it."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import scaffolding_core.scaffolding_llm as core
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.driver import Driver, Request
from scaffolding_core.driver.order import Order, ordered
from scaffolding_core.errors import ControllerError
from scaffolding_core.results import ScaffoldingOutput as CoreOutput
from scaffolding_core.tensorrt_llm.calls import checked_call
from scaffolding_core.tensorrt_llm.execution_scope import ExecutionScope
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput, ScaffoldingResult
from scaffolding_core.tensorrt_llm.scopes import InScope
from scaffolding_core.tensorrt_llm.task import GenerationTask
from scaffolding_core.tensorrt_llm.watched import watched
from scaffolding_core.worker import Worker

__all__ = ["ScaffoldingLlm"]


class ScaffoldingLlm(core.ScaffoldingLlm):
    """Runs a method on workers, for many requests at once; the core's, for programs written for TensorRT-LLM.

    A prompt is whatever the controller's `generate` takes. What the program does not catch is raised at its
    caller.

    Args:
        prototype_controller: the method; each request gets a deep copy.
        workers: workers by tag, looked up at each task, so that the mapping may grow; or one worker for every tag.
        max_parallel_requests: requests at once; further ones queue.

    Attributes:
        own_loop: whether it was made where no event loop ran, so that blocking calls use a loop of its own.

    Raises:
        InvalidRequestError: no controller, no worker, or a limit below 1.
    """

    def __init__(
        self,
        prototype_controller: Controller,
        workers: Mapping[Hashable, Worker] | Worker,
        max_parallel_requests: int = 64,
    ) -> None:
        super().__init__(prototype_controller, workers, max_parallel_requests)
        if isinstance(workers, dict):
            self._roster.by_tag = workers
        self._made_on = asyncio._get_running_loop()
        self._shown_collections = False
        self._closes_workers = False
        self._closing: asyncio.Task[None] | None = None

    @property
    def own_loop(self) -> bool:
        """Whether it was made where no event loop ran."""
        return self._made_on is None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that it was made on; else its own, which runs blocking calls."""
        return self._blocking_driver().loop if self._made_on is None else self._made_on

    def generate(self, prompts: Any, **options: object) -> Any:  # Any: a result for a prompt, a list for a list
        """Run one prompt, or a list of them at once, and block until all have finished.

        Args:
            prompts: one, of any type but a list; or a list.
            options: as for the core's `ScaffoldingLlm`.

        Raises:
            ScaffoldingError: the one request failed; of a list, each result raises its own when it is read.
        """
        if isinstance(prompts, list):
            return self._run([self._order(prompt, options) for prompt in prompts])
        return self._run([self._order(prompts, options)])[0].result()

    def generate_async(self, prompt: Any, **options: object) -> ScaffoldingResult:  # Any: as above
        """Start one prompt and return at once.

        Args:
            prompt: whatever the controller's `generate` takes.
            options: as for the core's `ScaffoldingLlm`.
        """
        return cast("ScaffoldingResult", super().generate_async(prompt, **options))

    def enable_output_task_collection(self) -> None:
        """Let each result show the task collections of its controller."""
        self._shown_collections = True

    def shutdown(self, shutdown_workers: bool = False) -> None:
        """Refuse new requests, let running ones finish, and close what was opened.

        Args:
            shutdown_workers: close the workers too: `async_shutdown` on the own loop, and `shutdown`. On a running
                loop the first cannot be waited for, and goes on afterwards; `aclose()` waits.
        """
        self._closes_workers = shutdown_workers
        super().shutdown(shutdown_workers)

    def _end(self) -> None:
        try:
            here = asyncio._get_running_loop()
            if self._closes_workers and here is not None:
                self._closing = here.create_task(self._roster.async_shutdown())
            elif self._closes_workers:
                run = asyncio.run if self._own_loop is None else self._own_loop.run
                run(self._roster.async_shutdown())
        finally:
            super()._end()

    def _order(self, prompt: Any, options: Mapping[str, object]) -> _Order:  # Any: as above
        method = self.prototype_controller
        return ordered(_Order(prompt, GenerationTask(), method=method.clone()), options, method, self._options)

    def _begin(self, request: Request) -> Steps[CoreOutput]:
        order = cast("_Order", request.order)
        method = order.method
        assert method is not None
        generator = method.generate(order.prompt, **order.task.sampling(), **order.options)
        returned = yield from watched(generator, InScope(ExecutionScope(str(request.id)), request.end_scope))
        try:
            return ScaffoldingOutput.of(returned)
        except TypeError as error:
            name = type(method).__name__
            raise ControllerError(f"generate() of {name} must return a ScaffoldingOutput, {error}") from error

    def _request(self, order: Order, driver: Driver) -> Request:
        request = super()._request(order, driver)
        request.around = checked_call(request.around)
        return request

    def _result(self, request: Request) -> ScaffoldingResult:
        method = cast("_Order", request.order).method
        collections: Mapping[str, object] = getattr(method, "task_collections", {})  # the core's methods have none
        return ScaffoldingResult(request.state, collections if self._shown_collections else None)


@dataclass(slots=True)
class _Order(Order):
    """An order with the controller that carries it out."""

    method: Controller | None = None
