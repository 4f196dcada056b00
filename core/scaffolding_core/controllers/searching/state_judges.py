"""What a model says of paths that are not at their end: of each, or of several beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from scaffolding_core.controller import Controller, Race, Steps
from scaffolding_core.controllers.judging.exhibits import prompt_text, with_pictures
from scaffolding_core.controllers.judging.verdict_lines import (
    NumberForm,
    Verdict,
    VerdictForm,
    WordForm,
    bare_lines,
    read_verdict,
)
from scaffolding_core.controllers.native_reward import NativeRewardController
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.roles import SCORING_ROLES, part_for
from scaffolding_core.controllers.searching.prompts import (
    PromptLike,
    checked_prompt,
    score_prompt,
    steps_in,
    value_prompt,
    vote_prompt,
    written,
)
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage, Content, UserMessage
from scaffolding_core.tasks import ChatTask, RewardTask, Task

__all__ = ["EvaluatorLike", "PathJudge", "PathTask", "StateJudge", "VoteJudge", "evaluator_of"]

EvaluatorLike: TypeAlias = 'Literal["value", "score", "vote", "reward", "process_reward"] | Controller'
"""What tells how promising a path is: a model by words, a number or votes, a role that scores, or a reward."""

_WORDS = {"sure": 1.0, "likely": 0.05, "impossible": 0.00005}
"""In the proportions of the paper."""
_MOST = 10
_LONGEST = 1024
"""Tokens of what a judge says, where nothing of its own limits it."""


@dataclass(slots=True, eq=False, repr=False)
class PathTask(RewardTask):
    """A path of steps to judge, whose text is the response; no worker gets to see it.

    Args:
        question: that the steps are to answer.
        steps: of the path.
    """

    question: str = field(default="", kw_only=True)
    steps: tuple[str, ...] = field(default=(), kw_only=True)


class PathJudge(NativeRewardController):
    """Asks a model about paths, several times."""

    def __init__(self, judge: Controller, prompt: PromptLike | None, usual: PromptLike, evaluations: int) -> None:
        super().__init__()
        self.judge = checked_part(judge, "judge_controller", "process")
        self.prompt = None if prompt is None else checked_prompt("evaluate", prompt)
        self.usual = usual
        self.evaluations = checked_whole("evaluations", evaluations, 1)

    def _prompt(self, task: PathTask, steps: Sequence[str]) -> Content:
        """What the judge is asked, with the chat's pictures; unless a prompt says otherwise, all of it."""
        prompt, question = self.prompt, task.question
        if prompt is None:
            prompt, question = self.usual, prompt_text(task, thoughts=False)
        return with_pictures(written(prompt, question, steps, len(steps)), task)

    def _verdicts(self, text: Content, form: VerdictForm, shown: Sequence[str]) -> Steps[list[Verdict | None]]:
        """What the judge says each time, None where it cannot be read; a failure costs its own verdict alone.

        Raises:
            WorkerError: it failed every time.
            BudgetExceededError: time was up before.
        """
        echoes = frozenset[str]().union(*map(bare_lines, shown))
        group = object()
        race = Race(
            [self._asked(text, group) for _ in range(self.evaluations)], failures="values", all_needed=True
        )
        verdicts: list[Verdict | None] = []
        error: BaseException | None = None
        while (outcome := (yield race)) is not None:
            if isinstance(outcome.error, BudgetExceededError):
                raise outcome.error
            error = error or outcome.error
            if outcome.error is None:
                verdict = read_verdict(outcome.value, form, echoes)
                verdicts.append(verdict if isinstance(verdict, Verdict) else None)
        if error is not None and not verdicts:
            raise error
        return verdicts

    def _asked(self, text: Content, group: object) -> Steps[AssistantMessage]:
        task = ChatTask(messages=[UserMessage(text)], group=group)
        lone = self.judge.as_task(task)
        if lone is None:
            yield from self.judge.clone().process([task])
        else:
            if lone.max_tokens is None:
                lone.max_tokens = _LONGEST
            yield [lone]
            task.take_results(lone)
        if task.finish_reason == "cancelled":
            raise task.error or BudgetExceededError("time was up before the judge had ended", "deadline")
        return task.message()


