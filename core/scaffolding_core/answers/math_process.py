"""The worker process of `Mathematical`: one JSON line in, one out."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping

from scaffolding_core.answers.bounded_process import serve
from scaffolding_core.messages import JsonValue

__all__ = ["equal"]


def equal(question: Mapping[str, JsonValue]) -> bool:
    """Whether two expressions are equal, either way round."""
    from math_verify import verify

    first, other = _parsed(str(question["first"])), _parsed(str(question["other"]))
    # Its own timeouts need signals on the main thread; this process is killed from outside instead.
    return bool(first and other) and bool(
        verify(first, other, timeout_seconds=None) or verify(other, first, timeout_seconds=None)
    )


@functools.lru_cache(maxsize=256)
def _parsed(text: str) -> list[object]:
    from math_verify import LatexExtractionConfig, parse

    # Its parser of LaTeX is a grammar; the one of plain expressions would evaluate them as Python.
    found: list[object] = parse(
        f"${text}$", extraction_config=[LatexExtractionConfig()], parsing_timeout=None, raise_on_error=False
    )
    return found


if __name__ == "__main__":
    import math_verify  # noqa: F401  # imported before the first question, whose time is counted

    logging.disable()
    serve(equal)
