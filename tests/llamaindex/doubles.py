"""A scripted LLM of LlamaIndex's kind.

Scripted, because votes, tool calls and cuts have to come out the same each time, and no small model calls
tools reliably.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    LLMMetadata,
    MessageRole,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from pydantic import Field

from llamaindex_scaffolding import ScaffoldingLLM
from scaffolding_core import FunctionWorker

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

Answer = str | ChatMessage | Exception


class Record:
    """What an LLM was asked, over all its copies."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.calls: list[str] = []
        self.kwargs: list[dict[str, Any]] = []
        self.asked: list[Any] = []
        self.threads: list[int] = []
        self.closed = 0
        self.pieces = 0

    def __deepcopy__(self, memo: object) -> "Record":
        return self

    def add(self, call: str, asked: Any, kwargs: dict[str, Any]) -> int:
        with self.lock:
            self.calls.append(call)
            self.asked.append(asked)
            self.kwargs.append(kwargs)
            self.threads.append(threading.get_ident())
            return len(self.calls) - 1


class ScriptedLLM(FunctionCallingLLM):
    """Answers each call with the next of its answers, or with what a function of the messages returns."""

    answers: list[Any] = Field(default_factory=list)
    reply: Callable[[Sequence[ChatMessage], int], Answer] | None = Field(default=None, exclude=True)
    record: Any = Field(default_factory=Record, exclude=True)
    delay: float = 0.0
    is_chat_model: bool = True
    api_key: str | None = None

    @classmethod
    def class_name(cls) -> str:
        return "ScriptedLLM"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(
            context_window=4321,
            num_output=123,
            is_chat_model=self.is_chat_model,
            is_function_calling_model=True,
            model_name="scripted",
        )

    def _next(self, call: str, asked: Any, kwargs: dict[str, Any]) -> ChatMessage:
        index = self.record.add(call, asked, kwargs)
        scripted = self.reply or (lambda asked, index: self.answers[index % len(self.answers)])
        answer = scripted(asked, index)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, ChatMessage):
            return answer.model_copy(deep=True)
        return ChatMessage(role=MessageRole.ASSISTANT, content=answer)

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        return ChatResponse(message=self._next("chat", messages, kwargs), raw={"usage": USAGE})

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        message = self._next("achat", messages, kwargs)
        await asyncio.sleep(self.delay)
        return ChatResponse(message=message, raw={"usage": USAGE})

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any):
        message = self._next("stream_chat", messages, kwargs)

        def gen():
            try:
                yield from self._pieces(message)
            finally:
                self.record.closed += 1

        return gen()

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any):
        message = self._next("astream_chat", messages, kwargs)

        async def gen():
            try:
                for response in self._pieces(message):
                    await asyncio.sleep(self.delay)
                    yield response
            finally:
                self.record.closed += 1

        return gen()

    def _pieces(self, message: ChatMessage):
        words = (message.content or "").split(" ")
        for index, word in enumerate(words):
            self.record.pieces += 1
            text = " ".join(words[: index + 1])
            last = index + 1 == len(words)
            yield ChatResponse(
                message=message if last else ChatMessage(role=MessageRole.ASSISTANT, content=text),
                delta=word if index == 0 else f" {word}",
                raw={"usage": USAGE if last else None},
            )

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        message = self._next("complete", prompt, {**kwargs, "formatted": formatted})
        return CompletionResponse(text=message.content or "", raw={"usage": USAGE})

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        message = self._next("acomplete", prompt, {**kwargs, "formatted": formatted})
        return CompletionResponse(text=message.content or "", raw={"usage": USAGE})

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any):
        message = self._next("stream_complete", prompt, {**kwargs, "formatted": formatted})

        def gen():
            for response in self._pieces(message):
                yield CompletionResponse(
                    text=response.message.content or "", delta=response.delta, raw=response.raw
                )

        return gen()

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any):
        message = self._next("astream_complete", prompt, {**kwargs, "formatted": formatted})

        async def gen():
            for response in self._pieces(message):
                yield CompletionResponse(
                    text=response.message.content or "", delta=response.delta, raw=response.raw
                )

        return gen()

    def _prepare_chat_with_tools(
        self,
        tools,
        user_msg=None,
        chat_history=None,
        verbose=False,
        allow_parallel_tool_calls=False,
        tool_required=False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        messages = chat_history if chat_history is not None else []  # in place, as OpenAI's does it
        if user_msg is not None:
            message = ChatMessage(role="user", content=user_msg) if isinstance(user_msg, str) else user_msg
            messages.append(message)
        return {"messages": messages, "tools": list(tools), "tool_required": tool_required, **kwargs}

    def get_tool_calls_from_response(self, response, error_on_no_tool_call=True, **kwargs: Any):
        return [
            ToolSelection(tool_id=block.tool_call_id, tool_name=block.tool_name, tool_kwargs=block.tool_kwargs)
            for block in response.message.blocks
            if isinstance(block, ToolCallBlock)
        ]


def tool_call(name: str, /, call_id: str = "call-1", **arguments: Any) -> ChatMessage:
    """A message that calls a tool."""
    block = ToolCallBlock(tool_call_id=call_id, tool_name=name, tool_kwargs=arguments)
    return ChatMessage(role=MessageRole.ASSISTANT, blocks=[block])


def voted(*answers, **fields):
    """A scripted LLM with a vote, of as many samples as it has answers."""
    return ScaffoldingLLM.wrap(ScriptedLLM(answers=list(answers)), sample_num=len(answers), **fields)


def in_turn(*answers):
    """A worker that gives its answers in turn."""
    left = list(answers)
    return FunctionWorker(lambda task: left.pop(0))
