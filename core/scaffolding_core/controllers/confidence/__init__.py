"""Methods that go by how sure an answer is."""

from scaffolding_core.controllers.confidence.calibrated import CalibratedController
from scaffolding_core.controllers.confidence.threshold import threshold_for

__all__ = ["CalibratedController", "threshold_for"]
"""Methods that go by how sure the model is."""

from scaffolding_core.controllers.confidence.deepconf_offline import DeepConfOfflineController
from scaffolding_core.controllers.confidence.deepconf_online import DeepConfOnlineController

__all__ = ["DeepConfOfflineController", "DeepConfOnlineController"]
