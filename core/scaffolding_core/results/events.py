"""What a request tells while it runs, in order; each event carries the path of its branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scaffolding_core.results.output import Candidate, ScaffoldingOutput

__all__ = ["CandidateEvent", "DecisionEvent", "Event", "FinalEvent", "TokenEvent"]


@dataclass(frozen=True, slots=True)
class TokenEvent:
    """A piece of text, as a worker wrote it.

    Args:
        branch: path of the branch; `()` is the request's own generator, `(3,)` its fourth child.
        text: new text.
        reasoning: new thoughts.
        originals: what it was made of, where a wrapped client gave it.
    """

    branch: tuple[int, ...]
    text: str = ""
    reasoning: str = ""
    originals: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class CandidateEvent:
    """A sample of a method finished.

    Args:
        branch: path of the method's own branch.
        candidate: the sample, with its answer, or with its error.
    """

    branch: tuple[int, ...]
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """A method chose its answer; what still ran is being cut.

    Args:
        branch: path of the method's own branch.
        candidate: the winner.
        stopped: why it stopped: see `ScaffoldingOutput.stopped`.
    """

    branch: tuple[int, ...]
    candidate: Candidate
    stopped: str


@dataclass(frozen=True, slots=True)
class FinalEvent:
    """The request finished; always the last event of one that succeeds.

    Args:
        output: its whole result.
    """

    output: ScaffoldingOutput


Event: TypeAlias = TokenEvent | CandidateEvent | DecisionEvent | FinalEvent
