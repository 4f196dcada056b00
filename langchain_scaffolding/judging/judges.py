"""Runnables that find answers, and that tell which are the same."""

from __future__ import annotations

from typing import Any

from langchain_core.runnables import Runnable

from langchain_scaffolding.judging.verdicts import answer_of, verdict_of
from langchain_scaffolding.tracing.inner_runs import call_inside, run_inside
from langchain_scaffolding.translation.results import text_of
from scaffolding_core import (
    Answer,
    AssistantMessage,
    ComputeTask,
    Equivalence,
    Extractor,
    InvalidRequestError,
    Normalised,
)
from scaffolding_core.adapting import Classes, computing

__all__ = ["FromRunnable", "SameByRunnable"]


class FromRunnable(Extractor):
    """The answer that a Runnable finds in a sample.

    Cost: one call of the Runnable for each sample.

    Args:
        runnable: takes `{"answer": ..., "result": ...}`, the sample's text and the whole message or chain
            result behind it; returns the answer as text, a message or data, or None or an empty text where
            there is none, so that the sample abstains. A failure of it ends the request.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    costly = True

    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self.runnable = _checked(runnable, "FromRunnable")

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The answer, by a blocking call."""
        return answer_of(call_inside(self.runnable, _sample(message), computing.get() or ComputeTask()))

    def as_task(self, message: AssistantMessage) -> ComputeTask:
        """The answer, as a task that shows in tracing and tells its usage."""
        task = ComputeTask()

        async def find() -> Answer | None:
            return answer_of(await run_inside(self.runnable, _sample(message), task))

        task.function = find
        return task


class SameByRunnable(Equivalence):
    """Answers of which a Runnable says that they are the same.

    Each new answer is compared with the first answer of each class so far, in order, until one is the same:
    so equality is transitive, whatever the Runnable says of other pairs. Answers that `Normalised` takes for
    the same need no call.

    Cost: for each answer at most one call of the Runnable for each class before it, one after another.

    Args:
        runnable: takes `{"first": ..., "second": ...}`, two answers as text, data as JSON; returns a truth
            value, yes or no, or a score from 0 to 1. A failure of it, or anything else, ends the request.

    Raises:
        InvalidRequestError: not a Runnable.
    """

    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self.runnable = _checked(runnable, "SameByRunnable")

    def classes(self) -> Classes:
        """Empty classes, for one request."""
        return _JudgedClasses(self.runnable)


class _JudgedClasses(Classes):
    costly = True

    def __init__(self, runnable: Runnable[Any, Any]) -> None:
        self._runnable = runnable
        self._alike = Normalised()
        self._numbers: dict[object, int] = {}
        self._first: list[str] = []

    def assign(self, answer: Answer) -> int:
        """The number of the answer's class, by blocking calls."""
        key, text = self._alike.key(answer), text_of(answer)
        if key not in self._numbers:
            spent = computing.get() or ComputeTask()
            said = (call_inside(self._runnable, _pair(first, text), spent) for first in self._first)
            self._take(key, text, next((n for n, same in enumerate(map(verdict_of, said)) if same), None))
        return self._numbers[key]

    def as_task(self, answer: Answer) -> ComputeTask:
        """The number of the answer's class, as a task that shows in tracing and tells its usage."""
        task = ComputeTask()
        key, text = self._alike.key(answer), text_of(answer)

        async def compare() -> int:
            if key not in self._numbers:
                self._take(key, text, await self._like(text, task))
            return self._numbers[key]

        task.function = compare
        return task

    async def _like(self, text: str, task: ComputeTask) -> int | None:
        for number, first in enumerate(self._first):
            if verdict_of(await run_inside(self._runnable, _pair(first, text), task)):
                return number
        return None

    def _take(self, key: object, text: str, number: int | None) -> None:
        if number is None:
            number = len(self._first)
            self._first.append(text)
        self._numbers[key] = number


def _checked(runnable: object, name: str) -> Runnable[Any, Any]:
    if not isinstance(runnable, Runnable):
        raise InvalidRequestError(f"{name} needs a Runnable, got {runnable!r}")
    return runnable


def _sample(message: AssistantMessage) -> dict[str, object]:
    return {"answer": message.text, "result": message.original}


def _pair(first: str, second: str) -> dict[str, str]:
    return {"first": first, "second": second}
