"""Matches: an answer passes if a pattern is found in it."""

from __future__ import annotations

from scaffolding_core.answers import Regex
from scaffolding_core.answers.process_pool import shared_pool
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.verifying.verifier import Verdict, Verifier

__all__ = ["Matches"]

_MODULE = "scaffolding_core.verifying.matches_process"
_LONGEST = 100_000


class Matches(Verifier):
    """An answer passes if a pattern matches somewhere in its text.

    As with `Regex`, the pattern runs in a worker process, which is killed when time is up. Of a longer text, the
    last 100,000 characters are searched.

    Args:
        pattern: in Python's syntax; `^` and `$` hold it against the whole text.
        timeout: seconds for one text; one that takes longer does not pass.

    Raises:
        InvalidRequestError: a pattern that does not compile, a timeout that is no finite time above 0.
    """

    def __init__(self, pattern: str, *, timeout: float = 1.0) -> None:
        Regex(pattern, timeout=timeout)  # refuses what is none
        self.pattern = pattern
        self.timeout = timeout
        self._pool = shared_pool(_MODULE)

    def verify(self, message: AssistantMessage) -> Verdict:
        """Whether the pattern is found."""
        found = self._pool.ask({"pattern": self.pattern, "text": message.text[-_LONGEST:]}, self.timeout)
        if found:
            return Verdict(passed=True)
        late = f" within {self.timeout:g} s" if found is None else ""
        return Verdict(passed=False, feedback=f"the text does not match the pattern {self.pattern}{late}")
