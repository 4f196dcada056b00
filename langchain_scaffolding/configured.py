"""A chat model whose method parameters may come by configuration, and whose streamed samples know their run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.runnables import (
    ConfigurableFieldSingleOption,
    RunnableConfig,
    ensure_config,
)
from langchain_core.runnables.utils import ConfigurableField

from langchain_scaffolding.call_context import around, around_astream, around_stream
from langchain_scaffolding.request.parameters import MODEL_PARAMETERS, model_parameters
from langchain_scaffolding.tracing.runs import async_child_of_run, child_of_run

__all__ = ["ConfiguredChatModel"]


class ConfiguredChatModel(BaseChatModel):
    """Reads `config["configurable"]`, where LangChain hands on nothing of it to a model.

    Attributes:
        configured: what `configurable_fields` named.
    """

    configured: dict[str, Any]

    def invoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        with around(known):
            return super().invoke(input, known, stop=stop, **{**self._of_config(known), **kwargs})

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer; method parameters may come in `config["configurable"]`."""
        known = ensure_config(config)
        with around(known):
            return await super().ainvoke(input, known, stop=stop, **{**self._of_config(known), **kwargs})

    def stream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known, manager = child_of_run(config)
        chunks = super().stream(input, known, stop=stop, **{**self._of_config(known), **kwargs})
        return around_stream(chunks, known, manager)

    def astream(
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[AIMessageChunk]:
        """Stream the answer; method parameters may come in `config["configurable"]`."""
        known, manager = async_child_of_run(config)
        chunks = super().astream(input, known, stop=stop, **{**self._of_config(known), **kwargs})
        return around_astream(chunks, known, manager)

    def stream_events(  # Any: LangChain's result depends on the version
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        **kwargs: Any,
    ) -> Any:
        """Stream events; method parameters may come in `config["configurable"]`."""
        given = {**self._of_config(config), **kwargs}
        return super().stream_events(input, config, version=cast("Any", version), **given)

    def astream_events(  # Any: LangChain's result depends on the version
        self,
        input: LanguageModelInput,  # noqa: A002  # LangChain's name
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        **kwargs: Any,
    ) -> Any:
        """Stream events; method parameters may come in `config["configurable"]`."""
        given = {**self._of_config(config), **kwargs}
        return super().astream_events(input, config, version=cast("Any", version), **given)

    def _of_config(self, config: RunnableConfig | None) -> dict[str, Any]:
        """Method parameters that come by configuration, under their own names or those given to them."""
        values = model_parameters(config)
        if not self.configured:
            return values
        configurable = ensure_config(config).get("configurable") or {}
        for field, named in self.configured.items():
            if field not in MODEL_PARAMETERS or named.id not in configurable:
                continue
            value = configurable[named.id]
            if isinstance(named, ConfigurableField):
                values[field] = value
            elif isinstance(named, ConfigurableFieldSingleOption):
                values[field] = named.options[value]
        return values
