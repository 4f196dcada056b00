"""Methods by name, for command lines, configuration and adapters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from scaffolding_core.controller import Controller
from scaffolding_core.controllers import (
    BestOfNController,
    ChainOfThoughtController,
    FieldVoteController,
    MajorityVoteController,
    NativeChatController,
    NativeRewardController,
    RetryWithFeedbackController,
)
from scaffolding_core.errors import InvalidRequestError, UnknownMethodError

__all__ = ["METHODS", "build_method", "needs_reward"]


def _best_of_n(generation: Controller, **options: Any) -> Controller:
    return BestOfNController(generation, NativeRewardController(), **options)


def _retry_with_feedback(generation: Controller, **options: Any) -> Controller:
    return RetryWithFeedbackController(generation, NativeRewardController(), **options)


METHODS: Mapping[str, Callable[..., Controller]] = {
    "direct": lambda generation: generation,
    "chain_of_thought": ChainOfThoughtController,
    "majority_vote": MajorityVoteController,
    "field_vote": FieldVoteController,
    "best_of_n": _best_of_n,
    "retry_with_feedback": _retry_with_feedback,
}
"""What makes each method of the controller that generates for it, and of the method's own options."""


_SAMPLED = frozenset({"majority_vote", "field_vote", "best_of_n"})
_JUDGED = frozenset({"best_of_n", "retry_with_feedback"})


def needs_reward(method: object) -> bool:
    """Whether a method, by its name, takes something that scores answers."""
    return isinstance(method, str) and method.replace("-", "_") in _JUDGED


def build_method(
    name: str,
    *,
    sample_num: int | None = None,
    sampling_params: Mapping[str, object] | None = None,
    generation: Controller | None = None,
    **options: object,
) -> Controller:
    """A method by its name.

    Args:
        name: `direct`, `chain_of_thought`, `majority_vote`, `field_vote`, `best_of_n` or
            `retry_with_feedback`; dashes do for underscores.
        sample_num: samples, for a method that takes several.
        sampling_params: defaults of the generation.
        generation: the method that generates; one chat turn by default.
        options: of the method's class.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: an option that the method does not have.
    """
    make = METHODS.get(name.replace("-", "_")) if isinstance(name, str) else None
    if make is None:
        raise UnknownMethodError(f"no method is named {name!r}; there are: {', '.join(METHODS)}")
    if sample_num is not None and name.replace("-", "_") in _SAMPLED:
        options["default_sample_num"] = sample_num
    elif sample_num not in (None, 1):
        raise InvalidRequestError(f"the method {name!r} takes one sample: leave sample_num out")
    try:
        inspect.signature(make).bind(generation, **options)  # says what does not fit without naming its own parts
        return make(generation or NativeChatController(sampling_params), **options)
    except TypeError as error:
        raise InvalidRequestError(f"the method {name!r} does not take these options: {error}") from error
