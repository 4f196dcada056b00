"""DeepConf, online: samples are cut as soon as their confidence falls, and the vote ends with a consensus."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.confidence import ConfidenceBallot, GroupConfidence
from scaffolding_core.controller import Controller, Steps, parts_of
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.judging.own_confidence import asking_for_logprobs, logprobs_of
from scaffolding_core.controllers.parts import checked_part, checked_share, checked_whole
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.poll import poll
from scaffolding_core.controllers.stepwise import stepwise
from scaffolding_core.controllers.votes import by_class, weighted_output
from scaffolding_core.errors import InvalidRequestError, WorkerError
from scaffolding_core.messages import TokenLogprob
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import WEIGHINGS

__all__ = ["DeepConfOnlineController"]


class DeepConfOnlineController(Controller):
    """Lets a few samples run whole, and cuts each later one where its confidence falls below what is usual.

    A token's confidence is minus the mean log probability of the likeliest at its place, a group's its mean over
    the last tokens, and a sample's that of its least confident group. The first samples, the warm-up, set the
    threshold that the share `keep` of them reaches. Later ones are read as they are written, and cut at the
    backend within `step` tokens of falling below it. Those that do not, of the warm-up too, vote with their
    confidence as weight, until the leading answer has the share `consensus` of all weights, or N samples are in.

    The output's `data` tells the `threshold`, how many were `cut` by it, and the `weights` of the answers.

    Cost: at most N generations, each a stream of its own with the log probabilities of its tokens: the warm-up at
    the same time, then as many at once. Up to 84.7 % fewer tokens than a vote of all, in the paper.

    Source: Fu et al. 2025, arXiv 2508.15260. Beyond it, the consensus is looked for in the order in which samples
    were begun, so that those which are written sooner have no advantage.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        warm_up: samples that run whole first.
        keep: the share of samples that should reach the threshold: 0.1 cuts most, 0.9 few.
        consensus: the share of the weights that decides; 1 only where all agree.
        group_size: tokens of a group.
        step: tokens between two looks at a sample.
        ahead: samples that run at once after the warm-up; None for as many as it had.
        num_logprobs: likeliest tokens of each place, where the task does not say; servers have their most.
        answers: the kind of answer, such as `"number"`; see `Answers`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number below 1, a share that is none, or something that is no controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 64,
        *,
        warm_up: int = 16,
        keep: float = 0.1,
        consensus: float = 0.95,
        group_size: int = 2048,
        step: int = 32,
        ahead: int | None = None,
        num_logprobs: int = 20,
        answers: AnswersLike | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.warm_up = checked_whole("warm_up", warm_up, 1)
        self.keep = checked_share("keep", keep)
        self.consensus = checked_share("consensus", consensus)
        self.group_size = checked_whole("group_size", group_size, 1)
        self.step = checked_whole("step", step, 1)
        self.ahead = self.warm_up if ahead is None else checked_whole("ahead", ahead, 1)
        self.num_logprobs = checked_whole("num_logprobs", num_logprobs, 1)
        self.answers = Answers.of(answers)
        self.min_samples = checked_sample_num(min_samples, 1)

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """Log probabilities of whoever generates, as they are written."""
        return dict.fromkeys(logprobs_of(self.generation_controller), Capabilities(logprobs=True, streaming=True))

    def check_parts(self) -> None:
        """Refuse a method that draws several samples for one: none of them could be looked at as it is written.

        Raises:
            InvalidRequestError: it draws several.
        """
        for part in parts_of(self.generation_controller):
            if getattr(part, "default_sample_num", 1) > 1:
                raise InvalidRequestError(
                    f"{type(part).__name__} draws several samples at once, and each has to be looked at while it "
                    "is written: let a method of one sample generate"
                )

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, vote, and give the tasks the results of the chosen sample.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before any sample was there.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        ballot = ConfidenceBallot(
            n, warm_up=self.warm_up, keep=self.keep, consensus=self.consensus, ahead=self.ahead
        )
        samples = Samples(
            [asking_for_logprobs(self, task) for task in tasks],
            n,
            lambda sample: self._watched(sample, len(samples.tasks) - 1, ballot, generation_kwargs or {}),
            min_samples=min(self.min_samples, n),
        )
        compared = self.answers if answers is None else Answers.of(answers)
        extractor, classes = extractor_for(tasks[0], compared), compared.equivalence.classes()
        yield from poll(samples, ballot, classes, extractor, trusting=False)
        votes = by_class(samples.candidates, ballot.votes())
        output = yield from weighted_output(
            samples, tasks, votes, WEIGHINGS["sum"], ballot.votes(), type(self).__name__
        )
        below = [each for each in output.candidates if each.message.finish_reason == "cancelled"]
        output.data = {**(output.data or {}), "threshold": ballot.threshold, "cut": len(below)}
        return output

    def _watched(
        self,
        sample: list[GenerationTask],
        index: int,
        ballot: ConfidenceBallot,
        options: Mapping[str, object],
    ) -> Steps[ScaffoldingOutput]:
        """Write a sample, and cut it once a group of its tokens is below the threshold."""
        group = GroupConfidence(self.group_size)

        def is_unsure(tokens: Sequence[TokenLogprob]) -> bool:
            for token in tokens:
                group.add(token)
            return group.lowest is not None and ballot.falls_short(group.lowest)

        method = self.generation_controller.clone().process(sample, **options)
        output = yield from stepwise(method, self.step, is_unsure)
        if group.mean is None:
            raise WorkerError(
                "no answer could be looked at while it was written: the backend must tell log probabilities, and "
                "the method generate once at a time"
            )
        if not isinstance(output, ScaffoldingOutput):
            output = sample[0].create_scaffolding_output()
        output.score = group.mean if group.lowest is None else group.lowest
        ballot.confide(index, output.score)
        return output
