"""Methods that choose among samples by what a reward or a judge says of them."""

from scaffolding_core.controllers.selecting.best_of_n import BestOfNController
from scaffolding_core.controllers.selecting.gen_select import GenSelectController
from scaffolding_core.controllers.selecting.knockout import KnockoutController
from scaffolding_core.controllers.selecting.pivot_tournament import PivotTournamentController
from scaffolding_core.controllers.selecting.weighted_vote import WeightedVoteController

__all__ = [
    "BestOfNController",
    "GenSelectController",
    "KnockoutController",
    "PivotTournamentController",
    "WeightedVoteController",
]
