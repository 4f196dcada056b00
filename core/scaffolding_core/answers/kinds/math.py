"""Mathematics: numbers, formulas, sets and intervals."""

from __future__ import annotations

from scaffolding_core.answers.extractor import Answer, Extractor
from scaffolding_core.answers.formula import FORMULA
from scaffolding_core.answers.phrase import said_in, settled_in
from scaffolding_core.answers.phrases import InPhrases
from scaffolding_core.answers.value import bare, value_key
from scaffolding_core.messages import JsonValue

__all__ = ["math_answers"]


def math_answers() -> Extractor:
    """Finds the formula that a text answers with; where nothing marks one, the last sentence's last."""
    return InPhrases(_formula)


def _formula(phrase: JsonValue, how: str) -> Answer | None:
    if isinstance(phrase, int | float) and not isinstance(phrase, bool):
        return phrase
    if not isinstance(phrase, str):
        return None
    if how == "boxed":
        return phrase
    if how != "last sentence":
        return said_in(phrase, working=True)
    found = settled_in(phrase, working=phrase)
    if found is None and (formulas := FORMULA.findall(phrase)):
        found = bare(next(filter(None, formulas[-1])))
    return found if found is not None and value_key(bare(found)) is not None else None
