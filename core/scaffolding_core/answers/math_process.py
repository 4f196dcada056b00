"""The worker process of `Mathematical`: one JSON line in, one out."""

from __future__ import annotations

from scaffolding_core.answers.bounded_process import serve

__all__ = ["equal"]


def equal(question: dict[str, object]) -> bool:
    """Whether two expressions are equal, either way round."""
    from math_verify import parse, verify

    # Its own timeouts need signals on the main thread; this process is killed from outside instead.
    gold, answer = (
        parse(f"${question[name]}$", parsing_timeout=None, raise_on_error=False) for name in ("gold", "answer")
    )
    return bool(gold and answer) and bool(
        verify(gold, answer, timeout_seconds=None) or verify(answer, gold, timeout_seconds=None)
    )


if __name__ == "__main__":
    import math_verify  # noqa: F401  # imported before the first question, whose time is counted

    serve(equal)
