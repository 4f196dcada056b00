"""Votes: the candidates of each class of equal answers, and how they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from scaffolding_core.answers import REFUSAL, Answers
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import assigned, read
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.output import Candidate
from scaffolding_core.task import GenerationTask
from scaffolding_core.voting import REFUSED, winner

__all__ = ["by_class", "counted", "told"]


def counted(
    candidates: Sequence[Candidate], answers: Answers, task: GenerationTask
) -> Steps[list[list[Candidate]]]:
    """Read and compare what the candidates answer to a task; their votes as `by_class` gives them."""
    extractor, classes = extractor_for(task, answers), answers.equivalence.classes()
    choices: dict[int, int | None] = {}
    for candidate in candidates:
        candidate.answer, candidate.read_as = yield from read(extractor, candidate.message)
        choice = REFUSED if candidate.read_as == REFUSAL else None
        if candidate.answer is not None:
            choice = yield from assigned(classes, candidate.answer)
        choices[candidate.index] = choice
    return by_class({candidate.index: candidate for candidate in candidates}, choices)


def by_class(candidates: Mapping[int, Candidate], choices: Mapping[int, int | None]) -> list[list[Candidate]]:
    """The candidates of each class; each gets its number of votes.

    The class that won comes first, then by votes, of equals the first seen; in each the candidate that represents
    it: of those whose answer, and then whose text, is worded as most are, the earliest.

    Args:
        candidates: by index.
        choices: the class of each that votes, by index.
    """
    classes: dict[int, list[Candidate]] = {}
    for index, choice in sorted(choices.items()):
        if choice is not None:
            classes.setdefault(choice, []).append(candidates[index])
    for voters in classes.values():
        for voter in voters:
            voter.votes = len(voters)
    best = winner(choices)
    in_order = sorted(classes.items(), key=lambda item: (item[0] != best, -len(item[1])))
    return [_by_wording(voters) for _, voters in in_order]


def told(votes: Sequence[Sequence[Candidate]]) -> dict[str, int]:
    """How many votes each class has, by the answer that represents it; refusals by their text."""
    told: dict[str, int] = {}
    for voters in votes:
        first = voters[0]
        answer = first.text if first.answer is None else str(first.answer)
        told[answer] = told.get(answer, 0) + len(voters)
    return told


def _by_wording(voters: list[Candidate]) -> list[Candidate]:
    if len(voters) < 3:
        return voters
    answers = Counter(str(voter.answer) for voter in voters)
    texts = Counter(voter.text for voter in voters)
    return sorted(voters, key=lambda voter: (-answers[str(voter.answer)], -texts[voter.text]))
