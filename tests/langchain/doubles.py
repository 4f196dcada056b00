"""Scripted models, and what tests look at them with.

Scripted, since a vote can only be checked where each sample is known beforehand.
"""

import asyncio
import threading
from collections.abc import Awaitable
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.tracers import BaseTracer

from langchain_scaffolding import ChatScaffolding

ONE_AT_A_TIME = threading.Lock()
"""Blocking samples run in threads: no two may take the same answer."""


class Scripted(BaseChatModel):
    """A chat model that gives known answers, one after another, each for 3 tokens."""

    answers: list[Any]
    calls: list[Any] = []
    delay: float = 0.0
    wait: Any = None

    @property
    def _llm_type(self):
        return "scripted"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        with ONE_AT_A_TIME:
            answer = self.answers[len(self.calls) % len(self.answers)]
            self.calls.append((messages, {"stop": stop, **kwargs}))
        message = answer if isinstance(answer, AIMessage) else AIMessage(answer)
        message = message.model_copy(
            update={"usage_metadata": {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}}
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        await asyncio.sleep(self.delay)
        return self._generate(messages, stop, run_manager, **kwargs)

    def bind_tools(self, tools, *, tool_choice=None, **kwargs):
        return self.bind(tools=[str(t) for t in tools], tool_choice=tool_choice, **kwargs)


class KnownLLM(BaseLLM):
    """A completion model that gives known answers, one after another for each prompt, each for 3 tokens."""

    answers: list[str]
    calls: list[Any] = []
    delay: float = 0.0

    @property
    def _llm_type(self):
        return "known"

    def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
        answers = []
        for prompt in prompts:
            with ONE_AT_A_TIME:
                asked = sum(call[0] == prompt for call in self.calls)
                answers.append(self.answers[asked % len(self.answers)])
                self.calls.append((prompt, {"stop": stop, **kwargs}))
        return LLMResult(
            generations=[[Generation(text=answer)] for answer in answers],
            llm_output={"token_usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3}},
        )

    async def _agenerate(self, prompts, stop=None, run_manager=None, **kwargs):
        await asyncio.sleep(self.delay)
        return self._generate(prompts, stop, run_manager, **kwargs)


class KnownChat(BaseChatModel):
    """A chat model that gives known answers, one after another, each for 3 tokens and in two pieces."""

    answers: list[str]
    calls: list[Any] = []
    threads: list[int] = []

    @property
    def _llm_type(self):
        return "known-chat"

    def _answer(self, messages):
        with ONE_AT_A_TIME:
            answer = self.answers[len(self.calls) % len(self.answers)]
            self.calls.append(messages)
            self.threads.append(threading.get_ident())
        return answer

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        usage = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}
        message = AIMessage(
            self._answer(messages), usage_metadata=usage, response_metadata={"model_name": "known"}
        )
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _agenerate(self, messages, stop=None, run_manager=None, **kwargs):
        return self._generate(messages, stop, run_manager, **kwargs)

    def _stream(self, messages, stop=None, run_manager=None, **kwargs):
        answer = self._answer(messages)
        half = len(answer) // 2 or 1
        yield ChatGenerationChunk(message=AIMessageChunk(content=answer[:half]))
        usage = {"input_tokens": 2, "output_tokens": 1, "total_tokens": 3}
        last = AIMessageChunk(
            content=answer[half:], usage_metadata=usage, response_metadata={"model_name": "known"}
        )
        yield ChatGenerationChunk(message=last)


class Runs(BaseTracer):
    """Keeps every finished top run, with its children."""

    def __init__(self):
        super().__init__()
        self.tops = []

    def _persist_run(self, run):
        self.tops.append(run)


FULL = {"stop_rule": "full"}


def voted(samples, n=None, **fields):
    inner = Scripted(answers=samples)
    return ChatScaffolding.wrap(
        inner, **{"sample_num": n or len(samples), "method_options": FULL, **fields}
    ), inner


async def each_way(model, prompt, **kwargs):
    """The answer by invoke, ainvoke, stream and astream."""
    streamed = [*model.stream(prompt, **kwargs)]
    astreamed = [chunk async for chunk in model.astream(prompt, **kwargs)]
    assert all(isinstance(chunk, AIMessageChunk) for chunk in streamed + astreamed)
    yield await asyncio.to_thread(model.invoke, prompt, **kwargs)
    yield await model.ainvoke(prompt, **kwargs)
    for chunks in (streamed, astreamed):
        whole = chunks[0]
        for chunk in chunks[1:]:
            whole += chunk
        yield whole


def names(run):
    """The names of a run and of all beneath it, as a tree."""
    return (run.name, [names(child) for child in run.child_runs])


def named(run, name):
    """All runs of a name beneath a run."""
    found = [run] if run.name == name else []
    return found + [hit for child in run.child_runs for hit in named(child, name)]


class Never:
    """Work that begins and ends only when it is cut."""

    def __init__(self) -> None:
        self.begun, self.cut = asyncio.Event(), asyncio.Event()

    async def ends(self, given: object) -> None:
        self.begun.set()
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            self.cut.set()
            raise

    async def is_cut_with(self, call: Awaitable[object]) -> None:
        """Cancel a call once it has begun here: it ends cancelled, and this is cut."""
        self.begun.clear()
        self.cut.clear()
        running = asyncio.ensure_future(call)
        await self.begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.wait_for(self.cut.wait(), 60)
