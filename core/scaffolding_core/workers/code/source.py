"""A program as a model wrote it, made ready to run; and what its result says."""

from __future__ import annotations

import ast

from scaffolding_core.answers.code import blocks_in

__all__ = ["LONGEST", "RESULT_NAME", "data_in", "with_result", "without_fences"]

RESULT_NAME = "_result_of_program"
"""The name that holds the value of a program's last expression."""

LONGEST = 200_000
"""Characters of a program."""

_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def without_fences(code: str) -> str:
    """The program between the fences, where the text begins with one."""
    if not code.lstrip().startswith(("```", "~~~")):
        return code
    return "\n\n".join(block.content for block in blocks_in(code)) or code


def with_result(code: str) -> tuple[str, bool]:
    """The program with the value of its last expression kept in `RESULT_NAME`, and whether it has one.

    Each line keeps its number. What cannot be parsed is left for the sandbox to refuse.
    """
    try:
        statements = ast.parse(code).body
    except _UNREADABLE:
        return code, False
    last = statements[-1] if statements else None
    if not isinstance(last, ast.Expr) or last.end_lineno is None or last.end_col_offset is None:
        return code, False
    lines = code.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: last.lineno - 1])) + last.col_offset
    end = sum(map(len, lines[: last.end_lineno - 1])) + last.end_col_offset
    whole = b"".join(lines)
    kept = whole[:start] + f"{RESULT_NAME} = (".encode() + whole[start:end] + b")" + whole[end:]
    return kept.decode(), True


def data_in(text: str) -> object:
    """The plain data that a `repr` stands for; None where it stands for something else."""
    try:
        return ast.literal_eval(text)
    except (*_UNREADABLE, TypeError):
        return None
