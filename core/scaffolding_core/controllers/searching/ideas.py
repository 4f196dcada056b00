"""Ideas: the steps that the expansion of a node finds, each judged as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.controller import Controller, Outcome, Race, Steps
from scaffolding_core.controllers.judging.exhibits import answer_text
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.prompting.instructed import question_of
from scaffolding_core.controllers.samples import seeded
from scaffolding_core.controllers.scoring import judged
from scaffolding_core.controllers.searching.prompts import PromptLike, listed, reworded, steps_in, written
from scaffolding_core.controllers.searching.state_judges import PathJudge, PathTask
from scaffolding_core.errors import BudgetExceededError, WorkerError
from scaffolding_core.messages import AssistantMessage, Usage
from scaffolding_core.results import Judgement
from scaffolding_core.search import Thought
from scaffolding_core.tasks import ChatTask, GenerationTask, RewardTask

__all__ = ["Evaluation", "Finder", "Idea", "NextSteps", "Place", "gathered", "merged"]


@dataclass(slots=True)
class Idea:
    """A step that was found, with the path that it ends; or why there is none.

    Attributes:
        step: what it says.
        message: its whole path, as an answer.
        final: whether it gives the answer.
        count: how many samples said it.
        judgement: what the evaluation says; None where it failed, or time was up.
        error: why there is no step, or no judgement.
        usage: what it cost.
        cut: stopped because another of them was enough.
        lesson: what a path that failed teaches.
    """

    step: str = ""
    message: AssistantMessage = field(default_factory=AssistantMessage)
    final: bool = False
    count: int = 1
    judgement: Judgement | None = None
    error: BaseException | None = None
    usage: Usage | None = None
    cut: bool = False
    lesson: str = ""

    @property
    def passed(self) -> bool:
        """Whether it is an answer that is known to be right."""
        return self.final and self.judgement is not None and self.judgement.verdict is True

    def thought(self) -> Thought:
        """It, as searches know it."""
        assert self.judgement is not None
        return Thought(self.step, self.judgement.score, self.final, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the tree ideas are looked for.

    Args:
        path: the steps so far.
        number: of the trial.
        samples: at most.
        last: whether no further step may follow.
        lessons: what failed paths taught.
        before: what the path says, as an answer; None at the root.
        judgement: of the path; None at the root.
    """

    path: Sequence[str]
    number: int
    samples: int
    last: bool = False
    lessons: Sequence[str] = ()
    before: AssistantMessage | None = None
    judgement: Judgement | None = None


class Finder(Protocol):
    """What finds the ideas of a trial."""

    @property
    def samples(self) -> int:
        """How many samples a trial takes."""

    def found(self, place: Place) -> Steps[list[Idea]]:
        """The ideas, each once, and what failed; those that are there where time is up."""


