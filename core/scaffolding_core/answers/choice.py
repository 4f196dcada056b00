"""Choices: the letter of an option, with its text behind it or not."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern

__all__ = ["choice_in", "choice_said"]

_AFTER = r"(?:(?P<rest>.{1,300})|$)"
# A letter in brackets, or marked as an option, is one whatever follows; a bare one needs a mark behind it.
_FORMS = [
    pattern(rf"[(（\[{{]\s?(?P<letter>[A-Za-z])\s?[)）\]}}][.:,]?(?:\s+{_AFTER}|$)", re.DOTALL),
    pattern(
        r"(?:the\s)?(?:option|choice|answer|选项)\s?[(\[\"“]?(?P<letter>[A-Za-z])[)\]\"”]?(?![\w+#'])[.:,)]?"
        rf"(?:\s+{_AFTER}|$)",
        re.IGNORECASE | re.DOTALL,
    ),
    pattern(rf"(?P<letter>[A-Ha-h])\)[.:,]?(?:\s?{_AFTER})", re.DOTALL),
    pattern(r"(?P<letter>[A-H])(?::\s+(?=\S)|\s[-–—]\s+(?=.*[^\W\d_]{3}))(?P<rest>.{1,300})", re.DOTALL),
    pattern(r"(?P<letter>[A-H])\s?\((?P<rest>[^()]{1,200})\)"),
    pattern(r"(?P<letter>[A-Ha-h])[.,;]?\s?(?P<rest>)"),
]
# As it is written behind "Answer:"; elsewhere it may be an initial.
_DOTTED = pattern(r"(?P<letter>[A-E])\.\s+(?P<rest>(?![A-Z]\.)[A-Z$\d\\].{0,300})", re.DOTALL)
_OPERATES = pattern(r"\s*[=+*/^<>≤≥,-]")
_SEVERAL = pattern(r"(?:^|[\s(,])[(\[]?(?:[A-Za-z]|i{1,3}|iv)\)(?!\w)|\b[A-H][:.]\s")
_LETTER = r"[(（\[\"“]?(?P<letter>[A-H])[)）\]\"”]?(?![A-Za-z0-9_+#'’])"
_SAID = [
    pattern(
        r"\b(?:choose|chose|choosing|pick|picked|select|selected|go with|going with|vote for|matches|is|be|"
        rf"answer)\s+(?:the\s+)?(?:(?:correct|right|best)\s+)?(?:option|choice|answer|letter)?\s?{_LETTER}"
        r"(?=[\s.,:;)!*]*(?:$|\n|because|since|as\b|for\b))"
    ),
    pattern(rf"\b(?:[Oo]ption|[Cc]hoice|OPTION)\s+{_LETTER}(?=[\s.,:;)!*]*$)"),
    pattern(
        rf"(?:^|[\s*])(?:(?:[Oo]nly\s)?(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s)?{_LETTER}\s+(?:is|would be|must be|seems)\s+"
        r"(?:therefore\s|clearly\s|indeed\s)?(?:the\s)?(?:only\s)?"
        r"(?:correct|right|best|true|most likely|(?:correct\s)?(?:answer|option|choice|one))"
    ),
    pattern(rf"(?:故|应|應|因此)?(?:选择|選擇|选|選)(?:项|項)?\s?{_LETTER}"),
    pattern(rf"(?:选项|選項)?\s?{_LETTER}\s?(?:是|为|為)?(?:正确|正確|对|對)"),
    pattern(r"\b(?:option|choice)\s(?:is|would be)\s" + _LETTER + r"\)?(?=\s|[.)]|$)"),
]
_DENIED = pattern(r"\b(?:not|isn't|n't|nor|neither|incorrect|wrong|false)\b|不|错|錯", re.IGNORECASE)


def choice_in(phrase: str, *, marked: bool = False) -> str | None:
    """The letter of the option that a phrase is: `B`, `(b)`, `B) Paris`, `option B`, `[B]`, `B - fun`, `B (fun)`.

    Args:
        phrase: without markup.
        marked: it is marked as the answer, so that `B. Paris` is an option, too.

    Returns:
        None where it is no option, or several.
    """
    for form in [*_FORMS, _DOTTED] if marked else _FORMS:
        found = form.fullmatch(phrase)
        if found:
            rest = found["rest"] or ""
            return None if _SEVERAL.search(rest) or _OPERATES.match(rest) else found["letter"].upper()
    return None


def choice_said(sentence: str) -> str | None:
    """The letter of the one option that a sentence settles on, as in `I would choose B` or `B is the right one`."""
    letters = set()
    for form in _SAID:
        for found in form.finditer(sentence):
            if not _DENIED.search(found[0]):
                letters.add(found["letter"].upper())
    return letters.pop() if len(letters) == 1 else None
