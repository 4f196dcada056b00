"""Prompt: what a request may ask, and the task that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage, JsonObject, RoleMessage, message_from_dict
from scaffolding_core.tasks.chat import ChatTask
from scaffolding_core.tasks.generation import GenerationTask

__all__ = ["Prompt", "task_from_prompt"]

Prompt: TypeAlias = "str | Sequence[RoleMessage | JsonObject] | GenerationTask"
"""A text, a chat as messages (ours, or dicts in OpenAI's shape), or a task that holds either."""


def task_from_prompt(prompt: Prompt) -> GenerationTask:
    """The task that a prompt stands for: a `GenerationTask` for a text, a `ChatTask` for messages.

    A task stands for a fresh copy of itself.

    Raises:
        InvalidRequestError: an empty prompt, or neither text nor messages.
    """
    if isinstance(prompt, str):
        if not prompt.strip():
            raise InvalidRequestError("the prompt is empty: give it some text")
        return GenerationTask.create_from_prompt(prompt)
    if isinstance(prompt, GenerationTask):
        return _checked_task(prompt.copy())
    if not isinstance(prompt, list | tuple):
        raise InvalidRequestError(f"a prompt must be a string or a list of messages, got {type(prompt).__name__}")
    if not prompt:
        raise InvalidRequestError("the prompt is empty: give it at least one message")
    return _checked_task(ChatTask(messages=[_message(message) for message in prompt]))


def _checked_task(task: GenerationTask) -> GenerationTask:
    if isinstance(task, ChatTask):
        empty = not any(_says_something(message) for message in task.messages)
    else:
        empty = not (task.input_tokens or (task.input_str or "").strip())
    if empty and task.custom_input_params is None:  # else what to do may be said there
        raise InvalidRequestError("the prompt is empty: give it some text")
    return task


def _says_something(message: RoleMessage) -> bool:
    content = message.content.strip() if isinstance(message.content, str) else message.content
    return bool(content) or (isinstance(message, AssistantMessage) and bool(message.tool_calls))


def _message(message: object) -> RoleMessage:
    if isinstance(message, RoleMessage):
        return message
    if isinstance(message, dict):
        return message_from_dict(message)
    raise InvalidRequestError(f"a message must be a message object or a dict, got {type(message).__name__}")
