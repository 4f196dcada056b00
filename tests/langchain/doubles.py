"""Small doubles: models and tracers whose every word is known."""

import asyncio
import threading
from typing import Any

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult, Generation, LLMResult
from langchain_core.tracers import BaseTracer

FULL = {"stop_rule": "full"}
"""All samples count, so that a test knows how many there are."""


class KnownLLM(BaseLLM):
    """A completion model that gives known answers, one after another, each for 3 tokens."""

    answers: list[str]
    calls: list[Any] = []
    delay: float = 0.0

    @property
    def _llm_type(self):
        return "known"

    def _generate(self, prompts, stop=None, run_manager=None, **kwargs):
        answers = []
        for prompt in prompts:
            answers.append(self.answers[len(self.calls) % len(self.answers)])
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
        for piece in (answer[:half], answer[half:]):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))


class Runs(BaseTracer):
    """Keeps every finished top run, with its children."""

    def __init__(self):
        super().__init__()
        self.tops = []

    def _persist_run(self, run):
        self.tops.append(run)


def names(run):
    """The names of a run and of all beneath it, as a tree."""
    return (run.name, [names(child) for child in run.child_runs])


def named(run, name):
    """All runs of a name beneath a run."""
    found = [run] if run.name == name else []
    return found + [hit for child in run.child_runs for hit in named(child, name)]
