"""Methods that go by how sure an answer is."""

from scaffolding_core.controllers.confidence.calibrated import CalibratedController
from scaffolding_core.controllers.confidence.threshold import threshold_for

__all__ = ["CalibratedController", "threshold_for"]
