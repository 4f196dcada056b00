"""What makes no sense of a method, refused where it is written rather than ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaffolding_core.adapting.backend import Backend
from scaffolding_core.answers import Answers
from scaffolding_core.controller import Controller
from scaffolding_core.driver.order import option_names
from scaffolding_core.errors import InvalidRequestError

__all__ = ["check_method", "checked_answers", "refusal_of"]


def check_method(
    backend: Backend,
    method: str | Controller,
    options: Mapping[str, Any],
    sample_num: int | None = None,
    answers: object = None,
) -> None:
    """Check a method, its options, and whether it takes several samples, and answers of a kind.

    Args:
        backend: what it will run on.
        method: a name, or a controller.
        options: of its class.
        sample_num: samples; None leaves the number to it.
        answers: what `answers=` takes; None for none.

    Raises:
        UnknownMethodError: no method of that name.
        MissingWorkerError: nobody for a role that it needs.
        InvalidRequestError: options, samples or answers that it does not take.
    """
    controller = backend.controller(method, options)
    if sample_num not in (None, 1) and "sample_num" not in (option_names(controller) or ()):
        raise InvalidRequestError(f"the method {_named(method)} takes one sample: leave sample_num out")
    if answers is not None:
        checked_answers(method, controller, answers)


def checked_answers(method: str | Controller, controller: Controller, answers: Any) -> object:
    """The kind of answer, or that of each field, as the method takes it.

    Args:
        method: as it was given.
        controller: that runs it.
        answers: what `answers=` takes, of any type; for a vote on each field a kind for each.

    Raises:
        InvalidRequestError: the method takes none, or not these.
    """
    names = option_names(controller)
    if names is not None and "answers" not in names:
        raise refusal_of(method, "answers")
    if not controller.votes_on_fields:
        return Answers.of(answers)
    if not isinstance(answers, Mapping):
        raise InvalidRequestError(f"answers of a field vote are a kind for each field, got {answers!r}")
    return {name: Answers.of(kind) for name, kind in answers.items()}


def refusal_of(method: str | Controller, option: str) -> InvalidRequestError:
    """The error for an option that a method does not take."""
    return InvalidRequestError(f"the method {_named(method)} takes no {option}: leave it out")


def _named(method: str | Controller) -> str:
    return repr(method) if isinstance(method, str) else type(method).__name__
