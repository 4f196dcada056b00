"""Regex: a pattern of yours finds the answer, in bounded time."""

from __future__ import annotations

import functools
import re
import weakref

from scaffolding_core.answers.bounded_process import BoundedProcess
from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonValue

__all__ = ["Regex"]

_MODULE = "scaffolding_core.answers.regex_process"
_LONGEST = 100_000


class Regex(Extractor):
    """The last match of a pattern: its first group, or all of it if it has none.

    A pattern may backtrack for ever on hostile text, and would stop the whole interpreter meanwhile, so it
    runs in a worker process that is killed when time is up; such a sample has no answer. Each pattern has a
    process of its own, so one that takes its time keeps no other waiting. Of a longer text, the last 100,000
    characters are searched.

    Cost: under a millisecond; a tenth of a second once, to start the process, and 10 MB as long as it is used.

    Args:
        pattern: in Python's syntax.
        flags: of the `re` module.
        timeout: seconds for one text.

    Raises:
        InvalidRequestError: a pattern that does not compile, a timeout that is not above 0.
    """

    costly = True

    def __init__(self, pattern: str, flags: int = 0, *, timeout: float = 1.0) -> None:
        if not isinstance(pattern, str):
            raise InvalidRequestError(f"the pattern must be text, got {pattern!r}")
        if not timeout > 0:
            raise InvalidRequestError(f"timeout must be above 0, got {timeout!r}")
        try:
            self.pattern = re.compile(pattern, flags)
        except (re.error, OverflowError, RecursionError, ValueError) as error:
            raise InvalidRequestError(f"the pattern {pattern!r} does not compile: {error}") from error
        self.timeout = timeout
        self._process = _process_of(self.pattern)

    def __reduce__(self) -> tuple[object, ...]:
        return functools.partial(Regex, timeout=self.timeout), (self.pattern.pattern, self.pattern.flags)

    def extract(self, message: AssistantMessage) -> str | None:
        """The match, stripped; None if there is none in time."""
        question: dict[str, JsonValue] = {
            "pattern": self.pattern.pattern,
            "flags": self.pattern.flags,
            "text": message.text[-_LONGEST:],
        }
        answer = self._process.ask(question, self.timeout)
        return answer.strip() or None if isinstance(answer, str) else None


_processes: weakref.WeakValueDictionary[re.Pattern[str], BoundedProcess] = weakref.WeakValueDictionary()


def _process_of(pattern: re.Pattern[str]) -> BoundedProcess:
    """The one process of all who use this pattern at this time."""
    process = _processes.get(pattern)
    return process if process is not None else _processes.setdefault(pattern, BoundedProcess(_MODULE))
