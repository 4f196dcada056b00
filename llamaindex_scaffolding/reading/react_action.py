"""The action of a ReAct step, as LlamaIndex's `ReActOutputParser` finds it, in one pass, whatever the text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import dirtyjson

from scaffolding_core.adapting import read_json

__all__ = ["calls_an_action", "react_action"]

_ACTION = re.compile(r"\nAction: ([^\n() ]+)")
_ACTION_LINE = re.compile(r"^Action:", re.MULTILINE)
_INPUT = "\nAction Input: "
_PAIR = re.compile(r'"(\w+)":\s*"([^"]*)"')
_QUOTE = re.compile(r"(?<!\w)'|'(?!\w)")
_LENIENT = 8192
"""Characters of an action's input that are read leniently: about 3 ms."""


def calls_an_action(text: str) -> bool:
    """Whether a text calls an action behind a thought, or begins with one and its input."""
    if "Thought:" not in text:
        return text.startswith("Action:") and _INPUT in text
    return _INPUT.strip() in text or _ACTION_LINE.search(text) is not None


def react_action(text: str) -> tuple[str, dict[str, Any]] | None:
    """The tool and its input; None where the parser finds none, or one that cannot be read."""
    if text.startswith("Action:"):  # the parser wants something before it, and it matters not what
        text = f"\n\n{text}"
    end = text.rfind("}")
    last_input = text.rfind(_INPUT, 0, max(0, text.rfind("{", 0, max(0, end))))
    named = [found for found in _ACTION.finditer(text, 1) if found.start() < last_input]
    if not named:
        return None
    # The parser's pattern takes the first action behind a thought that begins the text, else the last.
    begins = text.lstrip().startswith("Thought: ")
    action = named[0 if begins else -1]
    if begins and not text[: action.start()].lstrip().removeprefix("Thought: ").strip("\n"):
        return None  # the parser breaks on an empty thought
    opening = text.find("{", text.find(_INPUT, action.end()) + len(_INPUT))
    given = _read(text[opening : end + 1])
    return (action[1], dict(given)) if isinstance(given, Mapping) else None


def _read(text: str) -> object:
    try:
        return read_json(text)
    except ValueError:
        return _read_leniently(text) if len(text) <= _LENIENT else None


def _read_leniently(text: str) -> object:
    """What the parser makes of broken JSON; None where nothing of it is left."""
    try:
        return dirtyjson.loads(text)
    except Exception:  # whatever it raises, the parser reads on
        return dict(_PAIR.findall(_QUOTE.sub('"', text))) or None
