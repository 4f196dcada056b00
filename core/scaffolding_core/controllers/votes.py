"""Votes: the candidates of each class of equal answers, and how they are told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from scaffolding_core.answers import REFUSAL, Answers
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.answering import assigned, read
from scaffolding_core.output import Candidate
from scaffolding_core.voting import REFUSED, winner_of

__all__ = ["by_class", "counted", "told"]


def counted(candidates: Sequence[Candidate], answers: Answers) -> Steps[list[list[Candidate]]]:
    """Read and compare what the candidates answer; their votes as `by_class` gives them."""
    classes = answers.equivalence.classes()
    choices: dict[int, int | None] = {}
    for candidate in candidates:
        candidate.answer, candidate.read_as = yield from read(answers.extractor, candidate.message)
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
    in_order = sorted(classes.values(), key=len, reverse=True)
    if REFUSED in classes:  # then the class that won need not be the largest
        won = winner_of({choice: len(voters) for choice, voters in classes.items()})
        best = None if won is None else classes[won]
        in_order.sort(key=lambda voters: voters is not best)
    return [_by_wording(voters) for voters in in_order]


def told(votes: Sequence[Sequence[Candidate]]) -> dict[str, int]:
    """How many votes each class has, by the answer that represents it; refusals by their text."""
    told: dict[str, int] = {}
    for voters in votes:
        first = voters[0]
        answer = first.text if first.answer is None else str(first.answer)
        told[answer] = told.get(answer, 0) + len(voters)
    return told


def _by_wording(voters: list[Candidate]) -> list[Candidate]:
    """Those first whose answer, and then whose text, is worded as most are; of equals the earliest."""
    if len(voters) < 3:
        return voters
    answers, texts = [str(voter.answer) for voter in voters], [voter.text for voter in voters]
    if _alike(answers) and _alike(texts):
        return voters
    of_answer, of_text = Counter(answers), Counter(texts)
    places = sorted(range(len(voters)), key=lambda place: (-of_answer[answers[place]], -of_text[texts[place]]))
    return [voters[place] for place in places]


def _alike(wordings: list[str]) -> bool:
    return wordings.count(wordings[0]) == len(wordings)
