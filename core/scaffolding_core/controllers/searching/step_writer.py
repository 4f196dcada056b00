"""StepWriter: writes the next step of a partial answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scaffolding_core.answers.steps import StepSplitter
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.continuing import (
    joined,
    part_of,
    stopped_at,
    stops_of,
    thoughts_apart,
    tokens_of,
    tokens_within,
    total_tokens,
    written,
)
from scaffolding_core.errors import WorkerError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.tasks import GenerationTask

__all__ = ["Partial", "StepWriter"]

_BLANK = 3
"""How often a step may begin with nothing but what separates steps."""

_SAME = 3
"""How often an answer may say the same step: it would say it for ever."""


@dataclass(frozen=True, slots=True)
class Partial:
    """An answer as far as it is written.

    Args:
        text: of it.
        steps: that it has; joined, they are the text, but for what separates it from a step that was empty.
        parts: what the model said, in order.
        tokens: written for it.
        ended: nothing comes after it.
        finish_reason: why it ended, where it did.
    """

    text: str = ""
    steps: tuple[str, ...] = ()
    parts: tuple[AssistantMessage, ...] = ()
    tokens: int = 0
    ended: bool = False
    finish_reason: str | None = None

    def message(self, finish_reason: str | None) -> AssistantMessage:
        """It as a message."""
        return joined(self.parts, self.text, finish_reason)


class StepWriter:
    """Writes the next step of a partial answer, as a part of it that stops where the step does.

    Args:
        controller: the method that writes.
        task: that is answered.
        splitter: where steps end.
        max_tokens: of an answer, where neither the task nor the method sets any.
        options: of the method's `process`.
    """

    def __init__(
        self,
        controller: Controller,
        task: GenerationTask,
        splitter: StepSplitter,
        max_tokens: int,
        options: Mapping[str, object],
    ) -> None:
        self._controller, self._task, self._splitter, self._options = controller, task, splitter, options
        self._total = total_tokens(controller, task) or max_tokens

    def step(
        self, before: Partial, place: Sequence[int], *, group: object = None, greedy: bool = False
    ) -> Steps[Partial]:
        """A partial answer with one step more, or the same one, ended, where the model has nothing to add.

        Args:
            before: the partial answer.
            place: what its seed depends on.
            group: shared by the steps that are drawn from the same partial answer.
            greedy: takes the likeliest step.

        Raises:
            WorkerError: the method failed, or wrote nothing at all.
            UnsupportedTaskError: the server tells thoughts apart that would have to be gone on with.
        """
        text, parts, tokens = "", before.parts, before.tokens
        for blank in range(_BLANK):
            limit = tokens_within(self._splitter.max_tokens, self._total - tokens)
            part = part_of(
                self._task, before.text + text, place=(*place, blank), stop=self._splitter.stop, tokens=limit
            )
            part.group = group
            if greedy:
                part.temperature = 0.0
            said = yield from written(self._controller, part, self._options)
            parts, tokens = (*parts, said), tokens + tokens_of(part)
            is_last = tokens >= self._total
            piece, ended = self._read(part, is_first=not before.text, is_last=is_last)
            text += piece
            if said.reasoning and not ended and not said.text.strip():
                raise thoughts_apart()
            if ended or not self._splitter.is_blank(text):
                break
        else:
            ended = True
        reason = said.finish_reason
        if self._splitter.is_blank(text) and not said.tool_calls:
            if not before.text:
                raise WorkerError("the model wrote nothing: there is no first step")
            whole = before.text.removesuffix(self._splitter.stop or "")
            return Partial(whole, (*before.steps, ""), before.parts, tokens, True, reason)
        if not ended and (is_last or self._is_repeated(text, before)):
            ended, reason = True, "length"
        return Partial(before.text + text, (*before.steps, text), parts, tokens, ended, reason)

    def answer(self, partial: Partial) -> GenerationTask:
        """The task, answered by a partial answer, without the separator at its end: it may be the last step."""
        task = self._task.copy()
        message = partial.message(partial.finish_reason)
        task.said = replace(message, content=partial.text.removesuffix(self._splitter.stop or ""))
        return task

    def _read(self, part: GenerationTask, *, is_first: bool, is_last: bool) -> tuple[str, bool]:
        """The step in a part, with the separator that it stopped at, and whether the answer ended with it."""
        text, stop, reason = part.message().text, self._splitter.stop, part.finish_reason
        if part.tool_calls or reason not in ("stop", "length"):
            return text, True
        if reason == "length":
            return text if is_last else self._splitter.begun(text), False
        at = stopped_at(part)
        if at is None and not stops_of(self._task):
            # Nobody tells: an answer that has ended has nothing to add.
            at = stop if is_first or text.strip() else ""
        if stop is None or at != stop:
            return text, True
        return text if text.endswith(stop) and part.include_stop_str_in_output else text + stop, False

    def _is_repeated(self, step: str, before: Partial) -> bool:
        same = sum(each.strip() == step.strip() for each in before.steps)
        return same + 1 >= _SAME
