"""PairwiseJudge: a model compares answers two by two, until the best is left."""

from __future__ import annotations

from collections.abc import Sequence

from scaffolding_core.controller import Outcome, ParallelProcess, Race, Steps
from scaffolding_core.controllers.judging.exhibits import answer_text
from scaffolding_core.controllers.judging.judge import Judge
from scaffolding_core.controllers.judging.knockout import Knockout
from scaffolding_core.controllers.judging.verdict_lines import Verdict, WordForm
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import Usage
from scaffolding_core.tasks import RewardTask, Task

__all__ = ["PairwiseJudge"]

_UNDECIDED = 0.5


class PairwiseJudge(Judge):
    """A model compares answers two by two, until the best is left.

    Each two are compared in both orders at the same time, which cancels the judge's bias for a place; the
    preference is the mean of both, by the log probabilities of the verdict's token where the worker tells them.
    All comparisons of a round run at the same time. The earlier of equals goes on; answers with the same text are
    equal without a call. The rewards are ranks, not qualities: 1 for the winner, 0 for the last.

    After a comparison that fails both answers go on, to meet others; one that fails twice is out and ranks last.
    The `feedback` of an answer tells all its comparisons. Where all answers are out, the judgement has failed.

    Cost: N - 1 comparisons of two chat turns each, in about log2(N) rounds, each with about 200 tokens beside the
    prompt and both answers; one more for each that fails, and none for a lone answer. An answer's `usage` is that
    of the comparisons in which it was the second.

    Source: both orders: Zheng et al. 2023, arXiv 2306.05685.
    """

    compares_samples = True
    question = "Which answer meets the criteria better, A or B?"
    examples = (
        ({"answer A": "4", "answer B": "5"}, "Verdict: A"),
        ({"answer A": "5", "answer B": "4"}, "Verdict: B"),
    )
    form = WordForm("A, B or tie", {"a": 1.0, "b": 0.0, "tie": 0.5}, noun="(?:answer|response|assistant)")

    def process(self, tasks: Sequence[Task], reference: str | None = None) -> Steps[list[float]]:
        """Rank the answers of tasks: finished generations, or reward tasks made by hand.

        Args:
            tasks: whose answers are to one prompt.
            reference: in place of the one that the judge was made with.

        Raises:
            WorkerError: so many comparisons failed that no answer is left.
            BudgetExceededError: budget or deadline ran out before one was left.
        """
        self.rewards = [self._reward_task(task) for task in tasks]
        knockout, failures = Knockout(len(self.rewards)), list[BaseException]()
        while pairs := knockout.pairs():
            outcomes = yield from self._compared(pairs, self.rewards, reference)
            for (first, second), outcome in zip(pairs, outcomes, strict=True):
                _tell(self.rewards[first], second, outcome.error or outcome.value)
                _tell(self.rewards[second], first, outcome.error or 1 - outcome.value)
                _charge(self.rewards[second], outcome.usage)
            failures += [outcome.error for outcome in outcomes if outcome.error is not None]
            knockout.end_round([outcome.value for outcome in outcomes])
        if failures and not knockout.left:
            raise failures[-1]
        scores = knockout.scores()
        for place, task in enumerate(self.rewards):
            task.reward = scores[place]
        self.scores = [scores[place] for place in range(len(scores))]
        return self.scores

    def _compared(
        self, pairs: Sequence[tuple[int, int]], answers: Sequence[RewardTask], reference: str | None
    ) -> Steps[list[Outcome]]:
        """The comparisons of a round, in order; those that gave no verdict are failures."""
        branches = [self.preference(answers[first], answers[second], reference) for first, second in pairs]
        race = Race(branches, failures="values", all_needed=True)
        outcomes: list[Outcome] = []
        while (outcome := (yield race)) is not None:
            if outcome.error is not None and not isinstance(outcome.error, WorkerError):
                raise outcome.error
            outcomes.append(outcome)
        return sorted(outcomes, key=lambda each: each.index)

    def preference(self, first: RewardTask, second: RewardTask, reference: str | None = None) -> Steps[float]:
        """How much the first is preferred, 0 to 1; both orders are asked for at the same time.

        Raises:
            WorkerError: the judge failed, or gave no verdict.
        """
        texts = [answer_text(each.response, thoughts=self.thoughts) for each in (first, second)]
        if texts[0] == texts[1]:
            return _UNDECIDED
        verdicts: list[Verdict] = yield ParallelProcess.from_generators(
            self.verdict(first, {"answer A": a, "answer B": b}, reference)
            for a, b in ((first, second), (second, first))
        )
        as_they_are, turned = verdicts
        return _UNDECIDED + (as_they_are.expected - turned.expected) / 2


def _tell(task: RewardTask, other: int, said: BaseException | float) -> None:
    """Add to the feedback of an answer how it was compared with another."""
    told = f"could not be compared: {said}" if isinstance(said, BaseException) else f"preferred by {said:.2f}"
    line = f"against answer {other + 1}: {told}"
    task.feedback = f"{task.feedback}\n{line}" if task.feedback else line


def _charge(task: RewardTask, usage: Usage | None) -> None:
    task.usage = task.usage or Usage()
    task.usage.add(usage or Usage())
