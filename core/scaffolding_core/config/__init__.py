"""Configuration: a whole tree of methods, workers and answers by name, from YAML or JSON, and back."""

from __future__ import annotations

from scaffolding_core.config.config import Config, Parts, dump, load
from scaffolding_core.config.schema import schema

__all__ = ["Config", "Parts", "dump", "load", "schema"]
