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
from scaffolding_core.voting import REFUSED, winner_of

__all__ = ["answered", "by_class", "counted", "mark_late", "told", "vote_output", "wording"]


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
    output.votes = told(votes)
    output.agreement = chosen.votes / max(1, sum(map(len, votes)))
    return output


def mark_late(candidates: Iterable[Candidate], counted: Container[int]) -> None:
    """Mark the candidates that ended too late to be among those that count, by index."""
    for candidate in candidates:
        if candidate.counted:
            candidate.late = candidate.index not in counted


def told(votes: Sequence[Sequence[Candidate]]) -> dict[str, int]:
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
