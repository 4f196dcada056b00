"""Numbers, with their units."""

from __future__ import annotations

from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.answers.number import quantities
from scaffolding_core.answers.phrase import said_in, settled_in
from scaffolding_core.answers.phrases import InPhrases
from scaffolding_core.answers.quantity import quantity_key
from scaffolding_core.messages import JsonValue

__all__ = ["number_answers"]


def number_answers() -> Extractor:
    """Finds the number that a text answers with; where nothing marks one, the last of the last sentence with any."""
    return InPhrases(_number)


def _number(phrase: JsonValue, how: str) -> Answer | None:
    if isinstance(phrase, int | float) and not isinstance(phrase, bool):
        return phrase
    if not isinstance(phrase, str):
        return None
    said = settled_in(phrase) if how == "last sentence" else said_in(phrase, working=True)
    if said is not None and quantity_key(said) is not None:
        return said
    found = quantities(phrase)
    return found[-1].text if found else None
