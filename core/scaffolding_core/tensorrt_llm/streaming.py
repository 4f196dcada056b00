"""Streamed: what is written of a task, handed out as outputs with the text so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffolding_core.tasks import Delta, Scope
from scaffolding_core.tensorrt_llm.result import ScaffoldingOutput

if TYPE_CHECKING:
    from scaffolding_core.tensorrt_llm.task import Task

__all__ = ["Streamed"]


class Streamed:
    """The scope of a task whose text is wanted as it is written.

    Args:
        task: it gets the outputs in its `streaming_output_list`.
        scope: the driver's; its listeners get them, too.
    """

    listening = True

    def __init__(self, task: Task, scope: Scope) -> None:
        self._task = task
        self._scope = scope
        self._text = ""
        self._token_ids: list[int] = []
        self._handed = len(task.streaming_output_list)

    def __getattr__(self, name: str) -> object:
        return getattr(self._scope, name)

    def emit(self, delta: Delta) -> None:
        """Hand on a piece of the answer."""
        if not delta.text:
            return
        self._text += delta.text
        self._token_ids += delta.token_ids
        output = ScaffoldingOutput(self._text, list(self._token_ids) or None)
        self._task.streaming_output_list.append(output)
        self._handed = len(self._task.streaming_output_list)
        self._scope.emit(Delta(delta.text, delta.reasoning, output))

    def hand_out_rest(self) -> None:
        """Hand on the outputs that the worker itself has put into the list."""
        for output in self._task.streaming_output_list[self._handed :]:
            new, self._text = output.text[len(self._text) :], output.text
            self._scope.emit(Delta(new, "", output))
