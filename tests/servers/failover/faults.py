"""The sixteen faults of the public Failover Bench (methodology 0.1) and their checks, in our own words and code.

A fault that comes amid an answer comes after some of its words, or before the first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.failover.judge import (
    Check,
    answered_by_its_name,
    asked_at_most,
    asked_exactly,
    back_within,
    first_text_within,
    gap_of,
    hides_nothing,
    tried_again,
    usage_told,
    within,
)
from tests.servers.failover.provider import GARBAGE, REFUSES_PREFILL, WORDS, Reply, Script, healthy

AMID = len(WORDS) // 2


@dataclass(frozen=True)
class Fault:
    """What is wrong with the primary, and what is checked.

    Args:
        name: by the bench's number.
        what: is wrong.
        script: of the primary, by how many words of an answer come first.
        limit: seconds within which the caller must have a result.
        checks: that must hold, besides the limit.
        advisory: whose failing makes a pass a partial one.
        error_is_right: a typed error is as good as an answer.
        heals: afterwards the primary is well, and a request must be answered.
        refuses_prefill: the secondary does not write on in what another began.
        outage: seconds for which the primary serves nothing.
        requests: that are sent, some seconds apart.
        apart: those seconds.
    """

    name: str
    what: str
    script: Callable[[int], Script]
    limit: float
    checks: tuple[Check, ...] = ()
    advisory: tuple[Check, ...] = field(default=(), kw_only=True)
    error_is_right: bool = field(default=False, kw_only=True)
    heals: bool = field(default=False, kw_only=True)
    refuses_prefill: bool = field(default=False, kw_only=True)
    outage: float = field(default=0.0, kw_only=True)
    requests: int = field(default=1, kw_only=True)
    apart: float = field(default=0.0, kw_only=True)

    def all_checks(self) -> tuple[Check, ...]:
        """What must hold, the limit among it."""
        return within(self.limit), *self.checks


def _refusing(
    status: int, message: str = "not served", *, code: str | None = None, wait: float | None = None, times: int = 0
) -> Callable[[int], Script]:
    """Refuses, as often as said or for ever (0)."""

    async def script(reply: Reply) -> None:
        if times and reply.number > times:
            reply.whole()
        else:
            await reply.refuse(status, message, code, wait)

    return lambda words: script


def _amid(fault: Script) -> Callable[[int], Script]:
    """Begins an answer, and then does what the fault is."""

    def of(words: int) -> Script:
        async def script(reply: Reply) -> None:
            reply.head()
            reply.words(0, words)
            await fault(reply)

        return script

    return of


def _plainly(script: Script) -> Callable[[int], Script]:
    return lambda words: script


async def _silent(reply: Reply) -> None:
    await asyncio.Event().wait()


async def _slow(reply: Reply) -> None:
    reply.head()
    await reply.writer.drain()
    await reply.provider.wait(25)
    reply.words(0, len(WORDS))
    reply.end()


async def _malformed(reply: Reply) -> None:
    reply.chunk(b'data: {"choices": [{"index": 0, "delta": {"content": "' + GARBAGE.encode() + b"\n\n")
    reply.words(AMID, len(WORDS))
    reply.end()


async def _without_done(reply: Reply) -> None:
    reply.head()
    reply.words(0, len(WORDS))
    reply.end(done=False)


FAULTS = (
    Fault(
        "S01",
        "429 with Retry-After of 2 s, then well",
        _refusing(429, wait=2, times=1),
        20,
        (asked_at_most(2, 1.5),),
        advisory=(tried_again, gap_of(1.8)),
    ),
    Fault("S02", "429 for ever", _refusing(429), 40, (asked_at_most(4, 3), asked_at_most(6))),
    Fault("S03", "500 once", _refusing(500, times=1), 20, advisory=(tried_again,)),
    Fault("S04", "503 for ever", _refusing(503), 40, (asked_at_most(6),)),
    Fault("S05", "reset before headers", _plainly(Reply.reset), 20),
    Fault("S06", "no response", _plainly(_silent), 100, advisory=(asked_exactly(1),)),
    Fault("S07", "slow first token", _plainly(_slow), 60, advisory=(first_text_within(15),)),
    Fault("S08", "stream cut midway", _amid(Reply.reset), 40),
    Fault("S09", "stream stalls", _amid(_silent), 45, heals=True),
    Fault("S10", "malformed chunk", _amid(_malformed), 30, heals=True),
    Fault("S11", "no [DONE]", _plainly(_without_done), 8, advisory=(usage_told,)),
    Fault(
        "S12",
        "context length exceeded",
        _refusing(400, "maximum context length is 9 tokens", code="context_length_exceeded"),
        20,
        (asked_exactly(1),),
        error_is_right=True,
    ),
    Fault(
        "S13",
        "content filter",
        _refusing(400, "the response was filtered", code="content_filter"),
        20,
        (asked_exactly(1),),
        error_is_right=True,
    ),
    Fault(
        "S14",
        "cut, and no prefill elsewhere",
        _amid(Reply.reset),
        40,
        (hides_nothing(REFUSES_PREFILL),),
        refuses_prefill=True,
    ),
    Fault(
        "S15",
        "down for 60 s of 20 requests",
        _plainly(healthy),
        40,
        (back_within(60, 30),),
        advisory=(asked_at_most(4, 60, of_primary=True),),
        outage=60,
        requests=20,
        apart=4,
    ),
    Fault("S16", "503 for ever, accounting", _refusing(503), 40, (answered_by_its_name,), advisory=(usage_told,)),
)
