"""A wrapped model, made ready to be sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.runnables import Runnable, RunnableSerializable, RunnableWithFallbacks
from langchain_core.runnables.base import RunnableBinding, RunnableBindingBase
from langchain_core.runnables.configurable import DynamicRunnable, RunnableConfigurableFields
from langchain_core.runnables.history import RunnableWithMessageHistory
from langchain_core.runnables.retry import RunnableRetry

from langchain_scaffolding.memory.histories import sampled_history

__all__ = ["answer_limit", "bound_tools", "for_samples", "is_model", "model_name", "streams", "unbound"]

_CHOICES = "n"


def unbound(model: object) -> object:
    """The model itself: beneath what is bound to it or configurable in it, and before its fallbacks."""
    while True:
        if isinstance(model, RunnableBindingBase):
            model = model.bound
        elif isinstance(model, RunnableWithFallbacks):
            model = model.runnable
        elif isinstance(model, DynamicRunnable):
            model = model.default
        else:
            return model


def is_model(model: object) -> bool:
    """Whether it is a model, beneath what is bound to it or around it."""
    return isinstance(unbound(model), BaseChatModel | BaseLLM)


def model_name(model: object) -> str:
    """The name of a model, as it tells it; else that of its class."""
    itself = unbound(model)
    names = (getattr(itself, name, None) for name in ("model_name", "model"))
    return next((name for name in names if isinstance(name, str) and name), type(itself).__name__)


def answer_limit(model: object) -> int | None:
    """How many tokens an answer of a model has at most, as it or what is bound to it says; None if it does not."""
    most = _bound(model).get("max_tokens", getattr(unbound(model), "max_tokens", None))
    return most if isinstance(most, int) and most > 0 else None


def bound_tools(model: object) -> Sequence[object]:
    """The descriptions of tools that are bound to a model."""
    tools = _bound(model).get("tools")
    return tools if isinstance(tools, list | tuple) else ()


def _bound(model: object) -> dict[str, Any]:
    """What is bound to a model."""
    bound: dict[str, Any] = {}
    while isinstance(model, RunnableBindingBase):
        bound = {**model.kwargs, **bound}
        model = model.bound
    return bound


def for_samples(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """The model or chain without caches, which would turn all samples into one, with the usage of streams, and
    with a view of its message histories for each sample.

    `stream_usage` is how LangChain's models call the second; what its user has set stays. A model that writes
    several choices for each call, by `n`, writes one: a call's answer is the first, and streams mix them.
    """
    return cast("Runnable[Any, Any]", _ready(model))


def _ready(part: Any) -> Any:  # Any: a Runnable, or whatever a field of one holds
    if isinstance(part, BaseChatModel | BaseLLM):
        changes: dict[str, object] = {"cache": False}
        if "stream_usage" in type(part).model_fields and getattr(part, "stream_usage", None) is None:
            changes["stream_usage"] = True
        if (getattr(part, _CHOICES, None) or 1) != 1 and _CHOICES in type(part).model_fields:
            changes[_CHOICES] = 1
        return part.model_copy(update=changes)
    if isinstance(part, RunnableBinding) and _CHOICES in part.kwargs and is_model(part.bound):
        kept = {name: value for name, value in part.kwargs.items() if name != _CHOICES}
        return part.model_copy(update={"bound": _ready(part.bound), "kwargs": kept})
    if isinstance(part, RunnableSerializable) and type(part).__module__.startswith("langchain_core.runnables."):
        parts = {name: getattr(part, name) for name in type(part).model_fields}
        changed = {name: new for name, old in parts.items() if (new := _ready(old)) is not old}
        if isinstance(part, RunnableWithMessageHistory):
            changed["get_session_history"] = sampled_history(part.get_session_history)
        return part.model_copy(update=changed) if changed else part
    if type(part) is list:
        return [_ready(item) for item in part]
    if type(part) is dict:
        return {key: _ready(item) for key, item in part.items()}
    return part


def streams(model: Runnable[Any, Any], *, listening: bool, may_be_cut: bool) -> bool:
    """Whether to stream a call of the model: if somebody listens; a chat model also if it may be cut.

    A cut reaches the provider by a stream, which costs several times the CPU of a plain call. A chain may do other
    things while it streams: above all, it does not retry.
    """
    if isinstance(model, RunnableRetry):
        return False
    if isinstance(model, BaseChatModel):
        wanted = listening or may_be_cut
        return wanted and model.disable_streaming is not True and _can_stream(type(model))
    if isinstance(model, RunnableBinding):
        return streams(model.bound, listening=listening, may_be_cut=may_be_cut)
    if isinstance(model, RunnableConfigurableFields):
        return streams(model.default, listening=listening, may_be_cut=may_be_cut)
    return listening


def _can_stream(kind: type[BaseChatModel]) -> bool:
    """Whether streaming it is as good as invoking it: a class may do more in `invoke` than in `stream`."""
    streamed = kind._stream is not BaseChatModel._stream or kind._astream is not BaseChatModel._astream
    entered = kind.invoke is BaseChatModel.invoke or kind.stream is not BaseChatModel.stream
    return streamed and entered
