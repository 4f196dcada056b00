"""What a request may spend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scaffolding_core.driver.prices import PricesLike, checked_prices
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError, Limit

__all__ = ["Budget", "check_limits", "exceeded"]

_PARTS = ("seconds", "dollars")
"""Limits that need not be whole numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one request; when one is reached, the method returns its best answer so far.

    Args:
        tokens: prompt and completion tokens over all samples. Work in flight is cut when it is reached,
            so the overshoot is what that work had already written.
        seconds: wall time from submission, time in the queue included.
        samples: calls to workers; a limit only on new ones.
        dollars: for tokens, over all samples. What a call may cost at worst is set aside before it starts, as a
            `SharedBudget` does it.
        prices: of the models, for `dollars`; see `SharedBudget`.

    Raises:
        InvalidRequestError: a limit that is not a positive number, or prices that are none.
    """

    tokens: int | None = None
    seconds: float | None = None
    samples: int | None = None
    dollars: float | None = None
    prices: PricesLike | None = None

    def __post_init__(self) -> None:
        names = ("tokens", "seconds", "samples", "dollars")
        check_limits({name: getattr(self, name) for name in names})
        checked_prices(self.prices)


def check_limits(limits: Mapping[str, object]) -> None:
    """Refuse what is no limit.

    Args:
        limits: by name; None sets none.

    Raises:
        InvalidRequestError: one that is not a positive number, or not a whole one.
    """
    for name, limit in limits.items():
        if limit is None:
            continue
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise InvalidRequestError(f"budget {name} must be a number, got {limit!r}")
        if not (math.isfinite(limit) and limit > 0):
            raise InvalidRequestError(f"budget {name} must be above 0, got {limit!r}")
        if name not in _PARTS and not isinstance(limit, int):
            raise InvalidRequestError(f"budget {name} must be a whole number, got {limit!r}")


def exceeded(limit: Limit) -> BudgetExceededError:
    """The error of whoever would go beyond a limit."""
    what = "the deadline has passed" if limit == "deadline" else f"the budget of {limit} is spent"
    return BudgetExceededError(f"{what} and there is no answer yet: allow more, or ask for less", limit)
