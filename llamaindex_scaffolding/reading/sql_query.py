"""The statement that LlamaIndex's SQL engines would run."""

from __future__ import annotations

import re

from llama_index.core.indices.struct_store.sql_retriever import DefaultSQLParser
from llama_index.core.schema import QueryBundle

from scaffolding_core import Reading
from scaffolding_core.adapting import Code

__all__ = ["sql_query"]

_MARKS = ("SQLQuery:", "SQLResult:")
_STATEMENT = re.compile(
    r"\s*(?:```(?:sql)?\s*)?(?:SELECT|WITH|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:TABLE|VIEW)|PRAGMA|EXPLAIN)\s"
)
_PARSER = DefaultSQLParser()
_NO_QUERY = QueryBundle("")


def sql_query(text: str) -> Reading | None:
    """The statement, as the engines' own parser finds it; None for a text that neither marks one nor is one."""
    if not any(mark in text for mark in _MARKS) and _STATEMENT.match(text) is None:
        return None
    statement = _PARSER.parse_response_to_sql(text, _NO_QUERY)
    return Reading(Code(statement), "SQLQuery") if statement else Reading(None)
