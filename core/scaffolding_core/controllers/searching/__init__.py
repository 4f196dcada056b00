"""Methods that search a tree of steps."""

from scaffolding_core.controllers.searching.beam_search import BeamSearchController
from scaffolding_core.controllers.searching.dvts import DvtsController
from scaffolding_core.controllers.searching.particle_filtering import ParticleFilteringController
from scaffolding_core.controllers.searching.particle_gibbs import ParticleGibbsController

__all__ = [
    "BeamSearchController",
    "DvtsController",
    "ParticleFilteringController",
    "ParticleGibbsController",
]
