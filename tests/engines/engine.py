"""An engine as the contract sees it, and what may be asked of one."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import pytest

from scaffolding_core import ChatTask, GenerationTask, ToolDescription, UserMessage, Worker

__all__ = [
    "ASKING",
    "AS_FORMAT",
    "CLOCK",
    "DIGITS",
    "ENDLESS",
    "STORY",
    "Engine",
    "Row",
    "chat",
    "clock",
    "generation",
]

STORY = "Once upon a time there was a"
DIGITS = "[0-9]{3}"
CLOCK = ToolDescription(
    "clock",
    "Tells the time",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)
PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}
ENDLESS: Mapping[str, Any] = {"max_tokens": 3000, "ignore_eos": True}
AS_FORMAT: Mapping[str, Any] = {"response_format": {"type": "regex", "regex": DIGITS}}
PATIENCE = 60.0
"""Seconds after which it hangs."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that runs.

    Args:
        worker: a worker on it, for the running loop.
        unknown_model: the same for a model that is not there; None where any name stands for the one it has.
        window: tokens that no prompt may have.
        running: how many answers it writes right now; None where nobody can see it.
        endless: parameters of an answer that goes on for seconds.
        digits: parameters that hold an answer to `DIGITS`.
        calling: parameters that let it call `CLOCK`.
        thinking: parameters that let it think before it answers.
        declared: its row says all that it lacks; else what it refuses is what it lacks.
    """

    worker: Callable[[], AbstractAsyncContextManager[Worker]]
    unknown_model: Callable[[], AbstractAsyncContextManager[Worker]] | None
    window: int
    running: Callable[[], Awaitable[int]] | None
    endless: Mapping[str, Any] = field(default_factory=lambda: ENDLESS)
    digits: Mapping[str, Any] = field(default_factory=lambda: AS_FORMAT)
    calling: Mapping[str, Any] = field(default_factory=lambda: {"tool_choice": "required"})
    thinking: Mapping[str, Any] = field(default_factory=lambda: {"reasoning_effort": "low"})
    declared: bool = True

    async def busy(self) -> None:
        """Wait until it writes an answer."""
        await self._until(bool)

    async def idle(self) -> None:
        """Wait until it writes none."""
        await self._until(lambda running: not running)

    async def _until(self, reached: Callable[[int], bool]) -> None:
        if self.running is None:
            pytest.skip("it does not show how many answers it writes")
        end = time.monotonic() + PATIENCE
        while not reached(await self.running()):
            assert time.monotonic() < end, "it hangs"
            await asyncio.sleep(0.01)


@dataclass(frozen=True, kw_only=True)
class Row:
    """An engine of the table.

    Args:
        start: starts it, with what else the tests share.
        lacks: what it cannot do, of `ASKING`, and why.
        marks: of all its tests.
    """

    start: Callable[[pytest.FixtureRequest], AbstractContextManager[Engine]]
    lacks: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[pytest.MarkDecorator, ...] = ()


def generation(**parameters: Any) -> GenerationTask:
    """A short story."""
    return GenerationTask(**{"input_str": STORY, "max_tokens": 8, **parameters})


def chat(question: str = "What is 2+2?", **parameters: Any) -> ChatTask:
    """A short answer."""
    return ChatTask(messages=[UserMessage(question)], **{"max_tokens": 16, **parameters})


def clock(**parameters: Any) -> ChatTask:
    """A call of a tool."""
    return chat("What time is it in Paris?", tools=[CLOCK], max_tokens=100, temperature=0.0, **parameters)


ASKING: Mapping[str, Callable[[Engine], GenerationTask]] = {
    "logprobs": lambda engine: generation(num_logprobs=3),
    "seed": lambda engine: generation(seed=7, temperature=1.0),
    "token prompts": lambda engine: generation(input_str=None, input_tokens=[20, 21, 22, 23]),
    "tools": lambda engine: clock(**engine.calling),
    "forced calls": lambda engine: clock(**{**engine.calling, "tool_choice": "required"}),
    "JSON schema": lambda engine: chat(
        "Bob is 31 years old. How old is he? Answer in JSON.",
        response_format={"type": "json_schema", "json_schema": {"name": "person", "schema": PERSON}},
        max_tokens=60,
        temperature=0.0,
    ),
    "regex": lambda engine: chat("Which number comes after 122?", **engine.digits),
    "reasoning": lambda engine: chat("What is 6 times 7?", **{"max_tokens": 200, **engine.thinking}),
}
"""What an engine may lack, and how it is asked for."""
