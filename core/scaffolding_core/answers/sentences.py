"""Sentences: where one ends, and where a full stop ends none."""

from __future__ import annotations

import re
from collections.abc import Iterator

from scaffolding_core.answers.pattern import pattern

__all__ = ["first_sentence", "sentence_ends", "sentences"]

_BREAK = pattern(r"(?:(?<![.!?])[.!?]{1,8}(?![.!?])|…)[\"'”’)\]}*_`$]{0,4}(?=\s|$)|[。！？；]+|\n")
_WORD_BEFORE = pattern(r"[^\s(\[\"'“‘*_$]{1,24}$")
_ABBREVIATIONS = frozenset([
    "dr", "mr", "mrs", "ms", "mx", "st", "ste", "jr", "sr", "prof", "gen", "col", "capt", "lt", "sgt", "cmdr",
    "adm", "maj", "rev", "hon", "pres", "sen", "rep", "gov", "fr", "msgr", "mt", "ft", "no", "nos", "nr", "vol",
    "fig", "figs", "eq", "eqs", "ch", "sec", "art", "p", "pp", "ed", "eds", "op", "cit", "e.g", "i.e", "eg",
    "ie", "etc", "vs", "v", "cf", "al", "approx", "est", "ca", "c", "inc", "ltd", "co", "corp", "bros", "dept",
    "univ", "assn", "ave", "blvd", "rd", "a.m", "p.m", "am", "pm", "u.s", "u.k", "ph.d", "m.d", "b.sc", "d.c",
    "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct", "nov", "dec", "mon", "tue", "tues",
    "wed", "thu", "thur", "thurs", "fri", "sat", "sun", "hr", "hrs", "min", "mins", "sq", "cu", "bzw", "z.b",
    "d.h",
])  # fmt: skip
_BEGINS_ANOTHER = pattern(
    r"\s+(?:\n|The|This|That|These|It|Its|He|She|They|We|I|You|In|So|Therefore|Thus|Hence|Because|Since|But|And|If|As|For|"
    r"Note|Here|There|However|Let|Wait|A|An|All|Both|Each|Other|Step|Answer|Question|Yes|No|Q:|A:)\b"
)
_ORDINAL = pattern(r"\s+(?:[a-zà-ÿ]|Januar|Februar|März|April|Mai|Juni|Juli|August|September|Oktober|November|"
                      r"Dezember|Jh)")  # fmt: skip
_LIST_MARKER = pattern(r"(?:\A|\n)\s{0,8}(?:\(?\d{1,3}|[A-Za-z])\Z")


def sentences(text: str) -> list[str]:
    """The sentences of a text, in order, stripped; a line ends one, too."""
    return list(_split(text))


def first_sentence(text: str) -> str:
    """The first sentence of a text that begins with one; it may be empty."""
    for found in _BREAK.finditer(text):
        if _ends(text, found, begins_line=False):
            return text[: found.end()].strip()
    return text.strip()


def sentence_ends(text: str) -> Iterator[int]:
    """Where the sentences of a text end; what comes behind the last end is none that has ended."""
    return (found.end() for found in _BREAK.finditer(text) if _ends(text, found))


def _split(text: str) -> Iterator[str]:
    start = 0
    for end in [*sentence_ends(text), len(text)]:
        sentence = text[start:end].strip()
        if sentence:
            yield sentence
        start = end


def _ends(text: str, found: re.Match[str], *, begins_line: bool = True) -> bool:
    if found[0][0] != ".":
        return True
    marker = _LIST_MARKER.search(text, max(0, found.start() - 12), found.start())
    if found[0].startswith("..") or (marker and (begins_line or marker[0].startswith("\n"))):
        return False
    before = _WORD_BEFORE.search(text, max(0, found.start() - 24), found.start())
    word = before[0].lower() if before else ""
    if word.isdecimal():
        return not _ORDINAL.match(text, found.end())
    if (len(word) == 1 and word.isalpha()) or (word.count(".") and not word[0].isdecimal()):
        return bool(_BEGINS_ANOTHER.match(text, found.end())) or not text[found.end() :].strip()
    if word not in _ABBREVIATIONS:
        return True
    if word in ("no", "nos"):
        return not text[found.end() : found.end() + 3].strip()[:1].isdecimal()
    return not text[found.end() :].strip() or text[found.end() :].lstrip(" ").startswith("\n")
