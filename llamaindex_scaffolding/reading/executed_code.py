"""The code that LlamaIndex's CodeActAgent would execute."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterator

from scaffolding_core import Reading
from scaffolding_core.adapting import Calls

__all__ = ["executed_code"]

_OPENING, _CLOSING = "<execute>", "</execute>"
_LONGEST = 20_000
"""Characters of code that are read token by token: about 20 ms."""


def executed_code(text: str) -> Reading | None:
    """The code between `<execute>` and `</execute>`, all blocks in order; None if there is none.

    Comments, blank lines and the space between tokens do not count.
    """
    if _OPENING not in text:
        return None
    code = "\n\n".join(block.strip() for block in _blocks(text))
    return Reading(Calls([["execute", {"code": _normal(code)}]]), "execute") if code else None


def _blocks(text: str) -> Iterator[str]:
    start = text.find(_OPENING)
    while start >= 0:
        end = text.find(_CLOSING, start)
        if end < 0:
            return
        yield text[start + len(_OPENING) : end]
        start = text.find(_OPENING, end)


def _normal(code: str) -> str:
    """The code in one spelling; as it is where Python cannot read it."""
    if len(code) > _LONGEST:
        return code
    try:
        return tokenize.untokenize(_tokens(code)).strip()
    except (tokenize.TokenError, SyntaxError, ValueError):
        return code


def _tokens(code: str) -> Iterator[tuple[int, str]]:
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.ERRORTOKEN:
            raise SyntaxError(token.string)
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        depth += (token.type == tokenize.INDENT) - (token.type == tokenize.DEDENT)
        yield token.type, " " * 4 * depth if token.type == tokenize.INDENT else token.string
