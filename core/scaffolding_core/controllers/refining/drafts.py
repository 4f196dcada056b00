"""Drafts: the answers of a method that makes one after another."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Outcome, Race, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.prompting.beside import said
from scaffolding_core.controllers.refining.asking import FAILURES, generated, same
from scaffolding_core.controllers.samples import seeded
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.results import Candidate, DecisionEvent, ScaffoldingOutput, Stopped
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["Drafts"]


class Drafts:
    """The answers to one task, made one after another, each a candidate; an answer that is paid is never lost.

    Args:
        method: makes them.
        task: what they answer.
        options: of the method's `process`.

    Attributes:
        candidates: the drafts, in order; behind them why there are no more, where something failed.
        stopped: why no more came.
    """

    def __init__(self, method: Controller, task: GenerationTask, options: Mapping[str, object]) -> None:
        self.method = method
        self.task = task
        self.options = options
        self.candidates: list[Candidate] = []
        self.stopped: Stopped = "complete"
        self._tasks: list[GenerationTask] = []
        self._calls = 0

    def made(self, steps: Steps[None]) -> Steps[None]:
        """Run the steps that make drafts; a failure, or the end of the budget, ends them.

        Raises:
            BudgetExceededError: there is no draft yet.
            InsufficientSamplesError: as above.
            WorkerError: as above.
        """
        try:
            yield from steps
        except FAILURES as error:
            if not self.ended():
                raise
            if isinstance(error, BudgetExceededError):
                self.stopped = "budget"
            elif self.candidates[-1].error is None:
                self.candidates.append(Candidate(len(self.candidates), error=error))

    def first(self) -> Steps[Candidate]:
        """The answer to the task as it came in."""
        return self.draft(same(self.task))

    def draft(self, asked: GenerationTask) -> Steps[Candidate]:
        """The answer to what is asked for the next draft.

        Raises:
            BudgetExceededError: it ran out; what the method has by then is the draft, unless it is a part of a
                text and there is a whole one.
            WorkerError: it failed.
        """
        there, task = bool(self.ended()), self.task.copy()
        candidate = Candidate(len(self.candidates))
        self.candidates.append(candidate)
        self._tasks.append(task)
        branch = generated(self.method, task, self._seeded(asked), self.options)
        try:
            outcome: Outcome = yield Race([branch], failures="values", all_needed=True)  # which tells its cost
            candidate.usage = outcome.usage
            if outcome.error is not None:
                raise outcome.error
        except FAILURES as error:
            candidate.error = error
            raise
        output: ScaffoldingOutput = outcome.value
        candidate.said = output.message
        candidate.answer, candidate.read_as, candidate.transcript = (
            output.answer,
            output.read_as,
            output.transcript,
        )
        if output.stopped == "budget":
            late = task.error or BudgetExceededError("time was up before the draft had ended", "deadline")
            if there and candidate.finish_reason == "cancelled":
                candidate.error = late
            raise late
        yield candidate
        return candidate

    def said(self, asked: GenerationTask, method: Controller | None = None) -> Steps[str]:
        """What is answered to what is asked beside the drafts, by the method that makes them or by another.

        Another backend may not take the parameters of this one: it gets the chat alone.
        """
        if method is None:
            return said(self.method, self._seeded(asked), self.options)
        if isinstance(asked, ChatTask):
            return said(method, ChatTask(messages=asked.messages, tools=asked.tools))
        return said(method, GenerationTask(input_str=asked.input_str))

    def ended(self) -> list[Candidate]:
        """The drafts that did not fail, in order."""
        return [draft for draft in self.candidates if draft.said is not None and draft.error is None]

    def concluded(self, chosen: Candidate, answers: AnswersLike | None, method: str) -> Steps[ScaffoldingOutput]:
        """End with a draft, and give the task its results.

        Args:
            chosen: the draft.
            answers: finds its answer; None for the usual kind, where its own method has found none.
            method: name of the method's class.
        """
        self.task.take_results(self._tasks[chosen.index])
        output = ScaffoldingOutput.of(chosen, method=method)
        output.candidates, output.stopped = self.candidates, self.stopped
        own = answers is None and output.answer is not None
        if not own and output.finish_reason != "cancelled":  # a part of a text has none
            yield from answered(output, extractor_for(self.task, Answers.of(answers)))
            chosen.answer, chosen.read_as = output.answer, output.read_as
        yield DecisionEvent((), chosen, output.stopped)
        return output

    def _seeded(self, asked: GenerationTask) -> GenerationTask:
        """What is asked, with a seed of its own for each call behind the first."""
        self._calls += 1
        return asked if self._calls == 1 else seeded(asked, self._calls - 1)
