"""ScaffoldingLLM, and what it is made of."""

from __future__ import annotations

from llamaindex_scaffolding.llm.llm import ScaffoldingLLM, event_listener

__all__ = ["ScaffoldingLLM", "event_listener"]
