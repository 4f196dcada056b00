"""Methods that go by how sure the model is."""

from scaffolding_core.controllers.confidence.calibrated import CalibratedController
from scaffolding_core.controllers.confidence.deepconf_offline import DeepConfOfflineController
from scaffolding_core.controllers.confidence.deepconf_online import DeepConfOnlineController
from scaffolding_core.controllers.confidence.dynasor import DynasorController
from scaffolding_core.controllers.confidence.threshold import threshold_for

__all__ = [
    "CalibratedController",
    "DeepConfOfflineController",
    "DeepConfOnlineController",
    "DynasorController",
    "threshold_for",
]
