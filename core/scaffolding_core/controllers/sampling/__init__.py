"""Methods that draw samples and count what they answer."""

from scaffolding_core.controllers.sampling.field_vote import FieldVoteController
from scaffolding_core.controllers.sampling.majority_vote import MajorityVoteController

__all__ = ["FieldVoteController", "MajorityVoteController"]
