"""Reflexion: after an answer that fails, the model says what to do otherwise, and tries afresh with that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_number, checked_part, checked_template, checked_whole
from scaffolding_core.controllers.refining.asking import checked_question, followed_up, same, told
from scaffolding_core.controllers.refining.drafts import Drafts
from scaffolding_core.results import Candidate, Judgement, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask, RewardTask

__all__ = ["LESSONS", "REFLECT", "ReflexionController"]

REFLECT = (
    "That answer failed: {feedback}\nDo not answer again yet. Say in a few sentences what most likely went wrong, "
    "and what to do otherwise in the next try, as advice to somebody who does not see this one."
)
LESSONS = "Earlier tries at this failed. What was learned from them:\n{lessons}\n\nAnswer with that in mind."


class ReflexionController(RewardedController):
    """Tries again, up to k times, where the reward fails an answer, with lessons from the tries that failed.

    After a try that failed the model is shown it with what the reward says of it, and asked for a lesson. The next
    try is a fresh answer to the question with all lessons so far behind it; it sees no try before, which sets it
    apart from `RetryWithFeedbackController`. An empty lesson is not kept, and the next try is made without it.

    The reward fails an answer that it scores below `passing`, unless it gives a `verdict`. The result is the first
    try that passes, else the one with the highest score, the later of equals. One that wants tools called is
    handed on at once, unjudged. Each try is a candidate; the lessons stand in the output's `data`. A try, a
    judgement or a lesson that fails, or has no time left, ends the tries, and the best before it counts; a try
    that could not be judged ranks below all that were.

    Cost: at most 1 + 2k generations and 1 + k rewards, one after another.

    Source: Shinn et al. 2023, arXiv 2303.11366; all lessons of a request are kept, where the paper keeps the last
    1 to 3.

    Args:
        generation_controller: the method that answers, and draws the lessons.
        reward_controller: judges a finished answer.
        max_retries: k, unless a request says `max_retries`.
        passing: the lowest reward that passes, where the reward gives no verdict.
        reflect: what asks for a lesson, with `{feedback}` where the reward's words, or its score, go.
        lessons: what a try has behind the question, with `{lessons}` where the lessons go.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a negative number of retries, a `passing` that is no number, a template of something
            else, or something that is no controller.
    """

    stateless: ClassVar[bool] = True
    judged_alone = "a try"
    reward_controller: Controller

    def __init__(
        self,
        generation_controller: Controller,
        reward_controller: Controller,
        max_retries: int = 3,
        *,
        passing: float = 0.5,
        reflect: str = REFLECT,
        lessons: str = LESSONS,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.reward_controller = checked_part(reward_controller, "reward_controller", "process")
        self.max_retries = checked_whole("max_retries", max_retries, 0)
        self.passing = checked_number("passing", passing)
        self.reflect = checked_template("reflect", reflect, "feedback")
        self.lessons = checked_template("lessons", lessons, "lessons")
        self.answers = None if answers is None else Answers.of(answers)

    def process(
        self,
        tasks: list[GenerationTask],
        max_retries: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the results of the best try.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            BudgetExceededError: budget or deadline ran out before there was any answer.
            WorkerError: the first try failed.
        """
        task = checked_question(tasks)
        retries = self.max_retries if max_retries is None else checked_whole("max_retries", max_retries, 0)
        drafts, lessons = Drafts(self.generation_controller, task, generation_kwargs or {}), list[str]()
        yield from drafts.made(self._tries(drafts, retries, lessons))
        kind = self.answers if answers is None else answers
        best = max(drafts.ended(), key=self._rank)
        output = yield from drafts.concluded(best, kind, type(self).__name__)
        output.data = {"lessons": lessons}
        return output

    def _tries(self, drafts: Drafts, retries: int, lessons: list[str]) -> Steps[None]:
        once, task = JudgedOnce(self.reward_controller), drafts.task
        draft = yield from drafts.draft(self.asking(same(task)))
        for number in range(retries + 1):
            if draft.tool_calls:
                return
            reward = RewardTask.for_answer(task)
            reward.response = draft.message
            draft.judgement = said = yield from once.judge(reward)
            assert said is not None  # no other is being judged
            draft.score = said.score
            if self._passes(said) or number == retries:
                return
            words = said.feedback or f"its score is {said.score}."
            asked = followed_up(task, draft.message, self.reflect.format(feedback=words))
            if lesson := (yield from drafts.said(asked)):
                lessons.append(lesson)
            draft = yield from drafts.draft(self.asking(self._again(task, lessons)))

    def _again(self, task: GenerationTask, lessons: list[str]) -> GenerationTask:
        if not lessons:
            return task.copy()
        listed = "\n".join(f"- {lesson}" for lesson in lessons)
        return told(task, self.lessons.format(lessons=listed))

    def _passes(self, said: Judgement) -> bool:
        return said.score >= self.passing if said.verdict is None else said.verdict

    def _rank(self, draft: Candidate) -> tuple[bool, float, int]:
        said = draft.judgement
        passed = bool(draft.tool_calls) or (said is not None and self._passes(said))
        return passed, float("-inf") if said is None else said.score, draft.index
