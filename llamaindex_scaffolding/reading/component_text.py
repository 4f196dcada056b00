"""ComponentText: the answer in a text, as LlamaIndex's components read their own formats, and else by `auto`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import TypeAlias

from llamaindex_scaffolding.reading.document_ranking import document_ranking
from llamaindex_scaffolding.reading.echoed_label import echoed_label
from llamaindex_scaffolding.reading.json_path import json_path
from llamaindex_scaffolding.reading.pairwise_verdict import pairwise_verdict
from llamaindex_scaffolding.reading.query_lines import query_lines
from llamaindex_scaffolding.reading.score_line import score_line
from llamaindex_scaffolding.reading.sql_query import sql_query
from llamaindex_scaffolding.reading.triplets import triplets
from llamaindex_scaffolding.reading.yes_or_no import yes_or_no
from scaffolding_core import Answer, AssistantMessage, Extractor, Reading, default_extractor

__all__ = ["ComponentText"]

TextReader: TypeAlias = Callable[[str], Reading | None]
"""Reads texts of one format; None for a text that does not show it."""

_READERS: Sequence[TextReader] = (
    pairwise_verdict,
    document_ranking,
    sql_query,
    json_path,
    score_line,
    triplets,
    yes_or_no,
    echoed_label,
    query_lines,
)
_LONGEST = 100_000
"""Characters of a text that may be in a component's format."""

_REMEMBERED = 256


class ComponentText(Extractor):
    """The answer in a text: what the component reads whose format the text shows, else what `auto` reads.

    The formats are told by the text alone, and strictly, so that other texts are not taken for them.
    """

    costly = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The answer; None if there is none."""
        return self.read(message).answer

    def read(self, message: AssistantMessage) -> Reading:
        """The answer, and which format or reading gave it."""
        text = message.text
        if message.tool_calls or len(text) > _LONGEST or (len(text) <= _REMEMBERED and _is_plain(text)):
            return default_extractor().read(message)
        return _in_a_format(text) or default_extractor().read(message)


def _in_a_format(text: str) -> Reading | None:
    return next((reading for reader in _READERS if (reading := reader(text)) is not None), None)


@functools.lru_cache(maxsize=4096)  # a vote meets the same few short answers again and again
def _is_plain(text: str) -> bool:
    return _in_a_format(text) is None
