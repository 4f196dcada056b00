"""Votes: the candidates of each class of equal answers, and how they are told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Protocol

from scaffolding_core.answers import REFUSAL, Answers, Extractor
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import compared, is_long, read
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.samples import Samples
from scaffolding_core.errors import BudgetExceededError
from scaffolding_core.results import Candidate, ScaffoldingOutput
from scaffolding_core.tasks import GenerationTask
from scaffolding_core.voting import REFUSED, Weighing, winner_of

__all__ = [
    "answered",
    "by_class",
    "counted",
    "mark_late",
    "tell_votes",
    "vote_output",
    "weighted_output",
    "wording",
]


def answered(output: ScaffoldingOutput, extractor: Extractor) -> Steps[None]:
    """Read the answer of a method's only sample; it has none where time is up before."""
    message = output.message
    if not (extractor.costly or is_long(message)):
        output.answer, output.read_as = extractor.read(message)
        return
    try:
        output.answer, output.read_as = yield from read(extractor, message)
    except BudgetExceededError:
        output.stopped = "budget"


class Voters(Protocol):
    """What the candidates of a vote are of: `Samples`, or another kind."""

    @property
    def asked(self) -> GenerationTask:
        """What they answer."""

    @property
    def candidates(self) -> Mapping[int, Candidate]:
        """All of them, by index."""

    def out_of_budget(self, error: BudgetExceededError) -> None:
        """Time is up."""


def counted(candidates: Sequence[Candidate], answers: Answers, samples: Voters) -> Steps[list[list[Candidate]]]:
    """Read and compare what the candidates answer, until time is up; their votes as `by_class` gives them.

    Args:
        candidates: to count.
        answers: what they answer with.
        samples: that the candidates are of; told if time is up.
    """
    extractor, classes = extractor_for(samples.asked, answers), answers.equivalence.classes()
    choices: dict[int, int | None] = {}
    try:
        for candidate in candidates:
            choice = yield from compared(extractor, classes, candidate, trusting=False)
            choices[candidate.index] = REFUSED if candidate.read_as == REFUSAL else choice
    except BudgetExceededError as error:
        samples.out_of_budget(error)
    return by_class(samples.candidates, choices)


def by_class(candidates: Mapping[int, Candidate], choices: Mapping[int, int | None]) -> list[list[Candidate]]:
    """The candidates of each class; each gets its number of votes.

    The class that won comes first, then by votes, of equals the first seen; in each the candidate that represents
    it: of those whose answer, and then whose text, is worded as most are, the earliest; of refusals the earliest.

    Args:
        candidates: by index.
        choices: the class of each that votes, by index.
    """
    classes: dict[int, list[Candidate]] = defaultdict(list)
    for index in sorted(choices):
        if (choice := choices[index]) is not None:
            classes[choice].append(candidates[index])
    in_order = sorted(classes.values(), key=len, reverse=True)
    if REFUSED in classes:  # then the class that won need not be the largest
        won = winner_of({choice: len(voters) for choice, voters in classes.items()})
        best = None if won is None else classes[won]
        in_order.sort(key=lambda voters: voters is not best)
    return [_by_wording(voters) for voters in in_order]


def vote_output(
    samples: Samples,
    tasks: Sequence[GenerationTask],
    chosen: Candidate,
    votes: Sequence[Sequence[Candidate]],
    counted: Container[int],
    method: str,
) -> Steps[ScaffoldingOutput]:
    """End a vote with the sample that it chose.

    Args:
        samples: that voted.
        tasks: get its results.
        chosen: the sample.
        votes: as `by_class` gives them.
        counted: the samples that count, by index.
        method: name of the method's class.
    """
    output = yield from samples.concluded(tasks, chosen, method)
    if output.stopped == "decided":
        mark_late(output.candidates, counted)
    tell_votes(output, chosen, votes)
    return output


def weighted_output(
    samples: Samples,
    tasks: Sequence[GenerationTask],
    votes: Sequence[list[Candidate]],
    weighing: Weighing,
    counted: Container[int],
    method: str,
) -> Steps[ScaffoldingOutput]:
    """End a vote of samples that have scores, with the best of those that gave the answer which weighs the most.

    Without any vote the best of all is the result, and without any score the earliest.

    Args:
        samples: that voted.
        tasks: get the results of the chosen one.
        votes: as `by_class` gives them.
        weighing: of the answers.
        counted: the samples that count, by index.
        method: name of the method's class.
    """
    weights = weighing([[voter.score or 0.0 for voter in voters] for voters in votes])
    heaviest = sorted(range(len(votes)), key=lambda place: -weights[place])
    votes, weights = [votes[place] for place in heaviest], [weights[place] for place in heaviest]
    best = votes[0] if votes else [each for each in samples.in_order() if each.score is not None]
    chosen = min(best, key=_by_score) if best else samples.succeeded()[0]
    output = yield from samples.concluded(tasks, chosen, method)
    mark_late(output.candidates, counted)
    output.votes = _told(votes)
    output.data = {"weights": dict(zip((wording(voters[0]) for voters in votes), weights, strict=True))}
    output.agreement = _share_of_first(weights)
    return output


def _by_score(candidate: Candidate) -> tuple[float, int]:
    """The highest score first, of equals the earliest."""
    return -(candidate.score or 0.0), candidate.index


def _share_of_first(weights: Sequence[float]) -> float:
    """The share that the first, the greatest, has of those above 0."""
    if not weights or weights[0] <= 0:
        return 0.0
    return 1 / sum(weight / weights[0] for weight in weights if weight > 0)


def mark_late(candidates: Iterable[Candidate], counted: Container[int]) -> None:
    """Mark the candidates that ended too late to be among those that count, by index."""
    for candidate in candidates:
        if candidate.counted:
            candidate.late = candidate.index not in counted


def tell_votes(output: ScaffoldingOutput, chosen: Candidate, votes: Sequence[Sequence[Candidate]]) -> None:
    """Tell how the answers of a method's candidates agree, those first that say what the chosen one does.

    Args:
        output: is told.
        chosen: the candidate that it is of.
        votes: as `by_class` gives them.
    """
    output.votes = _told(sorted(votes, key=lambda voters: all(voter is not chosen for voter in voters)))
    output.agreement = chosen.votes / max(1, sum(map(len, votes)))


def _told(votes: Sequence[Sequence[Candidate]]) -> dict[str, int]:
    """How many votes each class has, by the answer that represents it; refusals by their text."""
    told: dict[str, int] = {}
    for voters in votes:
        answer = wording(voters[0])
        told[answer] = told.get(answer, 0) + len(voters)
    return told


def wording(voter: Candidate) -> str:
    """What a sample votes for, as it words it."""
    return voter.text if voter.answer is None else str(voter.answer)


def _by_wording(voters: list[Candidate]) -> list[Candidate]:
    """The voters of a class, each told how many they are; those first that are worded as most are."""
    text, answer = voters[0].message.content, voters[0].answer
    alike = isinstance(text, str) and isinstance(answer, str)
    for voter in voters:
        voter.votes = len(voters)
        alike = alike and voter.message.content == text and voter.answer == answer
    if alike or answer is None or len(voters) < 3:
        return voters
    answers, texts = [str(voter.answer) for voter in voters], [voter.text for voter in voters]
    of_answer, of_text = Counter(answers), Counter(texts)
    places = sorted(range(len(voters)), key=lambda place: (-of_answer[answers[place]], -of_text[texts[place]]))
    return [voters[place] for place in places]
