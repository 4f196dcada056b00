"""A call of a model or chain; where nobody watches a chat model, without the callbacks that cost most of it.

LangChain makes runs, metadata and managers for each call of a model, also where no handler is there: several
times what the rest of the call costs, and once for each sample. `_generate_with_cache` is the same call without.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, TypeGuard

from langchain_core.globals import get_debug
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

__all__ = ["ainvoke", "invoke"]

_ENTRANCES = ("invoke", "ainvoke", "generate", "agenerate", "generate_prompt", "agenerate_prompt")
_FOR_TRACING = ("ls_structured_output_format", "structured_output_format")


def invoke(model: Runnable[Any, Any], given: Any, config: RunnableConfig, kwargs: dict[str, Any]) -> object:
    """What the model or chain returns."""
    if not _unwatched(model, given, config):
        return model.invoke(given, config, **kwargs)
    return model._generate_with_cache(given, **_own(kwargs)).generations[0].message  # see above


async def ainvoke(model: Runnable[Any, Any], given: Any, config: RunnableConfig, kwargs: dict[str, Any]) -> object:
    """What the model or chain returns."""
    if not _unwatched(model, given, config):
        return await model.ainvoke(given, config, **kwargs)
    result = await model._agenerate_with_cache(given, **_own(kwargs))  # see above
    return result.generations[0].message


def _unwatched(model: Runnable[Any, Any], given: Any, config: RunnableConfig) -> TypeGuard[BaseChatModel]:
    return (
        isinstance(model, BaseChatModel)
        and not config.get("callbacks")
        and not (model.callbacks or model.verbose or get_debug())
        and _enters_plainly(type(model))
        and _is_plain_text(given)
    )


@functools.cache
def _enters_plainly(kind: type[BaseChatModel]) -> bool:
    """Whether the class calls its model as LangChain does, with nothing of its own on the way."""
    return hasattr(kind, "_agenerate_with_cache") and all(
        getattr(kind, name) is getattr(BaseChatModel, name) for name in _ENTRANCES
    )


def _is_plain_text(given: Sequence[BaseMessage]) -> bool:
    return all(isinstance(message.content, str) for message in given)  # else content is brought into shape first


def _own(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name not in _FOR_TRACING}
