"""The methods, one a file."""

from __future__ import annotations

from scaffolding_core.controllers.native_chat import NativeChatController
from scaffolding_core.controllers.native_generation import NativeGenerationController

__all__ = ["NativeChatController", "NativeGenerationController"]
