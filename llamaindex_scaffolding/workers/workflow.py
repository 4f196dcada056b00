"""WorkflowWorker: a workflow, or an agent, as a backend; each sample is a whole run of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from llama_index.core.agent.workflow import AgentOutput
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.memory import BaseMemory, ChatMemoryBuffer
from llama_index.core.workflow import Context, Workflow
from workflows.handler import WorkflowHandler

from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from scaffolding_core import AssistantMessage, GenerationTask, InvalidRequestError, Task, Worker
from scaffolding_core.adapting import TaskHandler

__all__ = ["Start", "WorkflowRun", "WorkflowWorker"]

_KEY = "llamaindex_workflow_start"
_CANCELLING_SECONDS = 1.0


@dataclass(frozen=True)
class WorkflowRun:
    """A run that came to its end.

    Attributes:
        result: what the workflow returned.
        ctx: the run's own context, with which a further run goes on.
        added: messages that the run added to the memory that it was given.
    """

    result: Any  # whatever the workflow's author chose
    ctx: Context[Any]
    added: list[ChatMessage] = field(default_factory=list)


@dataclass(frozen=True)
class Start:
    """What every run of a call begins with.

    Args:
        arguments: of `Workflow.run`.
        ctx: a context to go on with, as plain data; None begins anew.
        memory: each run gets a copy of what is in it.
    """

    arguments: Mapping[str, Any]
    ctx: Mapping[str, Any] | None = None
    memory: BaseMemory | None = None

    @property
    def prompt_key(self) -> str | None:
        """Name of the only text among the arguments, which is the prompt."""
        names = [name for name, value in self.arguments.items() if isinstance(value, str)]
        return names[0] if len(names) == 1 else None

    def task(self) -> GenerationTask:
        """The task for a method to run."""
        key = self.prompt_key
        prompt = " ".join(map(str, self.arguments.values())) if key is None else self.arguments[key]
        return GenerationTask(input_str=str(prompt), custom_input_params={_KEY: self})

    @staticmethod
    def of(task: GenerationTask) -> Start:
        """What a task begins with: the prompt is as a method made it.

        Raises:
            InvalidRequestError: the task is of no call of a workflow, or its prompt has no place in the arguments.
        """
        start = (task.custom_input_params or {}).get(_KEY)
        if not isinstance(start, Start):
            raise InvalidRequestError("a WorkflowWorker runs only what a SampledWorkflow asks it")
        if task.text_prompt == start.task().input_str:
            return start
        if start.prompt_key is None:
            raise InvalidRequestError(
                "the method changes the prompt, and the workflow's arguments do not say which it is: start it "
                "with one text"
            )
        return Start({**start.arguments, start.prompt_key: task.text_prompt}, start.ctx, start.memory)


class WorkflowWorker(Worker):
    """Runs each generation as a run of a workflow, in a context of its own.

    A sample that is cut cancels its run. The tokens of the LLM calls inside are counted, as far as LLMs tell.

    Args:
        workflow: any, an agent too.
        text: of a workflow's result, the answer; None takes the text of it.
        max_concurrency: runs at once.
    """

    is_chain = True

    def __init__(
        self, workflow: Workflow, *, text: Callable[[Any], object] | None = None, max_concurrency: int = 256
    ) -> None:
        self.workflow = workflow
        self.max_concurrency = max_concurrency
        self._text = text or _text_of

    async def _run(self, task: GenerationTask) -> None:
        start = Start.of(task)
        arguments = dict(start.arguments)
        ctx = None if start.ctx is None else Context.from_dict(self.workflow, {**start.ctx})
        memory, before = None, 0
        if start.memory is not None:
            known = await start.memory.aget_all()
            memory, before = ChatMemoryBuffer.from_defaults(chat_history=[*known]), len(known)
            arguments["memory"] = memory
        with counted_llm_calls() as calls:
            try:
                handler = self.workflow.run(ctx=ctx, **arguments)
                result = await _result(handler)
            finally:
                task.usage = calls.usage
        added = [] if memory is None else memory.get_all()[before:]
        run = WorkflowRun(result, handler.ctx, added)
        task.said = AssistantMessage(str(self._text(result)), finish_reason="stop", original=run)

    task_handlers: ClassVar[Mapping[type[Task], TaskHandler]] = {GenerationTask: _run}


async def _result(handler: WorkflowHandler) -> Any:
    """What a run returns; cut, it is cancelled: its steps would else run on, whoever waited for them."""
    waiting = asyncio.ensure_future(handler.stop_event_result())
    waiting.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        await handler.cancel_run(timeout=_CANCELLING_SECONDS)
        raise
    return await handler


def _text_of(result: object) -> str:
    return (result.response.content or "") if isinstance(result, AgentOutput) else str(result)
