"""TreeMethod: what all tree searches over steps of text are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Literal, TypedDict

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.judging.own_confidence import reads_logprobs
from scaffolding_core.controllers.judging.verified import VerifiedReward
from scaffolding_core.controllers.parts import checked_number, checked_part, checked_whole
from scaffolding_core.controllers.prompting.instructed import question_of
from scaffolding_core.controllers.samples import checked_sample_num
from scaffolding_core.controllers.searching.exploration import Exploration
from scaffolding_core.controllers.searching.ideas import Evaluation, Finder, NextSteps
from scaffolding_core.controllers.searching.prompts import (
    LAST,
    PROPOSE,
    SAMPLE,
    PromptLike,
    checked_prompt,
    is_final,
)
from scaffolding_core.controllers.searching.state_judges import EvaluatorLike, evaluator_of
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.search import TreeSearch
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.verifying import Verifier

__all__ = ["TreeMethod", "TreeOptions"]


class TreeOptions(TypedDict, total=False):
    """The options that all tree searches have; see `TreeMethod`."""

    thoughts: Literal["sample", "propose"]
    branches: int
    propose: PromptLike | None
    final: Callable[[str], bool]
    evaluator: EvaluatorLike
    evaluate: PromptLike | None
    evaluations: int
    verifier: Verifier | None
    enough: float | None
    width: int | None
    max_samples: int
    answers: AnswersLike | None


class TreeMethod(Controller, ABC):
    """A search over the steps of an answer; base of its kinds, each of which has a search of its own.

    A node of the tree is a step, and its path an answer as far as it goes. A trial finds the next steps of a path
    and evaluates each; trials run at the same time, and the search is told of each as it ends. Equal steps of one
    path are merged and evaluated once. The result is the best path that gives an answer, else the best of all, as
    one text with a step a line; a step that calls tools ends its path, and is handed on whole.

    A step that fails, or cannot be evaluated, costs itself alone. Where time is up, the best path so far is the
    result. `output.candidates` are all steps that were found, each as the path that it ends, with its value as the
    score; `votes` and `agreement` are of those that give an answer. `output.data` has the `steps` of the result,
    the number of `nodes`, and the `search`, which goes on where it is given to another request, and can be copied,
    pickled and, for some kinds, re-rooted in between.

    Args:
        generation_controller: the method that finds steps; give it a temperature above 0 where each is a sample.
        judge_controller: the model that evaluates steps; None for the role `judge`. Unless it says otherwise it
            may say 1,024 tokens, and a verdict that comes later is none: give one that thinks its own
            `max_tokens`.
        thoughts: `sample` draws each next step by itself, `propose` asks for all of them in one reply, a line
            each.
        branches: next steps of a path; where they are proposed, so many are asked for, and all that come are
            taken.
        propose: the prompt for next steps, in place of the question: a text with `{question}`, `{steps}` and
            `{n}`, or a function of the question and the list of steps; None for one in general words.
        final: whether a step gives the answer; unless said, if it says `Answer:` or holds `\\boxed{...}`.
        evaluator: tells how promising a path is: a model by words (`value`: sure, likely or impossible), by a
            number (`score`), or by voting for one of the steps of a trial (`vote`); a worker for the role `reward`
            or `process_reward`; or a reward of any kind.
        evaluate: the prompt for that, where a model is asked, as for `propose`.
        evaluations: how often a model is asked about each path; the paper asks three times.
        verifier: tells whether an answer is right, in the evaluator's place: the first that passes ends the
            search.
        enough: the value of an answer that ends the search; None for none. An answer that its reward passes does.
        width: trials at once; None for all that the search has.
        max_samples: samples for steps in all, unless a request says `sample_num`.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    def __init__(
        self,
        generation_controller: Controller,
        judge_controller: Controller | None = None,
        *,
        thoughts: Literal["sample", "propose"] = "sample",
        branches: int = 3,
        propose: PromptLike | None = None,
        final: Callable[[str], bool] = is_final,
        evaluator: EvaluatorLike = "value",
        evaluate: PromptLike | None = None,
        evaluations: int = 1,
        verifier: Verifier | None = None,
        enough: float | None = None,
        width: int | None = None,
        max_samples: int = 100,
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        if thoughts not in ("sample", "propose"):
            raise InvalidRequestError(f"thoughts must be 'sample' or 'propose', got {thoughts!r}")
        self.thoughts: Literal["sample", "propose"] = thoughts
        self.branches = checked_whole("branches", branches, 1)
        self.propose = None if propose is None else checked_prompt("propose", propose)
        if not callable(final):
            raise InvalidRequestError(f"final must be a function of a step, got {final!r}")
        self.final = final
        self.evaluator = evaluator_of(evaluator, judge_controller, evaluate, evaluations)
        self.verifier = None if verifier is None else VerifiedReward(verifier)
        self.enough = None if enough is None else checked_number("enough", enough)
        self.width = None if width is None else checked_whole("width", width, 1)
        self.max_samples = checked_whole("max_samples", max_samples, 1)
        self.answers = Answers.of(answers)
        self.new_search()  # whether it takes its settings

    def check_parts(self) -> None:
        """Refuse an evaluator that reads log probabilities: a path of several samples has none of its own.

        Raises:
            InvalidRequestError: it reads them.
        """
        if reads_logprobs(self.evaluator):
            raise InvalidRequestError(
                "a path tells no log probabilities of its steps: take another evaluator, or a search over the "
                "steps of one answer, such as beam_search"
            )

    @abstractmethod
    def new_search(self, seed: int = 0) -> TreeSearch:
        """A search that has not begun.

        Args:
            seed: for one that draws.
        """

    def finder(self, task: GenerationTask, search: TreeSearch, options: Mapping[str, object]) -> Finder:
        """What finds the steps of a request.

        Args:
            task: that asks.
            search: that they are found for.
            options: of the method that generates.
        """
        return self.next_steps(task, options)

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
        search: TreeSearch | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Search, and give the task the best path.

        Args:
            tasks: the one task that asks.
            sample_num: in place of `max_samples`.
            generation_kwargs: options of the method that finds steps.
            answers: the kind of answer, in place of the method's.
            search: to go on with, such as that of an output's `data`; it is left as it is.

        Raises:
            InvalidRequestError: not one task, one that asks nothing in words, or a search of another kind.
            InsufficientSamplesError: no step was found.
            BudgetExceededError: budget or deadline ran out before any was.
        """
        if len(tasks) != 1 or not question_of(tasks[0]).strip():
            raise InvalidRequestError("a tree search answers a question in words: give one task that asks it")
        tree = self.new_search(tasks[0].seed or 0)
        if search is not None:
            if type(search) is not type(tree):
                raise InvalidRequestError(
                    f"{type(self).__name__} goes on with a {type(tree).__name__}, got {search!r}"
                )
            tree = search.resumed()
        exploration = Exploration(
            tree,
            tasks[0],
            self.finder(tasks[0], tree, generation_kwargs or {}),
            width=self.width,
            max_samples=checked_sample_num(sample_num, self.max_samples),
            enough=self.enough,
        )
        yield from exploration.run()
        compared = self.answers if answers is None else Answers.of(answers)
        output = yield from exploration.concluded(compared, type(self).__name__)
        if output.answer is None:
            yield from answered(output, extractor_for(tasks[0], compared))
        return output

    def next_steps(self, task: GenerationTask, options: Mapping[str, object]) -> NextSteps:
        """What finds the next steps of a path."""
        return NextSteps(
            asked=task,
            generation=self.generation_controller,
            options=options,
            evaluation=Evaluation(task, self.evaluator, self.verifier),
            by=self.thoughts,
            prompt=self.propose or (SAMPLE if self.thoughts == "sample" else PROPOSE),
            last=LAST if self.propose is None else "",
            branches=self.branches,
            final=self.final,
        )
