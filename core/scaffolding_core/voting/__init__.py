"""Votes: tallies and stop rules, as arithmetic."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.ballot import Ballot
from scaffolding_core.voting.beta import Beta, checked_confidence
from scaffolding_core.voting.dirichlet import Dirichlet
from scaffolding_core.voting.doubling import Doubling
from scaffolding_core.voting.field_ballot import FieldBallot
from scaffolding_core.voting.first import First
from scaffolding_core.voting.full import Full
from scaffolding_core.voting.lossless import Lossless
from scaffolding_core.voting.posterior import PosteriorBallot
from scaffolding_core.voting.quorum import Quorum
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import REFUSED, Tally, winner, winner_of
from scaffolding_core.voting.weighing import WEIGHINGS, Borda, Weighing, resolve_weighing
from scaffolding_core.voting.window import Window

__all__ = [
    "REFUSED",
    "STOP_RULES",
    "WEIGHINGS",
    "Ballot",
    "Beta",
    "Borda",
    "Dirichlet",
    "Doubling",
    "FieldBallot",
    "First",
    "Full",
    "Lossless",
    "PosteriorBallot",
    "Quorum",
    "StopRule",
    "Tally",
    "Weighing",
    "Window",
    "checked_confidence",
    "resolve_stop_rule",
    "resolve_weighing",
    "winner",
    "winner_of",
]

STOP_RULES: Mapping[str, type[StopRule]] = {
    "lossless": Lossless,
    "beta": Beta,
    "dirichlet": Dirichlet,
    "window": Window,
    "doubling": Doubling,
    "full": Full,
}
"""Stop rules by name."""


def resolve_stop_rule(rule: str | StopRule) -> StopRule:
    """A stop rule, by its name or as it is.

    Raises:
        InvalidRequestError: no rule of that name.
    """
    if isinstance(rule, StopRule):
        return rule
    if not isinstance(rule, str) or rule not in STOP_RULES:
        raise InvalidRequestError(f"no stop rule is named {rule!r}; there are: {', '.join(STOP_RULES)}")
    return STOP_RULES[rule]()
