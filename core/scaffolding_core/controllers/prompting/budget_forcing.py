"""Budget forcing: thoughts that are too short are gone on with, and those that are too long are closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from scaffolding_core.answers import Answers, AnswersLike
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.apart import apart
from scaffolding_core.controllers.asked import extractor_for
from scaffolding_core.controllers.continuing import (
    checked_continuable,
    joined,
    part_of,
    stopped_at,
    thoughts_apart,
    tokens_of,
    tokens_within,
    total_tokens,
    written,
)
from scaffolding_core.controllers.parts import checked_part, checked_whole
from scaffolding_core.controllers.votes import answered
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError
from scaffolding_core.messages import AssistantMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["BudgetForcingController"]


class BudgetForcingController(Controller):
    """Makes a model that thinks before it speaks think no less and no more than so much.

    A thought that ends before `min_thinking` tokens, or before it was told to go on `waits` times, goes on behind
    `extension`; one that has `max_thinking` tokens is closed, and the final answer is asked for. The answer is one
    text, thoughts and all, between the marks of the model; `output.data` tells `thinking_tokens`, how often the
    thought was `extended`, and whether it was `closed`.

    It works on thoughts that stand in the text: exactly with a text prompt, and with a chat on a server that takes
    a begun answer and whose template leaves its thoughts there. Where a server tells thoughts apart from the text
    there is nothing to go on with, and the request ends with an error that says what to do. A call of a tool ends
    it, and is handed on whole.

    Cost: one answer in two parts or more, one after another, each of which sends what was written before it; the
    thoughts of a server with a prefix cache are read once.

    Source: Muennighoff et al. 2025, arXiv 2501.19393 (s1).

    Args:
        generation_controller: the method that writes.
        min_thinking: tokens; None for no lower limit.
        max_thinking: tokens; None for no upper limit but the task's own `max_tokens`.
        waits: how often a thought that ends is told to go on, however long it is.
        extension: what it is told to go on with.
        opening: begins a thought; it is put there unless the prompt, or the begun answer, ends with it.
        closing: ends a thought.
        final: stands behind a thought that was closed, for the answer to go on from.
        answers: the kind of answer; see `Answers`.

    Raises:
        InvalidRequestError: a number out of its range, nothing to force, an empty mark, or something that is no
            controller.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        generation_controller: Controller,
        *,
        min_thinking: int | None = None,
        max_thinking: int | None = None,
        waits: int = 1,
        extension: str = "\nWait",
        opening: str = "<think>\n",
        closing: str = "</think>",
        final: str = "\n\n**Final answer:**",
        answers: AnswersLike | None = None,
    ) -> None:
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        self.min_thinking = 0 if min_thinking is None else checked_whole("min_thinking", min_thinking, 0)
        self.max_thinking = None if max_thinking is None else checked_whole("max_thinking", max_thinking, 1)
        self.waits = checked_whole("waits", waits, 0)
        if self.max_thinking is not None and self.max_thinking < self.min_thinking:
            raise InvalidRequestError(
                f"min_thinking must not be above max_thinking, got {min_thinking} and {max_thinking}"
            )
        if not (self.min_thinking or self.waits or self.max_thinking):
            raise InvalidRequestError("nothing is forced: give min_thinking, max_thinking or waits")
        for name, text in (("extension", extension), ("opening", opening), ("closing", closing)):
            if not isinstance(text, str) or not text.strip():
                raise InvalidRequestError(f"{name} must be a text, got {text!r}")
        self.extension, self.opening, self.closing, self.final = extension, opening, closing, final
        self.answers = Answers.of(answers)

    def process(
        self,
        tasks: list[GenerationTask],
        generation_kwargs: Mapping[str, object] | None = None,
        answers: AnswersLike | None = None,
    ) -> Steps[ScaffoldingOutput]:
        """Answer one task, which keeps its prompt.

        Raises:
            InvalidRequestError: not one task, or one of token ids.
            UnsupportedTaskError: the server tells thoughts apart from the text.
            BudgetExceededError: budget or deadline ran out before the answer was begun.
        """
        task = checked_continuable(tasks)
        answer = _Answer(self, task, generation_kwargs or {})
        yield from answer.write()
        message = joined(answer.parts, answer.text, answer.finish_reason)
        winner = task.copy()
        winner.said = message
        task.take_results(winner)
        output = ScaffoldingOutput(message, method=type(self).__name__)
        output.data = {
            "thinking_tokens": answer.thought,
            "extended": answer.extended,
            "closed": answer.closed,
        }
        if answer.finish_reason == "cancelled":
            output.stopped = "budget"
        else:
            yield from answered(
                output, extractor_for(task, self.answers if answers is None else Answers.of(answers))
            )
        return output

    def opens(self, task: GenerationTask) -> bool:
        """Whether the thought of a task's answer is still to be opened."""
        mark = self.opening.strip()
        begun = task.answer_prefix or ""
        if mark in begun:
            return False
        return isinstance(task, ChatTask) or not f"{task.input_str}{begun}".rstrip().endswith(mark)


class _Answer:
    """An answer under way."""

    def __init__(
        self, method: BudgetForcingController, task: GenerationTask, options: Mapping[str, object]
    ) -> None:
        self.parts: list[AssistantMessage] = []
        self.text = method.opening if method.opens(task) else ""
        self.finish_reason: str | None = None
        self.thought = self.extended = 0
        self.closed = False
        self._method, self._task, self._options = method, task, options
        self._total = total_tokens(method.generation_controller, task)

    def write(self) -> Steps[None]:
        """Think as long as is wanted, and answer."""
        ended = yield from self._think()
        left = None if self._total is None else self._total - self.thought
        if ended or left == 0:
            return
        part = part_of(self._task, self.text, place=(len(self.parts),), tokens=left)
        try:
            said = yield from apart(written(self._method.generation_controller, part, self._options))
        except BudgetExceededError:
            said = part.message()
            if not said.text:
                raise
            self.finish_reason = "cancelled"
        else:
            self.finish_reason = said.finish_reason
        self._add(said, said.text)

    def _think(self) -> Steps[bool]:
        """Think; whether the answer ended in the midst of it."""
        method = self._method
        while True:
            limit = tokens_within(
                None if method.max_thinking is None else method.max_thinking - self.thought,
                None if self._total is None else self._total - self.thought,
            )
            if limit is not None and limit <= 0:
                return self._close()
            part = part_of(self._task, self.text, place=(len(self.parts),), stop=method.closing, tokens=limit)
            said = yield from apart(written(method.generation_controller, part, self._options))
            at = stopped_at(part)
            self.finish_reason = said.finish_reason
            self.thought += tokens_of(part)
            self._add(said, said.text.removesuffix(method.closing))
            if said.finish_reason == "length":
                return self._close()
            if said.tool_calls or said.finish_reason != "stop" or (at and at != method.closing):
                return True
            if not said.text.strip() or not self._is_short():
                self.text += method.closing
                return False
            self.text += method.extension
            self.extended += 1

    def _is_short(self) -> bool:
        return self.extended < self._method.waits or self.thought < self._method.min_thinking

    def _close(self) -> bool:
        self.text += f"\n{self._method.closing}{self._method.final}"
        self.closed = True
        return False

    def _add(self, said: AssistantMessage, text: str) -> None:
        if said.reasoning:
            raise thoughts_apart()
        self.parts.append(said)
        self.text += text
