"""Methods that choose among samples by what a reward says of them."""

from scaffolding_core.controllers.selecting.best_of_n import BestOfNController
from scaffolding_core.controllers.selecting.weighted_vote import WeightedVoteController

__all__ = ["BestOfNController", "WeightedVoteController"]
