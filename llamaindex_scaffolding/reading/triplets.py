"""The triplets that LlamaIndex's SimpleLLMPathExtractor would put into a graph."""

from __future__ import annotations

import re

from llama_index.core.indices.property_graph.utils import default_parse_triplets_fn

from scaffolding_core import Reading

__all__ = ["triplets"]

# A predicate is a word: three numbers are a point.
_PREDICATE = r"[^(),]{0,128}(?:[^\W\d_]{2}|[^\W\d_\x00-\x7f])[^(),]{0,128}"
_TRIPLET = re.compile(rf"(?:[-*•]\s?|\d{{1,3}}[.)]\s?)?\([^(),]{{1,128}},{_PREDICATE},[^(),]{{1,128}}\)[.,;]?")
_COUNTS = re.compile(r"[()=\d]")


def triplets(text: str) -> Reading | None:
    """The triplets, in a fixed order; None for a text that is no list of them, or says more behind them."""
    if "(" not in text:
        return None
    lines = [line.strip() for line in text.split("\n")]
    first = next((index for index, line in enumerate(lines) if _TRIPLET.fullmatch(line)), None)
    if first is None or any(_COUNTS.search(line) and not _TRIPLET.fullmatch(line) for line in lines[first:]):
        return None
    found = sorted(set(default_parse_triplets_fn(text)))
    return Reading([list(each) for each in found], "triplets") if found else Reading(None)
