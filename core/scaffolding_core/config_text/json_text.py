"""Trees in JSON."""

from __future__ import annotations

import json
import re
from bisect import bisect
from collections.abc import Iterator

from scaffolding_core.config_text.where import Path, Place, Tree, Where

__all__ = ["json_text", "json_tree"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def json_tree(text: str, name: str) -> Tree:
    """The tree that a text holds.

    Raises:
        ValueError: it is no JSON; the error says where.
        InvalidRequestError: a key stands twice in one mapping.
    """
    data = json.loads(text, parse_constant=_constant)
    places: dict[Path, Place] = {}
    _place(_tokens(text), (), places, name)
    return Tree(data, places, name)


def json_text(data: object) -> str:
    """A tree as text."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _constant(text: str) -> float:
    if text == "NaN":
        raise ValueError("NaN is no value")
    return float(text)


def _tokens(text: str) -> Iterator[tuple[str, Place]]:
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    for found in _TOKEN.finditer(text):
        line = bisect(starts, found.start())
        yield found[0], (line, found.start() - starts[line - 1] + 1)


def _place(tokens: Iterator[tuple[str, Place]], path: Path, places: dict[Path, Place], name: str) -> bool:
    """Where the next value of what is known to be JSON stands, with all that it holds; False if there is none."""
    token, place = next(tokens)
    if token in "}]":
        return False
    places.setdefault(path, place)
    if token == "[":
        index = 0
        while _place(tokens, (*path, index), places, name) and next(tokens)[0] == ",":
            index += 1
    elif token == "{":
        for token, place in tokens:
            if token == "}":
                break
            if token == ",":
                continue
            inner = (*path, json.loads(token))
            if inner in places:
                raise Where(Tree(None, {inner: place}, name), inner).error(
                    f"the key {inner[-1]!r} stands here twice"
                )
            places[inner] = place
            next(tokens)  # the colon
            _place(tokens, inner, places, name)
    return True
