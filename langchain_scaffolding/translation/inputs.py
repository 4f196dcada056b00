"""A chain's input as a task, and back: a method may change the prompt, and nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.messages import BaseMessage
from langchain_core.prompt_values import PromptValue, StringPromptValue

from langchain_scaffolding.translation.messages import from_core, to_core
from langchain_scaffolding.translation.results import text_of
from scaffolding_core import ChatTask, GenerationTask, InvalidRequestError, RoleMessage

__all__ = ["ChainInput", "asked"]

asked: ContextVar[object] = ContextVar("asked", default=None)
"""What the chain was called with, of which this call samples; None for a model."""

_KEY = "langchain_input"
"""Key of a task's `custom_input_params` that holds a `ChainInput`."""


@dataclass(frozen=True, slots=True)
class ChainInput:
    """What a sampled chain was called with.

    Args:
        value: the input itself, whatever it is.
        key: of the text in it that is the prompt, where it is a dict that has one.
        text: the prompt of the call, where it is a text; what runs may change the input, as a graph does that
            gives its messages ids.
    """

    value: Any
    key: str | None = None
    text: str | None = None

    @classmethod
    def of(cls, value: Any, key: str | None) -> ChainInput:
        """The input of a call.

        Args:
            value: the input itself.
            key: of the prompt; None takes the only text that there is.

        Raises:
            InvalidRequestError: no text under that key.
        """
        if key is not None and not (isinstance(value, Mapping) and isinstance(value.get(key), str)):
            raise InvalidRequestError(f"the chain's input has no text under {key!r}: name the key of the prompt")
        if key is None and isinstance(value, Mapping):
            keys = [name for name, item in value.items() if isinstance(item, str)]
            key = keys[0] if len(keys) == 1 else None
        return cls(value, key)

    def task(self) -> GenerationTask:
        """The task for a method to run."""
        messages = self._messages()
        if messages is not None:
            return ChatTask(messages=messages, custom_input_params={_KEY: self})
        text = self._text()
        return GenerationTask(input_str=text, custom_input_params={_KEY: replace(self, text=text)})

    @classmethod
    def for_task(cls, task: GenerationTask) -> Any:
        """What to call the chain with for a task: the input, with the prompt that a method made of it.

        Raises:
            InvalidRequestError: the method changed a prompt that has no place in the input.
        """
        given = (task.custom_input_params or {}).get(_KEY)
        if not isinstance(given, ChainInput):
            return from_core(task.turns) if isinstance(task, ChatTask) else task.text_prompt
        return given._with_prompt_of(task)

    def _with_prompt_of(self, task: GenerationTask) -> Any:
        messages = self._messages()
        if messages is not None:
            now = from_core(cast("ChatTask", task).turns)
            before = from_core(messages)
            same = len(now) == len(before) and all(a is b for a, b in zip(now, before, strict=True))
            return self.value if same else now
        text = _prompt(task)
        if text == self.text:
            return self.value
        if text is not None and isinstance(self.value, str):
            return text
        if text is not None and self.key is not None:
            return {**self.value, self.key: text}
        raise InvalidRequestError(
            "the method changes the prompt, and the chain's input does not say where it is: give the input as a "
            "dict with one text, or name its key"
        )

    def _messages(self) -> list[RoleMessage] | None:
        if isinstance(self.value, PromptValue) and not isinstance(self.value, StringPromptValue):
            return to_core(self.value.to_messages(), wrapped=True)
        if isinstance(self.value, BaseMessage):
            return to_core([self.value], wrapped=True)
        if isinstance(self.value, Sequence) and self.value and isinstance(self.value[0], BaseMessage):
            return to_core(self.value, wrapped=True)
        return None

    def _text(self) -> str:
        if isinstance(self.value, PromptValue):
            return self.value.to_string()
        return text_of(self.value if self.key is None else self.value[self.key])


def _prompt(task: GenerationTask) -> str | None:
    """The prompt of a task; None if a method made several messages of it."""
    if not isinstance(task, ChatTask):
        return task.text_prompt
    return task.turns[0].text if len(task.turns) == 1 else None
