"""Methods that go by how sure the model is."""

from scaffolding_core.controllers.confidence.deepconf_offline import DeepConfOfflineController
from scaffolding_core.controllers.confidence.deepconf_online import DeepConfOnlineController

__all__ = ["DeepConfOfflineController", "DeepConfOnlineController"]
