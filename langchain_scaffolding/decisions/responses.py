"""What a vote answers a decision request with: the answers, and how many samples stand behind each."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar

from langchain_core.decisions import ClassifierResponse
from pydantic import BaseModel

from langchain_scaffolding.decisions.voted_questions import Shares, VotedQuestion
from scaffolding_core import InsufficientSamplesError, ScaffoldingOutput

__all__ = ["Poll", "VotedResponse", "counted"]


class Poll(BaseModel):
    """How the samples of one question voted."""

    votes: dict[str, int]
    """Votes of each answer that was given: `yes` and `no`, labels, or levels."""
    voted: int
    """Samples that voted; the probabilities are shares of these."""
    abstained: int
    """Samples that answered, but none of what was asked for: unreadable, or refused."""
    failed: int
    """Samples that failed."""
    stopped: str
    """Why no more were drawn, as in a `ScaffoldingOutput`."""


class VotedResponse(ClassifierResponse):
    """A response whose probabilities are shares of votes."""

    polls: dict[str, Poll]
    """The vote on each question, keyed as the answers are."""
    charges_itself: ClassVar[bool] = True
    """Its cost is charged already to a method's request around it."""


def counted(name: str, question: VotedQuestion, output: ScaffoldingOutput, min_votes: int) -> tuple[Poll, Shares]:
    """The vote on a question, and the share of the votes that each outcome has.

    Args:
        name: the question's key in the request.
        question: what was asked.
        output: of the vote.
        min_votes: how many samples must have voted.

    Raises:
        InsufficientSamplesError: fewer have.
    """
    samples = [candidate for candidate in output.candidates if candidate.counted]
    failures = [candidate.error for candidate in output.candidates if candidate.error is not None]
    cast = [sample.answer for sample in samples if isinstance(sample.answer, str)]
    votes = Counter(answer for answer in cast if answer in question.outcomes)
    voted = votes.total()
    if voted < min_votes:
        said = next((sample.text for sample in samples if sample.answer not in question.outcomes), "")
        raise InsufficientSamplesError(
            f"{voted} of {len(samples) + len(failures)} samples voted on the question {name!r}, and at least "
            f"{min_votes} must, with one of {', '.join(question.outcomes)}; one that did not said {said[:100]!r}",
            failures,
        )
    poll = Poll(
        votes=dict(votes.most_common()),
        voted=voted,
        abstained=len(samples) - voted,
        failed=len(failures),
        stopped=output.stopped,
    )
    in_order = [*poll.votes, *(outcome for outcome in question.outcomes if outcome not in votes)]
    return poll, {outcome: votes[outcome] / voted for outcome in in_order}
