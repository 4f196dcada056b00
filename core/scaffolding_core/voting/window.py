"""Window: stop when a window of samples agrees (early-stopping self-consistency)."""

from __future__ import annotations

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.voting.stop_rule import StopRule
from scaffolding_core.voting.tally import Tally

__all__ = ["Window"]


class Window(StopRule):
    """Stops when all samples of one window give the same answer; windows follow one another.

    Source: Li et al. 2024, arXiv 2401.10480.

    Args:
        size: samples in a window, at least 2.

    Raises:
        InvalidRequestError: a smaller window.
    """

    def __init__(self, size: int = 5) -> None:
        if not isinstance(size, int) or size < 2:
            raise InvalidRequestError(f"a window must have at least 2 samples, got {size!r}")
        self.size = size

    def decided(self, seen: Tally, left: int) -> bool:
        """Whether the window that was just filled agrees."""
        choices = seen.choices
        if left == 0:
            return True
        if not choices or len(choices) % self.size:
            return False
        return _agree(choices[-self.size :])

    def need(self, seen: Tally, left: int) -> int:
        """Samples to the end of the first window that can still agree."""
        if self.decided(seen, left):
            return 0
        begun = len(seen.choices) % self.size
        rest = self.size - begun
        if begun and not _agree(seen.choices[-begun:]):
            rest += self.size
        return min(left, rest)


def _agree(choices: list[int | None]) -> bool:
    return choices[0] is not None and len(set(choices)) == 1
