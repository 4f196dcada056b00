"""AnswerStream: the text of the answer, out of a request's events, each piece once."""

from __future__ import annotations

from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import DecisionEvent, Event, FinalEvent, TokenEvent
from scaffolding_core.tasks import Delta

__all__ = ["AnswerStream"]


class AnswerStream:
    """What to show of an answer while it is made.

    Args:
        live: the method's only branch writes the answer, so text is shown as it comes; otherwise the chosen
            answer is shown in one piece, as soon as it is decided. See `Controller.streams_answer`.
    """

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._text_shown = self._reasoning_shown = False

    def of(self, event: Event) -> Delta | None:
        """The piece of the answer that an event brings; None if it brings none."""
        if isinstance(event, TokenEvent):
            if not self._live or event.branch != ():
                return None
            return self._shown(Delta(event.text, event.reasoning))
        if isinstance(event, DecisionEvent) and event.branch == () and not self._live:
            return self._rest(event.candidate.message)
        if isinstance(event, FinalEvent):
            return self._rest(event.output.message)
        return None

    def _rest(self, message: AssistantMessage) -> Delta | None:
        text = "" if self._text_shown else message.text
        reasoning = "" if self._reasoning_shown else message.reasoning or ""
        return self._shown(Delta(text, reasoning)) if text or reasoning else None

    def _shown(self, delta: Delta) -> Delta:
        self._text_shown = self._text_shown or bool(delta.text)
        self._reasoning_shown = self._reasoning_shown or bool(delta.reasoning)
        return delta
