"""Patterns that are compiled when they are needed: to compile them all takes longer than to import the rest."""

from __future__ import annotations

import functools
import re
from typing import Any, cast

__all__ = ["compile_all", "pattern"]

_all: list[_Pattern] = []


class _Pattern:
    def __init__(self, source: str, flags: int) -> None:
        self._source, self._flags = source, flags
        _all.append(self)

    def __getattr__(self, name: str) -> Any:  # Any: whatever a compiled pattern has
        if name.startswith("__"):
            raise AttributeError(name)
        compiled = re.compile(self._source, self._flags)
        for method in ("search", "match", "fullmatch", "finditer", "findall", "sub", "split", "groups", "pattern"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`, but at the first use."""
    return cast("re.Pattern[str]", _Pattern(source, flags))


@functools.cache
def compile_all() -> None:
    """Compile what waits, once, so that no event loop waits for it later. Cost: about 60 ms."""
    for each in _all:
        _ = each.pattern
