"""One chat turn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import ClassVar

from scaffolding_core.capabilities import Capabilities
from scaffolding_core.controller import Steps
from scaffolding_core.controllers.native_generation import NativeGenerationController
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import RoleMessage, SystemMessage, ToolDescription, UserMessage
from scaffolding_core.results import ScaffoldingOutput
from scaffolding_core.tasks import ChatTask, GenerationTask

__all__ = ["NativeChatController"]


class NativeChatController(NativeGenerationController):
    """Answers a prompt, or a chat, with one chat turn.

    A task with a text becomes a chat of one user message; a `ChatTask` stays as it is.

    Cost: one generation for each task; several tasks run at the same time.

    Args:
        sampling_params: defaults for what the caller leaves unset; any sampling parameter of a task.
        streaming: accepted for TensorRT-LLM's call shape; text streams whenever somebody listens.
        system_prompt: put before a chat that has no system message of its own.
        tools: what the model may call, where the task names none.
        role: as for `NativeGenerationController`.

    Raises:
        InvalidRequestError: an unknown sampling parameter.
    """

    stateless: ClassVar[bool] = True

    def __init__(
        self,
        sampling_params: Mapping[str, object] | None = None,
        streaming: bool = False,
        *,
        system_prompt: str | None = None,
        tools: Sequence[ToolDescription] | None = None,
        role: Hashable = None,
    ) -> None:
        super().__init__(sampling_params, streaming, role=role)
        self.system_prompt = system_prompt
        self.tools = tools

    @property
    def needs(self) -> Mapping[Hashable, Capabilities]:
        """The role that generates, with tools where there are some."""
        return dict.fromkeys(super().needs, Capabilities(tools=bool(vars(self).get("tools"))))

    def process(self, tasks: list[GenerationTask]) -> Steps[ScaffoldingOutput | None]:
        """Run the tasks as chats; their results are in the tasks that were given."""
        chats = [self.as_chat(task) for task in tasks]
        try:
            return (yield from super().process(list(chats)))
        finally:
            for task, chat in zip(tasks, chats, strict=True):
                if chat is not task:
                    task.take_results(chat)
                    task.usage, task.error = chat.usage, chat.error

    def as_chat(self, task: GenerationTask) -> ChatTask:
        """The task as a chat, with the defaults filled in."""
        chat = task if isinstance(task, ChatTask) else _chat_of(task)
        if self.tools is not None and chat.tools is None:
            chat.tools = self.tools
        if self.system_prompt is not None and not any(isinstance(m, SystemMessage) for m in chat.messages):
            chat.messages = [SystemMessage(self.system_prompt), *chat.messages]
        self.prepare(chat)
        return chat

    def as_task(self, task: GenerationTask) -> GenerationTask | None:
        """The prepared chat, unless a subclass does more in `process`."""
        return self.as_chat(task) if type(self).process is NativeChatController.process else None


def _chat_of(task: GenerationTask) -> ChatTask:
    if task.input_str is None:
        raise InvalidRequestError("a chat needs text or messages: token ids alone make none")
    messages: list[RoleMessage] = [UserMessage(task.input_str)]
    chat = ChatTask(task.worker_tag, task.custom_input_params, messages=messages, group=task.group)
    chat.acceptance, chat.answer_prefix = task.acceptance, task.answer_prefix
    chat.fill(task.sampling())
    return chat
