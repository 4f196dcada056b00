"""Choices: the letter of an option, with its text behind it or not."""

from __future__ import annotations

import re

__all__ = ["choice_in", "choice_said"]

_AFTER = r"(?:(?P<rest>.{1,300})|$)"
# A letter in brackets, or marked as an option, is one whatever follows; a bare one needs a mark behind it.
_FORMS = [
    re.compile(rf"[(（\[{{]\s?(?P<letter>[A-Za-z])\s?[)）\]}}][.:,]?(?:\s+{_AFTER}|$)", re.DOTALL),
    re.compile(
        r"(?:the\s)?(?:option|choice|answer|选项)\s?[(\[\"“]?(?P<letter>[A-Za-z])[)\]\"”]?(?![\w+#'])[.:,)]?"
        rf"(?:\s+{_AFTER}|$)",
        re.IGNORECASE | re.DOTALL,
    ),
    re.compile(rf"(?P<letter>[A-Ha-h])\)[.:,]?(?:\s?{_AFTER})", re.DOTALL),
    re.compile(rf"(?P<letter>[A-H])(?::|\s[-–—])\s+{_AFTER}", re.DOTALL),
    re.compile(r"(?P<letter>[A-E])\.\s+(?P<rest>(?![A-Z]\.)[A-Z$\d\\].{0,300})", re.DOTALL),
    re.compile(r"(?P<letter>[A-H])\s?\((?P<rest>[^()]{1,200})\)"),
    re.compile(r"(?P<letter>[A-Ha-h])[.,;]?\s?(?P<rest>)"),
]
_SEVERAL = re.compile(r"(?:^|[\s(,])[(\[]?[A-Za-z]\)(?!\w)|\b[A-H][:.]\s")
_LETTER = r"[(（\[\"“]?(?P<letter>[A-H])[)）\]\"”]?(?![A-Za-z0-9_+#'’])"
_SAID = [
    re.compile(
        r"\b(?:choose|chose|choosing|pick|picked|select|selected|go with|going with|vote for|matches|is|be|"
        rf"answer)\s+(?:the\s+)?(?:(?:correct|right|best)\s+)?(?:option|choice|answer|letter)?\s?{_LETTER}"
        r"(?=[\s.,:;)!*]*(?:$|\n|because|since|as\b|for\b))"
    ),
    re.compile(rf"\b(?:[Oo]ption|[Cc]hoice|OPTION)\s+{_LETTER}(?=[\s.,:;)!*]*$)"),
    re.compile(
        rf"(?:^|[\s*])(?:(?:[Oo]nly\s)?(?:[Oo]ption|[Cc]hoice|[Aa]nswer)\s)?{_LETTER}\s+(?:is|would be|must be|seems)\s+"
        r"(?:therefore\s|clearly\s|indeed\s)?(?:the\s)?(?:only\s)?"
        r"(?:correct|right|best|true|most likely|(?:correct\s)?(?:answer|option|choice|one))"
    ),
    re.compile(rf"(?:故|应|應|因此)?(?:选择|選擇|选|選)(?:项|項)?\s?{_LETTER}"),
    re.compile(rf"(?:选项|選項)?\s?{_LETTER}\s?(?:是|为|為)?(?:正确|正確|对|對)"),
    re.compile(r"\b(?:option|choice)\s(?:is|would be)\s" + _LETTER + r"\)?(?=\s|[.)]|$)"),
]
_DENIED = re.compile(r"\b(?:not|isn't|n't|nor|neither|incorrect|wrong|false)\b|不|错|錯", re.IGNORECASE)


def choice_in(phrase: str) -> str | None:
    """The letter of the option that a phrase is: `B`, `(b)`, `B) Paris`, `option B`, `[B]`, `B - fun`, `B (fun)`.

    None where it is no option, or several.
    """
    for form in _FORMS:
        found = form.fullmatch(phrase)
        if found:
            rest = found["rest"] or ""
            return None if _SEVERAL.search(rest) else found["letter"].upper()
    return None


def choice_said(sentence: str) -> str | None:
    """The letter of the one option that a sentence settles on, as in `I would choose B` or `B is the right one`."""
    letters = set()
    for form in _SAID:
        for found in form.finditer(sentence):
            if not _DENIED.search(found[0]):
                letters.add(found["letter"].upper())
    return letters.pop() if len(letters) == 1 else None
