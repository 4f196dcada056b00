"""What a phrase or a sentence comes down to: its quantity, its letter, its yes or no, its formula or list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from scaffolding_core.answers.choice import choice_in, choice_said
from scaffolding_core.answers.date import DAY
from scaffolding_core.answers.number import quantities
from scaffolding_core.answers.pattern import pattern
from scaffolding_core.answers.quantity import quantity_key
from scaffolding_core.answers.value import bare, value_key
from scaffolding_core.answers.verdict import verdict, verdict_said

__all__ = ["calculates", "said_in", "settled_in"]

_LEAD_IN = pattern(
    r"(?:(?:that|simply|just|therefore|thus|hence|so|indeed|clearly|then|now|still|also|in fact|actually|definitely|"
    r"likely|probably|most likely|equal to|given by|as follows|going to be|be|to be|both|each|on|in|at|the (?:number|date|"
    r"value|time|year|set|option|choice|letter|expression|equation|function|interval|pair|answer|result)(?: is)?)[,:]?\s+)+",
    re.IGNORECASE,
)
_REASON = pattern(
    r"(?:,|\s[-–—])?\s(?:because|since|as|which|where|so|given|due to|assuming|when|while|meaning|making|obtained|found|"
    r"that is|i\.e\.|and not|not|rather than|instead of|but|for|if|in total|altogether|in all|left|remaining|"
    r"weil|denn|da|nicht|sondern|car|parce que|puisque|pas|et non|porque|ya que|pues|no|y no|perch[eé]|poich[eé]|"
    r"потому что|так как|а не)\s"
    r"|[,，](?:因为|因為|而不是|而非|所以|不是|なぜなら|왜냐하면)|\s\(|;\s|；|,\s(?:I\s|we\s|the\s|it\s|and\s(?:the|I|we)\s)",
    re.IGNORECASE,
)
_SENTENCE_LEAD = pattern(
    r"(?:(?:so|therefore|thus|hence|then|finally|consequently|in conclusion|in total|altogether|overall|as a result|"
    r"in summary|to summarize|this means(?: that)?|we (?:get|have|find|obtain|conclude)(?: that)?|it follows that|"
    r"result|因此|所以|故|∴)[,:，]?\s*)+",
    re.IGNORECASE,
)
_CONCLUDES = pattern(
    r"(?:so|therefore|thus|hence|finally|consequently|in conclusion|in total|altogether|as a result|因此|所以|∴)\b",
    re.IGNORECASE,
)
_SUBJECT = pattern(r"(?:there|he|she|it|they|we|i|you|that|this|共|总共|一共)(?:\s|['’]|[有是为])", re.IGNORECASE)
_COPULA = pattern(
    r"\b(?:is|are|was|were|be|becomes?|equals?|totals?|totaled|totalled|makes|comes (?:out )?to|amounts? to|gives?|yields?|"
    r"leaves?|costs?|takes?|has|have|had|get|gets|need|needs|to get)\b(?!\s(?:not|no)\b)\s*:?\s+"
    r"|\b(?:written|expressed|formatted|represented|stated)\s(?:[\w/]+\s){0,4}?as\s+"
    r"|(?<![<>=!:])[=≈:](?!=)\s*|(?:是|为|為|等于|等於|有|は)\s?"
)
_FORMULA = pattern(r"\$\$?([^$]+?)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_AFTER_FORMULA = pattern(r"\s*(?:(?:square|cubic)\s)?(?:units?)?[\s.,;:!*]*")
_TAIL = pattern(
    r"(?:\s(?:in total|in all|altogether|total|left(?: over)?|remaining|more|each|old|tall|long|wide|high|deep|apart|away|now|"
    r"today|overall|of them|per \w+|an? (?:day|week|month|year|hour|minute|mile|piece|person|pound)|every \w+|"
    r"on average|in the end|combined|together|so far))*[\s.,;:!)*'\"]*",
    re.IGNORECASE,
)
_BOUND = pattern(
    r"(?:at least|at most|more than|less than|fewer than|greater than|over|under|above|below|up to|no more than|"
    r"between|from|not|or|and|plus or minus|±|\\pm|[<>≤≥~])\s*[$€£¥₹]?$",
    re.IGNORECASE,
)
_MEASURES = pattern(
    r"(?:\b(?:is|are|was|were|be|equals?|to|of|gives?|get|gets|got|makes?|made|has|have|had|costs?|earns?|earned|pays?|paid|"
    r"needs?|needed|spends?|spent|takes?|took|only|exactly|about|approximately|around|total|totals|sold|saved|ate|left|"
    r"contains?|reads?|read|uses?|used|receives?|received|becomes?|by|for|will|now)|[=:≈(]|有|是|为|為)\s*\**[$€£¥₹]?$",
    re.IGNORECASE,
)
_CALCULATION = pattern(
    r"[\d)%]\s*(?:[=+×÷*]|\s[-−–/]\s)\s*[-$£€(\\]?[\d(]|\\(?:times|frac|div|cdot|dfrac)\b|=\s*[-$£€\\(]{0,2}\d|"
    r"\b(?:multipl|subtract|divid|add(?:ed|ing)?\b|sum of)|\bstep\s?\d",
    re.IGNORECASE,
)
_LONGEST = 1_000
_ARITHMETIC = pattern(r"(?:[\d\s.,()+*/×÷·^%$€£°{}=−–-]|\\(?:times|cdot|div|frac|dfrac|left|right|circ|\$))+")
_BOLD = pattern(r"\*\*(.+?)\*\*")
_NOT_BUT = pattern(r"(?:\bnot|n't)\s[^,.;]{1,40}?,?\sbut\s(?:rather\s)?(.+)$", re.IGNORECASE)
_LOWER_WORD = pattern(r"(?:^|\s)[a-z]+\s\**$")
_ADVERBIAL = pattern(
    r"\b(?:in|over|within|after|at|during|every|step|steps|equation|for the next|the (?:first|last|next))\s\**[$€£]?$",
    re.IGNORECASE,
)
_GOES_ON = pattern(r"\s(?!(?:and|or|to|by|plus|minus|times|x)\b)[a-z]")


def calculates(text: str) -> bool:
    """Whether a text works something out, so that the number its last sentence has is what it was after."""
    return bool(_CALCULATION.search(text))


def said_in(phrase: str, *, working: bool = False) -> str:
    """What a phrase that is known to be the answer comes down to; the phrase itself, bare, where that is unknown.

    Args:
        phrase: the rest of a sentence.
        working: the text it is out of calculates.
    """
    said = bare(phrase)
    return (
        _result_in(said)
        or _value_in(said)
        or _emphasised_in(phrase)
        or choice_said(said)
        or _head_in(said)
        or _predicate_of(said)
        or _counted_in(said, sure=True, working=working)
        or said
    )


def settled_in(sentence: str, *, working: bool) -> str | None:
    """What a sentence comes down to that may be the answer or not; None where it is not known to be one.

    Args:
        sentence: one of a text.
        working: the text calculates.
    """
    if len(sentence) > _LONGEST:
        return None
    said = bare(sentence)
    lead = _SENTENCE_LEAD.match(said)
    concludes = bool(_CONCLUDES.match(said))
    said = said[lead.end() :] if lead else said
    sure = working or concludes or bool(_SUBJECT.match(said))
    return (
        _result_in(said)
        or _whole_value(said)
        or (not working and verdict(sentence))
        or choice_said(said)
        or verdict_said(said)
        or _corrected_in(said)
        or _predicate_of(said)
        or _formula_in(sentence)
        or _emphasised_in(sentence)
        or _counted_in(said, sure=sure, working=working and len(quantities(said)) == 1)
        or verdict(sentence)
    ) or None


def _whole_value(said: str, *, marked: bool = False) -> str | None:
    return choice_in(said, marked=marked) or (said if value_key(said) is not None else None)


def _result_in(said: str) -> str | None:
    """The result behind the last `=` of a calculation, or of a chain of equations."""
    before, sign, result = said.rpartition("=")
    if not sign or "," in said or (before.count("=") == 0 and not _ARITHMETIC.fullmatch(before)):
        return None
    result = bare(result.removesuffix("$") if before.count("$") % 2 else result)
    return result if quantity_key(result) is not None else None


def _emphasised_in(phrase: str) -> str | None:
    """The one value in bold letters."""
    found = [each for each in map(bare, _BOLD.findall(phrase)) if value_key(each) is not None]
    return found[0] if len(found) == 1 else None


def _corrected_in(said: str) -> str | None:
    found = _NOT_BUT.search(said)
    return _whole_value(bare(found[1])) if found else None


def _head_in(said: str) -> str | None:
    """The quantity that a phrase begins with, and goes on to speak of: `9 eggs still hidden in the yard`."""
    found = quantities(said)
    if not found or found[0].start or not found[0].has_unit or not _GOES_ON.match(said, found[0].end):
        return None
    return found[0].text


def _value_in(said: str) -> str | None:
    """The first reading of a phrase, from the whole of it to less, that is a value, a letter, or yes or no."""
    if found := _whole_value(said, marked=True) or verdict(said):
        return found
    for part in _parts(said):
        if found := _whole_value(part, marked=True):
            return found
    return None


def _parts(said: str) -> Iterator[str]:
    lead = _LEAD_IN.match(said)
    if lead:
        said = said[lead.end() :]
        yield bare(said)
    if (reason := _REASON.search(said)) and reason.start() > 0:
        said = said[: reason.start()]
        yield bare(said)
    if said.endswith("!"):
        yield bare(said.rstrip("!"))
    if said[:1] in "([" and said[-1:] in ")]":
        yield bare(said[1:-1])
    if "=" in said and "," not in said:
        yield bare(said.rsplit("=", 1)[1])


def _predicate_of(said: str) -> str | None:
    """The value behind the last `is`, `=` or `:` of a sentence."""
    for found in reversed(list(_COPULA.finditer(said))):
        rest = said[found.end() :]
        if said.count("$", 0, found.end()) % 2:  # inside a formula
            rest = rest.removesuffix("$")
        rest = bare(rest[lead.end() :] if (lead := _LEAD_IN.match(rest)) else rest)
        if not rest or _BOUND.search(said[: found.end()].rstrip()):
            continue
        if value := _whole_value(rest):
            return value
        if (reason := _REASON.search(rest)) and (value := _whole_value(bare(rest[: reason.start()]))):
            return value
    return None


def _formula_in(sentence: str) -> str | None:
    """The one formula that a sentence ends in."""
    found = list(_FORMULA.finditer(sentence))
    if not found or not (
        _AFTER_FORMULA.fullmatch(sentence, found[-1].end()) or _TAIL.fullmatch(sentence, found[-1].end())
    ):
        return None
    last = found[-1]
    content = bare(next(filter(None, last.groups())))
    if len(found) > 1 and sentence[found[-2].end() : last.start()].strip(" ,") in ("", "and", "or", "and "):
        return None  # a list of formulas
    return _result_in(content) or (content if value_key(content) is not None else None)


def _counted_in(said: str, *, sure: bool, working: bool = False) -> str | None:
    """The quantity that a sentence ends in; of one that works something out, its last."""
    if not sure:
        return None
    found = quantities(said)
    if any(not said[first.end : second.start].strip() for first, second in pairwise(found)):
        return None  # `5 feet 3 inches` is one
    days = [day.span() for day in DAY.finditer(said)] if found else []
    for quantity in reversed(found):
        if any(start <= quantity.start < end for start, end in days):
            return None
        before, after = said[: quantity.start], said[quantity.end :]
        if _BOUND.search(before):
            return None
        ends = _TAIL.fullmatch(after) is not None
        measured = quantity.has_unit or _MEASURES.search(before) is not None or not before.strip()
        if not working:
            return quantity.text if ends and measured else None
        if (measured or _LOWER_WORD.search(before)) and not _ADVERBIAL.search(before):
            return quantity.text
    return None
