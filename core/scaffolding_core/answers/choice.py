"""Choices: the letter of an option, with its text behind it or not."""

from __future__ import annotations

import re

from scaffolding_core.answers.pattern import pattern

__all__ = ["choice_in", "choice_said", "names_several"]

_LONGEST = 1_000

_AFTER = r"(?:(?P<rest>.{1,300})|$)"
# A letter in brackets, or marked as an option, is one whatever follows; a bare one needs a mark behind it.
_FORMS = [
    pattern(rf"[(（\[{{]{{1,2}}\s?(?P<letter>[A-Za-z])\s?[)）\]}}]{{1,2}}[.:,]?(?:\s+{_AFTER}|$)", re.DOTALL),
    pattern(
        r"(?:the\s)?(?:option|choice|answer)(?:\s[(\[\"“]?|[(\[])(?P<letter>[A-Za-z])(?![\w+#'])"
        r"(?:[)\]\"”]?\.?|(?:[)\]\"”.:,]{1,2}\s*|\s[-–—(]\s?)(?!(?:is|are|was|has|would|can|cannot|could|does|"
        r"seems|must|may|might)\b)(?P<rest>.{1,300}))",
        re.IGNORECASE | re.DOTALL,
    ),
    pattern(r"选项\s?(?P<letter>[A-H])(?P<rest>)"),
    pattern(rf"(?P<letter>[A-Ha-h])\)[.:,]?(?:\s?{_AFTER})", re.DOTALL),
    pattern(r"(?P<letter>[A-E])\s[-–—]\s+(?=.*[^\W\d_]{3})(?P<rest>.{1,300})", re.DOTALL),
    pattern(r"(?P<letter>[A-Ha-h])[.,;]?\s?(?P<rest>)"),
]
# As they are written behind "Answer:"; elsewhere the letter may be an initial, a label or a name.
_MARKED_FORMS = [
    *_FORMS,
    pattern(r"(?P<letter>[A-E])\.\s+(?P<rest>(?![A-Z]\.)[A-Z$\d\\].{0,300})", re.DOTALL),
    pattern(r"(?P<letter>[A-H]):\s+(?P<rest>\S.{0,300})", re.DOTALL),
    pattern(r"(?P<letter>[A-H])\s?\((?P<rest>[^()]{1,200})\)"),
]
_OPERATES = pattern(r"\s*[=+*/^<>≤≥,-]")
_SEVERAL = pattern(
    r"(?:^|[\s(,])(?:[(\[](?:[A-Za-z]|i{1,3}|iv)[)\]]|[A-H]\))(?!\w).*?[\s(,](?:[(\[](?:[A-Za-z]|i{1,3}|iv)[)\]]|[A-H]\))(?!\w)"
    r"|\b(?:[Oo]ption|[Cc]hoice)\s[A-H]\b.*\b(?:[Oo]ption|[Cc]hoice)\s[A-H]\b",
    re.DOTALL,
)
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
_DENIED = pattern(
    r"\b(?:not|cannot|nor|neither|none|incorrect|wrong|false|over|against|rather)\b|n['’]t\b|不", re.IGNORECASE
)


def choice_in(phrase: str, *, marked: bool = False) -> str | None:
    """The letter of the option that a phrase is: `B`, `(b)`, `B) Paris`, `option B`, `[B]`, `B - fun`, `B (fun)`.

    Args:
        phrase: without markup.
        marked: it is marked as the answer, so that `B. Paris` is an option, too.

    Returns:
        None where it is no option, or several.
    """
    if names_several(phrase):
        return None
    for form in _MARKED_FORMS if marked else _FORMS:
        found = form.fullmatch(phrase)
        if found:
            rest = found["rest"] or ""
            return None if _OPERATES.match(rest) else found["letter"].upper()
    return None


def names_several(phrase: str) -> bool:
    """Whether a phrase speaks of several options or parts: `(A) 12 and (B) 7`."""
    return len(phrase) <= _LONGEST and bool(_SEVERAL.search(phrase))


def choice_said(sentence: str) -> str | None:
    """The letter of the one option that a sentence settles on: `I would choose B`, `B is the right one`.

    None where it denies one, or prefers one to another.
    """
    if _DENIED.search(sentence):
        return None
    letters = {found["letter"].upper() for form in _SAID for found in form.finditer(sentence)}
    return letters.pop() if len(letters) == 1 else None
