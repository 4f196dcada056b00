"""What makes no sense of a method, refused where it is written rather than ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffolding_core import Answers, Controller, FieldVoteController, InvalidRequestError
from scaffolding_core.adapting import Backend, option_names

__all__ = ["check_method", "checked_answers", "checked_limit", "refusal_of"]


def check_method(
    backend: Backend,
    method: str | Controller,
    options: Mapping[str, Any],
    sample_num: int | None,
    answers: object = None,
) -> None:
    """Check a method, its options, and whether it takes several samples, and answers of a kind.

    Raises:
        UnknownMethodError: no method of that name.
        InvalidRequestError: options, samples or answers that the method does not take, or no reward where it
            needs one.
    """
    controller = backend.controller(method, options)
    if sample_num is not None and "sample_num" not in (option_names(controller) or ()):
        raise refusal_of(method, "sample_num")
    if answers is not None:
        checked_answers(method, controller, answers)


def checked_answers(method: str | Controller, controller: Controller, answers: Any) -> object:
    """The kind of answer, or that of each field, as the method takes it.

    Args:
        method: as it was given.
        controller: that runs it.
        answers: what `answers=` takes; for a field vote a kind for each field.

    Raises:
        InvalidRequestError: the method takes none, or not these.
    """
    names = option_names(controller)
    if names is not None and "answers" not in names:
        raise refusal_of(method, "answers")
    if not isinstance(controller, FieldVoteController):
        return Answers.of(answers)
    if not isinstance(answers, Mapping):
        raise InvalidRequestError(f"answers of a field vote are a kind for each field, got {answers!r}")
    return {name: Answers.of(kind) for name, kind in answers.items()}


def refusal_of(method: str | Controller, option: str) -> InvalidRequestError:
    """The error for an option that a method does not take."""
    named = repr(method) if isinstance(method, str) else type(method).__name__
    return InvalidRequestError(f"the method {named} takes no {option}: leave it out")


def checked_limit(at_once: object) -> int:
    """A number of calls at once.

    Raises:
        InvalidRequestError: none.
    """
    if not isinstance(at_once, int) or at_once < 1:
        raise InvalidRequestError(f"max_concurrency must be a whole number of at least 1, got {at_once!r}")
    return at_once
