"""Load strategies: when the requests of a benchmark are sent, and how many of them run at once."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

__all__ = [
    "ConcurrentStrategy",
    "ConstantRateStrategy",
    "LoadGenerationStrategy",
    "PoissonRateStrategy",
    "PoissonWarmupStrategy",
    "SynchronousStrategy",
    "ThroughputStrategy",
    "UniformWarmupStrategy",
]


class LoadGenerationStrategy(BaseModel, ABC):
    """When requests are sent. Subclass it and override `_generate_request_times`.

    Args:
        strategy_type: its name.
        start_time: when it starts, as `time.time()` has it; None for whenever `request_times` is asked anew.
        max_concurrency: requests at once; None for no limit.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    strategy_type: str
    start_time: float | None = None
    max_concurrency: int | None = Field(default=None, gt=0)
    _last_start: float | None = PrivateAttr(default=None)  # of its own, not given

    def get_semaphore(self) -> AbstractAsyncContextManager[Any]:  # Any: nobody reads what it gives
        """What each request holds while it runs."""
        return nullcontext() if self.max_concurrency is None else asyncio.Semaphore(self.max_concurrency)

    async def request_times(self) -> AsyncGenerator[float, None]:
        """When each request is to be sent, as `time.time()` has it; there is no end of them."""
        if self.start_time in (None, self._last_start):
            self.start_time = self._last_start = time.time()
        async for moment in self._generate_request_times():
            yield moment

    @abstractmethod
    def _generate_request_times(self) -> AsyncGenerator[float, None]:
        """When each request is to be sent; `start_time` is set."""

    def __str__(self) -> str:
        return self.strategy_type


class _AtOnce(LoadGenerationStrategy):
    """As soon as it may run."""

    async def _generate_request_times(self) -> AsyncGenerator[float, None]:
        while True:
            yield time.time()


class SynchronousStrategy(_AtOnce):
    """One request after another."""

    strategy_type: str = "synchronous"

    def get_semaphore(self) -> AbstractAsyncContextManager[Any]:  # Any: as above
        """What each request holds while it runs."""
        return asyncio.Semaphore(1)


class ConcurrentStrategy(_AtOnce):
    """So many clients, each of which sends a request once its last is answered.

    Args:
        concurrency: clients.
    """

    strategy_type: str = "concurrent"
    concurrency: int = Field(gt=0)

    def get_semaphore(self) -> AbstractAsyncContextManager[Any]:  # Any: as above
        """What each request holds while it runs."""
        return asyncio.Semaphore(self.concurrency)

    def __str__(self) -> str:
        return f"{self.strategy_type}@{self.concurrency}"


class ThroughputStrategy(_AtOnce):
    """All requests at once, as far as `max_concurrency` lets them."""

    strategy_type: str = "throughput"


class _Scheduled(LoadGenerationStrategy):
    """At moments that are known beforehand."""

    @abstractmethod
    def _moments(self) -> Iterator[float]:
        """Seconds from the start."""

    async def _generate_request_times(self) -> AsyncGenerator[float, None]:
        start = self.start_time
        assert start is not None
        for moment in self._moments():
            yield start + moment


class _Rate(_Scheduled):
    """So many requests a second, without an end.

    Args:
        rate: requests a second.
        initial_burst: send the first second's requests at once.
    """

    rate: float = Field(gt=0)
    initial_burst: bool = False

    def __str__(self) -> str:
        return f"{self.strategy_type}@{self.rate:.2f}"


class ConstantRateStrategy(_Rate):
    """A request every `1 / rate` seconds; see `LoadGenerationStrategy` for the limit."""

    strategy_type: str = "constant"

    def _moments(self) -> Iterator[float]:
        first = 0
        if self.initial_burst:
            yield from itertools.repeat(0.0, math.floor(self.rate))
            first = 1
        for number in itertools.count(first):
            yield number / self.rate


class PoissonRateStrategy(_Rate):
    """Requests at random, `rate` a second on average, as independent users send them.

    Args:
        random_seed: the same seed gives the same moments.
    """

    strategy_type: str = "poisson"
    random_seed: int = 42

    def _moments(self) -> Iterator[float]:
        draws = random.Random(self.random_seed)
        yield from itertools.repeat(0.0, math.floor(self.rate) if self.initial_burst else 1)
        moment = 0.0
        while True:
            moment += draws.expovariate(self.rate)
            yield moment


class _Warmup(_Scheduled):
    """A known number of requests, the first at once and the last at the end of a window; further ones go with it.

    Args:
        num_requests: how many.
        warmup_window: seconds.
    """

    num_requests: int = Field(gt=0)
    warmup_window: float = Field(gt=0)

    @abstractmethod
    def _gaps(self) -> list[float]:
        """How far the requests are from one another, in whatever unit."""

    def _moments(self) -> Iterator[float]:
        yield 0.0
        passed = list(itertools.accumulate(self._gaps()))
        yield from (self.warmup_window * one / passed[-1] for one in passed)
        yield from itertools.repeat(self.warmup_window)

    def __str__(self) -> str:
        return f"{self.strategy_type}[n={self.num_requests}, window={self.warmup_window}s]"


class PoissonWarmupStrategy(_Warmup):
    """Requests at random within a window.

    Args:
        random_seed: the same seed gives the same moments.
    """

    strategy_type: str = "poisson_warmup"
    random_seed: int = 42

    def _gaps(self) -> list[float]:
        draws = random.Random(self.random_seed)
        return [draws.expovariate(1.0) for _ in range(self.num_requests - 1)]


class UniformWarmupStrategy(_Warmup):
    """Requests evenly spread over a window."""

    strategy_type: str = "uniform_warmup"

    def _gaps(self) -> list[float]:
        return [1.0] * (self.num_requests - 1)
