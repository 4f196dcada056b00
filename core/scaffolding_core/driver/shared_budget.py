"""SharedBudget: what many requests may spend together, such as all model calls of an agent."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from scaffolding_core.driver.budget import check_limits, exceeded
from scaffolding_core.driver.prices import Prices, PricesLike, checked_prices
from scaffolding_core.errors import InvalidRequestError, Limit

__all__ = ["Amount", "Hold", "SharedBudget", "Spent"]


@dataclass(frozen=True, slots=True)
class Amount:
    """What a call costs, or may cost."""

    tokens: int = 0
    dollars: Decimal = Decimal(0)
    samples: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.tokens + other.tokens, self.dollars + other.dollars, self.samples + other.samples)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.tokens - other.tokens, self.dollars - other.dollars, self.samples - other.samples)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent of a budget so far.

    Attributes:
        tokens: read and written.
        dollars: for them; 0 where the budget has no limit of dollars, and so knows no prices.
        samples: calls to workers.
    """

    tokens: int
    dollars: float
    samples: int


class SharedBudget:
    """What many requests may spend together: give the same one to each as its `budget`.

    Whatever an agent does is bounded so: each of its model calls is a request, and so is each of a chain's. It may
    be used from any thread and event loop, and by requests inside others.

    What a call may cost at worst, its prompt and its `max_tokens`, is set aside before it starts, and becomes what
    it did cost when it ends: calls at the same time do not overrun it together. A call that does not fit beside
    those that run waits for them; one that would not fit even if they cost nothing is refused with
    `BudgetExceededError`, so that a method returns its best answer so far. What was lost without telling what it
    cost counts as the worst. Two things can go beyond the limit all the same: an answer without `max_tokens` that
    is longer than what was set aside for it, and a prompt with more tokens than a third of its bytes.

    Args:
        tokens: prompt and completion tokens.
        dollars: for these tokens.
        seconds: wall time from the first request's start.
        samples: calls to workers.
        prices: of a million tokens, read and written: `(0.15, 0.6)`, or such a pair by the name of the model. What
            is not among them costs what the package `genai-prices` says (the extra `prices`).
        answer_tokens: set aside for an answer that has no `max_tokens`, or what is left where that is less.

    Raises:
        InvalidRequestError: no limit at all, one that is not a positive number, or prices that are none.
    """

    def __init__(
        self,
        *,
        tokens: int | None = None,
        dollars: float | None = None,
        seconds: float | None = None,
        samples: int | None = None,
        prices: PricesLike | None = None,
        answer_tokens: int = 1024,
    ) -> None:
        limits = {"tokens": tokens, "dollars": dollars, "seconds": seconds, "samples": samples}
        check_limits({**limits, "answer_tokens": answer_tokens})
        if all(limit is None for limit in limits.values()):
            raise InvalidRequestError("a shared budget needs a limit: tokens, dollars, seconds or samples")
        self._answer_tokens = answer_tokens
        self.prices = Prices(checked_prices(prices))
        self._tokens, self._samples, self._seconds = tokens, samples, seconds
        self._dollars = None if dollars is None else Decimal(str(dollars))
        self._spent = self._held = Amount()
        self._began: float | None = None
        self._waiting: deque[tuple[Amount, Future[Hold]]] = deque()
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """What was spent so far; what running calls may cost is not in it."""
        spent = self._spent
        return Spent(spent.tokens, float(spent.dollars), spent.samples)

    @property
    def limits(self) -> dict[str, float]:
        """The limits that there are, by name."""
        dollars = None if self._dollars is None else float(self._dollars)
        found = {"tokens": self._tokens, "dollars": dollars, "seconds": self._seconds, "samples": self._samples}
        return {name: limit for name, limit in found.items() if limit is not None}

    @property
    def counts_dollars(self) -> bool:
        """Whether it has to know what tokens cost."""
        return self._dollars is not None

    def allow_more(self, **more: Any) -> None:  # Any: each of its limit's kind
        """Raise limits; further seconds count from the next request.

        Args:
            more: by the name of the limit; it has to have that limit.

        Raises:
            InvalidRequestError: no such limit, or no positive number.
        """
        check_limits(more)
        limits = self.limits
        for name in more:
            if name not in limits:
                raise InvalidRequestError(f"the budget has no limit of {name}; it has: {', '.join(limits)}")
        with self._lock:
            self._raise(**more)
            self._admit()

    def _raise(self, tokens: int = 0, dollars: float = 0, samples: int = 0, seconds: float = 0) -> None:
        self._tokens = None if self._tokens is None else self._tokens + tokens
        self._samples = None if self._samples is None else self._samples + samples
        self._dollars = None if self._dollars is None else self._dollars + Decimal(str(dollars))
        if seconds:
            self._seconds, self._began = seconds, None

    def answer_after(self, prompt_tokens: int) -> int:
        """Tokens to set aside for an answer that has no limit of its own."""
        if self._tokens is None:
            return self._answer_tokens
        return max(1, min(self._answer_tokens, self._tokens - self._spent.tokens - prompt_tokens))

    def ends(self, now: float) -> float | None:
        """When its time is over, on the clock of event loops; its first request starts it.

        Args:
            now: on that clock.
        """
        if self._seconds is None:
            return None
        with self._lock:
            if self._began is None:
                self._began = now
        return self._began + self._seconds

    async def hold(self, worst: Amount) -> Hold:
        """Set aside what a call may cost, as soon as there is so much; at once where there is.

        Args:
            worst: that it may cost.

        Raises:
            BudgetExceededError: there will never be.
        """
        with self._lock:
            if not self._waiting:
                limit = self._too_small_for(worst)
                if limit is not None:
                    raise exceeded(limit)
                if self._fits(worst):
                    return self._held_for(worst)
            waiting: Future[Hold] = Future()
            self._waiting.append((worst, waiting))
        try:
            return await asyncio.wrap_future(waiting)
        except asyncio.CancelledError:
            if not waiting.cancel() and waiting.exception() is None:
                waiting.result().settle(_NOTHING)  # it came too late
            self._release(_NOTHING)  # who waits behind it may not have to
            raise

    def _held_for(self, worst: Amount) -> Hold:
        self._held += worst
        return Hold(self, worst)

    def _release(self, held: Amount, paid: Amount | None = None) -> None:
        with self._lock:
            self._held -= held
            self._spent += paid or _NOTHING
            self._admit()

    def _admit(self) -> None:
        """Let those go on that wait for what has become free, in their order."""
        while self._waiting:
            worst, waiting = self._waiting[0]
            limit = self._too_small_for(worst)
            if limit is None and not self._fits(worst) and not waiting.cancelled():
                return
            self._waiting.popleft()
            if not waiting.set_running_or_notify_cancel():
                continue
            if limit is not None:
                waiting.set_exception(exceeded(limit))
            else:
                waiting.set_result(self._held_for(worst))

    def _fits(self, worst: Amount) -> bool:
        return self._beyond(self._spent + self._held + worst) is None

    def _too_small_for(self, worst: Amount) -> Limit | None:
        """The limit that it would go beyond even if all that runs cost nothing."""
        return self._beyond(self._spent + worst)

    def _beyond(self, whole: Amount) -> Limit | None:
        if self._tokens is not None and whole.tokens > self._tokens:
            return "tokens"
        if self._dollars is not None and whole.dollars > self._dollars:
            return "dollars"
        if self._samples is not None and whole.samples > self._samples:
            return "samples"
        return None


class Hold:
    """What is set aside for one call, until it ends.

    A call whose work is done by requests inside it gives way to them: they set aside what they need themselves,
    and would else wait for it in vain.
    """

    __slots__ = ("_kept", "budget", "gave_way", "worst")

    def __init__(self, budget: SharedBudget, worst: Amount) -> None:
        self.budget = budget
        self.worst = self._kept = worst
        self.gave_way = False

    def give_way(self) -> None:
        """Let the requests inside have it."""
        if not self.gave_way:
            self.gave_way = True
            self.settle(_NOTHING)

    def settle(self, paid: Amount) -> None:
        """The call has ended, and cost so much."""
        kept, self._kept = self._kept, _NOTHING
        self.budget._release(kept, paid)


_NOTHING = Amount()