class StateJudge(PathJudge):
    """A model says of each path how likely it leads to the right answer, several times; the mean counts.

    By words: 1 for `sure`, 0.05 for `likely` and 0.00005 for `impossible`, in the proportions of the paper; by a
    number: 0 for 1 to 1 for 10. What cannot be read counts as nothing, 0, as in the paper.

    Cost: `evaluations` short generations a path, all at the same time.

    Args:
        judge: the method that answers.
        by: words or a number.
        prompt: see `PromptLike`; None for one in general words.
        evaluations: how often each path is evaluated.

    Raises:
        InvalidRequestError: a number below 1, a prompt that is none, or something that is no controller.
    """

    def __init__(
        self,
        judge: Controller,
        by: Literal["value", "score"] = "value",
        *,
        prompt: PromptLike | None = None,
        evaluations: int = 1,
    ) -> None:
        super().__init__(judge, prompt, value_prompt if by == "value" else score_prompt, evaluations)
        self.by = by

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Evaluate the paths of tasks, all at the same time.

        Raises:
            WorkerError: the judge failed every time.
            BudgetExceededError: time was up before all were evaluated.
        """
        race = Race([self._value(task) for task in tasks], all_needed=True)
        values = [0.0] * len(tasks)
        while (outcome := (yield race)) is not None:
            values[outcome.index] = outcome.value
        return values

    def _value(self, task: Task) -> Steps[float]:
        assert isinstance(task, PathTask)
        form: VerdictForm = WordForm(", ".join(_WORDS), _WORDS) if self.by == "value" else NumberForm(_MOST)
        text = self._prompt(task, task.steps)
        verdicts = yield from self._verdicts(text, form, task.steps)
        lowest, highest = (0, 1) if self.by == "value" else (1, _MOST)
        told = [(each.expected - lowest) / (highest - lowest) for each in verdicts if each is not None]
        return math.fsum(told) / len(verdicts)  # the same sum in whatever order they ended


class VoteJudge(PathJudge):
    """A model says which of several paths is the best, several times; the value of each is its share of the votes.

    Cost: `evaluations` short generations for all of them together, at the same time; none for a single path.

    Args:
        judge: the method that answers.
        prompt: see `PromptLike`, with the paths for the steps; None for one in general words.
        evaluations: how many votes there are.

    Raises:
        InvalidRequestError: a number below 1, a prompt that is none, or something that is no controller.
    """

    compares_samples = True

    def __init__(self, judge: Controller, *, prompt: PromptLike | None = None, evaluations: int = 1) -> None:
        super().__init__(judge, prompt, vote_prompt, evaluations)

    def process(self, tasks: Sequence[Task]) -> Steps[list[float]]:
        """Vote on the paths of tasks.

        Raises:
            WorkerError: the judge failed every time, or gave no vote that could be read.
            BudgetExceededError: time was up before all votes were there.
        """
        paths = [task for task in tasks if isinstance(task, PathTask)]
        if len(paths) == 1:
            return [1.0]
        texts = [steps_in(task.steps) for task in paths]
        text = self._prompt(paths[0], texts)
        verdicts = yield from self._verdicts(text, NumberForm(len(texts)), texts)
        votes = [0] * len(texts)
        for verdict in verdicts:
            if verdict is not None and verdict.said.is_integer():
                votes[int(verdict.said) - 1] += 1
        if not any(votes):
            raise WorkerError("the judge voted for none of the paths")
        return [count / sum(votes) for count in votes]


def evaluator_of(
    evaluator: EvaluatorLike, judge: Controller | None, prompt: PromptLike | None, evaluations: int
) -> Controller:
    """What tells how promising a path is.

    Args:
        evaluator: its name, or a reward.
        judge: the model that is asked, where one is; None for the role `judge`.
        prompt: that it is asked with.
        evaluations: how often.

    Raises:
        InvalidRequestError: no such evaluator, or a prompt for one that asks nobody.
    """
    if isinstance(evaluator, str) and evaluator in ("value", "score", "vote"):
        model = part_for("judge") if judge is None else judge
        if evaluator == "vote":
            return VoteJudge(model, prompt=prompt, evaluations=evaluations)
        return StateJudge(model, evaluator, prompt=prompt, evaluations=evaluations)
    if prompt is not None or evaluations != 1:
        raise InvalidRequestError(
            f"nobody is asked where {evaluator!r} evaluates: leave evaluate and evaluations out"
        )
    if isinstance(evaluator, str):
        if evaluator not in SCORING_ROLES:
            known = ", ".join(("value", "score", "vote", *sorted(SCORING_ROLES)))
            raise InvalidRequestError(f"evaluator must be one of {known}, or a reward, got {evaluator!r}")
        return part_for(evaluator)
    return checked_part(evaluator, "evaluator", "process")
