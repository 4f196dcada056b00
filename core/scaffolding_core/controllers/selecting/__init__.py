"""Methods that choose among samples by what a reward says of them."""

from scaffolding_core.controllers.selecting.weighted_vote import WeightedVoteController

__all__ = ["WeightedVoteController"]
