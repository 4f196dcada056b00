"""Breaker: whether a replica is asked, after what became of the calls before; arithmetic on a given clock."""

from __future__ import annotations

from random import Random
from typing import Literal, TypeAlias

__all__ = ["Breaker", "BreakerState"]

BreakerState: TypeAlias = Literal["closed", "open", "probing", "half-open", "trying"]
"""`closed` takes calls; `open` none, until a probe is due; `half-open` takes one, `trying` waits for its end."""

_UNPROVEN = 30.0
"""Seconds that a replica is left alone whose probes pass and whose calls fail, as long as others are up."""

_LONGEST_PROBE = 10.0
"""Seconds after which a probe that nobody ended is lost, with its event loop perhaps."""

_MOST_DOUBLINGS = 30


class Breaker:
    """Opens after failures in a row, and closes once a probe and then one call have passed.

    A probe that passes right after calls have failed proves nothing: it is believed after one that has failed, and
    otherwise half a minute after the calls, or where no other replica is up.

    Args:
        failures: in a row that open it; a refused connection, and a call after a probe, open it at once.
        first: seconds that it stays open the first time; twice as long each time after.
        longest: seconds that it stays open at most.
        random: source of the jitter, of a quarter.

    Attributes:
        state: what it takes.
        until: when the next probe is due, while it is open.
    """

    def __init__(self, failures: int, *, first: float = 1.0, longest: float = 15.0, random: Random) -> None:
        self.state: BreakerState = "closed"
        self.until = 0.0
        self._most = failures
        self._first = first
        self._longest = longest
        self._random = random
        self._failures = 0
        self._openings = 0
        self._back_off = 0.0  # when the next probe is due, if it is needed
        self._alone_until = 0.0

    @property
    def allows(self) -> bool:
        """Whether a call may start."""
        return self.state in ("closed", "half-open")

    def start(self) -> None:
        """A call starts."""
        if self.state == "half-open":
            self.state = "trying"

    def probe_due(self, now: float, *, needed: bool = False) -> bool:
        """Whether it is time to look whether the replica is there; sooner where no other is up: it is `needed`."""
        if self.state == "open" and needed:
            return now >= self._back_off
        return self.state in ("open", "probing") and now >= self.until

    def due(self, *, needed: bool) -> float:
        """When the next probe is, while it is open."""
        return self._back_off if needed else self.until

    def probe(self, now: float) -> None:
        """A probe starts; there is one at a time."""
        self.state, self.until = "probing", now + _LONGEST_PROBE

    def probe_passed(self, now: float, *, needed: bool = False) -> None:
        """The replica is there: one call may try it, if that is believed or it is `needed`."""
        if self.state != "probing":
            return
        if needed or now >= self._alone_until:
            self.state = "half-open"
        else:
            self.state, self.until = "open", self._alone_until

    def probe_failed(self, now: float) -> None:
        """The replica is not there yet."""
        if self.state == "probing":
            self._open(now, proven=True)

    def probe_cut(self) -> None:
        """A probe ended without proving anything: the next is due."""
        if self.state == "probing":
            self.state = "open"
            self.until = self._back_off

    def succeeded(self) -> None:
        """A call began to be answered; one from before it opened proves nothing."""
        if self.state in ("closed", "trying"):
            self.state, self._failures, self._openings = "closed", 0, 0

    def failed(self, now: float, *, at_once: bool = False) -> None:
        """A call failed.

        Args:
            now: the time.
            at_once: one such failure is enough.
        """
        if self.state not in ("closed", "trying"):
            return
        self._failures += 1
        if self.state == "trying":
            self._openings = _MOST_DOUBLINGS  # its probes prove nothing: it is left alone for long
        if at_once or self.state == "trying" or self._failures >= self._most:
            self._open(now, proven=at_once)

    def abandoned(self) -> None:
        """A call ended without proving anything."""
        if self.state == "trying":
            self.state = "half-open"

    def _open(self, now: float, *, proven: bool) -> None:
        """Open; it is `proven` that the replica is not there, where a probe would have told."""
        seconds = min(self._longest, self._first * 2 ** min(self._openings, _MOST_DOUBLINGS))
        self.state, self.until = "open", now + seconds * self._random.uniform(0.75, 1)
        self._back_off = self.until
        self._alone_until = now if proven else now + _UNPROVEN * self._random.uniform(0.93, 1)
        self._openings += 1
        self._failures = 0
