"""ScaffoldingStructuredLLM: what `as_structured_llm` gives, which tells how each structure was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    MessageRole,
)
from llama_index.core.bridge.pydantic import BaseModel, SerializeAsAny
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.prompts.base import ChatPromptTemplate

from llamaindex_scaffolding.llm.structured_predictions import StructuredPredictions
from scaffolding_core.adapting import Backends, Closable

__all__ = ["ScaffoldingStructuredLLM"]


class ScaffoldingStructuredLLM(Closable, StructuredLLM):
    """An LLM that answers in a structure, on which samples voted.

    `raw` is the structure, as with every structured LLM of LlamaIndex's. `additional_kwargs["scaffolding"]`
    tells what `raw` of a `ScaffoldingLLM` tells; where a vote was held on each field, its share of the votes is
    in `additional_kwargs["scaffolding"]["data"]["fields"]`. A stream tells it with its last response.
    """

    llm: SerializeAsAny[StructuredPredictions]

    @property
    def _backends(self) -> Backends:
        return self.llm._backends

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "ScaffoldingStructuredLLM"

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat in a structure."""
        llm = self.llm.predicting(self.output_cls)
        return _response(llm, llm.structured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat in a structure; cancelling it cancels its samples."""
        llm = self.llm.predicting(self.output_cls)
        return _response(llm, await llm.astructured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream a structure while it grows; one that is voted on comes as a whole."""
        llm = self.llm.predicting(self.output_cls)
        for structure in llm.stream_structured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs):
            yield _response(llm, structure)

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream a structure while it grows; one that is voted on comes as a whole."""
        llm = self.llm.predicting(self.output_cls)
        given = _prompt(messages)

        async def read() -> ChatResponseAsyncGen:
            async for structure in await llm.astream_structured_predict(self.output_cls, given, llm_kwargs=kwargs):
                yield _response(llm, structure)

        return read()


def _prompt(messages: Sequence[ChatMessage]) -> ChatPromptTemplate:
    return ChatPromptTemplate(message_templates=messages)


def _response(llm: StructuredPredictions, structure: BaseModel) -> ChatResponse:
    message = ChatMessage(role=MessageRole.ASSISTANT, content=structure.model_dump_json())
    return ChatResponse(message=message, raw=structure, additional_kwargs=llm.told)
