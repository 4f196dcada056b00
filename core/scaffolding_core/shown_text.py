"""Text of others, made safe to show: nothing in it moves a cursor, sets a title or turns the writing around."""

from __future__ import annotations

import re

__all__ = ["json_safe", "sentence", "shown"]

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but for tab and new line, marks and overrides of the writing's direction, lone surrogates."""


def shown(text: str) -> str:
    """The text with a visible sign for each character that a terminal would obey, or could not encode."""
    return _UNSAFE.sub(_sign, text)


def json_safe(text: str) -> str:
    """JSON with such characters escaped: it means the same."""
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def sentence(text: str, most: int) -> str:
    """The text in one line of bounded length, safe to show."""
    words = " ".join(shown(text).split())
    return words if len(words) <= most else words[: most - 1] + "…"


def _sign(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return chr(0x2400 + code)  # its picture
    return "\u2421" if code == 0x7F else "\ufffd"
