"""What a method gives back: its output, and the samples it chose from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, Self, TypeAlias

from scaffolding_core.messages import AssistantMessage, Content, Part, RoleMessage, TokenLogprob, ToolCall, Usage
from scaffolding_core.results.judgement import Judgement

__all__ = ["Candidate", "ScaffoldingOutput", "Stopped"]

Stopped: TypeAlias = Literal["complete", "decided", "budget", "turns", "calls", "repeats", "abstained"]
"""Why a method stopped: all its work was done; the rest could not, or would hardly, change the answer;
budget or deadline ran out, and this is the best answer so far; the model was to answer without further tool calls,
since it had no more turns or calls left, or called the same again; it was not sure enough of any answer."""


@dataclass(slots=True)
class Candidate:
    """One sample of a method.

    Attributes:
        index: of the sample, from 0.
        said: what the model said, whole; a text given for it becomes a message. Its parts stand here too, by the
            names that they have there.
        answer: what was extracted from it; None if it has no answer, or is not compared.
        score: its reward, where there is one.
        judgement: what else the reward says of it: verdict, feedback, scores of steps.
        votes: how many samples gave the same answer, this one included.
        usage: what it cost.
        error: why it failed, where it did.
        cut: stopped because the method had decided without it.
        read_as: how its answer was read, such as `boxed`, `stated`, `last sentence` or `whole`; `refusal` where it
            declines to answer.
        late: ended, but after the method had decided without it.
        transcript: the messages that its own method added to the chat, where it calls tools.
    """

    index: int
    said: AssistantMessage | None = None
    answer: object = None
    score: float | None = None
    votes: int = 0
    usage: Usage | None = None
    error: BaseException | None = None
    cut: bool = False
    read_as: str = ""
    late: bool = False
    transcript: list[RoleMessage] = field(default_factory=list, repr=False)
    judgement: Judgement | None = field(default=None, repr=False)

    content = Part[Content | None]("content")
    reasoning = Part[str | None]("reasoning")
    tool_calls = Part[list[ToolCall] | None]("tool_calls")
    original = Part[object]("original")
    finish_reason = Part[str | None]("finish_reason")
    logprobs = Part[list[TokenLogprob] | None]("logprobs")
    output_tokens = Part[list[int] | None]("output_tokens")

    def __post_init__(self) -> None:
        given: object = self.said
        if isinstance(given, str):
            self.said = AssistantMessage(given)

    @property
    def counted(self) -> bool:
        """Whether the result rests on it: it did not fail, and was there before the method decided."""
        return self.error is None and not self.cut and not self.late

    @property
    def message(self) -> AssistantMessage:
        """What the model said, whole; nothing where it failed before it said any."""
        return AssistantMessage() if self.said is None else self.said

    @message.setter
    def message(self, message: AssistantMessage) -> None:
        self.said = message

    @property
    def text(self) -> str:
        """The text of what the model said."""
        return "" if self.said is None else self.said.text

    @property
    def verdict(self) -> bool | None:
        """Whether its reward passes it; None where it does not say so."""
        return None if self.judgement is None else self.judgement.verdict

    @property
    def feedback(self) -> str | None:
        """The words of its reward."""
        return None if self.judgement is None else self.judgement.feedback

    @property
    def step_scores(self) -> Sequence[float] | None:
        """A score for each of its steps, from a process reward model."""
        return None if self.judgement is None else self.judgement.step_scores

    def summary(self) -> dict[str, Any]:
        """The sample as plain data, fit for JSON."""
        return {
            "text": self.text,
            "answer": _plain(self.answer),
            "read_as": self.read_as,
            "score": self.score,
            **(self.judgement.summary() if self.judgement is not None else {}),
            "votes": self.votes,
            "error": str(self.error) if self.error is not None else None,
            "cut": self.cut,
            "late": self.late,
            "finish_reason": self.finish_reason,
        }


@dataclass(slots=True)
class ScaffoldingOutput:
    """The result of a method.

    Attributes:
        message: the chosen sample's message, whole; a text given for it becomes one.
        token_ids: of the message, where the backend tells them.
        data: whatever a method of yours adds.
        answer: its answer, where the method extracts one.
        read_as: how its answer was read; see `Candidate`.
        candidates: every sample that was started, in index order.
        votes: how many votes each answer got, the one that won first, then most first; equal answers by the text
            that represents them.
        agreement: share of the votes that the answer has, 0 to 1.
        score: reward of the chosen sample.
        judgement: what else the reward says of it.
        usage: all that was paid: every sample, rewards, and failed, cut and retried ones.
        usage_by_role: the same, by the role that was asked, such as `generation`, `reward` or `judge`.
        stopped: why the method stopped.
        method: name of the method.
        consensus: what a vote on each field agreed on, put together of several samples; None where there was no
            such vote, or it agreed on nothing.
        transcript: the messages that a method with tools added to the chat, the answer last.
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
    method: str = ""
    read_as: str = ""
    consensus: Mapping[str, object] | None = None
    transcript: list[RoleMessage] = field(default_factory=list)
    judgement: Judgement | None = None
    usage_by_role: dict[str, Usage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given: object = self.message
        if isinstance(given, str):
            self.message = AssistantMessage(given)
        if self.token_ids is None:
            self.token_ids = self.message.output_tokens

    @property
    def text(self) -> str:
        """The text of the message."""
        return self.message.text

    @property
    def finish_reason(self) -> str | None:
        """Why the message ended."""
        return self.message.finish_reason

    @property
    def logprobs(self) -> list[TokenLogprob] | None:
        """Of the message's tokens, where they were asked for."""
        return self.message.logprobs

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
            "finish_reason": self.finish_reason,
            "data": _plain(self.data),
            "consensus": _plain(self.consensus),
            "usage": self.usage.summary(),
            "usage_by_role": {role: usage.summary() for role, usage in self.usage_by_role.items()},
        }

    @classmethod
    def of(cls, chosen: Candidate, *, method: str) -> Self:
        """An output whose chosen sample is this one."""
        return cls(
            chosen.message,
            answer=chosen.answer,
            score=chosen.score,
            judgement=chosen.judgement,
            read_as=chosen.read_as,
            method=method,
            transcript=chosen.transcript,
        )


def _plain(answer: object) -> Any:  # Any: whatever JSON can hold
    if answer is None or isinstance(answer, str | int):
        return answer
    try:
        return json.loads(json.dumps(answer, default=str))
    except (TypeError, ValueError):
        return str(answer)
