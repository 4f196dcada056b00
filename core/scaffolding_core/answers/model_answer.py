"""Parsed: a pydantic model in the text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.answers.json_text import json_values
from scaffolding_core.answers.thoughts import behind_thoughts
from scaffolding_core.errors import InvalidRequestError
from scaffolding_core.messages import AssistantMessage

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["Parsed"]

_TRIED = 16


class Parsed(Extractor):
    """The last JSON value in the text that is valid for a pydantic model, as that model's plain data.

    Args:
        model: class of the model.

    Raises:
        InvalidRequestError: something else than a class of a model.
    """

    costly = True  # a model's validators are anybody's

    def __init__(self, model: type[BaseModel]) -> None:
        if not hasattr(model, "model_validate_json"):
            raise InvalidRequestError(f"Parsed needs the class of a pydantic model, got {model!r}")
        self.model = model

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The data, as the model reads it and with its fixed defaults; None if the text holds no valid one.

        What the model generates, such as ids and time stamps, was not written, and is left out.
        """
        from scaffolding_core.answers.model_values import model_values  # it loads pydantic

        for value in reversed(json_values(behind_thoughts(message.text) or "")[-_TRIED:]):
            try:
                # As JSON: a strict model takes a date as text from nothing else.
                found = self.model.model_validate_json(json.dumps(value))
            except ValueError:  # a ValidationError is one
                continue
            return model_values(found, value)
        return None
