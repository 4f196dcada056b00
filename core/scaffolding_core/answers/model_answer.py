"""Parsed: a pydantic model in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scaffolding_core.answers.extractor import Extractor
from scaffolding_core.answers.json_answer import last_json
from scaffolding_core.messages import AssistantMessage

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Parsed"]


class Parsed(Extractor):
    """The last JSON object in the text, if it is valid for a pydantic model, as that model's plain data.

    Args:
        model: class of the model.
    """

    def __init__(self, model: type[BaseModel]) -> None:
        self.model = model

    def extract(self, message: AssistantMessage) -> dict[str, object] | None:
        """The model's data, validated and with its defaults; None if the text holds no valid one."""
        value = last_json(message.text)
        if value is None:
            return None
        try:
            return self.model.model_validate(value).model_dump(mode="json")
        except ValueError:  # a ValidationError is one
            return None
