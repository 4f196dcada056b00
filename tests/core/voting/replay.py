"""Replays a vote on a virtual clock: samples with known choices and durations, and no model."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from scaffolding_core.voting import Ballot, StopRule, Tally


@dataclass
class Replay:
    """How a vote went: samples started, samples that counted, and the class that won."""

    started: int
    counted: int
    winner: int | None


def replay(
    rule: StopRule,
    choices: Sequence[int | None],
    durations: Sequence[float] | None = None,
    run_ahead: float | None = None,
) -> Replay:
    """Run samples as far ahead as the ballot allows, and count each as it ends."""
    ballot = Ballot(rule, len(choices), run_ahead)
    durations = durations or [1.0] * len(choices)
    started, running, now = 0, [], 0.0
    while not ballot.decided:
        for index in range(started, min(len(choices), started + ballot.ahead - len(running))):
            heapq.heappush(running, (now + durations[index], index))
            started += 1
        if not running:
            break
        now, index = heapq.heappop(running)
        ballot.see(index, choices[index])
    return Replay(started, len(ballot.votes()), ballot.winner())


def tally(*counts: int) -> Tally:
    """A tally in which class 0 has the first count, class 1 the second, and so on."""
    return Tally(choice for choice, count in enumerate(counts) for _ in range(count))
