"""Order: what one request asks for, checked before anything runs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from scaffolding_core.controller import Controller, Steps, checked_generator
from scaffolding_core.driver.budget import Budget
from scaffolding_core.driver.shared_budget import SharedBudget
from scaffolding_core.errors import ControllerError, InvalidRequestError, UnsupportedParameterError
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import SAMPLING_PARAMETERS, GenerationTask, Prompt, task_from_prompt

__all__ = [
    "ANSWER_OPTIONS",
    "REQUEST_OPTIONS",
    "Order",
    "described",
    "option_names",
    "order_of",
    "ordered",
    "steps_of",
]

T = TypeVar("T")

_KINDS: Mapping[str, tuple[type, ...]] = {
    "budget": (Budget, SharedBudget),
    "deadline": (float, int),
    "priority": (int,),
    "seed": (int,),
    "metadata": (Mapping,),
    "trace": (bool,),
}
"""What each option of a request must be."""

REQUEST_OPTIONS = frozenset(_KINDS)
"""Options that every request takes, whatever its method; see `ScaffoldingLlm`. A wrapped model never gets them."""

ANSWER_OPTIONS = frozenset({"answers", "extractor", "equivalence", "equivalences"})
"""Options of methods that say how answers are read and compared. A wrapped model never gets them."""


@dataclass(slots=True)
class Order:
    """What one request asks for; see `ScaffoldingLlm` for what each means."""

    prompt: Prompt
    task: GenerationTask
    options: dict[str, object] = field(default_factory=dict)
    budget: Budget | SharedBudget | None = None
    deadline: float | None = None
    priority: int = 0
    metadata: dict[str, object] = field(default_factory=dict)
    trace: bool = False


SomeOrder = TypeVar("SomeOrder", bound=Order)


def order_of(
    prompt: Prompt, given: Mapping[str, object], method: Controller, names: frozenset[str] | None
) -> Order:
    """The order that a prompt and its options are; see `ordered`.

    Args:
        prompt: a text, a chat, or a task.
        given: the options.
        method: what will run.
        names: its options; None if it takes any.

    Raises:
        InvalidRequestError: an empty prompt, an unknown option, or one of the wrong kind.
    """
    return ordered(Order(prompt, task_from_prompt(prompt)), given, method, names)


def ordered(
    order: SomeOrder, given: Mapping[str, object], method: Controller, names: frozenset[str] | None
) -> SomeOrder:
    """An order with its options.

    Args:
        order: what is asked.
        given: the options.
        method: what will run.
        names: its options; None if it takes any.

    Raises:
        InvalidRequestError: an unknown option, or one of the wrong kind.
    """
    for name, value in given.items():
        if name in REQUEST_OPTIONS:
            _set_option(order, name, _checked(name, value, *_KINDS[name]))
        elif name in SAMPLING_PARAMETERS:
            setattr(order.task, name, _checked_parameter(name, value))
        elif names is None or name in names:
            _check_part(method, name, value)
            order.options[name] = value
        else:
            raise InvalidRequestError(
                f"{name!r} is neither a sampling parameter, nor one of {', '.join(_KINDS)}, "
                f"nor an option of {type(method).__name__}, whose options are: "
                f"{', '.join(sorted(names)) or 'none'}"
            )
    if order.deadline is not None and math.isnan(order.deadline):
        raise InvalidRequestError("deadline must be a time on time.monotonic()'s clock, got nan")
    return order


def _set_option(order: Order, name: str, value: Any) -> None:  # Any: of the option's kind
    if name == "seed":
        order.task.seed = value
    elif value is not None:
        setattr(order, name, dict(value) if name == "metadata" else value)


def steps_of(order: Order, controller: Controller) -> Steps[ScaffoldingOutput]:
    """The generator that carries out an order.

    A method with a `generate` of its own makes its tasks itself, of the prompt as it was given.
    """
    kind = type(controller)
    if kind.generate is Controller.generate:
        steps = controller.run(order.task, order.options)
        return steps if kind.run is Controller.run else _checked_output(controller, steps)
    if isinstance(order.prompt, GenerationTask):
        return _checked_output(controller, controller.generate(order.task, **order.options))
    return _checked_output(controller, controller.generate(order.prompt, **order.task.sampling(), **order.options))


def _checked_output(controller: Controller, generator: Steps[ScaffoldingOutput]) -> Steps[ScaffoldingOutput]:
    output = yield from checked_generator(generator)
    if not isinstance(output, ScaffoldingOutput):
        raise ControllerError(
            f"generate() of {type(controller).__name__} must return a ScaffoldingOutput, got {described(output)}"
        )
    return output


def option_names(method: Controller) -> frozenset[str] | None:
    """The options of a method; None if it takes any."""
    return _names(method.process if type(method).generate is Controller.generate else method.generate)


def _names(takes: Callable[..., object]) -> frozenset[str] | None:
    parameters = list(inspect.signature(takes).parameters.values())[1:]
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)


def _check_part(method: Controller, name: str, value: object) -> None:
    """Check options that are for a part of the method: `generation_kwargs` for its `generation_controller`."""
    part = getattr(method, name.removesuffix("_kwargs") + "_controller", None)
    if not name.endswith("_kwargs") or not isinstance(part, Controller):
        return
    names = _names(part.process)
    for inner, given in (_checked(name, value, Mapping) or {}).items():  # type: ignore[type-abstract]  # for isinstance
        if names is not None and inner not in names:
            raise InvalidRequestError(
                f"{inner!r} in {name} is no option of {type(part).__name__}, whose options are: "
                f"{', '.join(sorted(names)) or 'none'}; a sampling parameter is an option of the request"
            )
        _check_part(part, inner, given)


def described(value: object) -> str:
    """A value in an error message."""
    return f"the class {value.__name__}" if isinstance(value, type) else f"{value!r}"


def _checked_parameter(name: str, value: object) -> object:
    if name == "n" and value not in (None, 1):
        raise UnsupportedParameterError(
            f"n must be 1, got {value!r}: a request has one answer; for several samples give sample_num to a "
            "method such as MajorityVoteController"
        )
    return value


def _checked(name: str, value: object, *kinds: type[T]) -> T | None:
    # A bool is an int to Python, but no number to whoever wrote it.
    if value is None or (isinstance(value, kinds) and isinstance(value, bool) == (bool in kinds)):
        return value
    wanted = " or ".join(kind.__name__ for kind in kinds)
    raise InvalidRequestError(f"{name} must be of type {wanted}, got {described(value)}")
