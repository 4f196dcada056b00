"""Run: one of several runs of an agent, and what it has to itself."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from scaffolding_core.errors import InvalidRequestError, RunCutError

if TYPE_CHECKING:
    from scaffolding_core.runs.runs import Runs

__all__ = ["Run", "current_run", "per_run", "workspace"]

T = TypeVar("T")

current_run: ContextVar[Run | None] = ContextVar("current_run", default=None)
"""The run that this is part of."""


class Run:
    """One of several runs of an agent, and what it has to itself.

    Attributes:
        index: in the order in which they began.
        folder: to work in; None where no workspace is set.
        scores: how far it had come after each step, as it was told.
        result: what it came to; None as long as it has not.
        ended: whether it has ended.
    """

    def __init__(self, runs: Runs, index: int) -> None:
        self.index = index
        self.folder: Path | None = None
        self.scores: list[float] = []
        self.result: object = None
        self.ended = False
        self._runs = runs
        self._made: dict[Callable[[], Any], Any] = {}
        self._lock = threading.Lock()

    @property
    def hopeless(self) -> bool:
        """Whether it has ended without a result."""
        return self.ended and self.result is None

    def state(self, make: Callable[[], T]) -> T:
        """What a function makes, once in each run: a tool's state. It is closed, where it can be, with the run.

        Args:
            make: returns it.
        """
        with self._lock:
            if make not in self._made:
                self._made[make] = make()
            return cast("T", self._made[make])

    def progress(
        self,
        score: float,
        *,
        margin: float | None = None,
        threshold: float | None = None,
        after: int = 1,
        patience: int = 1,
    ) -> None:
        """Tell how far it has come, after a step of it: it ends here if others are further.

        The last run that may still come to a result is never ended.

        Args:
            score: higher is further.
            margin: it ends where it is further than that behind the best of the others, after as many steps.
            threshold: it ends where it is below.
            after: steps that every run has.
            patience: steps for which it must have been so.

        Raises:
            RunCutError: it ends.
        """
        with self._runs.lock:
            self.scores.append(score)
            others = [run for run in self._runs.all if run is not self and not run.hopeless]
            steps = range(max(len(self.scores) - patience, 0), len(self.scores))
            if not others or len(self.scores) < after or len(steps) < patience:
                return
            if all(self._is_behind(step, others, margin, threshold) for step in steps):
                self.ended = True
                raise RunCutError(
                    f"run {self.index} was cut after {len(self.scores)} steps: it had come to {score:g}"
                )

    def _is_behind(self, step: int, others: list[Run], margin: float | None, threshold: float | None) -> bool:
        score = self.scores[step]
        if threshold is not None and score < threshold:
            return True
        best = max((run.scores[step] for run in others if len(run.scores) > step), default=None)
        return margin is not None and best is not None and score < best - margin

    def close(self) -> None:
        """Close what was made for it."""
        for made in self._let_go():
            close = getattr(made, "close", None)
            if close is not None and not inspect.iscoroutinefunction(close):
                close()

    async def aclose(self) -> None:
        """As `close`, and by `aclose` where there is one."""
        for made in self._let_go():
            close = getattr(made, "aclose", None) or getattr(made, "close", None)
            if close is not None and inspect.isawaitable(closing := close()):
                await closing

    def _let_go(self) -> list[Any]:
        with self._lock:
            made, self._made = list(self._made.values()), {}
        return made


def workspace(default: Path | None = None) -> Path:
    """The folder of the run that this is part of, for its tools.

    Nothing keeps a tool from writing elsewhere: it has to ask for this.

    Args:
        default: outside runs.

    Raises:
        InvalidRequestError: this is in no run, or in one without a folder, and there is no default.
    """
    run = current_run.get()
    folder = default if run is None or run.folder is None else run.folder
    if folder is None:
        raise InvalidRequestError(
            "there is no run with a folder here: set workspace=, or give workspace() a default"
        )
    return folder


def per_run(make: Callable[[], T]) -> Callable[[], T]:
    """What tools keep between calls, made anew for each run, and for all that is outside of any.

    .. code-block:: python

        browser = per_run(Browser)

        @tool
        def click(button: str) -> str:
            return browser().click(button)

    Args:
        make: returns it; where it has `close` or, in async calls, `aclose`, the end of the run calls that.
    """
    outside: list[T] = []

    def mine() -> T:
        run = current_run.get()
        if run is not None:
            return run.state(make)
        if not outside:
            outside.append(make())
        return outside[0]

    return mine
