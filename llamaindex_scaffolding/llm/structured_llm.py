"""ScaffoldingStructuredLLM: what `as_structured_llm` gives, which tells how each structure was agreed on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llama_index.core.base.llms.generic_utils import achat_to_completion_decorator, chat_to_completion_decorator
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    MessageRole,
)
from llama_index.core.bridge.pydantic import BaseModel, SerializeAsAny
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.prompts.base import ChatPromptTemplate

from llamaindex_scaffolding.instrumentation.unheard import unheard
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

    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat in a structure."""
        answer: ChatResponse = unheard(self)._chat(messages, **kwargs)
        return answer

    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """Answer a chat in a structure; cancelling it cancels its samples."""
        answer: ChatResponse = await unheard(self)._achat(messages, **kwargs)
        return answer

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """Stream a structure while it grows; one that is voted on comes as a whole."""
        answer: ChatResponseGen = unheard(self)._stream_chat(messages, **kwargs)
        return answer

    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """Stream a structure while it grows; one that is voted on comes as a whole."""
        answer: ChatResponseAsyncGen = await unheard(self)._astream_chat(messages, **kwargs)
        return answer

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt in a structure."""
        answer: CompletionResponse = unheard(self)._complete(prompt, **kwargs)
        return answer

    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """Answer a prompt in a structure; cancelling it cancels its samples."""
        answer: CompletionResponse = await unheard(self)._acomplete(prompt, **kwargs)
        return answer

    # As LlamaIndex's instrumentation shows them. Callbacks hear the calls inside alone, whose responses tell the
    # tokens: those of a structure would be guessed, and counted once more.

    @llm_chat_callback()
    def _chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        llm = self._predicting()
        return _response(llm, llm.structured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs))

    @llm_chat_callback()
    async def _achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        llm = self._predicting()
        return _response(llm, await llm.astructured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs))

    @llm_chat_callback()
    def _stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        llm = self._predicting()
        for structure in llm.stream_structured_predict(self.output_cls, _prompt(messages), llm_kwargs=kwargs):
            yield _response(llm, structure)

    @llm_chat_callback()
    async def _astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        llm = self._predicting()
        given = _prompt(messages)

        async def read() -> ChatResponseAsyncGen:
            async for structure in await llm.astream_structured_predict(self.output_cls, given, llm_kwargs=kwargs):
                yield _response(llm, structure)

        return read()

    @llm_completion_callback()
    def _complete(self, prompt: str, **kwargs: Any) -> CompletionResponse:
        return chat_to_completion_decorator(self.chat)(prompt, **kwargs)

    @llm_completion_callback()
    async def _acomplete(self, prompt: str, **kwargs: Any) -> CompletionResponse:
        return await achat_to_completion_decorator(self.achat)(prompt, **kwargs)

    def _predicting(self) -> StructuredPredictions:
        """What makes one prediction, and tells the callbacks of both."""
        llm = self.llm.predicting(self.output_cls)
        around: CallbackManager = self.__dict__["callback_manager"]  # in a view without callbacks too
        llm.callback_manager = _both(llm.callback_manager, around)
        return llm


def _both(inside: CallbackManager, around: CallbackManager) -> CallbackManager:
    if all(handler in inside.handlers for handler in around.handlers):
        return inside
    if all(handler in around.handlers for handler in inside.handlers):
        return around
    both = CallbackManager([])
    both.set_handlers(
        [*inside.handlers, *(handler for handler in around.handlers if handler not in inside.handlers)]
    )
    return both


def _prompt(messages: Sequence[ChatMessage]) -> ChatPromptTemplate:
    return ChatPromptTemplate(message_templates=messages)


def _response(llm: StructuredPredictions, structure: BaseModel) -> ChatResponse:
    message = ChatMessage(role=MessageRole.ASSISTANT, content=structure.model_dump_json())
    return ChatResponse(message=message, raw=structure, additional_kwargs=llm.told)
