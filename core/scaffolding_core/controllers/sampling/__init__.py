"""Methods that draw samples and count what they answer."""

from scaffolding_core.controllers.sampling.field_vote import FieldVoteController
from scaffolding_core.controllers.sampling.majority_vote import MajorityVoteController
from scaffolding_core.controllers.sampling.semantic_vote import SemanticVoteController
from scaffolding_core.controllers.sampling.short_vote import ShortVoteController
from scaffolding_core.controllers.sampling.two_then_think import (
    TwoThenThinkController,
)
from scaffolding_core.controllers.sampling.universal_vote import UniversalVoteController

__all__ = [
    "FieldVoteController",
    "MajorityVoteController",
    "SemanticVoteController",
    "ShortVoteController",
    "TwoThenThinkController",
    "UniversalVoteController",
]
