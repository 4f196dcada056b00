"""Asking: many questions to a judge at the same time, each of which may fail by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from scaffolding_core.controller import Race, Steps
from scaffolding_core.errors import BudgetExceededError, InsufficientSamplesError, WorkerError

__all__ = ["Asking"]

Said = TypeVar("Said")


@dataclass(slots=True)
class Asking:
    """How often a judge was asked.

    Attributes:
        judged: how often it gave a verdict.
        failed: how often it gave none.
    """

    judged: int = field(default=0, init=False)
    failed: int = field(default=0, init=False)

    def ask(self, questions: Iterable[Steps[Said]], take: Callable[[int, Said], None]) -> Steps[None]:
        """Put questions to the judge, all at the same time; one without a verdict costs that one alone.

        Args:
            questions: each returns a verdict.
            take: is given each verdict as it comes, with the place of its question.

        Raises:
            BudgetExceededError: budget or deadline ran out before all had ended.
            WorkerError: one that every other question would meet.
        """
        race = Race(questions, failures="values", all_needed=True)
        end: BudgetExceededError | None = None
        while (outcome := (yield race)) is not None:
            error = outcome.error
            if isinstance(error, BudgetExceededError):
                race.ahead, end = 0, error
            elif isinstance(error, WorkerError | InsufficientSamplesError) and error.recurs != "always":
                self.failed += 1
            elif error is not None:
                raise error
            else:
                self.judged += 1
                take(outcome.index, outcome.value)
        if end is not None:
            raise end
