"""Structured output of a wrapped model, by its provider's own means: what samples share of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBinding, RunnableBindingBase, RunnableSequence

from langchain_scaffolding.structured_output import Schema, StructuredMethod, response_format, tool_of, traced
from langchain_scaffolding.workers.sampled_model import is_model
from scaffolding_core import InvalidRequestError

__all__ = ["bound_by_provider", "method_of"]


def bound_by_provider(
    model: Runnable[Any, Any],
    schema: Schema,
    method: StructuredMethod,
    strict: bool | None,
    kwargs: Mapping[str, Any],
) -> Runnable[Any, Any]:
    """The model as its own structured output calls it, before what reads the answer.

    A model with fallbacks has each bound by its own provider. Where nothing of the provider's can be shared, it is
    a tool that the model must call, or the format of OpenAI-compatible servers.

    Raises:
        InvalidRequestError: it has no structured output.
    """
    if isinstance(model, RunnableWithFallbacks):
        first, *rest = (bound_by_provider(each, schema, method, strict, kwargs) for each in model.runnables)
        return model.model_copy(update={"runnable": first, "fallbacks": rest})
    make = getattr(model, "with_structured_output", None)
    if make is None:
        raise InvalidRequestError(
            f"with_structured_output needs a wrapped chat model, and {type(model).__name__} has none: "
            "wrap the model instead of the chain"
        )
    given = {**kwargs, **({"strict": strict} if strict is not None else {})}
    called = _called_in(make(schema, method=method, **given))
    if called is None:
        return _bound_as_usual(model, schema, method, strict, given)
    if isinstance(called, RunnableBinding) and isinstance(called.kwargs.get("response_format"), type):
        # A class has the provider's client read each sample, and fail one that strays; a schema leaves it to us.
        enforced = True if strict is None else strict
        return called.bind(response_format=response_format(schema, "json_schema", enforced)["response_format"])
    return called


def method_of(bound: Runnable[Any, Any], method: StructuredMethod) -> StructuredMethod:
    """How a bound model answers, which its provider may know better than whoever asked for a method."""
    kwargs = _kwargs_of(bound)
    told = (kwargs.get("ls_structured_output_format") or {}).get("kwargs", {}).get("method")
    if told is not None:
        answers: StructuredMethod = told
        return answers
    if "tools" in kwargs:
        return "function_calling"
    return "json_schema" if method == "function_calling" else method


def _called_in(chain: object) -> Runnable[Any, Any] | None:
    """The part of a chain that gives the message which the rest reads; None if there is none to be seen."""
    if isinstance(chain, RunnableSequence):
        steps = chain.steps
        ends = [place for place, step in enumerate(steps, 1) if is_model(step)]
        return None if not ends else steps[0] if ends[-1] == 1 else RunnableSequence(*steps[: ends[-1]])
    if isinstance(chain, RunnableBinding):
        return chain
    for part in vars(chain).values() if isinstance(chain, Runnable) else ():
        for step in part if isinstance(part, list | tuple) else (part,):
            if isinstance(step, Runnable) and (called := _called_in(step)) is not None:
                return called
    return None


def _bound_as_usual(
    model: Any,  # Any: not every model takes tools
    schema: Schema,
    method: StructuredMethod,
    strict: bool | None,
    given: Mapping[str, Any],
) -> Runnable[Any, Any]:
    bound: Runnable[Any, Any]
    if method == "function_calling":
        told = traced(schema, method, strict)
        bound = model.bind_tools([tool_of(schema)], tool_choice="any", ls_structured_output_format=told, **given)
    else:
        beside = {name: value for name, value in given.items() if name != "strict"}
        bound = model.bind(**response_format(schema, method, strict), **beside)
    return bound


def _kwargs_of(bound: object) -> Mapping[str, Any]:
    """What the first of its models is called with."""
    if isinstance(bound, RunnableBindingBase):
        return {**_kwargs_of(bound.bound), **bound.kwargs}
    if isinstance(bound, RunnableWithFallbacks):
        return _kwargs_of(bound.runnable)
    return _kwargs_of(bound.last) if isinstance(bound, RunnableSequence) else {}
