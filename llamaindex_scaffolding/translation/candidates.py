"""Samples, shown while the method still runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.base import BaseEvent
from llama_index_instrumentation.span import active_span_id

from scaffolding_core import CandidateEvent, Event, TokenEvent

__all__ = ["SampleEndEvent", "SampleInProgressEvent", "StreamCandidates", "sample_events"]

StreamCandidates: TypeAlias = Literal["reasoning", "events"]
"""How samples are shown: as thoughts in a stream, each once it has finished, or as events of instrumentation."""

_dispatcher = get_dispatcher(__name__)


class SampleInProgressEvent(BaseEvent):
    """A sample wrote a piece of text.

    Attributes:
        branch: path of the sample; `[3]` is the fourth one, `[]` the answer of a method with one branch.
        delta: new text.
        thinking_delta: new thoughts.
    """

    branch: list[int]
    delta: str
    thinking_delta: str

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "SampleInProgressEvent"


class SampleEndEvent(BaseEvent):
    """A sample ended.

    Attributes:
        branch: path of the method that it belongs to.
        index: of the sample.
        candidate: what `raw["candidates"]` tells of it.
    """

    branch: list[int]
    index: int
    candidate: dict[str, Any]

    @classmethod
    def class_name(cls) -> str:
        """The name that LlamaIndex knows it by."""
        return "SampleEndEvent"


def sample_events() -> Callable[[Event], None]:
    """What tells LlamaIndex's event handlers of samples, under the span that is open here."""
    span_id = active_span_id.get()

    def tell(event: Event) -> None:
        match event:
            case TokenEvent(branch, text, reasoning):
                _dispatcher.event(
                    SampleInProgressEvent(branch=[*branch], delta=text, thinking_delta=reasoning, span_id=span_id)
                )
            case CandidateEvent(branch, candidate):
                _dispatcher.event(
                    SampleEndEvent(
                        branch=[*branch], index=candidate.index, candidate=candidate.summary(), span_id=span_id
                    )
                )

    return tell
