"""The structures that samples answer with, as whoever asked for them reads them."""

from __future__ import annotations

import functools
import re
from abc import abstractmethod
from typing import TYPE_CHECKING

from llama_index.core.bridge.pydantic import BaseModel
from llama_index.core.output_parsers.base import StructuredOutput

from llamaindex_scaffolding.reading.explanations import without_explanations
from llamaindex_scaffolding.reading.offered_tools import called_name
from scaffolding_core import Answer, AssistantMessage, Extractor
from scaffolding_core.adapting import model_values, read_json

if TYPE_CHECKING:
    from llama_index.core.types import BaseOutputParser

__all__ = ["OfClass", "OfParser"]

_LONGEST = 100_000
"""Characters of a text that is given to a parser."""

_ANCHOR = re.compile(r"&(\w+)")
_ALIAS = re.compile(r"\*(\w+)")


class _Structure(Extractor):
    """The structure that is made of a message, as plain data; None where it is refused.

    Fields that were left out have their fixed defaults; ids and time stamps that a class makes were not written,
    and are left out.

    Attributes:
        explained: what explains, in structures of LlamaIndex's own, is kept too.
    """

    costly = True  # the validators of a class, and a parser, are anybody's
    explained = False

    def extract(self, message: AssistantMessage) -> Answer | None:
        """The data; None for a message that is refused."""
        made = self._made(message)
        if made is None:
            return None
        data = model_values(*made)
        return data if self.explained else without_explanations(made[0], data)

    @abstractmethod
    def _made(self, message: AssistantMessage) -> tuple[object, object] | None:
        """The structure and what it was made of, if that is known."""


class OfClass(_Structure):
    """The structure of a class: the arguments of the one call of its tool, or the JSON in a text.

    Args:
        output_cls: a pydantic model.
        explained: keep what explains.
    """

    def __init__(self, output_cls: type[BaseModel], *, explained: bool = False) -> None:
        self._output_cls = output_cls
        self.explained = explained

    def whole(self) -> OfClass:
        """The same, with what explains."""
        return OfClass(self._output_cls, explained=True)

    def _made(self, message: AssistantMessage) -> tuple[object, object] | None:
        written = self._written(message)
        try:
            if isinstance(message.original, self._output_cls):  # an LLM's own prediction
                return message.original, read_json(written)
            # As JSON: a strict model takes a date as text from nothing else.
            return self._output_cls.model_validate_json(written), read_json(written)
        except Exception:  # a validator of the user's own may raise anything
            return None

    def _written(self, message: AssistantMessage) -> str:
        if not message.tool_calls:
            text = message.text
            return text[text.find("{") : text.rfind("}") + 1]
        names = _names_of(self._output_cls)
        call = message.tool_calls[0]
        return call.arguments if len(message.tool_calls) == 1 and call.name in names else ""


class OfParser(_Structure):
    """What an output parser of LlamaIndex's, or of the user's own, makes of a text.

    Args:
        parser: what raises on a text that it refuses.
    """

    def __init__(self, parser: BaseOutputParser) -> None:
        self._parser = parser

    def _made(self, message: AssistantMessage) -> tuple[object, object] | None:
        text = message.text
        if len(text) > _LONGEST or _may_explode(text):
            return None
        try:
            made = self._parser.parse(text)
        except Exception:  # whatever a parser raises
            return None
        value = made.parsed_output if isinstance(made, StructuredOutput) else made
        return None if value is None else (value, None)


@functools.lru_cache(maxsize=128)
def _names_of(output_cls: type[BaseModel]) -> frozenset[str]:
    """The names that the tool of a class has, as LlamaIndex's programs make it."""
    name = str(output_cls.model_json_schema().get("title", output_cls.__name__))
    return frozenset({name, called_name(name)})


def _may_explode(text: str) -> bool:
    """Whether a parser may take a text apart for ever: JSON that never ends, or YAML that refers to itself."""
    opening = text.find("{")
    if 0 <= opening > text.rfind("}"):
        return True
    return "&" in text and not set(_ANCHOR.findall(text)).isdisjoint(_ALIAS.findall(text))
