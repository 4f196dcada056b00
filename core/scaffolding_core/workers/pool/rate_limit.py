"""RateLimit: requests and tokens a minute, for all that use a pool; arithmetic on a given clock."""

from __future__ import annotations

__all__ = ["RateLimit"]


class _Bucket:
    """Fills by so much a minute, to a minute's worth at most; what was taken beyond is owed."""

    def __init__(self, a_minute: float, now: float) -> None:
        self._most = self._level = a_minute
        self._at = now

    def wait(self, amount: float, now: float) -> float:
        """Seconds until so much is there."""
        a_second = self._most / 60
        self._level = min(self._most, self._level + (now - self._at) * a_second)
        self._at = now
        return max(0.0, (amount - self._level) / a_second)

    def take(self, amount: float) -> None:
        self._level -= amount


class RateLimit:
    """What there is at a time; it is for those who wait to stand in line.

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
        """Take one request of about so many tokens, if that may start; returns the seconds until it may."""
        amounts = [(self._requests, 1), (self._tokens, tokens)]
        wanted = [(bucket, amount) for bucket, amount in amounts if bucket is not None]
        wait = max((bucket.wait(amount, now) for bucket, amount in wanted), default=0.0)
        if not wait:
            for bucket, amount in wanted:
                bucket.take(amount)
        return wait

    def give_back(self, tokens: int) -> None:
        """A request was not sent after all."""
        if self._requests is not None:
            self._requests.take(-1)
        self.correct(tokens, 0)

    def correct(self, estimated: int, used: int) -> None:
        """A request of so many tokens by estimate has used others."""
        if self._tokens is not None:
            self._tokens.take(used - estimated)
