"""Running a client under a fault, and all faults at once: they wait, they do not compute."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tests.servers.failover.faults import AMID, FAULTS, Fault
from tests.servers.failover.judge import Result, Run, Verdict, verdict
from tests.servers.failover.provider import WHOLE, Provider, healthy, serving

HANGS = 1.5
"""How often its limit a fault may take until the caller counts as hanging."""

AFTERWARDS = 40.0
"""Seconds for the healthy request after a fault."""


@dataclass(frozen=True)
class Answer:
    """What a client hands to its caller: the text, who is said to have written it, whether its cost was told."""

    text: str
    model: str | None
    usage: bool


Ask = Callable[[], Awaitable[Answer]]


@dataclass(frozen=True)
class Client:
    """One that is tried.

    Args:
        make: it, of the addresses of the primary and of the secondary.
        routes: how many of them it asks at.
        early: faults that come amid an answer come before its first word, since what was shown stays.
    """

    make: Callable[[Sequence[str]], AbstractAsyncContextManager[Ask]]
    routes: int = 1
    early: bool = False


async def verdicts(client: Client, *, scale: float = 1.0, faults: Sequence[Fault] = FAULTS) -> dict[str, Verdict]:
    """What a client is worth under each fault.

    Args:
        client: makes one for each fault.
        scale: seconds for each second of the bench.
        faults: that are tried.
    """
    runs = await asyncio.gather(*[run(fault, client, scale) for fault in faults])
    return {fault.name: verdict(fault, ran, WHOLE) for fault, ran in zip(faults, runs, strict=True)}


async def run(fault: Fault, client: Client, scale: float = 1.0) -> Run:
    """What happens under one fault; see `verdicts`."""
    primary = Provider("primary", scale, fault.script(0 if client.early else AMID), down_until=fault.outage)
    secondary = Provider("secondary", scale, healthy, refuses_prefill=fault.refuses_prefill)
    async with serving(primary), serving(secondary), client.make([primary.url, secondary.url]) as ask:

        async def one(number: int) -> Result:
            await primary.wait(number * fault.apart)
            return await _result(ask, primary, fault.limit * HANGS)

        results = await asyncio.gather(*[one(number) for number in range(fault.requests)])
        asked = list(primary.asked), list(secondary.asked)
        primary.well = True
        afterwards = await _result(ask, primary, AFTERWARDS) if fault.heals else None
    assert asked[0], f"{fault.name}: the provider with the fault was never asked"
    return Run(results, *asked, client.routes, afterwards)


async def _result(ask: Ask, clock: Provider, limit: float) -> Result:
    began = clock.now()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit * clock.scale) as out:
            try:
                answer = await ask()
            except Exception as error:
                if out.expired():
                    raise
                return Result(error=f"{type(error).__name__}: {error}", seconds=clock.now() - began)
            return Result(answer.text, None, clock.now() - began, answer.model, answer.usage)
    return Result(seconds=clock.now() - began)
