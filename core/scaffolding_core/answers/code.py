"""Code as an answer: blocks between fences, code without them, and which code is the same."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from scaffolding_core.answers.pattern import pattern

__all__ = ["Block", "Code", "blocks_in", "code_key", "looks_like_code", "python_of"]

_FENCED = pattern(
    r"(?:^|(?<=\n))(?P<indent>[ \t]{0,3})(?P<fence>`{3,}|~{3,})[ \t]{0,8}"
    r"(?P<language>[\w+#.-]{0,30})(?![\w+#.-])[^\n`]{0,200}\n"
    r"(?P<content>.*?)(?:(?<=\n)[ \t]{0,3}(?P=fence)[`~]{0,8}[ \t]{0,8}(?=\n|$)|$)"
    r"|(?:^|(?<=\n))[ \t]{0,3}```(?P<inline>[^\n`]{1,1000})```",
    re.DOTALL,
)
_SQL = pattern(
    r"\s*(?:--[^\n]*\n\s*)*(?:SELECT\s.+?\sFROM\s|SELECT\s+[\w*(]|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s"
    r"|(?:CREATE|ALTER|DROP)\s+(?:TABLE|VIEW|INDEX|DATABASE)\s|WITH\s+\w+\s+AS\s*\(|MATCH\s*\(|EXPLAIN\s+SELECT\s)",
    re.IGNORECASE | re.DOTALL,
)
_LINES = pattern(
    r"^[ \t]{0,40}(?:def\s+\w+\s*\(|class\s+\w+\s*[(:{]|import\s+[\w.]+(?:\s+as\s+\w+)?;?[ \t]*$|"
    r"from\s+[\w.]+\s+import\s|"
    r"(?:for|while|if|elif|with|try|except|else)\b[^.?!\n]*:[ \t]*(?:#.*)?$|return\b[^.?!\n]*$|"
    r"@\w[\w.]{0,80}(?:\(.*\))?[ \t]*$|"
    r"(?:async\s+)?(?:function|fn|func|fun)\s+\w*\s*\(|(?:const|let|var)\s+\w+\s*[=:]|#include\s*[<\"]|"
    r"(?:public|private|protected|static)\s+\w+|package\s+[\w.]+;|using\s+[\w.]+;|<[a-zA-Z!?][^>]*>\s*$|"
    r"\w[\w.\[\]\"']{0,80}[ \t]*(?:[-+*/%|&^]|\*\*|//|<<|>>)=\s*\S|lambda\s[\w, ]*:)",
    re.MULTILINE,
)
_CALL = pattern(r"[A-Za-z_][\w.]{0,80}\((?=.*[\"'=]|\)).*\);?", re.DOTALL)
_MARKS = pattern(r"[=!]==?(?!=)[^=]|==|!=|->|=>|::|&&|\|\||;\s*$|\{\s*$", re.MULTILINE)
_PATH = pattern(r"\$(?:\.\.?|\[)[\w*\[?'\"@(].*")
_QUOTED = pattern(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`")
_SQL_WORDS = pattern(
    r"\b(?:select|distinct|from|where|and|or|not|in|is|null|as|on|join|inner|left|right|full|outer|cross|group|by|"
    r"order|asc|desc|having|limit|offset|union|all|insert|into|values|update|set|delete|create|table|with|case|when|"
    r"then|else|end|like|between|exists|count|sum|avg|min|max)\b",
    re.IGNORECASE,
)
_SQL_SPACE = pattern(r"\s*([,()=<>+*/;-])\s*")
_PYTHON = frozenset({"python", "python3", "py", "py3", "ipython", "tool_code"})
_LOOKED_AT = 4_000
_LONGEST = 20_000


class Code(str):
    """Code as an answer: every letter and every indentation counts, unlike in a text."""

    __slots__ = ()


class Block(NamedTuple):
    """What stands between two fences.

    Attributes:
        language: as the fence names it, in lower case; empty where it does not.
        content: between the fences.
        start: where the opening fence begins.
        end: behind the closing fence.
    """

    language: str
    content: str
    start: int
    end: int


def blocks_in(text: str) -> list[Block]:
    """The fenced blocks of a text, in order; one that is not closed reaches to the end."""
    if "```" not in text and "~~~" not in text:
        return []
    return [
        Block((found["language"] or "").lower(), _content(found), found.start(), found.end())
        for found in _FENCED.finditer(text)
    ]


def _content(found: re.Match[str]) -> str:
    """What stands in a block, without the indentation that its fence has, as in a list."""
    if not found["indent"]:
        return found["inline"] or found["content"]
    lines = found["content"].split("\n")
    return "\n".join(line[_indent_of(line, len(found["indent"])) :] for line in lines)


def _indent_of(line: str, most: int) -> int:
    return min(most, len(line) - len(line.lstrip(" \t")))


def python_of(blocks: Sequence[Block]) -> Sequence[Block]:
    """The blocks that say that they are Python; all where none does."""
    return [block for block in blocks if block.language in _PYTHON] or blocks


def looks_like_code(text: str) -> bool:
    """Whether a text without fences is code: a query, a path into data, a call, or lines of a language."""
    head = text[:_LOOKED_AT].strip()
    if _SQL.match(head) or _PATH.fullmatch(head) or _CALL.fullmatch(head):
        return True
    lines = [line for line in head.splitlines() if line.strip()]
    code = len(_LINES.findall(head))
    marked = sum(1 for line in lines if _MARKS.search(line))
    return code > 0 and (code + marked) * 3 >= len(lines)


def code_key(code: str) -> Hashable:
    """Code without blank lines around it and white space at line ends.

    A query without its layout and the case of its keywords.
    """
    if (
        len(code) <= _LONGEST and _SQL.match(code[:_LOOKED_AT]) and "--" not in code and "/*" not in code
    ):  # a comment ends with its line
        return "sql", _query_key(code)
    if len(code) > _LONGEST:
        return "code", code
    lines = textwrap.dedent(code.replace("\r\n", "\n").expandtabs(4)).split("\n")
    return "code", "\n".join(line.rstrip() for line in lines).strip("\n").removesuffix(";")


def _query_key(query: str) -> str:
    parts: list[str] = []
    start = 0
    for found in _QUOTED.finditer(query):
        parts += [_outside_quotes(query[start : found.start()]), found[0]]
        start = found.end()
    parts.append(_outside_quotes(query[start:]))
    return "".join(parts).strip().rstrip(";").rstrip()


def _outside_quotes(part: str) -> str:
    part = _SQL_WORDS.sub(lambda found: found[0].upper(), part)
    return _SQL_SPACE.sub(r"\1", re.sub(r"\s+", " ", part))
