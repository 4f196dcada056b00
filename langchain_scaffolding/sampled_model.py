"""A wrapped model, made ready to be sampled."""

from __future__ import annotations

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBinding, RunnableBindingBase
from langchain_core.runnables.retry import RunnableRetry

__all__ = ["for_samples", "streams"]


def for_samples(model: Runnable[Any, Any]) -> Runnable[Any, Any]:
    """The model without its cache, which would turn all samples into one, and with the usage of streams.

    `stream_usage` is how LangChain's models call the second; what its user has set stays.
    """
    if isinstance(model, BaseChatModel):
        changes: dict[str, object] = {"cache": False}
        if "stream_usage" in type(model).model_fields and getattr(model, "stream_usage", None) is None:
            changes["stream_usage"] = True
        return model.model_copy(update=changes)
    if isinstance(model, RunnableBindingBase):
        return model.model_copy(update={"bound": for_samples(model.bound)})
    return model


def streams(model: Runnable[Any, Any], *, listening: bool) -> bool:
    """Whether to stream a call of the model: a chat model that can, always; a chain, if somebody listens.

    A chain may do other things while it streams: above all, it does not retry.
    """
    if isinstance(model, RunnableRetry):
        return False
    if isinstance(model, BaseChatModel):
        own = type(model)
        return model.disable_streaming is not True and not (
            own._stream is BaseChatModel._stream and own._astream is BaseChatModel._astream
        )
    if isinstance(model, RunnableBinding):
        return streams(model.bound, listening=listening)
    return listening
