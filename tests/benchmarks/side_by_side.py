"""Calls timed side by side, in CPU time of the process."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

CALLS = 40
ROUNDS = 9


@dataclass(frozen=True)
class Rounds:
    """CPU seconds of `CALLS` calls of each kind, in each round."""

    seconds: list[dict[str, float]]

    def microseconds(self) -> dict[str, float]:
        """Of one call of each kind: the median."""
        return {name: statistics.median(r[name] for r in self.seconds) / CALLS * 1e6 for name in self.seconds[0]}

    def ratio(self, one: str, other: str) -> float:
        """Of two kinds of calls: the median over the rounds."""
        return statistics.median(r[one] / r[other] for r in self.seconds)

    def beside(self, whole: str, *parts: str) -> float:
        """Microseconds that a call takes beside others that do its parts: the median."""
        return statistics.median(r[whole] - sum(r[part] for part in parts) for r in self.seconds) / CALLS * 1e6


def timed(calls: Mapping[str, Callable[[], Awaitable[object]]]) -> Rounds:
    """Time each kind of call in each round, on a loop of its own."""
    return Rounds([{name: asyncio.run(_timed(call)) for name, call in calls.items()} for _ in range(ROUNDS)])


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    """One after another, once warm."""
    await call()
    started = time.process_time()
    for _ in range(CALLS):
        await call()
    return time.process_time() - started
