"""Chain of verification: the model checks its answer by questions, answers each by itself, and answers again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Race, Steps
from scaffolding_core.controllers.parts import checked_part, checked_template, checked_whole
from scaffolding_core.controllers.refining.asking import checked_question, followed_up, told
from scaffolding_core.controllers.refining.drafts import Drafts
from scaffolding_core.controllers.refining.listed import listed
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.messages import RoleMessage, SystemMessage, UserMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["PLAN", "REVISE", "ChainOfVerificationController"]

PLAN = (
    "Which facts does that answer rest on? Write at most {most} short questions that check them, as a numbered "
    "list and nothing else. Each must make sense to somebody who sees neither the answer nor the other questions. "
    "Do not answer them."
)
REVISE = (
    "Facts of that answer were checked, each by itself:\n{checks}\n\nAnswer the question again, whole. Where the "
    "answer and a check differ, trust the check; keep what they bear out. Do not speak of the checks."
)
_ALONE = "Leave that aside, and answer this question alone, in short: {question}"


class ChainOfVerificationController(Controller):
    """Answers, plans questions that check the answer, answers each by itself, and revises the answer by them.

    The questions are answered at the same time, each in a chat of its own, which holds the system messages of the
    first and nothing of the answer, so that its mistakes are not repeated (the factored form of the paper). One
    that fails is left out. The questions with their answers stand in the output's `data["checks"]`; the first
    answer and the revised one are candidates, and the revised one is the result.

    Where the model plans no question, the first answer is the result; where it wants tools called, it is handed on
    at once. A plan, a revision or all checks that fail, or have no time left, leave the first answer.

    Cost: at most 3 generations, one after another, and m short ones at the same time before the last.

    Source: Dhuliawala et al. 2023, arXiv 2309.11495, without its few-shot examples.

    Args:
        generation_controller: the method that does all four.
        max_questions: m; further questions are left out.
        with_prompt: whether each question is asked behind the whole prompt, for one that holds what facts are
            checked by, such as documents or pictures.
        plan: what asks for the questions, with `{most}` where their number goes.
        revise: what asks for the last answer, with `{checks}` where questions and answers go.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: fewer than 1 question, a template of something else, or something that is no
            controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        max_questions: int = 5,
        *,
        with_prompt: bool = False,
        plan: str = PLAN,
        revise: str = REVISE,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.max_questions = checked_whole("max_questions", max_questions, 1)
        self.with_prompt = with_prompt
        self.plan = checked_template("plan", plan, "most")
        self.revise = checked_template("revise", revise, "checks")
        self.answers = None if answers is None else Answers.of(answers)

    def process(
        self,
        tasks: list[GenerationTask],
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt and gets the last answer.

        Raises:
            InvalidRequestError: not one task, or one that asks nothing in words.
            BudgetExceededError: budget or deadline ran out before there was any answer.
            WorkerError: the first answer failed.
        """
        task = checked_question(tasks)
        drafts = Drafts(self.generation_controller, task, generation_kwargs or {})
        checks: dict[str, str | None] = {}
        yield from drafts.made(self._verified(drafts, checks))
        kind = self.answers if answers is None else answers
        output = yield from drafts.concluded(drafts.ended()[-1], kind, type(self).__name__)
        output.data = {"checks": [{"question": each, "answer": answer} for each, answer in checks.items()]}
        return output

    def _verified(self, drafts: Drafts, checks: dict[str, str | None]) -> Steps[None]:
        task = drafts.task
        draft = yield from drafts.first()
        if draft.tool_calls:
            return
        plan = yield from drafts.said(followed_up(task, draft.message, self.plan.format(most=self.max_questions)))
        questions = [item for item in listed(plan) if "?" in item or "？" in item]
        checks.update(dict.fromkeys(questions[: self.max_questions]))
        yield from self._answered(drafts, checks)
        shown = "\n".join(f"- {question} {answer}" for question, answer in checks.items() if answer)
        if shown:
            yield from drafts.draft(followed_up(task, draft.message, self.revise.format(checks=shown)))

    def _answered(self, drafts: Drafts, checks: dict[str, str | None]) -> Steps[None]:
        """Answer the questions at the same time.

        Raises:
            BudgetExceededError: there was no time for one of them.
            WorkerError: all failed.
        """
        questions = list(checks)
        asked = (drafts.said(self._alone(drafts.task, question)) for question in questions)
        race, failures = Race(asked, failures="values", all_needed=True), list[BaseException]()
        while (outcome := (yield race)) is not None:
            if outcome.error is None:
                checks[questions[outcome.index]] = outcome.value or None
            else:
                failures.append(outcome.error)
        for error in failures:
            if isinstance(error, BudgetExceededError) or len(failures) == len(questions):
                raise error

    def _alone(self, task: GenerationTask, question: str) -> GenerationTask:
        if self.with_prompt:
            return told(task, _ALONE.format(question=question))
        alone = task.copy()
        if isinstance(alone, ChatTask):
            system: list[RoleMessage] = [each for each in alone.messages if isinstance(each, SystemMessage)]
            alone.messages = [*system, UserMessage(question)]
        else:
            alone.input_str = question
        return alone
