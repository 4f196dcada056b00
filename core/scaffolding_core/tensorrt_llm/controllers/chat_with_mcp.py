"""ChatWithMCPController: a chat whose model may call tools."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import scaffolding_core.messages as core
from scaffolding_core.controller import Steps
from scaffolding_core.errors import ControllerError, WorkerError
from scaffolding_core.tensorrt_llm.controllers.base import Controller
from scaffolding_core.tensorrt_llm.task import ChatTask, MCPCallTask, ToolMessage

__all__ = ["ChatWithMCPController"]


class ChatWithMCPController(Controller):
    """Lets a model answer, calls the tools that it wants, and lets it go on with what they say.

    The answer is what the model said last, also where it would have called more tools than it may. A call that
    fails is the model's to read.

    Cost: up to `max_iterations` turns of the model; the calls of one turn run at the same time.

    Args:
        generation_controller: runs one turn of a `ChatTask`.
        system_prompts: what a chat begins with, where a text is asked.
        max_iterations: turns of the model at most.
        tools: what it may call, where a text is asked.
    """

    class WorkerTag(Enum):
        """The worker that calls tools."""

        TOOLCALL = "tool_call"

    def __init__(
        self,
        generation_controller: Controller,
        system_prompts: Sequence[core.SystemMessage] | None = None,
        max_iterations: int = 3,
        tools: Any = None,  # Any: descriptions, or dicts in OpenAI's shape
    ) -> None:
        super().__init__()
        self.generation_controller = generation_controller
        self.system_prompts = system_prompts
        self.max_iterations = max_iterations
        self.tools = tools

    def generate(self, prompt: Any, **kwargs: Any) -> Steps[Any]:  # Any: a subclass decides both
        """Answer a text; returns the output."""
        chat = ChatTask.create_from_prompt(prompt, self.system_prompts, self.tools)
        yield from self.process([chat], **kwargs)
        return chat.create_scaffolding_output()

    def process(self, tasks: list[Any], **kwargs: Any) -> Steps[Any]:
        """Answer a task: a `ChatTask` grows by all that is said, any other gets the answer.

        Raises:
            ControllerError: more than one task.
        """
        if len(tasks) != 1:
            raise ControllerError(f"{type(self).__name__} takes one task at a time, got {len(tasks)}")
        task = tasks[0]
        if isinstance(task, ChatTask):
            yield from self._converse(task)
            return
        chat = ChatTask.create_from_prompt(task.input_str, self.system_prompts, self.tools)
        yield from self._converse(chat)
        task.take_results(chat)

    def _converse(self, chat: ChatTask) -> Steps[None]:
        for _ in range(self.max_iterations):
            yield from self.generation_controller.process([chat])
            said = chat.messages[-1]
            wanted: Sequence[Any] = said.tool_calls or () if isinstance(said, core.AssistantMessage) else ()
            if not wanted:
                break
            calls = [self._call_task(call) for call in wanted]
            yield from _called(calls)
            chat.add_messages([_told(call) for call in calls])
        chat.output_str = chat.last_assistant_content()

    def _call_task(self, call: Any) -> MCPCallTask:  # Any: of whichever client made it
        if isinstance(call, Mapping):
            function = call["function"]
            name, arguments, its_id = function["name"], function["arguments"], call.get("id")
        else:
            name, arguments, its_id = call.function.name, call.function.arguments, getattr(call, "id", None)
        return MCPCallTask.create_mcptask(its_id or name, name, arguments, self.WorkerTag.TOOLCALL)


def _told(call: MCPCallTask) -> ToolMessage:
    return ToolMessage(
        call.result_str or "",
        str(call.tool_call_id),
        trace_stdout=call.result_stdout,
        trace_stderr=call.result_stderr,
    )


def _called(calls: list[MCPCallTask]) -> Steps[None]:
    """Run the calls; of what a failure leaves without an answer, say so."""
    try:
        yield calls
    except WorkerError as error:
        for call in calls:
            if call.result_str is None:
                why = call.error or f"this call was stopped because another one failed: {error}"
                call.result_str, call.failed = f"Error: {why}", True
