"""Methods that let several models, or several answers, work together."""

from scaffolding_core.controllers.teaming.cascade import CascadeController
from scaffolding_core.controllers.teaming.panel import PanelController

__all__ = ["CascadeController", "PanelController"]
