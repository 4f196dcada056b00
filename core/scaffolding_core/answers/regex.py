"""Regex: a pattern of yours finds the answer, in bounded time."""

from __future__ import annotations

import functools
import re

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.process_pool import checked_timeout, shared_pool
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["Regex"]

_MODULE = "scaffolding_core.answers.regex_process"
_LONGEST = 100_000


class Regex(Extractor):
    """The last match of a pattern: its first group, or all of it if it has none.

    A pattern may backtrack for ever on hostile text, and would stop the whole interpreter meanwhile, so it
    runs in one of a few worker processes, which is killed when time is up; such a sample has no answer. Of a
    longer text, the last 100,000 characters are searched.

    Cost: under a millisecond; a fifth of a second once, to start a process, and 25 MB for each as long
    as it is used.

    Args:
        pattern: in Python's syntax.
        flags: of the `re` module.
        timeout: seconds for one text.

    Raises:
        InvalidRequestError: a pattern that does not compile, a timeout that is no finite time above 0.
    """

    costly = True

    def __init__(self, pattern: str, flags: int = 0, *, timeout: float = 1.0) -> None:
        if not isinstance(pattern, str):
            raise InvalidRequestError(f"the pattern must be text, got {pattern!r}")
        try:
            self.pattern = re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            raise InvalidRequestError(f"the pattern {pattern!r} does not compile: {error}") from error
        self.timeout = checked_timeout(timeout)
        self._pool = shared_pool(_MODULE)

    def __reduce__(self) -> tuple[object, ...]:
        return functools.partial(Regex, timeout=self.timeout), (self.pattern.pattern, self.pattern.flags)

    def extract(self, message: AssistantMessage) -> str | None:
        """The match, stripped; None if there is none in time."""
        question: dict[str, JsonValue] = {
            "pattern": self.pattern.pattern,
            "flags": self.pattern.flags,
            "text": message.text[-_LONGEST:],
        }
        answer = self._pool.ask(question, self.timeout)
        return answer.strip() or None if isinstance(answer, str) else None
