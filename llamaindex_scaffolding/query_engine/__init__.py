"""ScaffoldingQueryEngine, and what it is made of."""

from __future__ import annotations

from llamaindex_scaffolding.query_engine.context_order import RotatedContext, ShuffledContext
from llamaindex_scaffolding.query_engine.query_engine import ScaffoldingQueryEngine

__all__ = ["RotatedContext", "ScaffoldingQueryEngine", "ShuffledContext"]
