"""Reading: what samples answer, as LlamaIndex's components and agents read it.

A component hands the model a format and parses what comes. A vote must compare what the component reads, not how
it is worded; so each format has a small reader here, tried in turn by what a text itself shows.
"""

from __future__ import annotations

from llamaindex_scaffolding.reading.named_kind import read_as_here
from llamaindex_scaffolding.reading.offered_tools import offered_tools
from llamaindex_scaffolding.reading.react_step import ReActStep
from llamaindex_scaffolding.reading.step import Step
from llamaindex_scaffolding.reading.structures import OfClass, OfParser
from llamaindex_scaffolding.reading.told_tools import told_tools

__all__ = ["OfClass", "OfParser", "ReActStep", "Step", "offered_tools", "read_as_here", "told_tools"]
