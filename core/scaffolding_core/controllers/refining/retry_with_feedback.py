"""Retry with feedback: an answer that a judge fails is asked for again, with what the judge said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.apart import apart
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_number, checked_part, checked_template, checked_whole
from scaffolding_core.controllers.refining.asking import FAILURES, followed_up
from scaffolding_core.controllers.samples import seeded
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.results import Candidate, ScaffoldingOutput, Stopped
from scaffolding_core.tasks import GenerationTask, RewardTask

__all__ = ["FEEDBACK", "RetryWithFeedbackController"]

FEEDBACK = "That answer was judged to be wrong. Feedback: {feedback}\nAnswer the question again."
"""What a retry says; in a chat behind the answer, in a text behind the prompt and the answer."""


@dataclass(slots=True)
class _Attempt:
    candidate: Candidate
    task: GenerationTask
    feedback: str | None = None
    passed: bool = False


@dataclass(slots=True)
class _Attempts:
    ended: list[_Attempt] = field(default_factory=list)
    stopped: Stopped = "complete"

    def best(self) -> _Attempt | None:
        """The one that passed or scored best; the later of equals, since it has seen the feedback."""
        answers = [attempt for attempt in self.ended if attempt.candidate.error is None]
        return max(answers, key=_rank, default=None)


class RetryWithFeedbackController(RewardedController):
    """Asks again, up to k times, where a judge fails the answer, with the answer and the judge's feedback.

    The judge is the reward: it fails an answer that it scores below `passing`, unless its task has a `verdict`;
    its words are the task's `feedback`. A worker may also say both in `custom_output_params`, as `passing` and
    `feedback`. Each attempt is judged by the prompt as it came in. The answer is the first that passes, else the
    one with the highest score. Attempts are the `candidates`. An attempt or a judgement that fails ends the
    retries, and the best answer before it counts.

    Cost: at most 1 + k generations and as many rewards, one after another.

    Source: verbal feedback between attempts is Reflexion's (Shinn et al. 2023, arXiv 2303.11366).

    Args:
        generation_controller: the method that answers.
        reward_controller: judges a finished answer.
        max_retries: k, unless a request says `max_retries`.
        passing: the lowest reward that passes, where the judge gives no verdict of its own.
        template: what a retry says, with `{feedback}` where the judge's words go.

    Raises:
        InvalidRequestError: a negative number of retries, a `passing` that is no number, a template of something
            else, or something that is no controller.
    """

    stateless: ClassVar[bool] = True
    judged_alone = "an attempt"
    reward_controller: Controller

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller,
        max_retries: int = 3,
        *,
        passing: float = 0.5,
        template: str = FEEDBACK,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.reward_controller = checked_part(reward_controller, "reward_controller", "process")
        self.max_retries = checked_whole("max_retries", max_retries, 0)
        self.passing = checked_number("passing", passing)
        self.template = checked_template("template", template, "feedback")

    def process(
        self,
        tasks: list[GenerationTask],
        max_retries: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer, judge, and ask again; the task gets the results of the best attempt.

        Raises:
            InvalidRequestError: not one task.
            BudgetExceededError: budget or deadline ran out before there was any answer.
            WorkerError: the first attempt failed, or could not be judged.
        """
        if len(tasks) != 1:
            raise InvalidRequestError(f"a retry judges one answer: give one task, not {len(tasks)}")
        task = tasks[0]
        retries = self.max_retries if max_retries is None else checked_whole("max_retries", max_retries, 0)
        attempts = yield from self._attempts(task, retries, generation_kwargs or {})
        best = attempts.best()
        assert best is not None
        task.take_results(best.task)
        output = ScaffoldingOutput.of(best.candidate, method=type(self).__name__)
        output.candidates = [attempt.candidate for attempt in attempts.ended]
        output.stopped = attempts.stopped
        return output

    def _attempts(self, task: GenerationTask, retries: int, options: Mapping[str, object]) -> Steps[_Attempts]:
        attempts, asked = _Attempts(), self.asking(task.copy())
        once = JudgedOnce(self.reward_controller)
        asked.group = task.group
        for index in range(retries + 1):
            attempt = _Attempt(Candidate(index), asked)
            attempts.ended.append(attempt)
            try:
                yield from self._attempt(task, attempt, once, options)
            except FAILURES as error:
                out_of_budget = isinstance(error, BudgetExceededError)
                if not (out_of_budget and attempt.candidate.text):
                    attempt.candidate.error = error
                if attempts.best() is None:
                    raise
                attempts.stopped = "budget" if out_of_budget else "complete"
                return attempts
            if attempt.passed:
                return attempts
            asked = self._with_feedback(task, attempt)
        return attempts

    def _attempt(
        self, task: GenerationTask, attempt: _Attempt, once: JudgedOnce, options: Mapping[str, object]
    ) -> Steps[None]:
        asked, candidate = attempt.task, attempt.candidate
        output = yield from apart(self.generation_controller.clone().process([asked], **options))
        attempt.candidate = candidate = Candidate(candidate.index, asked.said, usage=asked.usage)
        if isinstance(output, ScaffoldingOutput):
            candidate.answer, candidate.read_as = output.answer, output.read_as
        reward = RewardTask.for_answer(task)
        reward.response = asked.message()
        said = yield from once.judge(reward)
        assert said is not None  # no other is being judged
        candidate.judgement = said
        candidate.score, attempt.feedback = said.score, said.feedback
        attempt.passed = candidate.score >= self.passing if said.verdict is None else said.verdict

    def _with_feedback(self, task: GenerationTask, attempt: _Attempt) -> GenerationTask:
        answer = attempt.candidate.message
        told = self.template.format(feedback=attempt.feedback or f"its score is {attempt.candidate.score}.")
        return seeded(self.asking(followed_up(task, answer, told)), attempt.candidate.index + 1)


def _rank(attempt: _Attempt) -> tuple[bool, float, int]:
    score = attempt.candidate.score
    return attempt.passed, float("-inf") if score is None else score, attempt.candidate.index
