"""Backend: one worker, and whatever methods are asked of it; what a model of another library holds."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Hashable, Mapping
from typing import Any

from scaffolding_core.adapting.option_key import option_key
from scaffolding_core.controller import Controller, roles_of
from scaffolding_core.controllers import NativeChatController, NativeGenerationController
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.methods import build_method
from scaffolding_core.model_info import ModelInfo
from scaffolding_core.rewards import RewardLike
from scaffolding_core.roles import CODE, GENERATION, JUDGE, cast_of, check_names, check_roles, sandbox
from scaffolding_core.scaffolding_llm import ScaffoldingLlm
from scaffolding_core.threads import wait_for
from scaffolding_core.worker import Worker

__all__ = ["Backend"]

ASKING_SECONDS = 2.0
"""Longest time that somebody waits for what a backend tells of its model."""

NOT_ASKED_AGAIN_SECONDS = 30.0
"""Time for which a backend that did not tell is left alone."""

KEPT_METHODS = 32
"""Methods whose `ScaffoldingLlm` is kept for the next call; options may be made anew for each, without end."""


class Backend:
    """The worker of a model, and a `ScaffoldingLlm` for each of its methods; those used last are kept.

    Args:
        worker: runs the generations; None takes the program's embedded model.
        reward: scores answers, for methods that need it: the role `reward`; see `RewardLike`.
        max_parallel_requests: requests of each method at once.
        generation: what each named method generates with.
        roles: a worker for each further role, or a reward for one that scores. The worker itself plays `judge`
            where nobody is given for it and it can.
        closes_worker: whether the worker is closed with it; else it stays its owner's.
        can_judge: whether the worker answers any prompt, as a model does and a pipeline does not.
        options: of each request that gives none of its own.

    Raises:
        InvalidRequestError: a role that is given twice, or to what is no worker.
    """

    def __init__(
        self,
        worker: Worker | None,
        reward: RewardLike | None = None,
        max_parallel_requests: int = 64,
        generation: type[NativeGenerationController] = NativeChatController,
        roles: Mapping[Hashable, RewardLike] | None = None,
        closes_worker: bool = False,
        can_judge: bool = True,
        options: Mapping[str, object] | None = None,
    ) -> None:
        self._worker = worker
        self._cast = cast_of(reward, roles or {})
        self._given = frozenset(roles or ())
        self._by_itself = {GENERATION, JUDGE} if can_judge else {GENERATION}
        self._max_parallel_requests = max_parallel_requests
        self._options = options
        self._generation = generation
        self._closes_worker = closes_worker
        self._sandbox: Worker | None = None
        self._llms: dict[Hashable, ScaffoldingLlm] = {}
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._ask_after = -math.inf

    @property
    def worker(self) -> Worker:
        """What runs the generations."""
        if self._worker is not None:
            return self._worker
        from scaffolding_core.workers.local import shared_local_worker  # its HTTP client loads slowly

        return shared_local_worker()

    @property
    def known_model(self) -> ModelInfo:
        """What the worker knows of its model so far."""
        known: ModelInfo = getattr(self.worker, "model_info", Worker.model_info)  # one of TensorRT-LLM's has none
        return known

    def model_info(self, given: ModelInfo, *, on_loop: bool) -> ModelInfo:
        """What is known of the model: what was given, then what the worker knows, then what its backend tells.

        The backend is asked only for what is still lacking, and until it has answered once.

        Cost: at most `ASKING_SECONDS` of blocking; mostly one small request.

        Args:
            given: by the user; it counts.
            on_loop: ask also where an event loop runs in this thread, which is held up meanwhile.
        """
        known = given.or_else(self.known_model)
        if known.is_complete or (asyncio._get_running_loop() is not None and not on_loop):
            return known
        self._ask()
        return given.or_else(self.known_model)

    def _ask(self) -> None:
        with self._asking:
            if time.monotonic() < self._ask_after:
                return
            try:
                if isinstance(self.worker, Worker):
                    wait_for(self.worker.learn_model, ASKING_SECONDS)
                self._ask_after = math.inf
            except (WorkerError, TimeoutError):  # who asks can do without; a call will say what is wrong
                self._ask_after = time.monotonic() + NOT_ASKED_AGAIN_SECONDS

    def llm(self, method: str | Controller, options: Mapping[str, Any]) -> ScaffoldingLlm:
        """What runs a method on the worker.

        Args:
            method: a name, or a controller, which stays as it is.
            options: of the method's class; a controller has them already.

        Raises:
            UnknownMethodError: no method of that name.
            InvalidRequestError: options that the method does not have or that come beside a controller.
            MissingWorkerError: nobody for a role that the method needs.
            MissingExtraError: it runs code, and the sandbox is not installed.
        """
        key = (method if isinstance(method, str) else id(method), option_key(options))
        with self._lock:
            llm = self._llms.pop(key, None)
            if llm is None:
                controller = self.controller(method, options)
                mine: dict[Hashable, Worker] = dict.fromkeys(self._by_itself, self.worker)
                workers = {**mine, **self._others}
                llm = ScaffoldingLlm(controller, workers, self._max_parallel_requests, options=self._options)
            self._llms[key] = llm  # as the latest
            if len(self._llms) > KEPT_METHODS:
                del self._llms[next(iter(self._llms))]  # it ends by itself once nobody waits for its requests
            return llm

    def controller(self, method: str | Controller, options: Mapping[str, Any]) -> Controller:
        """The controller that `llm` runs, with the same arguments and errors; nothing is started for it."""
        controller = self._cast.plays(self._built(method, options))
        named = method if isinstance(method, str) else type(method).__name__
        check_names(controller, named, self._given)
        if self._sandbox is None and CODE in roles_of(controller) - self._cast.workers.keys():
            self._sandbox = sandbox()
        check_roles(controller, named, self._by_itself | self._others.keys())
        return controller

    @property
    def _others(self) -> Mapping[Hashable, Worker]:
        """Who plays the roles beside generation; a sandbox that nobody gave is its own."""
        return self._cast.workers if self._sandbox is None else {CODE: self._sandbox, **self._cast.workers}

    def _built(self, method: str | Controller, options: Mapping[str, Any]) -> Controller:
        if not isinstance(method, str):
            for name in options:
                raise InvalidRequestError(f"the method is a controller already: give {name!r} to the controller")
            return method
        given = dict(options)
        generation = self._generation(given.pop("sampling_params", None))
        return build_method(method, **{"generation": generation, **given})

    def close(self) -> None:
        """Let what runs finish, and close it; what a caller would wait for in vain ends by itself, when it can."""
        llms = self._let_go()
        left = [llm for llm in llms if llm.runs_here or llm.runs_caller]
        for llm in llms:
            if llm not in left:
                llm.shutdown()
        for worker in self._own_workers() if not left else ():
            worker.shutdown()

    async def aclose(self) -> None:
        """As `close`, and waits for what runs on the running event loop."""
        llms = self._let_go()
        left = [llm for llm in llms if llm.runs_caller]
        for llm in llms:
            if llm not in left:
                await llm.aclose()
        for worker in self._own_workers() if not left else ():
            await worker.async_shutdown()

    def _own_workers(self) -> list[Worker]:
        """Those that are closed with it."""
        mine = [self._worker if self._closes_worker else None, self._sandbox]
        return [*(worker for worker in mine if worker is not None), *self._cast.opened]

    def _let_go(self) -> list[ScaffoldingLlm]:
        with self._lock:
            llms, self._llms = list(self._llms.values()), {}
        return llms
