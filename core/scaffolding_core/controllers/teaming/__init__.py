"""Methods in which several models, or several answers of one, work together."""

from scaffolding_core.controllers.teaming.bandit_routing import BanditRoutingController
from scaffolding_core.controllers.teaming.cascade import CascadeController
from scaffolding_core.controllers.teaming.debate import DebateController
from scaffolding_core.controllers.teaming.mixture_of_agents import MixtureOfAgentsController
from scaffolding_core.controllers.teaming.panel import PanelController

__all__ = [
    "BanditRoutingController",
    "CascadeController",
    "DebateController",
    "MixtureOfAgentsController",
    "PanelController",
]
