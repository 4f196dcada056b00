"""StepMethod: what all searches over the steps of one answer are."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.answers.steps import StepSplitter
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.continuing import checked_continuable
from scaffolding_core.controllers.judging.once import JudgedOnce
from scaffolding_core.controllers.judging.rewarded import RewardedController
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.samples import checked_sample_num
from scaffolding_core.controllers.searching.growth import Growth
from scaffolding_core.controllers.searching.step_writer import StepWriter
from scaffolding_core.controllers.votes import counted, tell_votes, wording
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.results import Candidate, DecisionEvent, ScaffoldingOutput
from scaffolding_core.results.step_scores import AGGREGATES
from scaffolding_core.search import StepSearch
from scaffolding_core.tasks import GenerationTask

__all__ = ["StepMethod", "StepOptions"]


class StepOptions(TypedDict, total=False):
    """The options that all searches over steps have; see `StepMethod`."""

    steps: StepSplitter | str
    max_steps: int
    aggregate: str
    lookahead: int
    max_tokens: int
    choose: Literal["score", "vote"]
    answers: AnswersLike | None


class StepMethod(RewardedController):
    """A search over the steps of one answer; base of its kinds, each of which has a search of its own.

    Steps are written as the answer itself, each going on from the last byte of those before it, and are scored as
    soon as they are there; partial answers with the same text are scored once, and gone on with each by itself.
    Text prompts are gone on with on any worker. A chat is on servers that take a begun answer; elsewhere its rest
    is asked for in a turn, which suits no search. Where a worker does not tell whether a text ended at a separator
    or by itself, as most libraries do not, the next step is asked for, and one with nothing in it ends the answer.

    An answer ends where the model ends it, calls a tool, says the same step a third time, or has used up
    `max_tokens` of the task, all steps together. Those that ended stay in the running by their score. A step that
    fails, or cannot be scored, costs itself alone. Where time is up, the best answer that has ended is the result,
    else the best that was begun. `output.candidates` are the answers that ended, and the steps that failed;
    `votes` and `agreement` are of those that ended, by a vote's weights where one chooses; `output.data` has the
    `steps` of the result.

    Of a server it needs a prefix cache to be cheap: each step sends what was written before it.

    Args:
        generation_controller: the method that writes steps; give it a temperature above 0.
        process_reward_controller: scores partial answers; any reward does that tells more of a good beginning than
            of a bad one.
        default_sample_num: steps drawn at a time, unless a request says `sample_num`.
        steps: where steps end: a separator, or a `StepSplitter`.
        max_steps: of an answer.
        aggregate: what makes one score of those of the steps, where the reward tells them: `last`, `minimum`,
            `mean` or `product`.
        lookahead: steps that are written greedily behind one before it is scored, and then dropped.
        max_tokens: of an answer, where neither the task nor the method that writes sets any.
        choose: the answer with the highest `score`, or by a `vote` of all that ended, weighted by their scores.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number out of its range, an unknown name, or something that is no controller.
    """

    judged_alone = "a step"

    def __init__(
        self,
        generation_controller: Controller,
        process_reward_controller: Controller,
        default_sample_num: int = 8,
        *,
        steps: StepSplitter | str = "\n\n",
        max_steps: int = 40,
        aggregate: str = "last",
        lookahead: int = 0,
        max_tokens: int = 8192,
        choose: Literal["score", "vote"] = "score",
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.process_reward_controller = checked_part(
            process_reward_controller, "process_reward_controller", "process"
        )
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.steps = steps if isinstance(steps, StepSplitter) else StepSplitter(separator=steps)
        self.max_steps = checked_whole("max_steps", max_steps, 1)
        if aggregate not in AGGREGATES:
            raise InvalidRequestError(f"no aggregate is named {aggregate!r}; there are: {', '.join(AGGREGATES)}")
        self.aggregate = aggregate
        self.lookahead = checked_whole("lookahead", lookahead, 0)
        self.max_tokens = checked_whole("max_tokens", max_tokens, 1)
        if choose not in ("score", "vote"):
            raise InvalidRequestError(f"choose must be 'score' or 'vote', got {choose!r}")
        self.choose: Literal["score", "vote"] = choose
        self.answers = Answers.of(answers)
        self.new_search(self.default_sample_num, 0)  # whether it takes its settings

    @property
    def rewarder(self) -> Controller:
        """What scores the steps."""
        return self.process_reward_controller

    @abstractmethod
    def new_search(self, n: int, seed: int) -> StepSearch:
        """A search that has not begun.

        Args:
            n: steps drawn at a time.
            seed: of all that it draws.
        """

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        reward_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Search, and give the task the best answer.

        Raises:
            InvalidRequestError: not one task, or one of token ids.
            InsufficientSamplesError: all first steps failed.
            BudgetExceededError: budget or deadline ran out before there was any.
        """
        task = checked_continuable(tasks)
        n = checked_sample_num(sample_num, self.default_sample_num)
        growth = Growth(
            self.new_search(n, task.seed or 0),
            task,
            StepWriter(
                self.generation_controller,
                self.asking(task),
                self.steps,
                self.max_tokens,
                generation_kwargs or {},
            ),
            JudgedOnce(self.process_reward_controller, reward_kwargs),
            aggregate=self.aggregate,
            lookahead=self.lookahead,
        )
        yield from growth.run()
        return (yield from self._concluded(growth, self.answers if answers is None else Answers.of(answers)))

    def _concluded(self, growth: Growth, answers: Answers) -> Steps[ScaffoldingOutput]:
        finished = growth.finished()
        different = {each.index: each for each in finished}.values()
        whole = [each for each in different if each.finish_reason != "cancelled"]  # a part of a text has no answer
        voters = yield from counted(whole, answers, growth)
        lives = Counter(candidate.index for candidate in finished)
        weights = {each.index: (each.score or 0.0) * lives[each.index] for each in finished}
        by_vote = self.choose == "vote" and bool(voters)
        if by_vote:
            voters.sort(key=lambda alike: -_sum(alike, weights))
        chosen = max(voters[0] if by_vote else finished, key=lambda each: (each.score or 0.0, -each.index))
        yield DecisionEvent((), chosen, growth.stopped)
        winner = growth.asked.copy()
        winner.said = chosen.message
        growth.asked.take_results(winner)
        output = ScaffoldingOutput.of(chosen, method=type(self).__name__)
        output.candidates, output.stopped = [*growth.candidates.values()], growth.stopped
        output.data = {"steps": list(growth.steps_of(chosen))}
        if voters:
            tell_votes(output, chosen, voters)
        if by_vote:
            output.data |= {"weights": {wording(alike[0]): _sum(alike, weights) for alike in voters}}
            total = math.fsum(max(0.0, _sum(alike, weights)) for alike in voters)
            output.agreement = max(0.0, _sum(voters[0], weights)) / total if total else 0.0
        return output


def _sum(alike: Sequence[Candidate], weights: Mapping[int, float]) -> float:
    return math.fsum(weights[voter.index] for voter in alike)
