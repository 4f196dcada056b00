"""How a chat becomes the text that a reward model was trained on, for servers that leave that to their clients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import JsonObject

__all__ = ["TEMPLATES", "Template", "template_named", "template_of_model"]

Template: TypeAlias = Callable[[Sequence[JsonObject]], str]


def _chatml(messages: Sequence[JsonObject]) -> str:
    return "".join(f"<|im_start|>{each['role']}\n{each['content']}<|im_end|>\n" for each in messages)


def _llama3(messages: Sequence[JsonObject]) -> str:
    turns = "".join(
        f"<|start_header_id|>{each['role']}<|end_header_id|>\n\n{each['content']}<|eot_id|>" for each in messages
    )
    return f"<|begin_of_text|>{turns}"


def _gemma(messages: Sequence[JsonObject]) -> str:
    roles = {"assistant": "model"}
    turns = "".join(
        f"<start_of_turn>{roles.get(str(each['role']), each['role'])}\n{each['content']}<end_of_turn>\n"
        for each in messages
    )
    return f"<bos>{turns}"


TEMPLATES: Mapping[str, Template] = {"chatml": _chatml, "llama3": _llama3, "gemma": _gemma}
"""The templates of the families that reward models are made of."""

_FAMILIES = {"qwen": "chatml", "internlm": "chatml", "llama-3": "llama3", "llama3": "llama3", "gemma": "gemma"}


def template_of_model(model: str) -> str | None:
    """The name of the template of a model, by the family in its name; None where it tells none."""
    name = model.lower()
    return next((template for family, template in _FAMILIES.items() if family in name), None)


def template_named(name: str | None) -> Template:
    """A template.

    Raises:
        InvalidRequestError: there is none of that name, or nobody said which.
    """
    if name is None or name not in TEMPLATES:
        raise InvalidRequestError(
            "the server takes chats as text alone: name the model's template, template= one of "
            + ", ".join(TEMPLATES)
        )
    return TEMPLATES[name]
