"""RateLimit: requests and tokens a minute, for all that use a pool; arithmetic on a given clock."""

from __future__ import annotations

__all__ = ["RateLimit"]


class _Bucket:
    """Fills by so much a minute, to a minute's worth at most; what is taken too early is owed."""

    def __init__(self, a_minute: float, now: float) -> None:
        self._most = self._level = a_minute
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take; returns the seconds until that is allowed."""
        a_second = self._most / 60
        self._level = min(self._most, self._level + (now - self._at) * a_second)
        self._at = now
        self._level -= amount
        return max(0.0, -self._level / a_second)

    def give_back(self, amount: float) -> None:
        self._level += amount


class RateLimit:
    """Who takes waits as long as it says, so that those who came before go first.

    Tokens are estimated when a call starts, and corrected when it has ended.

    Args:
        requests: a minute; None for any number.
        tokens: a minute, read and written; None for any number.
        now: the time.
    """

    def __init__(self, requests: int | None, tokens: int | None, now: float) -> None:
        self._requests = None if requests is None else _Bucket(requests, now)
        self._tokens = None if tokens is None else _Bucket(tokens, now)
        self._largest = tokens or 0

    def estimate(self, tokens: int) -> int:
        """What a call of so many tokens is taken for: no more than a minute brings, or it would never start."""
        return min(tokens, self._largest)

    def take(self, tokens: int, now: float) -> float:
        """Take one request of about so many tokens; returns the seconds until it may start."""
        waits = [0.0]
        if self._requests is not None:
            waits.append(self._requests.take(1, now))
        if self._tokens is not None:
            waits.append(self._tokens.take(tokens, now))
        return max(waits)

    def give_back(self, tokens: int) -> None:
        """A request was not sent after all."""
        if self._requests is not None:
            self._requests.give_back(1)
        self.correct(tokens, 0)

    def correct(self, estimated: int, used: int) -> None:
        """A request of so many tokens by estimate has used others."""
        if self._tokens is not None:
            self._tokens.give_back(estimated - used)
