"""The tools that a prompt of LlamaIndex's ReActAgent tells of."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Sequence

from llama_index.core.tools import ToolMetadata

from scaffolding_core import RoleMessage, SystemMessage
from scaffolding_core.adapting import ReadArguments, Tools, as_written, read_by_schema

__all__ = ["told_tools"]

_MARK = "> Tool Name: "
_TOLD = re.compile(
    rf"^{_MARK}(?P<name>.+)\n(?:(?!{_MARK}).*\n)*?Tool Args: (?P<schema>\{{.*\}})\s*?$", re.MULTILINE
)
_OF_ANY_TEXT = ToolMetadata("").get_parameters_dict()
"""The schema of tools that make do with any text, whatever its name."""


def told_tools(messages: Sequence[RoleMessage]) -> Tools | None:
    """What reads the arguments of each tool, by its name; None for a chat that begins in another way."""
    if not messages or not isinstance(messages[0], SystemMessage) or _MARK not in messages[0].text:
        return None
    return _tools_in(messages[0].text)


@functools.lru_cache(maxsize=32)  # each step of an agent tells of the same
def _tools_in(prompt: str) -> Tools | None:
    return {told["name"]: _reader_of(told["schema"]) for told in _TOLD.finditer(prompt)} or None


def _reader_of(schema: str) -> ReadArguments:
    try:
        parsed = json.loads(schema)
    except ValueError:
        return as_written
    return as_written if parsed == _OF_ANY_TEXT else read_by_schema(parsed)
