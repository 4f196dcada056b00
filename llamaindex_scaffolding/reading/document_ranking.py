"""The documents that LlamaIndex's LLMRerank would keep, with their relevance."""

from __future__ import annotations

import re

from llama_index.core.indices.utils import default_parse_choice_select_answer_fn

from scaffolding_core import Reading

__all__ = ["document_ranking"]

_RANKED = re.compile(
    r"doc[a-z]{0,8}\s{0,4}:\s{0,4}\d{1,6}\s{0,4},[^,:\n]{0,40}(?:relevance|score)[^,:\n]{0,20}:", re.I
)
_ANY = 10**6
"""More documents than there are: how many there are is known to the reranker alone."""


def document_ranking(text: str) -> Reading | None:
    """Pairs of document and relevance, most relevant first; None where no line reads `Doc: 2, Relevance: 8`."""
    if _RANKED.search(text) is None:
        return None
    numbers, relevances = default_parse_choice_select_answer_fn(text, _ANY)
    pairs = list(zip(numbers, relevances or [1.0] * len(numbers), strict=False))  # the reranker pairs them so
    ranked = [list(pair) for pair in sorted(pairs, key=lambda pair: -pair[1])]
    return Reading(ranked, "ranking") if ranked else Reading(None)
