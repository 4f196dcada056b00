"""What a request may spend."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scaffolding_core.errors import InvalidRequestError

__all__ = ["Budget"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one request; when one is reached, the method returns its best answer so far.

    Args:
        tokens: prompt and completion tokens over all samples. Work in flight is cut when it is reached,
            so the overshoot is what that work had already written.
        seconds: wall time from submission, time in the queue included.
        samples: calls to workers; a limit only on new ones.

    Raises:
        InvalidRequestError: a limit that is not a positive number.
    """

    tokens: int | None = None
    seconds: float | None = None
    samples: int | None = None

    def __post_init__(self) -> None:
        for name in ("tokens", "seconds", "samples"):
            limit = getattr(self, name)
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise InvalidRequestError(f"budget {name} must be a number, got {limit!r}")
            if not (math.isfinite(limit) and limit > 0):
                raise InvalidRequestError(f"budget {name} must be above 0, got {limit!r}")
            if name != "seconds" and not isinstance(limit, int):
                raise InvalidRequestError(f"budget {name} must be a whole number, got {limit!r}")
