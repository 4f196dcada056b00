"""What a short text says, where it is of a kind that is known: one key however it is written."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable

from scaffolding_core.answers.date import date_key, time_key
from scaffolding_core.answers.formula import formula_key, is_formula, without_delimiters
from scaffolding_core.answers.numerals import CJK_NUMERAL, with_digits
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.quantity import quantity_key

__all__ = ["bare", "items_of", "value_key"]

_WRAPPERS = pattern(
    r"\\(?:text|textbf|textrm|textit|mathrm|mathbf|mathit|mbox|boxed|fbox)\s?\{((?:[^{}]|\{[^{}]*\}){0,400})\}"
)
_THIN = pattern(r"\\[,;!:]|\\ |\\(?:left|right|displaystyle)(?![a-zA-Z])")
_SPACES = pattern(r" {2,}")
_INLINE_NUMBER = pattern(r"(?<![\\$])(?:\$|\\\()\s*([-+]?\d[\d.,]{0,40})\s*(?:\$|\\\))(?![\d$])")
_BOLD = pattern(r"(\*\*|__)(?=\S)((?:(?!\1).){1,400})(?<=\S)\1", re.DOTALL)
_AROUND = " \t\r\n\"'“”‘’「」『』«»"
_EMPHASIS = pattern(r"([*_`])(?=\S)(.*)(?<=\S)\1", re.DOTALL)
_EMOJI = frozenset("✅✓✔✗✘❌⭐\ufe0f")
_MEASURED = pattern(r"[^\"']*\d(?:['′\"″]|'')")
_END = ".,;:。，；：、"
_SET = pattern(r"\\?\{(.*?)\\?\}", re.DOTALL)
_SEPARATOR = pattern(r"\s*(?:[,;，、；]\s*(?:and\s|or\s|&\s)?|\s(?:and|or|&|und|et|y|e)\s)\s*")
_OR = pattern(r"\sor\s|\\lor|\\vee")
_NAMES = {
    "∅": "∅", "\\emptyset": "∅", "\\varnothing": "∅", "empty set": "∅", "the empty set": "∅", "\\{\\}": "∅",
    "dne": "does not exist", "does not exist": "does not exist", "\\infty": "∞", "∞": "∞", "infinity": "∞",
    "+∞": "∞", "+\\infty": "∞", "-∞": "-∞", "-\\infty": "-∞", "negative infinity": "-∞", "minus infinity": "-∞",
    "no solutions": "no solution", "no solution exists": "no solution", "there is no solution": "no solution",
    "there are no solutions": "no solution", "no real solution": "no real solution",
    "no real solutions": "no real solution",
}  # fmt: skip
_RATIO = pattern(r"\d{1,9}(?:\s?:\s?\d{1,9})+")
_VARIABLE = pattern(r"\s*([a-zA-Z](?:_\w)?)\s?=")
_UNIT_WORD = (
    r"(?:hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|days?|d|weeks?|months?|years?|yrs?|feet|foot|ft|"
    r"inch(?:es)?|in|pounds?|lbs?|ounces?|oz|km|cm|mm|kg|g|dollars?|cents?)"
)
_PART = pattern(rf"(\d[\d.,]*)\s?({_UNIT_WORD})(?![a-z])", re.IGNORECASE)
_COMPOUND = pattern(
    rf"\d[\d.,]{{0,12}}\s?{_UNIT_WORD}(?:\s?,?\s?(?:and\s)?\d[\d.,]{{0,12}}\s?{_UNIT_WORD}(?![a-z])){{1,4}}",
    re.IGNORECASE,
)
_SHORT_UNITS = {"m": "min", "d": "days", "in": "inches"}
_LONGEST = 400
_NESTED = 4
_BARE = 10_000


def bare(text: str) -> str:
    """A text without markup, delimiters of formulas, quotes around it and punctuation at its end.

    A text of more than 10,000 characters stays as it is.
    """
    if len(text) > _BARE:
        return text.strip()
    text = _THIN.sub(" ", text) if "\\" in text else text
    for _ in range(_NESTED):
        if (inner := _WRAPPERS.sub(r"\1", text)) == text:
            break
        text = _SPACES.sub(" ", inner)
    text = _INLINE_NUMBER.sub(r"\1", _BOLD.sub(r"\2", text)).replace("`", "")
    text = _without_emoji(text).lstrip("= ")
    if _MEASURED.fullmatch(text):
        return text
    for _ in range(_NESTED):
        before = text
        text = without_delimiters(text.strip(_AROUND).rstrip(_END).strip(_AROUND))
        if emphasised := _EMPHASIS.fullmatch(text):
            text = emphasised[2]
        if text == before:
            break
    return text.strip()


def _without_emoji(text: str) -> str:
    text = text.strip()
    while text and (text[-1] in _EMOJI or text[-1] >= "\U0001f300"):
        text = text[:-1].rstrip()
    return text


@functools.lru_cache(maxsize=4096)
def value_key(text: str) -> Hashable | None:
    """The key of a day, a time, a number, a set, a list of these, a formula, or one of few fixed answers.

    Args:
        text: as `bare` gives it.

    Returns:
        None if it is of none of these kinds, or longer than 400 characters.
    """
    if not text or len(text) > _LONGEST:
        return None
    return _simple_key(text) or _several_key(text)


def items_of(text: str) -> list[str]:
    """What a text lists between commas, semicolons, `and` and `or`, outside brackets."""
    items: list[str] = []
    start = depth = position = 0
    while position < len(text):
        sign = text[position]
        if sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif depth <= 0 and (found := _SEPARATOR.match(text, position)) and found.end() > position:
            items.append(text[start:position].strip())
            start = position = found.end()
            continue
        position += 1
    return [*items, text[start:].strip()]


def _simple_key(text: str) -> Hashable | None:
    if named := _NAMES.get(text.lower()):
        return named
    if text[0] == "(" and text[-1] == ")" and (inner := quantity_key(text[1:-1])):
        return inner
    day = date_key(with_digits(text)) if CJK_NUMERAL.search(text) else date_key(text)
    return day or time_key(text) or quantity_key(text)


def _several_key(text: str) -> Hashable | None:
    if (found := _SET.fullmatch(text)) and _lists_values(found[1]):
        return "set", frozenset(map(_item_key, items_of(found[1])))
    if _RATIO.fullmatch(text):
        return "ratio", tuple(map(int, text.replace(" ", "").split(":")))
    if parts := _compound(text):
        return "compound", parts
    items = items_of(text)
    if len(items) > 1:
        variables = {found[1] for item in items if (found := _VARIABLE.match(item))}
        name = _named_key if len(variables) > 1 else _item_key
        keys = [name(item) for item in items if item]
        if None in keys or len(keys) < 2:
            return ("formula", formula_key(text)) if is_formula(text) else None
        return ("any", frozenset(keys)) if _OR.search(text) else ("list", tuple(keys))
    return ("formula", formula_key(text)) if is_formula(text) else None


def _named_key(item: str) -> Hashable | None:
    """The key of a value with the variable that has it."""
    found = _VARIABLE.match(item)
    key = _item_key(item)
    return (found[1], key) if found and key is not None else key


def _compound(text: str) -> tuple[Hashable, ...] | None:
    """A quantity in several units: `2 hours and 30 minutes`, `5 ft 3 in`."""
    if not _COMPOUND.fullmatch(text):
        return None
    parts = [
        quantity_key(f"{number} {_SHORT_UNITS.get(unit.lower(), unit)}") for number, unit in _PART.findall(text)
    ]
    return tuple(parts) if None not in parts else None


def _lists_values(text: str) -> bool:
    """Whether each item of a text is a value."""
    return all(_item_key(item) is not None for item in items_of(text))


def _item_key(item: str) -> Hashable | None:
    key = _simple_key(without_delimiters(item)) if item else None
    if key is not None:
        return key
    return ("formula", formula_key(item)) if is_formula(item) else _lone_variable(item)


def _lone_variable(item: str) -> Hashable | None:
    return item if len(item) == 1 and item.isalpha() else None
