"""What a vote compares unless it is told otherwise."""

from __future__ import annotations

import functools

from scaffolding_core.answers.boxed import last_boxed
from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.answers.json_text import read_json
from scaffolding_core.answers.number import last_quantity
from scaffolding_core.answers.stated import stated
from scaffolding_core.answers.tool_calls import ToolCalls
from scaffolding_core.answers.verdict import verdict
from scaffolding_core.messages import AssistantMessage

__all__ = ["default_extractor"]


class _Default(Extractor):
    def extract(self, message: AssistantMessage) -> Answer | None:
        if message.tool_calls:
            return _CALLS.extract(message)
        text = message.text
        # A vote meets the same few short answers again and again.
        found = _whole_object(text) if "{" in text else None
        return found or (_remembered(text) if len(text) <= _REMEMBERED else _in_text(text))


def _whole_object(text: str) -> Answer | None:
    """The JSON object that a text is, and nothing else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = read_json(text.strip())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _in_text(text: str) -> str | None:
    end = text[-_SEARCHED:]
    boxed = last_boxed(end)
    if boxed:
        return boxed
    statement = stated(end)
    return verdict(statement or text) or statement or last_quantity(end) or text.strip() or None


_SEARCHED = 100_000
_REMEMBERED = 256
_remembered = functools.lru_cache(maxsize=4096)(_in_text)
_CALLS = ToolCalls()
_DEFAULT = _Default()


def default_extractor() -> Extractor:
    r"""What a vote compares unless it is told otherwise.

    For a message that calls tools, the calls: they are what the caller acts on, so text beside them is talk,
    and a message with an invalid call abstains. For a text that is one JSON object and nothing else, that
    object, the order of its keys aside. For any other text, the most deliberate statement of an answer there
    is: the last `\boxed{}`, which nobody writes by chance; else what follows the last "the answer is" or
    `####`; else the yes or no, true or false that it begins with; else the last number with its unit, since a
    worked problem ends in its result; else the whole text, as a label or a short answer has no other form.
    Of a longer text, the last 100,000 characters are searched. Only an empty text abstains: where samples
    without a clear answer should, take one extractor, such as `Boxed`.
    """
    return _DEFAULT
