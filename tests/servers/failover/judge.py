"""What the failover bench says of a run: pure functions of the caller's results and the providers' logs."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Verdict = Literal["pass", "partial", "safe", "fail"]
VERDICTS: tuple[Verdict, ...] = ("pass", "partial", "safe", "fail")


@dataclass(frozen=True)
class Result:
    """What the caller of one request had.

    Args:
        text: the answer, if it was given as whole.
        error: what was raised instead, as text; without both it hung.
        seconds: of the bench until then.
        model: that is said to have answered.
        usage: tokens were told.
    """

    text: str | None = None
    error: str | None = None
    seconds: float = 0.0
    model: str | None = None
    usage: bool = False


@dataclass(frozen=True)
class Run:
    """What happened under a fault; times are seconds of the bench since its start.

    Args:
        results: of each request, in their order.
        primary: when each request for a text came to the provider with the fault.
        secondary: when to the healthy one.
        routes: addresses that the client asks at.
        afterwards: of a request once the fault was over, where the fault asks for one.
    """

    results: Sequence[Result]
    primary: Sequence[float]
    secondary: Sequence[float] = ()
    routes: int = 1
    afterwards: Result | None = None

    @property
    def asked(self) -> list[float]:
        """When each request came, wherever."""
        return sorted([*self.primary, *self.secondary])


Check = Callable[[Run], bool]


class Checked(Protocol):
    """What a fault asks for."""

    @property
    def error_is_right(self) -> bool:
        """A typed error is as good as an answer."""

    @property
    def advisory(self) -> Sequence[Check]:
        """Whose failing makes a pass a partial one."""

    def all_checks(self) -> Sequence[Check]:
        """What must hold."""


def verdict(fault: Checked, run: Run, whole: str) -> Verdict:
    """What a run is worth.

    Args:
        fault: with its checks.
        run: what happened.
        whole: the one healthy answer.
    """
    results = [*run.results, *([] if run.afterwards is None else [run.afterwards])]
    hung = any(result.text is None and result.error is None for result in results)
    false = any(result.text not in (None, whole) for result in results)
    spoiled = run.afterwards is not None and run.afterwards.text != whole
    served = all(result.text is not None for result in run.results)
    if hung or false or spoiled:
        return "fail"
    if not all(check(run) for check in fault.all_checks()):
        return "fail"
    if not served and not fault.error_is_right:
        return "safe"
    return "pass" if all(check(run) for check in fault.advisory) else "partial"


def counted(verdicts: Iterable[Verdict]) -> str:
    """Passes, partial passes, safe errors and failures."""
    counts = Counter(verdicts)
    return "/".join(str(counts[each]) for each in VERDICTS)


# What can be checked.


def within(seconds: float) -> Check:
    """Each has its result in time."""
    return lambda run: all(result.seconds <= seconds for result in run.results)


def asked_at_most(times: int, seconds: float = float("inf"), *, of_primary: bool = False) -> Check:
    """Not more requests than this in the first seconds."""

    def check(run: Run) -> bool:
        asked = run.primary if of_primary else run.asked
        return len([when for when in asked if when < seconds]) <= times

    return check


def asked_exactly(times: int) -> Check:
    """So many requests at the provider with the fault."""
    return lambda run: len(run.primary) == times


def tried_again(run: Run) -> bool:
    """More than one request, since the fault was to pass."""
    return len(run.asked) > 1


def gap_of(seconds: float) -> Check:
    """The provider that asked for it was left alone for so long."""
    return lambda run: len(run.primary) < 2 or run.primary[1] - run.primary[0] >= seconds


def first_text_within(seconds: float) -> Check:
    """The answer is there in time, where another route could give it."""
    return lambda run: run.routes < 2 or all(result.seconds <= seconds for result in run.results)


def hides_nothing(words: str) -> Check:
    """The error is not what the second route said."""
    return lambda run: not any(words in (result.error or "") for result in run.results)


def back_within(recovery: float, seconds: float) -> Check:
    """After its recovery the provider has work again, soon enough."""
    return lambda run: any(recovery <= when <= recovery + seconds for when in run.primary)


def usage_told(run: Run) -> bool:
    """Each answer says what it cost."""
    return all(result.usage for result in run.results)


def answered_by_its_name(run: Run) -> bool:
    """Each answer says who gave it."""
    return all(result.text is None or result.model is not None for result in run.results)
