"""Citations as LlamaIndex's CitationQueryEngine has them written: `[1]` or `[2, 3]`, of numbered sources."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llama_index.core.schema import NodeWithScore

__all__ = ["are_numbered", "cited_numbers", "source_text", "without_citations"]

_CITATION = re.compile(r"\s?\[(\d{1,4}(?:\s?,\s?\d{1,4}){0,32})\]")
_HEADING = re.compile(r"Source (\d+):\n")


def are_numbered(nodes: Sequence[NodeWithScore]) -> bool:
    """Whether the sources are numbered from 1, so that `[2]` in an answer means the second one."""
    headings = [_HEADING.match(node.node.get_content()) for node in nodes]
    return bool(nodes) and all(
        heading is not None and int(heading[1]) == number for number, heading in enumerate(headings, 1)
    )


def cited_numbers(text: str) -> list[int]:
    """The numbers of the sources that a text cites, in its order."""
    return [int(number) for cited in _CITATION.findall(text) for number in cited.split(",")]


def without_citations(text: str) -> str:
    """The text without its citations, whose numbers would be taken for answers."""
    return _CITATION.sub("", text)


def source_text(node: NodeWithScore) -> str:
    """The text of a source, without its number."""
    return _HEADING.sub("", node.node.get_content(), count=1)
