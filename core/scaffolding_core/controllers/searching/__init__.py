"""Methods that search a tree of steps, or of answers."""

from scaffolding_core.controllers.searching.ab_mcts import AbMctsController
from scaffolding_core.controllers.searching.beam_search import BeamSearchController
from scaffolding_core.controllers.searching.best_first import BestFirstController
from scaffolding_core.controllers.searching.dvts import DvtsController
from scaffolding_core.controllers.searching.lats import LatsController
from scaffolding_core.controllers.searching.mcts import MctsController
from scaffolding_core.controllers.searching.particle_filtering import ParticleFilteringController
from scaffolding_core.controllers.searching.particle_gibbs import ParticleGibbsController
from scaffolding_core.controllers.searching.tree_of_thoughts import TreeOfThoughtsController

__all__ = [
    "AbMctsController",
    "BeamSearchController",
    "BestFirstController",
    "DvtsController",
    "LatsController",
    "MctsController",
    "ParticleFilteringController",
    "ParticleGibbsController",
    "TreeOfThoughtsController",
]
