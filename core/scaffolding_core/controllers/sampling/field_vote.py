"""Field vote: sample several structures, and vote on each of their fields by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import (
    REFUSAL,
    Answer,
    Answers,
    AnswersLike,
    Equivalence,
    Extractor,
    FieldClasses,
    OfKind,
    Reading,
    Structure,
    default_equivalence,
    is_refusal,
)
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.asked import structures_for
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.controllers.samples import Samples, checked_sample_num
from scaffolding_core.controllers.sampling.poll import poll
from scaffolding_core.controllers.votes import mark_late
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import REFUSED, FieldBallot, Full, StopRule, resolve_stop_rule, winner

__all__ = ["FieldVoteController"]


class FieldVoteController(Controller):
    """Samples N structures and takes, for each field, the value that was given most often.

    `output.answer` is the consensus: its fields may come from different samples, so they may not fit
    together; where they must, vote on whole structures with `MajorityVoteController`. `output.message` is
    one sample's, whole: the one that agrees with the consensus in the most fields. `output.agreement` is the
    mean share of the votes that a field's value has, and `output.data["fields"]` the share of each.

    A sample without a structure abstains; a structure without a field votes against having it. Where at least
    half of the samples decline to answer, the first of them is the result. Ties go to the value first seen, and a
    value is worded as most word it. Nested values are compared whole.

    Cost: at most N generations, all at the same time; the rest is cut once no field can change.

    Source: self-consistency (Wang et al. 2022, arXiv 2203.11171), field by field.

    Args:
        generation_controller: the method that samples; give it a temperature above 0.
        default_sample_num: N, unless a request says `sample_num`.
        extractor: finds the structure in a sample, a mapping; `Structure` by default.
        answers: the kind of each field, by its name, as in `{"price": "number", "day": "date"}`.
        equivalences: which values of a field are the same, in place of its kind's; `Normalised` for the rest.
        stop_rule: as for `MajorityVoteController`, for each field.
        run_ahead: as for `MajorityVoteController`.
        min_samples: how many samples must succeed.

    Raises:
        InvalidRequestError: a number of samples below 1, an unknown stop rule, or a part of the wrong kind.
    """

    stateless: ClassVar[bool] = True
    votes_on_fields: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        default_sample_num: int = 8,
        *,
        answers: Mapping[str, AnswersLike] | None = None,
        extractor: Extractor | None = None,
        equivalences: Mapping[str, Equivalence] | None = None,
        stop_rule: str | StopRule = "lossless",
        run_ahead: float | None = None,
        min_samples: int = 1,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.default_sample_num = checked_sample_num(default_sample_num, 1)
        self.extractor = Answers.pair(extractor or Structure(), None).extractor
        self.equivalences = {**_of_kinds(answers), **_checked(equivalences)}
        self.stop_rule = resolve_stop_rule(stop_rule)
        self.run_ahead = run_ahead
        self.min_samples = checked_sample_num(min_samples, 1)
        FieldBallot(self.stop_rule, 1, run_ahead)  # refuses a bad run_ahead before it costs anything

    def process(
        self,
        tasks: list[GenerationTask],
        sample_num: int | None = None,
        generation_kwargs: Mapping[str, object] | None = None,
        answers: Mapping[str, AnswersLike] | None = None,
        extractor: Extractor | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Sample, vote on each field, and give the tasks the results of the sample nearest to the consensus.

        Raises:
            InsufficientSamplesError: fewer than `min_samples` succeeded.
            BudgetExceededError: budget or deadline ran out before any sample was there.
        """
        n = checked_sample_num(sample_num, self.default_sample_num)
        samples = Samples.of_method(
            self.generation_controller, tasks, n, generation_kwargs or {}, min_samples=self.min_samples
        )
        samples.race.all_needed = isinstance(self.stop_rule, Full)
        ballot = FieldBallot(self.stop_rule, n, self.run_ahead)
        classes = FieldClasses({**self.equivalences, **_of_kinds(answers)}, default_equivalence())
        own = self.extractor if extractor is None else Answers.pair(extractor, None).extractor
        yield from poll(samples, ballot, classes, _Named(structures_for(tasks[0], own)), trusting=False)
        refusals = _voters(ballot.whole(), REFUSED) if winner(ballot.whole()) == REFUSED else []
        chosen = samples.candidates[refusals[0]] if refusals else _nearest(samples, ballot)
        output = yield from samples.concluded(tasks, chosen, type(self).__name__)
        if output.stopped == "decided":
            mark_late(output.candidates, ballot.counted())
        output.consensus, shares = (None, {}) if refusals else _consensus(samples, ballot)
        output.answer = output.consensus
        output.agreement = sum(shares.values()) / len(shares) if shares else 0.0
        if refusals:
            output.agreement = _share(ballot.whole(), REFUSED)
        output.data = {"fields": shares}
        return output