class Evaluation:
    """Tells how promising paths are, the same ones once.

    Args:
        asked: the task that they are to answer.
        evaluator: a reward; one that compares is asked with all paths of a trial.
        verifier: a reward that tells whether an answer is right, in the evaluator's place; None for the evaluator
            alone.
    """

    def __init__(self, asked: GenerationTask, evaluator: Controller, verifier: Controller | None) -> None:
        self._asked = asked
        self._evaluator = evaluator
        self._verifier = verifier
        self._compares = bool(getattr(evaluator, "compares_samples", False))
        self._once = JudgedOnce(evaluator)
        self._verified = None if verifier is None else JudgedOnce(verifier)

    def verifies(self, idea: Idea) -> bool:
        """Whether an idea is an answer to verify."""
        return idea.final and self._verifier is not None

    def one(self, idea: Idea, path: Sequence[str]) -> Steps[Idea]:
        """Give an idea its judgement, unless it is compared, or the same one is being judged; or its error.

        Raises:
            BudgetExceededError: time was up before.
        """
        once = self._verified if idea.final and self._verified is not None else self._once
        if once is self._once and self._compares:
            return idea
        try:
            idea.judgement = yield from once.judge(self._task(idea, path))
        except WorkerError as error:
            idea.error = error
        return idea

    def left(self, ideas: Sequence[Idea], path: Sequence[str]) -> Steps[None]:
        """Give those their judgement that are judged beside each other, or that were being judged elsewhere.

        Raises:
            BudgetExceededError: time was up before.
        """
        left = [idea for idea in ideas if idea.judgement is None and idea.error is None and not idea.cut]
        if self._compares:
            yield from self._judge([idea for idea in left if not self.verifies(idea)], path)
            left = list(filter(self.verifies, left))
        for idea in left:
            yield from self._judge([idea], path)

    def _judge(self, ideas: Sequence[Idea], path: Sequence[str]) -> Steps[None]:
        if not ideas:
            return
        verifier = self._verifier if self.verifies(ideas[0]) else None
        try:
            judgements = yield from judged(verifier or self._evaluator, [self._task(idea, path) for idea in ideas])
        except WorkerError as error:
            judgements = [error] * len(ideas)
        for idea, judgement in zip(ideas, judgements, strict=True):
            if isinstance(judgement, Judgement):
                idea.judgement = judgement
            else:
                idea.error = judgement

    def _task(self, idea: Idea, path: Sequence[str]) -> GenerationTask | RewardTask:
        if isinstance(self._evaluator, PathJudge) and not self.verifies(idea):
            return PathTask(
                input_str=self._asked.input_str,
                messages=self._asked.messages if isinstance(self._asked, ChatTask) else None,
                response=idea.message,
                question=question_of(self._asked),
                steps=(*path, idea.step),
            )
        task = self._asked.copy()
        task.said = idea.message
        return task


@dataclass(slots=True, kw_only=True)
class NextSteps:
    """Finds the next steps of a path.

    Args:
        asked: the task that the path is to answer.
        generation: the method that finds steps.
        options: of its `process`.
        evaluation: of the paths that they make.
        by: each step is a sample, or one sample proposes several.
        prompt: for the next steps.
        last: said behind it where no further step may follow.
        branches: steps for a path.
        final: whether a step gives the answer.
    """

    asked: GenerationTask
    generation: Controller
    options: Mapping[str, object]
    evaluation: Evaluation
    by: Literal["sample", "propose"]
    prompt: PromptLike
    last: str
    branches: int
    final: Callable[[str], bool]

    @property
    def samples(self) -> int:
        """How many samples a trial takes."""
        return self.branches if self.by == "sample" else 1

    def found(self, place: Place) -> Steps[list[Idea]]:
        """The next steps of a path, each once, and what failed; those that are there where time is up.

        Raises:
            BudgetExceededError: time was up before any was there.
            ScaffoldingError: none could be proposed.
        """
        if self.by == "sample":
            ideas = yield from gathered(self._samples(place))
        else:
            ideas = yield from self._proposed(place)
            yield from self._evaluate(ideas, place.path)
        ideas = merged(ideas)
        if any(idea.passed for idea in ideas):
            return ideas
        try:
            yield from self.evaluation.left(ideas, place.path)
        except BudgetExceededError as error:
            for idea in ideas:
                if idea.judgement is None:
                    idea.error = idea.error or error
        return ideas

    def _evaluate(self, ideas: Sequence[Idea], path: Sequence[str]) -> Steps[None]:
        """Evaluate ideas, those that can be verified first: where one passes, the others do not matter."""
        first: list[Idea] = []
        rest: list[Idea] = []
        for idea in ideas:
            (first if self.evaluation.verifies(idea) else rest).append(idea)
        yield from gathered([self.evaluation.one(idea, path) for idea in first], first)
        if any(idea.passed for idea in first):
            for idea in rest:
                idea.cut = True
            return
        yield from gathered([self.evaluation.one(idea, path) for idea in rest], rest)

    def _samples(self, place: Place) -> Iterator[Steps[Idea]]:
        asked = self._asked(place)
        asked.group = object()
        for index in range(place.samples):
            task = asked.copy()
            task.group = asked.group
            yield self._sampled(seeded(task, index), place.path)

    def _sampled(self, task: GenerationTask, path: Sequence[str]) -> Steps[Idea]:
        yield from self._generated(task)
        return (yield from self.evaluation.one(self._idea(task.message(), path), path))

    def _proposed(self, place: Place) -> Steps[list[Idea]]:
        task = self._asked(place)
        yield from self._generated(task)
        said, path = task.message(), place.path
        if said.tool_calls:
            return [self._idea(said, path)]
        steps = listed(without_thoughts(said.text) or "")
        if not steps:
            raise WorkerError("the model proposed no next step")
        counts = {step: steps.count(step) for step in steps}
        return [
            Idea(step, AssistantMessage(steps_in([*path, step]), finish_reason="stop"), self.final(step), count)
            for step, count in counts.items()
        ]

    def _generated(self, task: GenerationTask) -> Steps[None]:
        yield from self.generation.clone().process([task], **self.options)
        if task.finish_reason == "cancelled":  # the method made do with a part of the text
            raise task.error or BudgetExceededError("time was up before a step had ended", "deadline")

    def _idea(self, said: AssistantMessage, path: Sequence[str]) -> Idea:
        if said.tool_calls:
            return Idea(answer_text(said, thoughts=False), said, final=True)
        step = (without_thoughts(said.text) or "").strip()
        if not any(map(str.isalnum, step)):
            raise WorkerError("the model gave no next step")
        whole = said
        if path:
            content = steps_in([*path, step])
            whole = replace(said, content=content, original=None, logprobs=None, output_tokens=None)
        return Idea(step, whole, self.final(step))

    def _asked(self, place: Place) -> GenerationTask:
        text = written(self.prompt, question_of(self.asked), place.path, self.branches)
        learned = "\n".join(f"- {lesson}" for lesson in place.lessons)
        parts = [text, f"{LEARNED}\n{learned}" if learned else "", self.last if place.last else ""]
        return seeded(reworded(self.asked, "\n\n".join(filter(None, parts))), place.number)


