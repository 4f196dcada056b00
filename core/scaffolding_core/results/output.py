"""What a method gives back: its output, and the samples it chose from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, fields
from typing import Any, Literal, Protocol, Self, TypeAlias

from scaffolding_core.messages import AssistantMessage, Content, TokenLogprob, ToolCall, Usage

__all__ = ["Candidate", "ScaffoldingOutput", "Stopped"]

Stopped: TypeAlias = Literal["complete", "decided", "budget"]
"""Why a method stopped: all its work was done; the rest could not, or would hardly, change the answer;
budget or deadline ran out, and this is the best answer so far."""


class _Generated(Protocol):
    """What a finished `GenerationTask` holds."""

    output_str: str | None
    output_tokens: list[int] | None
    finish_reason: str | None
    logprobs: list[TokenLogprob] | None
    reasoning: str | None
    tool_calls: list[ToolCall] | None
    original: object
    usage: Usage | None


@dataclass(slots=True)
class Candidate:
    """One sample of a method.

    Attributes:
        index: of the sample, from 0.
        content: what the model said.
        reasoning: its thoughts, where the backend tells them apart.
        tool_calls: tools it wants called.
        original: the answer as a wrapped library gave it, whole.
        answer: what was extracted from it; None if it has no answer, or is not compared.
        read_as: how its answer was read, such as `boxed`, `stated`, `last sentence` or `whole`; `refusal` where it
            declines to answer.
        score: its reward, where there is one.
        votes: how many samples gave the same answer, this one included.
        usage: what it cost.
        error: why it failed, where it did.
        cut: stopped because the method had decided without it.
        late: ended, but after the method had decided without it.
        finish_reason: as the backend gave it.
        logprobs: of its tokens, where they were asked for.
        output_tokens: its token ids, where the backend tells them.
    """

    index: int
    content: Content | None = None
    reasoning: str | None = None
    tool_calls: list[ToolCall] | None = None
    original: object = field(default=None, repr=False, compare=False)
    answer: object = None
    score: float | None = None
    votes: int = 0
    usage: Usage | None = None
    error: BaseException | None = None
    cut: bool = False
    finish_reason: str | None = None
    logprobs: list[TokenLogprob] | None = None
    output_tokens: list[int] | None = None
    read_as: str = ""
    late: bool = False

    @property
    def counted(self) -> bool:
        """Whether the result rests on it: it did not fail, and was there before the method decided."""
        return self.error is None and not self.cut and not self.late

    @property
    def message(self) -> AssistantMessage:
        """What the model said, whole; setting it takes over another's parts."""
        new = object.__new__(AssistantMessage)  # once for each sample, and sooner than by its constructor
        new.role, new.name = "assistant", None
        new.content, new.reasoning, new.tool_calls = self.content, self.reasoning, self.tool_calls
        new.original = self.original
        return new

    @message.setter
    def message(self, message: AssistantMessage) -> None:
        self.content, self.reasoning, self.tool_calls = message.content, message.reasoning, message.tool_calls
        self.original = message.original

    @property
    def text(self) -> str:
        """The text of what the model said."""
        return self.content if isinstance(self.content, str) else self.message.text

    def summary(self) -> dict[str, Any]:
        """The sample as plain data, fit for JSON."""
        return {
            "text": self.text,
            "answer": _plain(self.answer),
            "read_as": self.read_as,
            "score": self.score,
            "votes": self.votes,
            "error": str(self.error) if self.error is not None else None,
            "cut": self.cut,
            "late": self.late,
            "finish_reason": self.finish_reason,
        }

    @classmethod
    def from_task(cls, index: int, task: _Generated) -> Self:
        """What a finished task holds."""
        new = object.__new__(cls)  # as above
        new.index, new.content, new.reasoning = index, task.output_str, task.reasoning
        new.tool_calls, new.original = task.tool_calls, task.original
        new.answer = new.score = new.error = None
        new.read_as, new.votes = "", 0
        new.usage, new.cut, new.late = task.usage, False, False
        new.finish_reason, new.logprobs, new.output_tokens = task.finish_reason, task.logprobs, task.output_tokens
        return new


