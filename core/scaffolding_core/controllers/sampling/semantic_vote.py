"""Semantic vote: samples of free text vote by what they mean."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import ClassVar, TypeAlias, cast

from scaffolding_core.answers import REFUSAL, Answer, Answers, AnswersLike, Extractor, Reading, is_refusal
from scaffolding_core.answers.thoughts import without_thoughts
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.answering import in_thread, read
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.judging.asking import Asking
from scaffolding_core.controllers.judging.entailment_judge import EntailmentJudge
from scaffolding_core.controllers.judging.exhibits import answer_text
from scaffolding_core.controllers.parts import checked_number, checked_part
from scaffolding_core.controllers.sample_loop import all_drawn
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.texts import Texts
from scaffolding_core.controllers.votes import by_class, vote_output
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError, WorkerError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ComputeTask, GenerationTask, RewardTask
from scaffolding_core.voting.clusters import entropy

__all__ = ["Embed", "SemanticVoteController"]

Embed: TypeAlias = "Callable[[list[str]], Iterable[Sequence[float]] | Awaitable[Iterable[Sequence[float]]]]"
"""Makes a vector of each text, such as `embed_documents` of LangChain's embeddings."""


class SemanticVoteController(Controller):
    """Samples N texts, puts those together that mean the same, and takes one of the largest cluster.

    Two mean the same where a judge says that each follows from the other; or, given `embed`, where the cosine of
    their embeddings is at least `threshold`. Each text is compared with the first of each cluster, so that
    what is the same is so of all. Texts alike but for case, space and marks need no comparison. Of the cluster the
    medoid is the result: by embeddings the text most like the others of it, by a judge the one worded as most are,
    else the one with which all others were compared. Ties go to the cluster first seen. Whatever wants a tool
    called is the same only as what wants the same. A text that declines is none of a cluster; where at least half
    decline, the first of them is the result.

    A comparison that fails, or that time was not left for, puts nothing together. The output's `data` tells the
    `clusters`, as the indices of their samples, the largest first, and their entropy over the samples in nats,
    `semantic_entropy`: 0 where all mean the same, log N where no two do. High means: do not trust the answer.

    Cost: N generations at the same time. By a judge two short chat turns for each text and each cluster before its
    own, those against one cluster at the same time, so in as many rounds as there are clusters. By embeddings one
    call with all texts.

    Source: Kuhn et al. 2023, arXiv 2302.09664, where a small model for entailment judges; the entropy is that over
    counts (Farquhar et al. 2024, Nature 630), which needs no log probabilities.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        embed: makes a vector of each text, async or not; None for a judge.
        threshold: the least cosine of texts that mean the same.
        judge_controller: the method that answers as the judge; None for one greedy chat turn of the role `judge`.
        criteria: what the judge is to look at; None for the method's own.
        longest: characters of the prompt, and of each text, that the judge is shown.
        answers: the kind of answer that is compared in place of the whole text, such as `"text"`, which leaves out
            what leads to it; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number out of its range, an `embed` that cannot be called, an unknown kind, or
            something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        embed: Embed | None = None,
        threshold: float = 0.9,
        judge_controller: Controller | None = None,
        criteria: str | None = None,
        longest: int = 20_000,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        if embed is not None and not callable(embed):
            raise InvalidRequestError(f"embed must be a function of a list of texts, got {embed!r}")
        self.embed = embed
        self.threshold = checked_number("threshold", threshold)
        if not -1 <= self.threshold <= 1:
            raise InvalidRequestError(f"threshold must be a cosine, from -1 to 1, got {threshold!r}")
        self.judge = (
            None if embed is not None else EntailmentJudge(judge_controller, criteria=criteria, longest=longest)
        )
        self.answers = None if answers is None else Answers.of(answers)
        self.min_samples = checked_sample_num(min_samples, 1)

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, compare, and give the tasks the results of the chosen sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before any sample was there.
            WorkerError: no embeddings, or the judge met what it would meet with every text.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        samples = Samples.of_method(
            self.generation_controller, tasks, n, generation_kwargs or {}, min_samples=self.min_samples
        )
        yield from all_drawn(samples)
        succeeded = samples.succeeded()
        compared = self.answers if answers is None else Answers.of(answers)
        extractor = _Said() if compared is None else extractor_for(samples.asked, compared)
        texts, asking = Texts(), Asking()
        try:
            for candidate in succeeded:
                candidate.answer, candidate.read_as = yield from read(extractor, candidate.message)
                texts.add(candidate)
            if self.embed is not None:
                vectors = yield from _embedded(self.embed, texts.texts())
                yield from in_thread(lambda given: texts.together(given, self.threshold), vectors)
            else:
                yield from self._judged(samples, texts, asking)
        except BudgetExceededError as error:
            samples.out_of_budget(error)
        votes = by_class(samples.candidates, texts.choices())
        chosen = votes[0][0] if votes else succeeded[0]
        if self.embed is not None and votes:
            chosen = texts.medoid(chosen)
            votes[0].sort(key=lambda voter: voter is not chosen)
        counted = {voter.index for voters in votes for voter in voters}
        output = yield from vote_output(samples, tasks, chosen, votes, counted, type(self).__name__)
        output.data = {
            "clusters": [sorted(voter.index for voter in voters) for voters in votes],
            "semantic_entropy": entropy(map(len, votes)),
            "judged": asking.judged,
            "failed": asking.failed,
        }
        return output

    def _judged(self, samples: Samples, texts: Texts, asking: Asking) -> Steps[None]:
        """Compare all that is left with the first of it, until nothing is left."""
        given = [samples.to_judge(candidates[0]) for candidates in texts.places]
        left = list(range(len(given)))
        while left:
            cluster, others = left[:1], left[1:]
            texts.clusters.append(cluster)
            alike = [other for other in others if texts.may_be_same(left[0], other)]
            yield from self._join(cluster, alike, given, asking)
            left = [other for other in others if other not in cluster]

    def _join(
        self, cluster: list[int], others: list[int], given: Sequence[RewardTask], asking: Asking
    ) -> Steps[None]:
        """Add those of others to a cluster that mean the same as its first."""
        judge = self.judge
        assert judge is not None  # nothing is embedded

        def take(index: int, same: bool) -> None:
            if same:
                cluster.append(others[index])

        yield from asking.ask([judge.same(given[cluster[0]], given[other]) for other in others], take)


class _Said(Extractor):
    """All that was said, without thoughts."""

    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        if is_refusal(message):
            return Reading(None, REFUSAL)
        said = (without_thoughts(message.text) or "").strip()
        if message.tool_calls:
            said = answer_text(message, thoughts=False)
        return Reading(said or None, "whole" if said else "")


def _embedded(embed: Embed, texts: list[str]) -> Steps[list[list[float]]]:
    if not texts:
        return []
    task = ComputeTask(function=functools.partial(embed, texts))
    try:
        yield [task]
    except WorkerError as error:
        raise WorkerError(f"the embeddings failed: {error}") from error
    vectors = cast("Iterable[Sequence[float]]", task.result)  # a task's result has no type of its own
    try:
        given = [[float(number) for number in vector] for vector in vectors]
    except (TypeError, ValueError) as error:
        raise WorkerError(f"embed must return a vector of numbers for each text: {error}") from error
    if len(given) != len(texts) or len({len(vector) for vector in given}) > 1:
        raise WorkerError(f"embed must return {len(texts)} vectors of one length for as many texts")
    return given
