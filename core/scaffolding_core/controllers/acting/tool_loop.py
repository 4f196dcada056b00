"""Tool loop: a model answers, calls the tools that it wants, and goes on with what they say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from typing import ClassVar

from scaffolding_core.answers.tool_arguments import tools_of
from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Controller, Steps
from scaffolding_core.controllers.acting.calls import (
    call_key,
    call_tasks_run,
    is_readable,
    tool_message,
    with_valid_calls,
)
from scaffolding_core.controllers.acting.limits import Limits, Spent
from scaffolding_core.controllers.parts import checked_part
from scaffolding_core.errors import BudgetExceededError, InvalidRequestError, WorkerError
from scaffolding_core.messages import (
    AssistantMessage,
    JsonObject,
    RoleMessage,
    ToolCall,
    ToolDescription,
    UserMessage,
)
from scaffolding_core.messages.tools import written_tools
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, GenerationTask, MCPCallTask, ToolListTask

__all__ = ["ToolLoopController", "messages_of"]


class ToolLoopController(Controller):
    """Lets a model call tools until it answers.

    The calls of a turn run at the same time, and each gets one tool message, in their order; one that fails, or is
    refused, says why. At a limit the model is asked once more, without tools, for an answer from what is there,
    and the output's `stopped` names the limit. The messages that were added are the output's `transcript`; it is
    valid for OpenAI-compatible servers at each turn. Where budget or deadline end, the last text counts.

    The tools are those of the argument, else those that the task brings, else what the worker of the role `tools`
    tells, asked anew at each turn.

    `generation_controller` may vote on each turn, and the loop may be the sample of a vote. A call that changes
    things then runs once in a request, however many samples make it, and all get its answer; the same call counts
    as a new one where a sample makes it again after it was answered.

    Cost: at most `max_turns` + 1 generations, one after another, and `max_calls` calls.

    Args:
        generation_controller: runs one turn.
        tools: what the model may call; ours, or dicts in OpenAI's shape.
        max_turns: turns in which it calls tools.
        max_calls: calls that are run.
        max_repeats: runs of the same call with the same arguments, in different turns.
        changes: names of the tools whose calls change things, besides those that say so themselves; None for all
            that do not say that they change nothing.
        show_images: whether images that tools answer with follow in a message of the user, for a model that sees.

    Raises:
        InvalidRequestError: a limit below 1, or something that is no controller, or no description of a tool.
    """

    stateless: ClassVar[bool] = True

    class WorkerTag(str, Enum):
        """The worker that calls tools."""

        TOOLS = "tools"

    def __init__(
        self,
        generation_controller: Controller,
        *,
        tools: Sequence[ToolDescription | JsonObject] | None = None,
        max_turns: int = 8,
        max_calls: int = 32,
        max_repeats: int = 2,
        changes: Collection[str] | None = None,
        show_images: bool = False,
    ) -> None:
        if isinstance(changes, str):
            raise InvalidRequestError(f"changes must be a list of names of tools, got {changes!r}")
        self.generation_controller = checked_part(generation_controller, "generation_controller", "process")
        if tools is not None:
            written_tools(tools)
        self.tools = tools
        self.limits = Limits(turns=max_turns, calls=max_calls, repeats=max_repeats)
        self.changes = None if changes is None else frozenset(changes)
        self.show_images = show_images

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that calls tools."""
        return {self.WorkerTag.TOOLS: Capabilities()}

    def process(self, tasks: list[GenerationTask], **generation_kwargs: object) -> Steps[ScaffoldingOutput]:
        """Answer one task; it gets the results of the last turn.

        Raises:
            InvalidRequestError: not one task.
            BudgetExceededError: budget or deadline ran out before there was any text.
            WorkerError: a turn failed, or nobody tells which tools there are.
        """
        if len(tasks) != 1:
            raise InvalidRequestError(f"{type(self).__name__} takes one task at a time, got {len(tasks)}")
        task, added, spent = tasks[0], list[RoleMessage](), Spent(self.limits)
        output = ScaffoldingOutput(method=type(self).__name__, transcript=added)
        try:
            yield from self.converse(task, added, spent, generation_kwargs)
            output.stopped = spent.stopped or "complete"
        except BudgetExceededError:
            if not _has_text(task.said):
                raise
            output.stopped = "budget"
        output.message = task.message()
        output.data = {"turns": spent.turns, "calls": spent.calls}
        return output

    def converse(
        self, task: GenerationTask, added: list[RoleMessage], spent: Spent, options: Mapping[str, object]
    ) -> Steps[None]:
        """Ask turn after turn, until the task holds the answer, and all that was said is added."""
        spent.ids.update(call.id for message in messages_of(task) for call in _calls_of(message))
        tools: Sequence[ToolDescription | JsonObject] | None = None
        while True:
            tools = yield from self.listed(task, tools)
            turn = self.turn(task, added, tools, last=spent.stopped is not None)
            try:
                yield from self.generation_controller.clone().process([turn], **options)
            finally:
                if _has_text(turn.said) or not _has_text(task.said):
                    task.take_results(turn)
            said = with_valid_calls(turn.message(), spent.ids, tools_of(tools))
            if not said.tool_calls or spent.stopped:
                task.said = replace(said, tool_calls=None, original=None) if said.tool_calls else said
                added.append(task.said)
                return
            added.append(said)
            written = turn.message().tool_calls or ()
            calls = list(zip(said.tool_calls, written, strict=True))
            yield from self.run_calls(calls, tools, spent, lambda ended: added.extend(self._told(ended)))

    def listed(
        self, task: GenerationTask, before: Sequence[ToolDescription | JsonObject] | None
    ) -> Steps[Sequence[ToolDescription | JsonObject]]:
        """What the model may call now: the same as before, where nobody tells any more."""
        if self.tools is not None:
            return self.tools
        if isinstance(task, ChatTask) and task.tools is not None:
            return task.tools
        listing = ToolListTask(self.WorkerTag.TOOLS)
        try:
            yield [listing]
        except WorkerError:
            if before is None:
                raise
            return before
        return listing.tools or ()

    def turn(
        self,
        task: GenerationTask,
        added: Sequence[RoleMessage],
        tools: Sequence[ToolDescription | JsonObject],
        *,
        last: bool,
    ) -> ChatTask:
        """The chat that asks for the next turn; the last is to be an answer."""
        if isinstance(task, ChatTask):
            turn = task.copy()
        else:
            turn = ChatTask(task.worker_tag, task.custom_input_params, acceptance=task.acceptance)
            turn.sample_index = task.sample_index
            turn.fill(task.sampling())
        turn.group = task.group
        turn.messages = [*messages_of(task), *added]
        turn.tools = list(tools) or None
        if last:
            turn.tool_choice = "none" if turn.tools else None
        elif added and turn.tool_choice not in (None, "auto", "none"):
            turn.tool_choice = "auto"  # a call that was forced is made; forced again, the model would never answer
        return turn

    def run_calls(
        self,
        calls: Sequence[tuple[ToolCall, ToolCall]],
        tools: Sequence[ToolDescription | JsonObject],
        spent: Spent,
        tell: Callable[[Sequence[MCPCallTask]], None],
    ) -> Steps[None]:
        """Run the calls of a turn.

        Args:
            calls: each as the transcript has it and as the model wrote it.
            tools: what the model may call.
            spent: counts them.
            tell: takes them when they have ended, also where time is up, so that each has its answer.
        """
        known = tools_of(tools)
        keys = [call_key(call, known) for call, _ in calls]
        tasks = [self._call_task(*call, key, tools, spent) for call, key in zip(calls, keys, strict=True)]
        to_run = [task for task in tasks if not task.failed]
        try:
            if to_run:
                yield from call_tasks_run(to_run)
        finally:
            for task in to_run:
                if task.result_str is None:
                    task.result_str, task.failed = "there was no time left for its answer", True
            tell(tasks)
        spent.turn_ended(key for key, task in zip(keys, tasks, strict=True) if task in to_run)

    def _call_task(
        self,
        call: ToolCall,
        written: ToolCall,
        key: str,
        tools: Sequence[ToolDescription | JsonObject],
        spent: Spent,
    ) -> MCPCallTask:
        """The task of a call; failed already where it is not to be run."""
        task = MCPCallTask(self.WorkerTag.TOOLS, tool_call_id=call.id, tool_name=written.name, args=call.arguments)
        if is_readable(written):
            task.result_str = spent.refused(key)
        else:
            task.result_str = f"the arguments are no JSON object, and nothing was called: {written.arguments}"
        task.failed = task.result_str is not None
        if self._changes(call.name, tools):
            task.once = spent.once(key)
        return task

    def _told(self, ended: Sequence[MCPCallTask]) -> list[RoleMessage]:
        """What the model reads of the calls of a turn."""
        told: list[RoleMessage] = [tool_message(task) for task in ended]
        images = [part for task in ended for part in task.content_parts or () if part.get("type") == "image_url"]
        if images and self.show_images:
            told.append(UserMessage([{"type": "text", "text": "The images that the tools gave:"}, *images]))
        return told

    def _changes(self, name: str, tools: Sequence[ToolDescription | JsonObject]) -> bool:
        told = next((t.changes for t in tools if isinstance(t, ToolDescription) and t.name == name), None)
        if self.changes is None:
            return told is not False
        return told is True or name in self.changes


def messages_of(task: GenerationTask) -> Sequence[RoleMessage]:
    """The chat that a task stands for."""
    if isinstance(task, ChatTask):
        return task.messages
    if task.input_str is None:
        raise InvalidRequestError("a model calls tools in a chat: give text or messages, not token ids alone")
    return [UserMessage(task.input_str)]


def _calls_of(message: RoleMessage) -> Sequence[ToolCall]:
    return message.tool_calls or () if isinstance(message, AssistantMessage) else ()


def _has_text(said: AssistantMessage | None) -> bool:
    return said is not None and bool(said.text)
