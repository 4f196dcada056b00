"""Trees: names and values in a file, JSON or YAML, each with its place there."""

from __future__ import annotations

from scaffolding_core.config_text.file import read_tree, tree_of, tree_text
from scaffolding_core.config_text.where import Tree, Where, near_miss

__all__ = ["Tree", "Where", "near_miss", "read_tree", "tree_of", "tree_text"]