class _Named(Extractor):
    """What an extractor finds, if it is a structure; its fields by their names as text."""

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self.costly = extractor.costly

    def extract(self, message: AssistantMessage) -> Answer | None:
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        found, how = self._extractor.read(message)
        if isinstance(found, Mapping):
            return Reading({str(name): value for name, value in found.items()}, how)
        return Reading(None, REFUSAL if how == REFUSAL or is_refusal(message) else "")


def _checked(equivalences: Mapping[str, Equivalence] | None) -> dict[str, Equivalence]:
    """The equivalence of each field.

    Raises:
        InvalidRequestError: one that is none.
    """
    return {name: Answers.pair(None, each).equivalence for name, each in (equivalences or {}).items()}


def _of_kinds(answers: Mapping[str, AnswersLike] | None) -> dict[str, Equivalence]:
    """The equivalence of each field whose kind is given.

    Raises:
        InvalidRequestError: not a kind for each field.
    """
    if answers is not None and not isinstance(answers, Mapping):
        raise InvalidRequestError(
            f"answers of a field vote are a kind for each field, as in {{'price': 'number'}}, got {answers!r}"
        )
    return {str(name): OfKind(Answers.of(kind)) for name, kind in (answers or {}).items()}


def _nearest(samples: Samples, ballot: FieldBallot) -> Candidate:
    """The sample that agrees with the winners in the most fields; of equals, the earliest."""
    votes, winners = ballot.votes(), ballot.winner()
    agreeing: Counter[int] = Counter()
    for name, best in winners.items():
        agreeing.update(_voters(votes[name], best))
    if not agreeing:
        return samples.succeeded()[0]
    return samples.candidates[max(sorted(agreeing), key=lambda index: agreeing[index])]


def _field(candidate: Candidate, name: str) -> Answer:
    assert isinstance(candidate.answer, Mapping)
    value: Answer = candidate.answer[name]
    return value


def _consensus(samples: Samples, ballot: FieldBallot) -> tuple[dict[str, Answer] | None, dict[str, float]]:
    """The winning value of each field, as most samples word it, and its share of the votes."""
    consensus: dict[str, Answer] = {}
    shares: dict[str, float] = {}
    votes = ballot.votes()
    for name, best in ballot.winner().items():
        values = [_field(samples.candidates[index], name) for index in _voters(votes[name], best)]
        wordings = Counter(map(repr, values))
        consensus[name] = max(values, key=lambda value: wordings[repr(value)])
        shares[name] = _share(votes[name], best)
    return consensus or None, shares


def _voters(votes: Mapping[int, int | None], choice: int) -> list[int]:
    """Who chose it, in index order."""
    return sorted(index for index, chosen in votes.items() if chosen == choice)


def _share(votes: Mapping[int, int | None], choice: int) -> float:
    """Its share of all that voted."""
    return len(_voters(votes, choice)) / sum(chosen is not None for chosen in votes.values())
