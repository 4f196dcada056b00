"""Matches: an answer passes if a pattern is found in it."""

from __future__ import annotations

from scaffolding_core.answers import Regex
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.verifying.verifier import Verdict, Verifier

__all__ = ["Matches"]


class Matches(Verifier):
    """An answer passes if a pattern matches somewhere in its text; see `Regex` for how its time is bounded.

    Args:
        pattern: in Python's syntax; `^` and `$` hold it against the whole text.
        timeout: seconds for one text; one that takes longer does not pass.

    Raises:
        InvalidRequestError: a pattern that does not compile, a timeout that is not above 0.
    """

    def __init__(self, pattern: str, *, timeout: float = 1.0) -> None:
        self.pattern = pattern
        Regex(pattern, timeout=timeout)  # tells what is wrong with the user's own pattern
        self._regex = Regex(f"(?s:.*?)(?:{pattern})", timeout=timeout)

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether the pattern is found."""
        if self._regex.extract(message) is not None:
            return Verdict(passed=True)
        return Verdict(passed=False, feedback=f"the text does not match the pattern {self.pattern}")
