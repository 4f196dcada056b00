"""A reply in JSON: its answer's value, or the value that it is."""

from __future__ import annotations

import re

from scaffolding_core.answers.code import blocks_in
from scaffolding_core.answers.json_text import json_values, read_json_leniently
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.messages import JsonValue

__all__ = ["answer_of", "json_reply", "value_of"]

_SURE = ("finalanswer", "answer", "correctanswer", "theanswer")
_LIKELY = (
    "result", "finalresult", "choice", "selectedchoice", "option", "selectedoption", "prediction", "verdict",
    "decision", "conclusion", "solution", "label", "classification", "value", "output"
)  # fmt: skip
_EXPLAINING = frozenset([
    "reasoning", "reason", "reasons", "explanation", "rationale", "thought", "thoughts", "thinking", "steps",
    "analysis", "work", "working", "justification", "chainofthought", "cot", "scratchpad", "confidence",
    "confidencescore", "notes", "note", "comment", "comments", "question", "problem", "stepbystep",
    "calculation", "calculations", "process", "evidence", "explain", "summary", "solutionsteps"
])  # fmt: skip
_UNITS = ("unit", "units", "currency")
_KEYED = pattern(
    r"[\"'](?P<key>final[_ ]?answer|answer|correct[_ ]answer)[\"']\s*:\s*"
    r"(?:\"(?P<text>[^\"\\]*(?:\\.[^\"\\]*)*)\"?|'(?P<quoted>[^'\n]*)'|(?P<bare>[^\s,}\"'][^,}\n]*))",
    re.IGNORECASE | re.DOTALL,
)
_JSON_LANGUAGES = ("json", "json5", "jsonc", "javascript", "js", "")
_SEARCHED = 1_000_000


def json_reply(text: str) -> tuple[str, JsonValue] | None:
    """The key and the value of the answer in a reply in JSON; the key is empty where the value is all of it.

    None for a text that is no such reply, where prose follows the JSON, or it stands in the midst of some.
    """
    if len(text) > _SEARCHED or not ("{" in text or "[" in text):
        return None
    written, alone = _written_in(text)
    if written is None:
        return None
    try:
        value = read_json_leniently(written)
    except ValueError:
        return _keyed(written)
    if not isinstance(value, dict | list):
        return None
    found = answer_of(value) if isinstance(value, dict) else ("", value)
    return found if found[0] or alone else None


def value_of(text: str) -> JsonValue:
    """The object or array that a text is in JSON; the text itself where it is none."""
    if text[:1] not in ("{", "["):
        return text
    try:
        value = read_json_leniently(text)
    except ValueError:
        return text
    if isinstance(value, dict):
        return answer_of(value)[1]
    return value if isinstance(value, list) and (len(value) != 2 or not _are_numbers(value)) else text


def answer_of(value: dict[str, JsonValue]) -> tuple[str, JsonValue]:
    """The key that holds a structure's answer, with its value; no key and the whole where none does.

    A key that may mean something else, such as `result`, holds it where all others explain it.
    """
    names = {re.sub(r"[\W_]", "", name.lower()): name for name in value}
    found = next((name for name in _SURE if name in names), None)
    if found is None:
        likely = [name for name in _LIKELY if name in names]
        if len(likely) != 1 or not names.keys() - {likely[0]} <= {*_EXPLAINING, *_UNITS}:
            return "", value
        found = likely[0]
    key = names[found]
    answer = value[key]
    unit = next((value[names[name]] for name in _UNITS if name in names), None)
    if isinstance(unit, str) and unit and isinstance(answer, str | int | float) and not isinstance(answer, bool):
        answer = f"{answer} {unit}"
    return key, answer


def _are_numbers(value: list[JsonValue]) -> bool:
    return all(isinstance(item, int | float) for item in value)


def _written_in(text: str) -> tuple[str | None, bool]:
    """The JSON that a text is, or ends in, and whether nothing behind it states an answer of its own."""
    stripped = text.strip()
    if stripped[0] in "{[" and stripped[-1] in "}]":
        return stripped, True
    blocks = [block for block in blocks_in(text) if block.content.strip()]
    if blocks:
        content = blocks[-1].content.strip()
        written = blocks[-1].language in _JSON_LANGUAGES and content[:1] in ("{", "[")
        return content if written else None, not _answers(text[blocks[-1].end :])
    if stripped[0] == "{":
        return stripped, True
    if stripped[-1] != "}":
        return None, False
    values = json_values(stripped)
    if values and isinstance(values[-1], dict):
        start = stripped.rfind("\n{") + 1 or stripped.find("{")
        return stripped[start:], True
    return stripped if _KEYED.search(stripped) else None, True


def _answers(rest: str) -> bool:
    """Whether what follows the JSON states an answer itself."""
    return "answer" in rest.lower() or "\\boxed" in rest


def _keyed(written: str) -> tuple[str, JsonValue] | None:
    """The answer by its key in what is nearly JSON."""
    last = None
    for found in _KEYED.finditer(written):
        last = found
    if last is None:
        return None
    said = next(part for part in (last["text"], last["quoted"], last["bare"]) if part is not None)
    return last["key"], said.strip().replace('\\"', '"')
