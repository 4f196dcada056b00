"""Methods that look at how sure the model is."""

from scaffolding_core.controllers.confidence.dynasor import DynasorController

__all__ = ["DynasorController"]
