"""A program as a model wrote it, made ready to run; and what its result says."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from scaffolding_core.answers.code import blocks_in, python_of

__all__ = ["LONGEST", "RESULT_NAME", "data_in", "with_result", "without_fences"]

RESULT_NAME = "_result_of_program"
"""The name that holds the value of a program's last expression."""

LONGEST = 200_000
"""Characters of a program."""

_LAST_LINES, _LAST_BYTES = 50, 10_000
"""Of a program in which the last statement is looked for by itself."""

_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def without_fences(code: str) -> str:
    """The program between the fences, where the text begins with one."""
    if not code.lstrip().startswith(("```", "~~~")):
        return code
    return "\n\n".join(block.content for block in python_of(blocks_in(code))) or code


def with_result(code: str) -> tuple[str, bool]:
    """The program with the value of its last expression kept in `RESULT_NAME`, and whether it has one.

    Each line keeps its number. What cannot be parsed is left for the sandbox to refuse.
    """
    try:
        lines = code.encode().splitlines(keepends=True)
    except UnicodeEncodeError:
        return code, False
    before, last = _last_statement(lines)
    if not isinstance(last, ast.Expr) or last.end_lineno is None or last.end_col_offset is None:
        return code, False
    start = sum(map(len, lines[: before + last.lineno - 1])) + last.col_offset
    end = sum(map(len, lines[: before + last.end_lineno - 1])) + last.end_col_offset
    whole = b"".join(lines)
    kept = whole[:start] + f"{RESULT_NAME} = (".encode() + whole[start:end] + b")" + whole[end:]
    return kept.decode(), True


def _last_statement(lines: Sequence[bytes]) -> tuple[int, ast.stmt | None]:
    """The last statement, and how many lines stand before what its own lines are counted from.

    Where the whole is none of this Python, it may be of a newer one: then the fewest lines that are whole have it.
    """
    for before in [0, *range(len(lines) - 1, max(0, len(lines) - _LAST_LINES), -1)]:
        text = b"".join(lines[before:])
        if before and (len(text) > _LAST_BYTES or lines[before - 1].rstrip(b"\r\n").endswith(b"\\")):
            continue
        try:
            statements = ast.parse(text.decode()).body
        except _UNREADABLE:
            continue
        if statements or not before:
            return before, statements[-1] if statements else None
    return 0, None


def data_in(text: str) -> object:
    """The plain data that a `repr` stands for; None where it stands for something else."""
    try:
        tree = ast.parse(text, mode="eval")
        if "..." in text and any(isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(tree)):
            return None  # it holds itself, and its text is cut there
        return ast.literal_eval(tree)
    except (*_UNREADABLE, TypeError):
        return None
