"""Formula: what of an answer is mathematics, told by how it is written; nothing is computed here."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from scaffolding_core.answers.formulas.tokens import FUNCTIONS
from scaffolding_core.answers.normalised import Normalised

__all__ = ["Formula", "formula_in", "same_unit"]

LONGEST = 1_000
"""Characters of a formula."""

_DELIMITED = re.compile(
    r"\$\$([^$]+)\$\$|\$([^$]+)\$|\\\((.+)\\\)|\\\[(.+)\\\]|\\(?:boxed|fbox)\{(.+)\}", re.DOTALL
)
_SEVERAL = re.compile(r"\$[^$]+\$(?:\s*(?:,|,?\s?or|,?\s?and)\s*\$[^$]+\$)+")
_AROUND = ' \t\n*`"“”'
_CURRENCY = re.compile(r"(?:\\?\$|[€£¥₹])\s?")
_PERCENT = re.compile(r"\s*\\?%$")
_DEGREES = re.compile(r"\s*(?:\^\s?\{?\s?\\circ\s?\}?|°)$")
# Degrees of the last term alone, or of the last of several.
_SEVERAL_TERMS = re.compile(
    r"(?<=[^\s{(=])\s*[-+−–±]|[,;<>≤≥]|\\(?:pm|mp|leq?|geq?|text)(?![a-zA-Z])|\b(?:or|and)\b"
)
_SPACES = r"(?:\s|~|\\[,;:! ])*"
_UNIT_COMMAND = re.compile(
    rf"{_SPACES}\\(?:text|textrm|textbf|textit|mathrm|mbox|operatorname)\s?\{{{_SPACES}([^{{}}\\]{{1,60}}?)\s*\}}"
    r"(?:\^\{?([23])\}?|([²³]))?$"
)
_UNIT_TYPED = re.compile(r"\s+([a-zA-Z]{2,20}(?:\s[a-zA-Z]{1,20}){0,3})(?:\^\{?([23])\}?|([²³]))?$")
_COMMAND = re.compile(r"\\(?:begin|end)\{[a-zA-Z]+\}(?:\{[clr|\s]*\})?|\\[a-zA-Z]+")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_FOREIGN = re.compile("[^\\x00-\\x7f−–×·⋅∗÷√π∞≤≥≠∈∪∩±∓°∅′α-ω⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]")
# Words and differentials: in `dy/dx` no d is to cancel.
_WORDS = frozenset({
    "am", "an", "as", "at", "be", "by", "do", "go", "he", "if", "in", "is", "it", "me", "my", "no", "of", "on",
    "or", "so", "to", "up", "us", "we", "dr", "dt", "du", "dv", "dx", "dy", "dz",
})  # fmt: skip
_KNOWN = FUNCTIONS | {"and", "or", "pi"}
_COMPUTES = re.compile(r"[-+*/^=<>!|(){}\[\]−×·⋅∗÷√≤≥≠∈∪∩±∓°²³\\]")
_PLAIN = re.compile(r"[-+−]?\s?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+|\d+\s?/\s?\d+|\\[dt]?frac\{\d+\}\{\d+\})")
# A date, a score, a range, a telephone number: what looks like a sum is none.
_CODE = re.compile(r"\+?\d+(?:\s?[-−–/.]\s?\d+)+")
_CERTAIN = re.compile(r"[\\\d^=+<>√π≤≥≠∈∪∩±×·²³]")


class Formula(NamedTuple):
    """A formula that an answer is.

    Attributes:
        text: in LaTeX or as it is typed, without its delimiters and its unit.
        unit: as it is written; empty for none.
        computes: it holds an operator or a command, and is more than a number.
    """

    text: str
    unit: str
    computes: bool


def formula_in(answer: str) -> Formula | None:
    """The formula that an answer is; None for words, dates, times, codes, and what is too long for one."""
    if len(answer) > LONGEST:
        return None
    text, unit = _without_unit(_undelimited(answer))
    if not text or not _is_formula(text):
        return None
    return Formula(text, unit, bool(_COMPUTES.search(text)) and not _PLAIN.fullmatch(text))


@functools.lru_cache(maxsize=1024)
def same_unit(first: str, other: str) -> bool:
    """Whether two units are the same, or one that is left out may be the other."""
    if first == other:
        return True
    counts = Normalised().classes()
    return counts.assign(_counted(first)) == counts.assign(_counted(other))


def _undelimited(text: str) -> str:
    for _ in range(3):
        text = text.strip(_AROUND).rstrip(".,;").replace(r"\:", " ")
        found = _DELIMITED.fullmatch(text)
        if found is not None:
            text = next(part for part in found.groups() if part is not None)
        elif _SEVERAL.fullmatch(text):
            text = text.replace("$", " ")
    return text.strip()


def _without_unit(text: str) -> tuple[str, str]:
    if currency := _CURRENCY.match(text):
        return text[currency.end() :], currency[0].strip().lstrip("\\")
    if percent := _PERCENT.search(text):
        return text[: percent.start()], "%"
    if (degrees := _DEGREES.search(text)) and not _SEVERAL_TERMS.search(text):
        return text[: degrees.start()], "°"
    found = _UNIT_COMMAND.search(text) or _UNIT_TYPED.search(text)
    if found is None or not _is_unit(found):
        return text, ""
    power = (found[2] or found[3] or "").replace("²", "2").replace("³", "3")
    return text[: found.start()], f"{found[1].strip()}^{power}" if power else found[1].strip()


def _is_unit(found: re.Match[str]) -> bool:
    words = found[1].split()
    if any(word in _KNOWN for word in words):
        return False
    # Typed letters may be factors, too, unless they are known to be a unit.
    return found.re is _UNIT_COMMAND or same_unit("", found[1])


def _counted(unit: str) -> str:
    if unit in ("", "%", "°"):
        return f"2{unit}"
    return f"{unit}2" if unit in "$€£¥₹" else f"2 {unit}"


def _is_formula(text: str) -> bool:
    if any(sign in text for sign in '$%:#@?"~') or _FOREIGN.search(text):
        return False
    if _CODE.fullmatch(text) and not _PLAIN.fullmatch(text):
        return False
    certain = bool(_CERTAIN.search(text))
    return all(_is_product(word, certain) for word in _LETTERS.findall(_COMMAND.sub(" ", text)))


def _is_product(letters: str, certain: bool) -> bool:
    """Whether letters side by side are factors, or a function, and no word."""
    if letters in _KNOWN:
        return True
    if not certain or letters.lower() in _WORDS or not letters.isascii():
        return False
    return len(letters) == 2 or (
        "".join(sorted(letters)) == letters and ord(letters[-1]) - ord(letters[0]) == len(letters) - 1
    )