@dataclass(slots=True)
class ScaffoldingOutput:
    """The result of a method.

    Attributes:
        message: the chosen sample's message, whole; a text given for it becomes one.
        token_ids: of the chosen sample, where the backend tells them.
        data: whatever a method of yours adds.
        answer: its answer, where the method extracts one.
        read_as: how its answer was read; see `Candidate`.
        candidates: every sample that was started, in index order.
        votes: how many votes each answer got, the one that won first, then most first; equal answers by the text
            that represents them.
        agreement: share of the votes that the answer has, 0 to 1.
        score: reward of the chosen sample.
        usage: all that was paid: every sample, rewards, and failed, cut and retried ones.
        stopped: why the method stopped.
        finish_reason: of the chosen sample.
        logprobs: of the chosen sample, where they were asked for.
        method: name of the method.
    """

    message: AssistantMessage = field(default_factory=AssistantMessage)
    token_ids: list[int] | None = None
    data: Mapping[str, object] | None = None
    _: KW_ONLY
    answer: object = None
    candidates: list[Candidate] = field(default_factory=list)
    votes: dict[str, int] = field(default_factory=dict)
    agreement: float | None = None
    score: float | None = None
    usage: Usage = field(default_factory=Usage)
    stopped: Stopped = "complete"
    finish_reason: str | None = None
    logprobs: list[TokenLogprob] | None = None
    method: str = ""
    read_as: str = ""

    def __post_init__(self) -> None:
        given: object = self.message
        if isinstance(given, str):
            self.message = AssistantMessage(given)

    @property
    def text(self) -> str:
        """The text of the message."""
        return self.message.text

    @property
    def samples(self) -> int:
        """How many samples were started; those that failed, were cut or came late are among them."""
        return len(self.candidates)

    @property
    def counted(self) -> int:
        """How many of them the result rests on; those without an answer are among them, as they were looked at."""
        return sum(candidate.counted for candidate in self.candidates)

    @property
    def cut(self) -> int:
        """How many of them were stopped because the method had decided without them."""
        return sum(candidate.cut for candidate in self.candidates)

    def summary(self) -> dict[str, Any]:
        """The method's result as plain data, fit for JSON: all but the text."""
        return {
            "method": self.method,
            "answer": _plain(self.answer),
            "read_as": self.read_as,
            "candidates": [candidate.summary() for candidate in self.candidates],
            "votes": self.votes,
            "agreement": self.agreement,
            "score": self.score,
            "samples": self.samples or 1,
            "counted": self.counted if self.candidates else 1,
            "cut": self.cut,
            "stopped": self.stopped,
            "data": _plain(self.data),
            "usage": {part.name: getattr(self.usage, part.name) for part in fields(self.usage)},
        }

    @staticmethod
    def from_candidate(candidate: Candidate, *, method: str) -> ScaffoldingOutput:
        """An output whose chosen sample is this one."""
        new = object.__new__(ScaffoldingOutput)  # sooner than by a constructor with so many defaults
        new.message = candidate.message
        new.token_ids = candidate.output_tokens
        new.data = None
        new.answer = candidate.answer
        new.candidates = []
        new.votes = {}
        new.agreement = None
        new.score = candidate.score
        new.usage = Usage()
        new.stopped = "complete"
        new.finish_reason = candidate.finish_reason
        new.logprobs = candidate.logprobs
        new.method = method
        new.read_as = candidate.read_as
        return new


def _plain(answer: object) -> Any:  # Any: whatever JSON can hold
    if answer is None or isinstance(answer, str | int):
        return answer
    try:
        return json.loads(json.dumps(answer, default=str))
    except (TypeError, ValueError):
        return str(answer)