LEARNED = "Earlier attempts failed. What they taught:"


def gathered(branches: Iterable[Steps[Idea]], ideas: Sequence[Idea] = ()) -> Steps[list[Idea]]:
    """The ideas of branches, in order, until one passes; one that failed is there with its error.

    Args:
        branches: each gives an idea.
        ideas: those that they give, where they are known before.
    """
    race = Race(branches, failures="values")
    found: dict[int, Idea] = {}
    try:
        while (outcome := (yield race)) is not None:
            idea = found[outcome.index] = _of(outcome, ideas)
            if idea.passed:
                for each in (yield race.cancel()):
                    found[each.index] = _of(each, ideas)
                break
    except BudgetExceededError as error:
        for idea in ideas:
            if idea.judgement is None:
                idea.error = idea.error or error
        if not found and not ideas:
            raise
    return [found[index] for index in sorted(found)]


def merged(ideas: Sequence[Idea]) -> list[Idea]:
    """Each idea once: of those that say the same the first, with how many they are and what was judged of them."""
    distinct: dict[object, Idea] = {}
    for index, idea in enumerate(ideas):
        key = index if idea.cut or not idea.step else idea.step
        first = distinct.setdefault(key, idea)
        if first is idea:
            continue
        first.count += idea.count
        if first.judgement is None:
            first.judgement = idea.judgement
        first.error = None if first.judgement is not None else first.error or idea.error
        first.usage = _sum(first.usage, idea.usage)
    return list(distinct.values())


def _sum(one: Usage | None, other: Usage | None) -> Usage | None:
    if one is None or other is None:
        return one or other
    both = Usage()
    both.add(one)
    both.add(other)
    return both


def _of(outcome: Outcome, ideas: Sequence[Idea]) -> Idea:
    idea = outcome.value if isinstance(outcome.value, Idea) else None
    if idea is None:
        idea = ideas[outcome.index] if outcome.index < len(ideas) else Idea()
        idea.error, idea.cut = outcome.error, outcome.cut
    idea.usage = outcome.usage
    return idea
