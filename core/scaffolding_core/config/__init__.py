"""Configuration: a whole tree of methods, workers and answers by name, from YAML or JSON, and back."""

from __future__ import annotations

from scaffolding_core.config.config import Config, Parts, dump, load

__all__ = ["Config", "Parts", "dump", "load"]
